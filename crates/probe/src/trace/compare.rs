//! The packet that an ICMP error quotes, held against the one that was sent: byte by byte, as far as it is quoted.
//!
//! What routers do to every packet is no change: the time to live, and with it the checksum of the IPv4 header. Neither are the
//! habits of some of them when they quote: lengths and flags in their own byte order, or without the header's length. Where the quote
//! ends nothing is known, so nothing is missing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use subflow_wire::checksum::transport;
use subflow_wire::icmp::{Message, MplsLabel};
use subflow_wire::ip::{protocol, v4, v6};
use subflow_wire::tcp;

use super::change::{Change, Value};
use super::options;
use crate::rows::{ChangeKind, Field, QuoteKind};

/// What a quote shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How much is quoted.
    pub kind: QuoteKind,
    /// Bytes that are quoted.
    pub quoted: usize,
    /// Time to live of the quoted packet.
    pub quoted_ttl: u8,
    /// What is different.
    pub changes: Vec<Change>,
    /// Whether the checksum of TCP fits what is quoted; `None` when not all that it covers is.
    pub checksum_fits: Option<bool>,
    /// Checksum of the IPv4 header as it is quoted.
    pub(super) ip_checksum: Option<u16>,
    /// Whether lengths and checksum are explained by a change that is not quoted itself.
    pub(super) explained: bool,
    /// Where TCP begins in the packet that was sent.
    pub(super) tcp_at: usize,
    /// By how much the packet is longer than what was sent.
    pub(super) length_delta: Option<i32>,
    /// By how much the checksum is larger, in ones' complement.
    pub(super) checksum_delta: Option<u16>,
}

/// What an ICMP error quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote<'a> {
    /// The quoted packet, possibly cut, possibly padded.
    pub bytes: &'a [u8],
    /// Whether extensions follow (RFC 4884): the quote is then padded with zeros to at least 128 bytes.
    pub extended: bool,
}

impl<'a> Quote<'a> {
    /// The quote of a message.
    pub fn of(message: &Message<'a>) -> Self {
        Self { bytes: message.quote_bytes(), extended: message.extensions().is_some() }
    }
}

/// The MPLS labels with which a probe came to the router that sent a message (RFC 4950), outermost first.
pub fn mpls_labels(message: &Message<'_>) -> Vec<MplsLabel> {
    let objects = message.extensions().into_iter().flat_map(|extensions| extensions.objects());
    // A label stack is a few entries deep; more is no stack.
    objects.filter_map(|object| object.mpls()).flatten().take(16).collect()
}

/// What a field of the packet that was sent shows in a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It is quoted as it was sent.
    Unchanged,
    /// It is quoted, and different.
    Changed,
    /// It is not quoted.
    Unknown,
}

/// Where the fields of an IP header end and TCP begins, on both sides.
struct Layout {
    sent_at: usize,
    seen_at: usize,
    /// Length of the quoted packet by its own account.
    wire_len: usize,
}

