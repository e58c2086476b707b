//! What each counter should be, from the tables. The names and what they count are those of the kernel's
//! `net/mptcp/mib.c`.

use super::parse::Host;
use subflow_analysis::rows::{
    Connection, Direction, Event, EventKind, Fallback, Opener, ReinjectionCause, State, Subflow, Tables,
};

/// What the tables say of a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// This many.
    Count(u64),
    /// At least the first, at most the second, and why there is room.
    Between(u64, u64, String),
    /// A capture cannot show it, and why.
    Invisible(String),
}

/// A counter and how to get it from the tables.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) of: fn(&Tables, Host) -> Expected,
    /// Whether it counts what the host received (true) or sent (false); nothing when neither.
    pub(super) heard: Option<bool>,
}

const HEARD: Option<bool> = Some(true);
const SENT: Option<bool> = Some(false);

macro_rules! rules {
    ($($name:ident, $heard:expr, $of:expr;)+) => {
        pub(super) const COUNTERS: &[Rule] =
            &[$(Rule { name: concat!("MPTcpExt", stringify!($name)), heard: $heard, of: $of },)+];
    };
}

rules! {
    MPCapableSYNTX, SENT, |t, host| of_client(host, || begun(t, connections(t, |_| true)));
    MPCapableSYNRX, HEARD, |t, host| of_server(host, || {
        // A server that does not answer with the option has not taken it: switched off, or stripped behind the capture.
        begun(t, connections(t, |row| row.server_key.is_some()))
    });
    MPCapableSYNACKRX, HEARD, |t, host| of_client(host, || {
        begun(t, connections(t, |row| row.server_key.is_some() && row.fallback != Fallback::Mirror))
    });
    MPCapableACKRX, HEARD, |t, host| of_server(host, || {
        let confirmed = |row: &Connection| {
            row.subflows_established > 0
                && row.server_key.is_some()
                && !matches!(row.fallback, Fallback::Syn | Fallback::SynAck | Fallback::Mirror | Fallback::FirstData)
        };
        begun(t, connections(t, confirmed))
    });
    MPCapableFallbackACK, HEARD, |t, host| of_server(host, || begun(t, connections(t, |row| row.fallback == Fallback::FirstData)));
    MPCapableFallbackSYNACK, HEARD, |t, host| of_client(host, || {
        let count = connections(t, |row| matches!(row.fallback, Fallback::SynAck | Fallback::Mirror));
        let refused = connections(t, |row| row.fallback == Fallback::SynAck && is_refused(t, row));
        match refused {
            0 => begun(t, count),
            _ => Expected::Between(count - refused, count, "a reset is no SYN/ACK".to_owned()),
        }
    });
    MPCapableSYNTXDrop, None, |t, host| of_client(host, || begun(t, connections(t, |row| row.fallback == Fallback::Syn)));
    Blackhole, None, |t, host| of_client(host, || begun(t, connections(t, |row| row.fallback == Fallback::Syn)));
    MPJoinSynTx, SENT, |t, host| joins(t, host, true, |_| true);
    MPJoinSynRx, HEARD, |t, host| joins_heard(t, host);
    MPJoinSynBackupRx, HEARD, |t, host| joins(t, host, false, |row| row.backup && row.state != State::SynLost);
    MPJoinSynAckRx, HEARD, |t, host| {
        let answered = |row: &Subflow| matches!(row.state, State::Established | State::Reset | State::Unconfirmed);
        match joins(t, host, true, answered) {
            Expected::Count(count) => {
                let reset = count_joins(t, host, true, |row| row.state == State::Reset);
                let why = "SYN/ACKs that came when the join's socket had gone are answered by a reset, and not counted";
                Expected::Between(count, count, String::new()).or_less(reset, why)
            }
            other => other,
        }
    };
    MPJoinAckRx, HEARD, |t, host| joins(t, host, false, |row| row.state == State::Established && row.hmac_ok != Some(false));
    MPJoinAckHMacFailure, HEARD, |t, host| joins(t, host, false, |row| row.hmac_ok == Some(false) && row.state != State::SynLost);
    MPJoinNoTokenFound, HEARD, |t, host| {
        let own = stray_joins(t);
        let refused = count_joins(t, host, false, |row| row.state == State::Refused);
        if host == Host::Server { Expected::Count(refused + own) } else { Expected::Count(refused) }
    };
    MPJoinRejected, HEARD, |t, host| {
        let reset = count_joins(t, host, false, |row| row.state == State::Reset && row.hmac_ok != Some(false));
        let why = "of the joins that ended in a reset, those that the kernel rejected";
        Expected::Between(reset, reset, String::new()).or_less(reset, why)
    };
    MPJoinPortSynRx, HEARD, |t, host| joins(t, host, false, |row| other_port(t, row));
    MPJoinPortSynAckRx, HEARD, |t, host| joins(t, host, true, |row| other_port(t, row) && row.state == State::Established);
    MPJoinPortAckRx, HEARD, |t, host| joins(t, host, false, |row| other_port(t, row) && row.state == State::Established);
    AddAddr, HEARD, |t, host| announcements(t, host, false, |row| !row.echo);
    AddAddrTx, SENT, |t, host| announcements(t, host, true, |row| !row.echo);
    EchoAdd, HEARD, |t, host| announcements(t, host, false, |row| row.echo);
    EchoAddTx, SENT, |t, host| announcements(t, host, true, |row| row.echo);
    PortAdd, HEARD, |t, host| announcements(t, host, false, |row| row.port.is_some());
    RmAddr, HEARD, |t, host| events(t, host, false, EventKind::RemoveAddr);
    RmAddrTx, SENT, |t, host| events(t, host, true, EventKind::RemoveAddr);
    MPPrioRx, HEARD, |t, host| events(t, host, false, EventKind::MpPrio);
    MPPrioTx, SENT, |t, host| events(t, host, true, EventKind::MpPrio);
    MPFailRx, HEARD, |t, host| events(t, host, false, EventKind::MpFail);
    MPFailTx, SENT, |t, host| events(t, host, true, EventKind::MpFail);
    MPFastcloseRx, HEARD, |t, host| events(t, host, false, EventKind::FastClose);
    MPFastcloseTx, SENT, |t, host| events(t, host, true, EventKind::FastClose);
    MPRstRx, HEARD, |t, host| resets(t, host, false);
    MPRstTx, SENT, |t, host| resets(t, host, true);
    InfiniteMapRx, HEARD, |t, host| events(t, host, false, EventKind::InfiniteMapping);
    InfiniteMapTx, SENT, |t, host| events(t, host, true, EventKind::InfiniteMapping);
    DataCsumErr, None, |t, host| {
        // The receiver that found the error sends MP_FAIL first; the other end answers with one.
        let first = |row: &&Connection| {
            let mut fails = t.events.iter().filter(|event| event.connection_id == row.connection_id && event.kind == EventKind::MpFail);
            fails.next().is_some_and(|event| event.direction == from(host))
        };
        let fails = t.connections.iter().filter(first).count() as u64;
        let bad = t.events.iter().filter(|event| event.kind == EventKind::MpFail && event.direction == from(host)).count() as u64;
        Expected::Between(fails, fails.max(bad), "one a subflow that failed".to_owned())
    };
    DssFallback, None, |t, _| {
        let later = connections(t, |row| row.fallback == Fallback::Later);
        let more = connections(t, |row| row.fallback == Fallback::Checksum);
        Expected::Between(later, later + more, "a fallback after MP_FAIL counts when plain data follows".to_owned())
    };
    DuplicateData, HEARD, |t, host| {
        let repeated = |row: &Connection| match to(host) {
            Direction::C2s => row.reinjected_bytes_c2s + row.meta_retransmitted_bytes_c2s,
            Direction::S2c => row.reinjected_bytes_s2c + row.meta_retransmitted_bytes_s2c,
        };
        beyond(t, repeated, "data-level bytes again to it", "counts packets after the host merged them; the tables count bytes")
    };
    OFOQueue, HEARD, |t, host| beyond(t, late(host), "data-level bytes out of order to it", MERGED);
    OFOQueueTail, HEARD, |t, host| beyond(t, late(host), "data-level bytes out of order to it", MERGED);
    OFOMerge, HEARD, |t, host| beyond(t, late(host), "data-level bytes out of order to it", MERGED);
    MPTCPRetrans, SENT, |t, host| {
        let rows = t.reinjections.iter().filter(|row| row.direction == from(host));
        let timeouts = rows.filter(|row| row.cause != Some(ReinjectionCause::Redundant)).count();
        Expected::Invisible(format!(
            "counts runs of the kernel's data-level retransmission, each of any number of packets, sent or not; the capture \
             has {timeouts} reinjections of this host"
        ))
    };
}

