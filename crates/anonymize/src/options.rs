//! TCP options, rewritten in their places: what is known to be harmless stays, what names somebody is replaced, and
//! everything else becomes padding.

use crate::{
    addresses::AddressMap,
    audit::{MappingId, over_zeros},
    book::{Book, Sides},
    flows::{Flow, FlowKey, Flows},
    secret::{Secret, Use},
};
use subflow_wire::{
    keys::{Version, add_addr_hmac, join_hmac, leftmost64},
    mptcp::{AddAddr, Capable, Dsn, Dss, FastClose, Join, Mapping, Mptcp},
    tcp::{Options, TcpOption, kind},
};

/// Bytes of an option that say what it is: kind, length, subtype with flags, flags.
const HEAD: usize = 4;

/// One segment's options on their way. `sides` and `flow` are those of its flow, `side` is the one that sent it.
pub(crate) struct Rewriter<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) book: &'a Book,
    pub(crate) addresses: &'a mut AddressMap,
    pub(crate) flows: &'a mut Flows,
    pub(crate) key: FlowKey,
    pub(crate) side: usize,
    pub(crate) flow: Flow,
    pub(crate) sides: Sides,
}

impl Rewriter<'_> {
    /// Rewrites the captured options of a header into `out`, which is as long and all zero.
    pub(crate) fn options(&mut self, bytes: &[u8], out: &mut [u8]) {
        let mut at = 0;
        while let (Some(rest), Some(place)) = (bytes.get(at..), out.get_mut(at..)) {
            match *rest {
                [kind::NOP, ..] => {
                    if let Some(first) = place.first_mut() {
                        *first = kind::NOP;
                    }
                    at += 1;
                }
                [first, len, ..] if first != kind::END && len >= 2 && usize::from(len) <= rest.len() => {
                    let len = usize::from(len);
                    let (Some(option), Some(place)) = (rest.get(..len), place.get_mut(..len)) else { return };
                    self.option(option, place);
                    at += len;
                }
                // The end, or an option that is cut: what it is stays, what it says does not.
                [first, ..] => {
                    let head = match first {
                        kind::END => 0,
                        kind::MPTCP => HEAD,
                        _ => 2,
                    };
                    copy(rest, place, head);
                    return;
                }
                [] => return,
            }
        }
    }

    /// One whole option.
    fn option(&mut self, option: &[u8], out: &mut [u8]) {
        match Options::new(option).next() {
            Some(
                TcpOption::MaxSegmentSize(_)
                | TcpOption::WindowScale(_)
                | TcpOption::SackPermitted
                | TcpOption::Sack(_)
                | TcpOption::Timestamps { .. },
            ) => copy(option, out, option.len()),
            Some(TcpOption::FastOpen(cookie) | TcpOption::FastOpenExperimental(cookie)) => {
                let head = option.len() - cookie.len();
                copy(option, out, head);
                self.secret.fill(Use::Cookie, cookie, out.get_mut(head..).unwrap_or_default());
            }
            Some(TcpOption::Mptcp(mptcp)) => match self.mptcp(mptcp) {
                Some(mptcp) if mptcp.emit(out).is_ok() => {}
                Some(_) => copy(option, out, 2),
                None => copy(option, out, HEAD.min(option.len())),
            },
            // Known, but of a wrong length: its damage is seen by the length.
            Some(TcpOption::Malformed { .. }) => copy(option, out, 2),
            _ => out.fill(kind::NOP),
        }
    }

    /// What stands for an MPTCP option; nothing for one whose contents are not understood.
    fn mptcp<'o>(&mut self, option: Mptcp<'o>) -> Option<Mptcp<'o>> {
        Some(match option {
            Mptcp::Capable(option) => Mptcp::Capable(self.capable(option)),
            Mptcp::Join(option) => Mptcp::Join(self.join(option)),
            Mptcp::Dss(option) => Mptcp::Dss(self.dss(option)),
            Mptcp::AddAddr(option) => Mptcp::AddAddr(self.add_addr(option)),
            Mptcp::FastClose(option) => {
                Mptcp::FastClose(FastClose { key: self.secret.key(option.key), ..option })
            }
            // The number is one of the data that the sender of the option received.
            Mptcp::Fail(mut option) => {
                option.dsn = option.dsn.wrapping_add(self.sides.shifts[1 - self.side]);
                Mptcp::Fail(option)
            }
            Mptcp::RemoveAddr(_) | Mptcp::Prio(_) | Mptcp::TcpRst(_) => option,
            Mptcp::Unknown { .. } | Mptcp::Malformed { .. } => return None,
        })
    }

    fn capable(&mut self, option: Capable) -> Capable {
        let checksum = option.checksum.zip(option.data_len).map(|(checksum, len)| {
            // The first data byte follows the number of the handshake (RFC 8684, section 3.1).
            let version = Version::try_from(option.version).ok().or(self.sides.version);
            match option.sender_key.zip(version) {
                Some((key, version)) => {
                    let dsn = key.idsn(version).wrapping_add(1);
                    let id = self.id(dsn as u32, 1, len, checksum);
                    let dsn = self.secret.key(key).idsn(version).wrapping_add(1);
                    over_zeros(dsn, 1, len, self.book.audit.is_wrong(&id))
                }
                None => self.unknown_sum(checksum),
            }
        });
        Capable {
            sender_key: option.sender_key.map(|key| self.secret.key(key)),
            receiver_key: option.receiver_key.map(|key| self.secret.key(key)),
            checksum,
            ..option
        }
    }

    fn dss(&mut self, option: Dss) -> Dss {
        let [own, other] = [self.sides.shifts[self.side], self.sides.shifts[1 - self.side]];
        let data_ack = option.data_ack.map(|ack| shifted(ack, other));
        let mapping = option.mapping.map(|mapping| {
            let checksum = mapping.checksum.map(|checksum| {
                match self.flows.widen(self.sides.sender(self.side), mapping.dsn) {
                    Some(dsn) => {
                        let id = self.id(mapping.dsn.low(), mapping.subflow_seq, mapping.len, checksum);
                        let wrong = self.book.audit.is_wrong(&id);
                        over_zeros(dsn.wrapping_add(own), mapping.subflow_seq, mapping.len, wrong)
                    }
                    None => self.unknown_sum(checksum),
                }
            });
            Mapping { dsn: shifted(mapping.dsn, own), checksum, ..mapping }
        });
        Dss { data_ack, mapping, ..option }
    }

    fn join(&mut self, option: Join) -> Join {
        match option {
            Join::Syn { backup, address_id, token, nonce, reserved } => Join::Syn {
                backup,
                address_id,
                token: self.book.token(token),
                nonce: self.secret.nonce(nonce),
                reserved,
            },
            Join::SynAck { backup, address_id, hmac, nonce, reserved } => {
                let hmac = match self.join_hmacs() {
                    Some((before, after)) if leftmost64(&before) == hmac => leftmost64(&after),
                    _ => self.secret.number(Use::Hmac, &hmac.to_be_bytes()),
                };
                Join::SynAck { backup, address_id, hmac, nonce: self.secret.nonce(nonce), reserved }
            }
            Join::Ack { hmac, reserved } => {
                let hmac = match self.join_hmacs() {
                    Some((before, after)) if before == hmac => after,
                    _ => {
                        let mut other = [0; 20];
                        self.secret.fill(Use::Hmac, &hmac, &mut other);
                        other
                    }
                };
                Join::Ack { hmac, reserved }
            }
        }
    }

    /// The HMAC that the sender must show, before and after.
    fn join_hmacs(&self) -> Option<([u8; 20], [u8; 20])> {
        let (this, other) = (self.side, 1 - self.side);
        let version = self.sides.version?;
        let keys = (self.sides.keys[this]?, self.sides.keys[other]?);
        let nonces = (self.flow.nonces[this]?, self.flow.nonces[other]?);
        let before = join_hmac(version, keys.0, keys.1, nonces.0, nonces.1);
        let secret = self.secret;
        let new_keys = (secret.key(keys.0), secret.key(keys.1));
        let after =
            join_hmac(version, new_keys.0, new_keys.1, secret.nonce(nonces.0), secret.nonce(nonces.1));
        Some((before, after))
    }

    fn add_addr(&mut self, option: AddAddr) -> AddAddr {
        let addr = self.addresses.map(option.addr);
        let keys = self.sides.keys[self.side].zip(self.sides.keys[1 - self.side]);
        let hmac = option.hmac.map(|hmac| {
            let right = keys.filter(|&(sender, receiver)| {
                add_addr_hmac(sender, receiver, option.address_id, option.addr, option.port) == hmac
            });
            match right {
                Some((sender, receiver)) => {
                    let (sender, receiver) = (self.secret.key(sender), self.secret.key(receiver));
                    add_addr_hmac(sender, receiver, option.address_id, addr, option.port)
                }
                None => self.secret.number(Use::Hmac, &hmac.to_be_bytes()),
            }
        });
        AddAddr { addr, hmac, ..option }
    }

    fn id(&self, dsn: u32, subflow_seq: u32, len: u16, checksum: u16) -> MappingId {
        MappingId { flow: (self.key, self.side), dsn, subflow_seq, len, checksum }
    }

    /// For a checksum that nobody can check.
    fn unknown_sum(&self, checksum: u16) -> u16 {
        self.secret.number(Use::Checksum, &checksum.to_be_bytes()) as u16
    }
}

fn shifted(dsn: Dsn, shift: u64) -> Dsn {
    match dsn {
        Dsn::Short(low) => Dsn::Short(low.wrapping_add(shift as u32)),
        Dsn::Long(dsn) => Dsn::Long(dsn.wrapping_add(shift)),
    }
}

/// Copies the first bytes.
fn copy(from: &[u8], to: &mut [u8], count: usize) {
    to.iter_mut().zip(from).take(count).for_each(|(to, from)| *to = *from);
}
