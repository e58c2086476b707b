//! The page of keys.

/// What there is to press, and what the columns mean.
pub(super) const LINES: &[&str] = &[
    "Keys",
    "  ↑ ↓ PgUp PgDn   choose a connection",
    "  Enter           its subflows; again, or Esc: back to the list",
    "  s S             sort by the next or previous key    r  turn round",
    "  m or Tab        the summary so far (with room it is always there)",
    "  p or space      pause the list (capture and header go on)",
    "  ? q             this page; end the capture and print the summary",
    "",
    "Columns",
    "  id         connection_id, as in the tables",
    "  v          version of MPTCP: 0 (RFC 6824) or 1 (RFC 8684)",
    "  subfl      subflows up / attempted; b: backups among them",
    "  ↑ ↓        data-level bytes from the client, from the server",
    "  bit/s      data-level bits a second, both ways, since the last look",
    "  RTT ms     mean round-trip time of each subflow that is up",
    "",
    "Header",
    "  dropped    packets that the kernel dropped because the ring was full",
    "  ring       how full the ring is that packets wait in",
];