const MERGED: &str = "counts packets after the host merged them, and those that an earlier subflow's loss held back; the tables count bytes";

impl Expected {
    /// As many, or up to so many less.
    fn or_less(self, less: u64, why: &str) -> Self {
        match self {
            Self::Between(count, ..) | Self::Count(count) if less > 0 => {
                Self::Between(count, count, why.to_owned()).down(less)
            }
            Self::Between(count, ..) => Self::Count(count),
            other => other,
        }
    }

    fn down(self, less: u64) -> Self {
        match self {
            Self::Between(low, high, why) => Self::Between(low.saturating_sub(less), high, why),
            other => other,
        }
    }
}

/// The direction of what a host sends.
fn from(host: Host) -> Direction {
    match host {
        Host::Client => Direction::C2s,
        Host::Server => Direction::S2c,
    }
}

fn to(host: Host) -> Direction {
    from(host).reverse()
}

fn of_client(host: Host, count: impl FnOnce() -> Expected) -> Expected {
    if host == Host::Client { count() } else { Expected::Count(0) }
}

fn of_server(host: Host, count: impl FnOnce() -> Expected) -> Expected {
    if host == Host::Server { count() } else { Expected::Count(0) }
}

fn connections(tables: &Tables, which: impl Fn(&Connection) -> bool) -> u64 {
    tables.connections.iter().filter(|row| which(row)).count() as u64
}