/// Holds a quote against the packet that was sent, both from the IP header on. `None` when it is no quote of an IP packet of this
/// version, or less than an IP header.
pub fn compare(sent: &[u8], quote: Quote<'_>) -> Option<Comparison> {
    let mut changes = Vec::new();
    let version = sent.first()? >> 4;
    if quote.bytes.first()? >> 4 != version {
        return None;
    }
    let (layout, length_delta) = match version {
        4 => header_v4(sent, quote.bytes, &mut changes)?,
        6 => header_v6(sent, quote.bytes, &mut changes)?,
        _ => return None,
    };
    let quoted_ttl = *quote.bytes.get(if version == 4 { 8 } else { 7 })?;
    let ours = sent.get(layout.sent_at..)?;
    let in_quote = quote.bytes.len().min(layout.wire_len);
    let all = quote.bytes.get(layout.seen_at.min(in_quote)..in_quote).unwrap_or(&[]);
    let addrs = addresses(quote.bytes, version)?;
    let fits = |segment: &[u8]| transport(addrs.0, addrs.1, protocol::TCP, segment) == 0;
    let whole = in_quote == layout.wire_len && all.len() >= tcp::HEADER_LEN;
    let mut theirs = all;
    if quote.extended && !(whole && fits(all)) {
        theirs = without_padding(all, ours);
    }
    let whole = whole && theirs.len() == all.len();
    let header_len = theirs.get(12).map(|byte| usize::from(byte >> 4) * 4);
    let kind = match (whole, header_len) {
        (true, _) => QuoteKind::Full,
        (_, Some(len)) if theirs.len() >= len => QuoteKind::Headers,
        _ if theirs.len() > 8 => QuoteKind::Partial,
        _ if theirs.len() == 8 => QuoteKind::Minimal,
        _ => QuoteKind::Short,
    };
    segment(ours, theirs, whole, &mut changes);
    let checksum_fits = whole.then(|| fits(theirs));
    let checksum_delta = match (word(ours, 16), word(theirs, 16)) {
        (Some(sent), Some(seen)) => Some(difference(sent, seen)),
        _ => None,
    };
    checksum(ours, theirs, checksum_fits, &mut changes);
    Some(Comparison {
        kind,
        quoted: layout.seen_at.min(in_quote) + theirs.len(),
        quoted_ttl,
        changes,
        checksum_fits,
        ip_checksum: if version == 4 { word(quote.bytes, 10) } else { None },
        explained: false,
        tcp_at: layout.sent_at,
        length_delta,
        checksum_delta,
    })
}

impl Comparison {
    /// What the quote shows of the thing that a change was seen of, elsewhere.
    pub fn shows(&self, sent: &[u8], change: &Change) -> Shown {
        if self.changes.iter().any(|own| own.same_place(change)) {
            return Shown::Changed;
        }
        match self.range(sent, change) {
            Some(end) if end <= self.quoted => Shown::Unchanged,
            _ => Shown::Unknown,
        }
    }

    /// Whether the change is shown by what is quoted beside it, where it is not quoted itself: the length of the packet, or the
    /// checksum, as the quote `other` has them that shows it.
    pub fn witnesses(&self, change: &Change, other: &Comparison) -> Shown {
        let decide = |own: Option<i64>, known: Option<i64>| match (own, known) {
            (Some(0), Some(known)) if known != 0 => Shown::Unchanged,
            (Some(own), Some(known)) if known != 0 && own == known => Shown::Changed,
            _ => Shown::Unknown,
        };
        let resized = matches!(change.kind, ChangeKind::Removed | ChangeKind::Added | ChangeKind::Doubled);
        if resized {
            let shown = decide(self.length_delta.map(i64::from), other.length_delta.map(i64::from));
            if shown != Shown::Unknown {
                return shown;
            }
        }
        if change.is_covered() && (other.checksum_fits == Some(true) || other.explained) {
            return decide(self.checksum_delta.map(i64::from), other.checksum_delta.map(i64::from));
        }
        Shown::Unknown
    }

