//! What came on one connection, as it came.

use std::fmt::Write;
use std::net::IpAddr;

use subflow_wire::Key;
use subflow_wire::keys::add_addr_hmac;
use subflow_wire::mptcp::AddAddr;
use subflow_wire::tcp::{Tcp, TcpOption};

use crate::answers::OptionBytes;
use crate::network::Nanos;
use crate::rows::{DataStep, JoinStep, SynStep};

/// What came on one connection.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) syn: SynStep,
    pub(super) join: Option<JoinStep>,
    pub(super) ttl: Option<u8>,
    pub(super) mss: Option<u16>,
    pub(super) window: Option<u16>,
    pub(super) options: Option<OptionBytes>,
    pub(super) flags: Option<u8>,
    pub(super) server_key: Option<Key>,
    /// TCP has acknowledged the first part of the request.
    pub(super) acknowledged: bool,
    /// Some option of Multipath TCP came behind the SYN/ACK.
    pub(super) signals: bool,
    pub(super) mirrored: bool,
    pub(super) fail: bool,
    pub(super) unmapped: bool,
    pub(super) was_reset: bool,
    pub(super) their_fin: bool,
    /// The server had answered before it refused the second subflow.
    pub(super) early: bool,
    pub(super) wrong_ack: Option<DataStep>,
    pub(super) data_ack: Option<u64>,
    pub(super) data_rtt: Option<Nanos>,
    pub(super) ack_rtt: Option<Nanos>,
    pub(super) hmac_expected: Option<u64>,
    pub(super) hmac_seen: Option<u64>,
    pub(super) reset_reason: [Option<u8>; 2],
    pub(super) announced: Vec<AddAddr>,
    pub(super) announced_ok: Option<bool>,
    pub(super) icmp: Option<(u8, u8, IpAddr)>,
    /// On which subflow's SYN.
    pub(super) icmp_on: [bool; 2],
    /// Beginning and number of bytes that no mapping covered.
    pub(super) head: Vec<u8>,
    pub(super) received: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            syn: SynStep::Silent,
            join: None,
            ttl: None,
            mss: None,
            window: None,
            options: None,
            flags: None,
            server_key: None,
            acknowledged: false,
            signals: false,
            mirrored: false,
            fail: false,
            unmapped: false,
            was_reset: false,
            their_fin: false,
            early: false,
            wrong_ack: None,
            data_ack: None,
            data_rtt: None,
            ack_rtt: None,
            hmac_expected: None,
            hmac_seen: None,
            reset_reason: [None; 2],
            announced: Vec::new(),
            announced_ok: None,
            icmp: None,
            icmp_on: [false; 2],
            head: Vec::new(),
            received: 0,
        }
    }
}

impl Seen {
    /// Notes the SYN/ACK.
    pub(super) fn syn_ack(&mut self, tcp: &Tcp<'_>) {
        self.window = Some(tcp.window());
        self.options = Some(OptionBytes::new(tcp.option_bytes()));
        self.mss = tcp.options().find_map(|option| match option {
            TcpOption::MaxSegmentSize(size) => Some(size),
            _ => None,
        });
    }

    /// Notes an announced address, each once; returns how many there are.
    pub(super) fn announce(&mut self, announced: &AddAddr, our_key: Key) -> usize {
        let AddAddr { address_id, addr, port, .. } = *announced;
        if let (Some(hmac), Some(server_key), 1) = (announced.hmac, self.server_key, announced.version) {
            let right = add_addr_hmac(server_key, our_key, address_id, addr, port) == hmac;
            self.announced_ok = Some(self.announced_ok.unwrap_or(true) && right);
        }
        let known = |known: &AddAddr| (known.address_id, known.addr, known.port) == (address_id, addr, port);
        if self.announced.len() < 64 && !self.announced.iter().any(known) {
            self.announced.push(*announced);
        }
        self.announced.len()
    }

    /// The announced addresses as they stand in the row.
    pub(super) fn announced_text(&self) -> Option<String> {
        let mut text = String::new();
        for AddAddr { address_id, addr, port, .. } in &self.announced {
            if !text.is_empty() {
                text.push(',');
            }
            // Writing into a string does not fail.
            let _ = write!(text, "{address_id}={addr}");
            if let Some(port) = port {
                let _ = write!(text, " {port}");
            }
        }
        (!text.is_empty()).then_some(text)
    }
}
