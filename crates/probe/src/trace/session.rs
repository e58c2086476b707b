//! An open connection with Multipath TCP, so that data can be probed with: does the option survive the handshake?

use subflow_wire::Key;
use subflow_wire::checksum;
use subflow_wire::keys::Version;
use subflow_wire::mptcp::{Capable, Mptcp};
use subflow_wire::tcp::{Flags, Header, Tcp, TcpOption, emit_options};

use super::flow::{Flow, What, timestamps};
use crate::answers::OptionBytes;
use crate::network::{Head, Out};

/// What is sent as data: nothing that any protocol takes for a command.
const PAYLOAD: &[u8] = b"\r\n\r\n";

/// A connection whose SYN/ACK has come.
#[derive(Clone, Debug)]
pub(super) struct Session {
    ours: Key,
    theirs: Key,
    /// Whether data has a checksum of its own (RFC 8684, section 3.3.1).
    checksum: bool,
    /// The SYN's flow.
    syn: Flow,
    ack: u32,
    echo: Option<u32>,
    closed: bool,
}

impl Session {
    /// The connection that a SYN/ACK with MP_CAPABLE of version 1 opens; `None` for others.
    pub(super) fn open(syn: &Flow, tcp: &Tcp<'_>) -> Option<Self> {
        let capable = tcp.options().find_map(|option| match option {
            TcpOption::Mptcp(Mptcp::Capable(capable)) if capable.version == 1 => Some(capable),
            _ => None,
        })?;
        Some(Self {
            ours: Key(syn.key),
            theirs: capable.sender_key?,
            checksum: capable.checksum_required(),
            syn: syn.clone(),
            ack: tcp.seq().wrapping_add(1),
            echo: timestamps(tcp).map(|(value, _)| value),
            closed: false,
        })
    }

    fn capable(&self) -> Capable {
        Capable {
            version: 1,
            flags: Capable::HMAC | if self.checksum { Capable::CHECKSUM_REQUIRED } else { 0 },
            sender_key: Some(self.ours),
            receiver_key: Some(self.theirs),
            data_len: None,
            checksum: None,
        }
    }

    /// Ends the handshake: the third packet, with both keys (RFC 8684, section 3.1).
    pub(super) fn confirm(&self, id: u32, packet: &mut Vec<u8>, out: &mut Out) {
        let header = Header {
            src_port: self.syn.src_port,
            dst_port: self.syn.target.port,
            seq: self.syn.seq.wrapping_add(1),
            ack: self.ack,
            flags: Flags::ACK,
            window: 64_240,
            urgent: 0,
        };
        let capable = TcpOption::Mptcp(Mptcp::Capable(self.capable()));
        let clock = self.echo.map(|echo| {
            [TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps { value: self.syn.later(), echo }]
        });
        let options: Vec<_> = clock.into_iter().flatten().chain([capable]).collect();
        if Head::new(self.syn.src, self.syn.target.addr).segment(&header, &options, &[], packet).is_ok() {
            out.send(id, packet);
        }
    }

    /// What the data packets are: the first data, with MP_CAPABLE and both keys.
    pub(super) fn data(&self) -> What {
        let mut capable = Capable { data_len: Some(PAYLOAD.len() as u16), ..self.capable() };
        if self.checksum {
            let dsn = self.ours.idsn(Version::V1).wrapping_add(1);
            capable.checksum = Some(checksum::dss_checksum(dsn, 1, PAYLOAD.len() as u16, PAYLOAD));
        }
        let mut bytes = [0; 40];
        let len = emit_options(&[TcpOption::Mptcp(Mptcp::Capable(capable))], &mut bytes).unwrap_or(0);
        What::Data {
            ack: self.ack,
            echo: self.echo,
            options: OptionBytes::new(bytes.get(..len).unwrap_or(&[])),
            payload: PAYLOAD.to_vec(),
        }
    }

    /// The sequence number of the data.
    pub(super) fn data_seq(&self) -> u32 {
        self.syn.seq.wrapping_add(1)
    }

    /// Whether a segment acknowledges the data on the level of the connection; `None` for one that acknowledges no data at all.
    pub(super) fn acknowledged(&self, tcp: &Tcp<'_>) -> Option<bool> {
        let acked = tcp.flags().ack() && tcp.ack() == self.data_seq().wrapping_add(PAYLOAD.len() as u32);
        let expected = self.ours.idsn(Version::V1).wrapping_add(1 + PAYLOAD.len() as u64);
        acked.then(|| {
            tcp.options().any(|option| match option {
                TcpOption::Mptcp(Mptcp::Dss(dss)) => {
                    dss.data_ack.is_some_and(|ack| ack.widen(expected) == expected)
                }
                _ => false,
            })
        })
    }

    /// Ends the connection, once.
    pub(super) fn close(&mut self, id: u32, packet: &mut Vec<u8>, out: &mut Out) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        // With the data taken or not: one of the two resets fits.
        for len in [PAYLOAD.len() as u32, 0] {
            reset(&self.syn, self.data_seq().wrapping_add(len), id, packet, out);
        }
    }
}

/// Closes what a SYN/ACK has opened.
pub(super) fn reset(flow: &Flow, seq: u32, id: u32, packet: &mut Vec<u8>, out: &mut Out) {
    let header = Header {
        src_port: flow.src_port,
        dst_port: flow.target.port,
        seq,
        flags: Flags::RST,
        ..Header::default()
    };
    if Head::new(flow.src, flow.target.addr).segment(&header, &[], &[], packet).is_ok() {
        out.send(id, packet);
    }
}