    /// Where the thing ends that a change was seen of, in the packet that was sent; `None` when that lies beyond any quote that is not whole.
    fn range(&self, sent: &[u8], change: &Change) -> Option<usize> {
        let ip_v4 = self.tcp_at == v4::HEADER_LEN;
        let pick = |v4_end, v6_end| Some(if ip_v4 { v4_end } else { v6_end });
        let tcp = |end: usize| Some(self.tcp_at + end);
        let full = || (self.kind == QuoteKind::Full).then_some(self.quoted);
        let header =
            || (self.kind == QuoteKind::Full || self.kind == QuoteKind::Headers).then_some(self.quoted);
        if matches!(change.kind, ChangeKind::Added | ChangeKind::Doubled) {
            return header();
        }
        match change.field {
            Field::IpHeaderLength | Field::IpOptions => pick(20, 40),
            Field::Dscp | Field::IpEcn => pick(2, 2),
            Field::FlowLabel => pick(4, 4),
            Field::IpLength => self.length_delta.and(pick(4, 6)),
            Field::IpId => pick(6, 6),
            Field::IpFlags | Field::FragmentOffset => pick(8, 8),
            Field::Protocol => pick(10, 7),
            Field::Ttl => pick(9, 8),
            Field::SrcAddr => pick(16, 24),
            Field::DstAddr => pick(20, 40),
            Field::SrcPort => tcp(2),
            Field::DstPort => tcp(4),
            Field::Sequence => tcp(8),
            Field::Acknowledgement => tcp(12),
            Field::TcpHeaderLength => tcp(13),
            Field::Flags => tcp(14),
            Field::Window => tcp(16),
            Field::Checksum => tcp(18),
            Field::Urgent => tcp(20),
            Field::OptionOrder | Field::Padding => header(),
            Field::Payload => full(),
            _ => {
                let bytes = sent.get(self.tcp_at + tcp::HEADER_LEN..)?;
                let (_, end) = options::range(bytes, change.place)?;
                tcp(tcp::HEADER_LEN + end)
            }
        }
    }
}

fn byte(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at).map(|&byte| u32::from(byte))
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u16::from_be_bytes(*bytes))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes))
}

/// Adds a change where both are there and differ.
fn note<T: PartialEq>(
    changes: &mut Vec<Change>,
    field: Field,
    sent: Option<T>,
    seen: Option<T>,
    value: impl Fn(T) -> Value,
) {
    if let (Some(sent), Some(seen)) = (sent, seen)
        && sent != seen
    {
        changes.push(Change::value(field, value(sent), value(seen)));
    }
}

fn number(value: u16) -> Value {
    Value::Number(u32::from(value))
}

/// The header of IPv4 (RFC 791).
fn header_v4(sent: &[u8], seen: &[u8], changes: &mut Vec<Change>) -> Option<(Layout, Option<i32>)> {
    let (ours, theirs) =
        (sent.first_chunk::<{ v4::HEADER_LEN }>()?, seen.first_chunk::<{ v4::HEADER_LEN }>()?);
    let header_len = |head: &[u8]| head.first().map(|byte| usize::from(byte & 0x0f) * 4);
    let (sent_at, seen_at) = (header_len(ours)?, header_len(theirs)?);
    if seen_at < v4::HEADER_LEN {
        return None;
    }
    note(changes, Field::IpHeaderLength, Some(sent_at as u32), Some(seen_at as u32), Value::Number);
    note(changes, Field::Dscp, byte(ours, 1).map(|b| b >> 2), byte(theirs, 1).map(|b| b >> 2), Value::Number);
    note(changes, Field::IpEcn, byte(ours, 1).map(|b| b & 3), byte(theirs, 1).map(|b| b & 3), Value::Number);
    let (sent_len, seen_len) = (word(ours, 2)?, word(theirs, 2)?);
    // Hosts' own byte order, and lengths without the header, are habits of who quotes.
    let habits = [sent_len.swap_bytes(), sent_len.wrapping_sub(sent_at as u16)];
    let habit = seen_len != sent_len
        && (habits.contains(&seen_len) || habits.contains(&seen_len.swap_bytes()) || seen_len == 0);
    let mut length_delta = None;
    if !habit {
        note(changes, Field::IpLength, Some(sent_len), Some(seen_len), number);
        length_delta = Some(i32::from(seen_len) - i32::from(sent_len));
    }
    let swapped = |at| word(ours, at).map(u16::swap_bytes) == word(theirs, at);
    if !(habit && swapped(4)) {
        note(changes, Field::IpId, word(ours, 4), word(theirs, 4), number);
    }
    let (place, seen_place) = (word(ours, 6)?, word(theirs, 6)?);
    if place != seen_place && !swapped(6) {
        let bits = |bits: u16| Value::Bits(u32::from(bits));
        note(changes, Field::IpFlags, Some(place >> 13), Some(seen_place >> 13), bits);
        note(changes, Field::FragmentOffset, Some(place & 0x1fff), Some(seen_place & 0x1fff), number);
    }
    // It falls on the way; only more than was sent is somebody's work.
    if theirs[8] > ours[8] {
        note(changes, Field::Ttl, byte(ours, 8), byte(theirs, 8), Value::Number);
    }
    note(changes, Field::Protocol, byte(ours, 9), byte(theirs, 9), Value::Number);
    let addr = |head: &[u8], at| long(head, at).map(Ipv4Addr::from);
    let value = |addr: Ipv4Addr| Value::Addr(addr.into());
    note(changes, Field::SrcAddr, addr(ours, 12), addr(theirs, 12), value);
    note(changes, Field::DstAddr, addr(ours, 16), addr(theirs, 16), value);
    if sent_at == seen_at {
        let options = |bytes: &[u8]| bytes.get(20..sent_at).map(crate::answers::OptionBytes::new);
        note(changes, Field::IpOptions, options(sent), options(seen), Value::Options);
    }
    let wire_len = usize::from(if habit { sent_len } else { seen_len });
    Some((Layout { sent_at, seen_at, wire_len }, length_delta))
}

