//! What short quotes tell of options that they do not reach: a packet that is shorter by just the option of Multipath TCP, or a
//! checksum that is just that of the packet with padding in the option's place.

use subflow_wire::checksum::transport;
use subflow_wire::mptcp;
use subflow_wire::tcp;

use super::change::{Change, Value};
use super::compare::{Comparison, addresses};
use super::options::each;
use crate::answers::OptionBytes;
use crate::rows::{ChangeKind, Field, QuoteKind};

/// The change that explains what a short quote shows of the packet that was sent; `None` when nothing does, or nothing has to.
///
/// Padding is told by the checksum, 16 bits; a missing option by the length, and by the checksum where it is quoted.
pub(super) fn explain(sent: &[u8], comparison: &Comparison) -> Option<Change> {
    if matches!(comparison.kind, QuoteKind::Full | QuoteKind::Headers) {
        return None;
    }
    let lengths = comparison.length_delta?;
    let ip = comparison.tcp_at;
    let header_len = usize::from(sent.get(ip + 12)? >> 4) * 4;
    let options = sent.get(ip + tcp::HEADER_LEN..ip + header_len)?;
    let found: Vec<(u8, usize, usize)> = each(options)
        .filter(|&(_, kind, ..)| kind == mptcp::KIND)
        .map(|(place, _, from, to)| (place, from, to))
        .collect();
    let &(place, from, to) = found.first()?;
    let gone: usize = found.iter().map(|(_, from, to)| to - from).sum();
    let kind = match lengths {
        0 => {
            let delta = comparison.checksum_delta.filter(|&delta| delta != 0)?;
            let mut padded = sent.to_vec();
            for &(_, from, to) in &found {
                padded.get_mut(ip + tcp::HEADER_LEN + from..ip + tcp::HEADER_LEN + to)?.fill(tcp::kind::NOP);
            }
            (delta == checksum_delta(sent, &padded, ip)?).then_some(ChangeKind::Padded)?
        }
        delta if delta == -(gone as i32) && gone.is_multiple_of(4) => {
            let mut shorter: Vec<u8> = sent.get(..ip + tcp::HEADER_LEN)?.to_vec();
            let kept =
                (0..options.len()).filter(|at| !found.iter().any(|(_, from, to)| (from..to).contains(&at)));
            shorter.extend(kept.filter_map(|at| options.get(at)));
            shorter.extend(sent.get(ip + header_len..)?);
            *shorter.get_mut(ip + 12)? -= (gone as u8 / 4) << 4;
            let expected = checksum_delta(sent, &shorter, ip)?;
            comparison.checksum_delta.is_none_or(|delta| delta == expected).then_some(ChangeKind::Removed)?
        }
        _ => return None,
    };
    let bytes = OptionBytes::new(options.get(from..to)?);
    Some(Change {
        field: Field::Mptcp,
        kind,
        option: Some(mptcp::KIND),
        place,
        sent: Some(Value::Option(bytes)),
        seen: None,
    })
}

/// What is added to the checksum of TCP when a packet becomes another one.
fn checksum_delta(sent: &[u8], other: &[u8], ip: usize) -> Option<u16> {
    let (src, dst) = addresses(sent, sent.first()? >> 4)?;
    let sum = |packet: &[u8]| {
        let mut segment = packet.get(ip..)?.to_vec();
        segment.get_mut(16..18)?.fill(0);
        Some(transport(src, dst, subflow_wire::ip::protocol::TCP, &segment))
    };
    Some(super::compare::difference(sum(sent)?, sum(other)?))
}
