//! Bytes sent again on the same subflow: by TCP under the same sequence numbers, or under new ones.

use super::claim::{Claim, Subject};
use super::view::View;
use super::words::{capital, counted, duration, range};
use subflow_analysis::rows::{Carried, Direction, Packet};

const RULE: &str =
    "a retransmission: payload whose subflow sequence numbers had been seen before (RFC 9293, section 3.8)";
const META: &str = "a retransmission of the data level: data-level bytes again on the same subflow, under new subflow sequence numbers \
                    (RFC 8684, section 3.3.6)";
/// Neighbours this close in time are one group, in nanoseconds.
const CLOSE: i64 = 1_000_000_000;
/// So many make a group.
const MANY: usize = 4;

pub(super) fn claims(view: &View<'_>, all: bool, claims: &mut Vec<Claim>) {
    for subflow in &view.subflows {
        for direction in [Direction::C2s, Direction::S2c] {
            half(view, subflow.subflow_id, direction, all, claims);
            meta(view, subflow.subflow_id, direction, all, claims);
        }
    }
}

fn half(view: &View<'_>, subflow: u32, direction: Direction, all: bool, claims: &mut Vec<Claim>) {
    let packets = view.half(subflow, direction);
    let repeats: Vec<_> = packets.iter().copied().filter(|packet| packet.retransmitted_bytes > 0).collect();
    if repeats.is_empty() {
        return;
    }
    // Those that brought a byte first, in order of position.
    let mut fresh: Vec<_> = packets
        .iter()
        .copied()
        .filter(|packet| packet.bytes > packet.retransmitted_bytes && packet.position.is_some())
        .collect();
    fresh.sort_by_key(|packet| packet.position);
    for group in repeats.chunk_by(|a, b| b.time.0 - a.time.0 <= CLOSE) {
        if all || group.len() < MANY {
            claims.extend(group.iter().map(|packet| single(view, packet, &fresh)));
        } else if let (Some(first), Some(last)) = (group.first(), group.last()) {
            let bytes = group.iter().map(|packet| packet.retransmitted_bytes).sum();
            let text = format!(
                "{} to frame {} ({}): {} repeated {} of subflow {subflow}, all of which it had sent before.",
                capital(&view.place(first)),
                last.frame,
                view.moment(last.time),
                counted(group.len() as u64, "packet"),
                counted(bytes, "byte")
            );
            let origins = [origin(first, &fresh), origin(last, &fresh)];
            claims.push(
                claim(view, first, "retransmission", RULE)
                    .of(group.len() as u64, bytes)
                    .proved_by([first.frame, last.frame])
                    .proved_by(origins.into_iter().flatten().map(|packet| packet.frame))
                    .say(text),
            );
        }
    }
}

/// The packet that had brought the first byte of a repeat.
fn origin<'a>(packet: &Packet, fresh: &[&'a Packet]) -> Option<&'a Packet> {
    let at = packet.position?;
    let next = fresh.partition_point(|other| other.position.is_some_and(|position| position <= at));
    fresh[..next].iter().rev().take(64).copied().find(|other| {
        other.time <= packet.time
            && other.frame != packet.frame
            && other.position.is_some_and(|position| position.saturating_add_unsigned(other.bytes) > at)
    })
}

fn single(view: &View<'_>, packet: &Packet, fresh: &[&Packet]) -> Claim {
    let mut text = format!(
        "{} repeated {} of its subflow",
        capital(&view.place(packet)),
        counted(packet.retransmitted_bytes, "byte")
    );
    if let Some(position) = packet.position {
        text.push_str(&format!(" (of bytes {})", range(position, packet.bytes)));
    }
    let origin = origin(packet, fresh);
    if let Some(origin) = origin {
        text.push_str(&format!(
            ", which {} had sent {} before",
            view.short(origin),
            duration((packet.time.0 - origin.time.0) as f64 / 1e9)
        ));
    }
    text.push('.');
    claim(view, packet, "retransmission", RULE)
        .of(1, packet.retransmitted_bytes)
        .proved_by([packet.frame])
        .proved_by(origin.map(|packet| packet.frame))
        .say(text)
}

fn claim(view: &View<'_>, packet: &Packet, name: &'static str, rule: &str) -> Claim {
    Claim::new(view.id(), Subject::Retransmissions, name, rule)
        .at(packet.time)
        .on(packet.subflow_id)
        .towards(packet.direction)
}

fn meta(view: &View<'_>, subflow: u32, direction: Direction, all: bool, claims: &mut Vec<Claim>) {
    let rows: Vec<_> = view
        .carriages
        .iter()
        .filter(|row| {
            (row.subflow_id, row.direction, row.carried) == (subflow, direction, Carried::MetaRetransmission)
        })
        .collect();
    for group in rows.chunk_by(|a, b| b.time.0 - a.time.0 <= CLOSE) {
        let parts = if all || group.len() < MANY { group.chunks(1) } else { group.chunks(group.len()) };
        for part in parts {
            let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
            let bytes = part.iter().map(|row| row.bytes).sum();
            let to = if part.len() > 1 {
                format!(" to frame {} ({})", last.frame, view.moment(last.time))
            } else {
                String::new()
            };
            let mut text = format!(
                "{}{to} carried {} again under new subflow sequence numbers, from data byte {} on",
                capital(&view.place_of(first.frame, first.time, subflow, direction)),
                counted(bytes, "data byte"),
                range(first.dsn, 1),
            );
            if let (Some(frame), Some(time)) = (first.first_frame, first.first_time) {
                text.push_str(&format!("; frame {frame} ({}) had carried them first", view.moment(time)));
            }
            text.push('.');
            claims.push(
                Claim::new(view.id(), Subject::Retransmissions, "meta_retransmission", META)
                    .at(first.time)
                    .on(subflow)
                    .towards(direction)
                    .of(part.len() as u64, bytes)
                    .proved_by([first.frame, last.frame])
                    .proved_by(first.first_frame)
                    .say(text),
            );
        }
    }
}