/// The header of IPv6 (RFC 8200). Extension headers that were not sent show as another next header.
fn header_v6(sent: &[u8], seen: &[u8], changes: &mut Vec<Change>) -> Option<(Layout, Option<i32>)> {
    let (ours, theirs) =
        (sent.first_chunk::<{ v6::HEADER_LEN }>()?, seen.first_chunk::<{ v6::HEADER_LEN }>()?);
    let class = |head: &[u8]| long(head, 0).map(|word| word >> 20 & 0xff);
    note(changes, Field::Dscp, class(ours).map(|b| b >> 2), class(theirs).map(|b| b >> 2), Value::Number);
    note(changes, Field::IpEcn, class(ours).map(|b| b & 3), class(theirs).map(|b| b & 3), Value::Number);
    let label = |head: &[u8]| long(head, 0).map(|word| word & 0xf_ffff);
    note(changes, Field::FlowLabel, label(ours), label(theirs), Value::Bits);
    let (sent_len, seen_len) = (word(ours, 4)?, word(theirs, 4)?);
    let habit = seen_len != sent_len && (seen_len == sent_len.swap_bytes() || seen_len == 0);
    let mut length_delta = None;
    if !habit {
        note(changes, Field::IpLength, Some(sent_len), Some(seen_len), number);
        length_delta = Some(i32::from(seen_len) - i32::from(sent_len));
    }
    note(changes, Field::Protocol, byte(ours, 6), byte(theirs, 6), Value::Number);
    if theirs[7] > ours[7] {
        note(changes, Field::Ttl, byte(ours, 7), byte(theirs, 7), Value::Number);
    }
    let (src, dst) = addresses(sent, 6)?;
    let (seen_src, seen_dst) = addresses(seen, 6)?;
    note(changes, Field::SrcAddr, Some(src), Some(seen_src), Value::Addr);
    note(changes, Field::DstAddr, Some(dst), Some(seen_dst), Value::Addr);
    let wire_len = v6::HEADER_LEN + usize::from(if habit { sent_len } else { seen_len });
    // Behind an extension header that somebody put in, nothing can be compared.
    let seen_at = if theirs[6] == ours[6] { v6::HEADER_LEN } else { seen.len() };
    Some((Layout { sent_at: v6::HEADER_LEN, seen_at, wire_len }, length_delta))
}

pub(super) fn addresses(packet: &[u8], version: u8) -> Option<(IpAddr, IpAddr)> {
    if version == 4 {
        let addr = |at| long(packet, at).map(|word| IpAddr::V4(Ipv4Addr::from(word)));
        return Some((addr(12)?, addr(16)?));
    }
    let addr = |at: usize| {
        packet.get(at..).and_then(<[u8]>::first_chunk::<16>).map(|bytes| IpAddr::V6(Ipv6Addr::from(*bytes)))
    };
    Some((addr(8)?, addr(24)?))
}