/// Of handshakes that the capture has; those before it began may be more.
fn begun(tables: &Tables, count: u64) -> Expected {
    let without =
        connections(tables, |row| !row.complete && row.version.is_none() && !is_refused(tables, row));
    match without {
        0 => Expected::Count(count),
        _ => Expected::Between(
            count.saturating_sub(without),
            count + without,
            format!("the capture lacks the handshake of {without} of its connections"),
        ),
    }
}

fn is_refused(tables: &Tables, row: &Connection) -> bool {
    tables.subflows.iter().any(|subflow| {
        subflow.connection_id == row.connection_id
            && subflow.subflow_id == 0
            && subflow.state == State::Refused
    })
}

fn count_joins(tables: &Tables, host: Host, opened: bool, which: impl Fn(&Subflow) -> bool) -> u64 {
    let opener = match (host, opened) {
        (Host::Client, true) | (Host::Server, false) => Opener::Client,
        _ => Opener::Server,
    };
    let rows = tables.subflows.iter().filter(|row| row.subflow_id != 0 && row.opener == opener && which(row));
    rows.count() as u64
}

fn joins(tables: &Tables, host: Host, opened: bool, which: impl Fn(&Subflow) -> bool) -> Expected {
    let count = count_joins(tables, host, opened, which);
    let midstream = count_joins(tables, host, opened, |row| row.state == State::Midstream);
    match midstream {
        0 => Expected::Count(count),
        _ => Expected::Between(
            count.saturating_sub(midstream),
            count + midstream,
            format!("the capture lacks the handshake of {midstream} joined subflows"),
        ),
    }
}