/// A quote without the zeros at its end that may be the padding that extensions need (RFC 4884, section 4); zeros that were sent
/// are no padding.
fn without_padding<'a>(seen: &'a [u8], sent: &[u8]) -> &'a [u8] {
    let mut end = seen.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    while end < seen.len() && sent.get(end) == Some(&0) {
        end += 1;
    }
    seen.get(..end).unwrap_or(seen)
}

/// The header of TCP, its options and what follows (RFC 9293, section 3.1). `whole` says that all of the segment is there.
fn segment(sent: &[u8], seen: &[u8], whole: bool, changes: &mut Vec<Change>) {
    note(changes, Field::SrcPort, word(sent, 0), word(seen, 0), number);
    note(changes, Field::DstPort, word(sent, 2), word(seen, 2), number);
    note(changes, Field::Sequence, long(sent, 4), long(seen, 4), Value::Number);
    note(changes, Field::Acknowledgement, long(sent, 8), long(seen, 8), Value::Number);
    let header_len = |segment: &[u8]| byte(segment, 12).map(|byte| (byte >> 4) * 4);
    note(changes, Field::TcpHeaderLength, header_len(sent), header_len(seen), Value::Number);
    let flags = |segment: &[u8]| word(segment, 12).map(|word| u32::from(word & 0x0fff));
    note(changes, Field::Flags, flags(sent), flags(seen), Value::Bits);
    note(changes, Field::Window, word(sent, 14), word(seen, 14), number);
    note(changes, Field::Urgent, word(sent, 18), word(seen, 18), number);
    let (Some(sent_len), Some(seen_len)) = (header_len(sent), header_len(seen)) else { return };
    let (sent_len, seen_len) = (sent_len as usize, seen_len as usize);
    let Some(theirs) = seen.get(tcp::HEADER_LEN..seen.len().min(seen_len)) else { return };
    let ours = sent.get(tcp::HEADER_LEN..sent_len.min(sent.len())).unwrap_or(&[]);
    options::compare(ours, theirs, seen.len() >= seen_len, changes);
    let (Some(ours), Some(theirs)) = (sent.get(sent_len..), seen.get(seen_len..)) else { return };
    let same = if whole { ours == theirs } else { ours.get(..theirs.len()) == Some(theirs) };
    if !same {
        let bytes = |payload: &[u8]| Value::Bytes(payload.len() as u32);
        changes.push(Change::value(Field::Payload, bytes(ours), bytes(theirs)));
    }
}

/// The checksum of TCP. One that is new and fits is but the consequence of the change that it covers.
fn checksum(sent: &[u8], seen: &[u8], fits: Option<bool>, changes: &mut Vec<Change>) {
    let (Some(ours), Some(theirs)) = (word(sent, 16), word(seen, 16)) else { return };
    let bits = |bits: u16| Value::Bits(u32::from(bits));
    let covered = changes.iter().any(Change::is_covered);
    match fits {
        // Addresses that were translated on the way, and restored in the quote: the checksum was forgotten.
        Some(false) | None if ours != theirs && !covered => {
            changes.push(Change::value(Field::Checksum, bits(ours), bits(theirs)));
        }
        Some(false) if covered => {
            let kind = ChangeKind::Broken;
            changes.push(Change { kind, ..Change::value(Field::Checksum, bits(ours), bits(theirs)) });
        }
        _ => {}
    }
}

/// What has to be added to a checksum to get another one, in ones' complement.
pub(super) fn difference(from: u16, to: u16) -> u16 {
    let sum = u32::from(to) + u32::from(!from);
    let folded = (sum & 0xffff) + (sum >> 16);
    // Both zeros of ones' complement are zero.
    if folded == 0xffff { 0 } else { folded as u16 }
}