/// Joins that name a connection that the capture does not have: rows of their own.
fn stray_joins(tables: &Tables) -> u64 {
    connections(tables, |row| !row.complete && row.version.is_none() && is_refused(tables, row))
}

fn joins_heard(tables: &Tables, host: Host) -> Expected {
    let own = if host == Host::Server { stray_joins(tables) } else { 0 };
    match joins(tables, host, false, |row| row.state != State::SynLost) {
        Expected::Count(count) => {
            let lost = count_joins(tables, host, false, |row| row.state == State::SynLost);
            let low = count + own;
            let why = "SYNs of joins that nothing answered: lost, or dropped by a firewall on the host";
            if lost > 0 { Expected::Between(low, low + lost, why.to_owned()) } else { Expected::Count(low) }
        }
        other => other,
    }
}

fn other_port(tables: &Tables, row: &Subflow) -> bool {
    let connection = tables.connections.iter().find(|one| one.connection_id == row.connection_id);
    row.opener == Opener::Client && connection.is_some_and(|one| one.server_port != row.dst_port)
}

fn announcements(
    tables: &Tables,
    host: Host,
    sent: bool,
    which: impl Fn(&subflow_analysis::rows::Announcement) -> bool,
) -> Expected {
    let direction = if sent { from(host) } else { to(host) };
    let rows = tables.announcements.iter().filter(|row| row.direction == direction && which(row));
    Expected::Count(rows.count() as u64)
}

fn of_kind(tables: &Tables, host: Host, sent: bool, kind: EventKind) -> impl Iterator<Item = &Event> {
    let direction = if sent { from(host) } else { to(host) };
    tables.events.iter().filter(move |row| row.direction == direction && row.kind == kind)
}

fn events(tables: &Tables, host: Host, sent: bool, kind: EventKind) -> Expected {
    Expected::Count(of_kind(tables, host, sent, kind).count() as u64)
}

/// Reasons of resets. The kernel does not count those that it sends without a socket (in answer to packets of a subflow that
/// is gone) or from the handshake of a join, nor those that a join in its handshake receives.
fn resets(tables: &Tables, host: Host, sent: bool) -> Expected {
    let in_handshake = |event: &Event| {
        tables.subflows.iter().any(|row| {
            (row.connection_id, row.subflow_id) == (event.connection_id, event.subflow_id)
                && (matches!(row.state, State::Refused | State::Reset | State::Unconfirmed | State::SynLost)
                    || removed(tables, event))
        })
    };
    let all = of_kind(tables, host, sent, EventKind::TcpRst).count() as u64;
    let handshake =
        of_kind(tables, host, sent, EventKind::TcpRst).filter(|event| in_handshake(event)).count() as u64;
    if handshake == 0 {
        return Expected::Count(all);
    }
    let why = "resets in the handshake of a join, or of a subflow that is gone, are counted only where a socket is there";
    Expected::Between(all - handshake, all, why.to_owned())
}

/// Whether addresses of the connection had been withdrawn before: the subflow's socket may be gone.
fn removed(tables: &Tables, event: &Event) -> bool {
    tables.events.iter().any(|other| {
        other.connection_id == event.connection_id
            && other.kind == EventKind::RemoveAddr
            && other.time <= event.time
    })
}

fn late(host: Host) -> fn(&Connection) -> u64 {
    match to(host) {
        Direction::C2s => |row| row.out_of_order_bytes_c2s,
        Direction::S2c => |row| row.out_of_order_bytes_s2c,
    }
}

/// A counter of packets where the tables have bytes.
fn beyond(tables: &Tables, bytes: impl Fn(&Connection) -> u64, what: &str, why: &str) -> Expected {
    let bytes: u64 = tables.connections.iter().map(bytes).sum();
    Expected::Invisible(format!("{why} ({bytes} {what})"))
}
