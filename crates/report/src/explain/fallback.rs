//! Where MPTCP was lost, and what must have happened on the path (RFC 8684, section 3.7).

use super::claim::{Claim, Subject};
use super::view::{View, carries, frames_of, is_syn};
use super::words::{capital, counted, frames, way};
use subflow_analysis::rows::{Event, EventKind, Fallback, Finding, Packet};

const RULE: &str = "RFC 8684, section 3.7 (RFC 6824, section 3.6): without MPTCP options where they are due, both ends go on as plain TCP";

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    let Some(event) = view.events_of(EventKind::Fallback).next() else { return };
    let Some(initial) = view.subflows.first() else { return };
    let syns = view.syns(initial);
    let synack = view.syn_acks(initial).first().copied();
    let third = view.third_ack(initial);
    let place = view.place_of(event.frame, event.time, event.subflow_id, event.direction);
    let (with, without): (Vec<_>, Vec<_>) = syns.iter().partition(|packet| carries(packet, "MP_CAPABLE"));
    let mut proof = vec![event.frame];
    let text = match view.connection.fallback {
        Fallback::None => return,
        Fallback::Syn => {
            proof.extend(frames_of(&with));
            proof.extend(without.first().map(|packet| packet.frame));
            format!(
                "{} with MP_CAPABLE ({}) went unanswered. The client then sent one without the option ({}), which was \
                 answered in frame {}. So something on the path, or the server, drops SYNs that carry MP_CAPABLE; or \
                 the first ones were lost by chance. Repeat the connection: if it takes as long again, it is no chance.",
                counted(with.len() as u64, "SYN"),
                frames(&frames_of(&with)),
                frames(&frames_of(&without)),
                event.frame
            )
        }
        Fallback::SynAck => {
            proof.extend(frames_of(&with).first());
            synack_text(view, event, &with, synack)
        }
        Fallback::Mirror => {
            proof.extend(frames_of(&with).first());
            format!(
                "{} is the SYN/ACK, and its MP_CAPABLE is the client's own, sent back as it was in {}. No MPTCP server \
                 does so: a box on the path, or a server that copies options it does not know, mirrors them. The \
                 client cannot use it and goes on as plain TCP.",
                capital(&place),
                frames(&frames_of(&with))
            )
        }
        Fallback::FirstData => first_data(view, event, synack, third, &mut proof),
        Fallback::Checksum => checksum(view, event, &mut proof),
        Fallback::Later => later(view, event, &mut proof),
    };
    claims.push(
        Claim::new(view.id(), Subject::Fallback, name(view.connection.fallback), RULE)
            .at(event.time)
            .on(event.subflow_id)
            .towards(event.direction)
            .proved_by(proof)
            .say(text),
    );
}

/// The name of the claim.
fn name(fallback: Fallback) -> &'static str {
    match fallback {
        Fallback::None => "no_fallback",
        Fallback::Syn => "fallback_syn",
        Fallback::SynAck => "fallback_synack",
        Fallback::Mirror => "fallback_mirror",
        Fallback::FirstData => "fallback_first_data",
        Fallback::Checksum => "fallback_checksum",
        Fallback::Later => "fallback_later",
    }
}

fn synack_text(view: &View<'_>, event: &Event, with: &[&Packet], synack: Option<&Packet>) -> String {
    let syn = with.first().map_or_else(|| "The SYN".to_owned(), |packet| capital(&view.short(packet)));
    let unusable = view.events.iter().find(|event| event.finding == Some(Finding::CapableUnusable));
    if let Some(unusable) = unusable {
        return format!(
            "{syn}, the SYN, carried MP_CAPABLE. {}: {}. A client cannot use that answer and goes on as plain TCP.",
            capital(&view.place_of(event.frame, event.time, event.subflow_id, event.direction)),
            unusable.detail
        );
    }
    let lacks = synack.is_none_or(|packet| packet.options.is_empty());
    let rest = if lacks { "no MPTCP option at all" } else { "no MP_CAPABLE" };
    format!(
        "{syn}, the SYN, carried MP_CAPABLE at the capture point. The SYN/ACK, frame {} ({}), came with {rest}. Either the \
         server does not speak MPTCP (or has it switched off), or a box between the capture point and the server took \
         the option out of the SYN or out of the SYN/ACK. From this capture alone these cannot be told apart: \
         capture at the server at the same time and run `subflow compare`.",
        event.frame,
        view.moment(event.time)
    )
}

fn first_data(
    view: &View<'_>,
    event: &Event,
    synack: Option<&Packet>,
    third: Option<&Packet>,
    proof: &mut Vec<u64>,
) -> String {
    let mut text = String::from("The handshake carried MP_CAPABLE in the SYN");
    if let Some(synack) = synack {
        proof.push(synack.frame);
        text.push_str(&format!(" and in the SYN/ACK (frame {})", synack.frame));
    }
    if let Some(third) = third {
        proof.push(third.frame);
        let has = if carries(third, "MP_CAPABLE") {
            "and it carries the option, too"
        } else {
            "without the option"
        };
        text.push_str(&format!("; frame {} is the client's next packet, {has}", third.frame));
    }
    text.push_str(&format!(
        ". {} then carried the first data that no mapping covers, and no mapping came later. ",
        capital(&view.place_of(event.frame, event.time, event.subflow_id, event.direction))
    ));
    let with_options = |direction| {
        view.half(0, direction).iter().filter(|packet| !is_syn(packet) && carries(packet, "DSS")).count()
    };
    let (this, other) = (with_options(event.direction), with_options(event.direction.reverse()));
    let lost =
        format!("the packets {} lost their MPTCP options before the capture point", way(event.direction));
    text.push_str(&match (this, other) {
        (0, 0) => format!(
            "No packet after the handshake carries a DSS in either direction: a box lets SYNs through and takes MPTCP options \
             out of data ({lost}), or one end gave MPTCP up because the third ACK did not reach it as it was sent."
        ),
        (0, _) => format!(
            "Packets {} do carry DSS options, those the other way none: {lost}. A box that works on this direction alone.",
            way(event.direction.reverse())
        ),
        _ => format!("Some packets {} do carry DSS options: {lost}, at times.", way(event.direction)),
    });
    text
}

fn checksum(view: &View<'_>, event: &Event, proof: &mut Vec<u64>) -> String {
    let fails: Vec<_> = view.events_of(EventKind::MpFail).collect();
    let infinite = view.events_of(EventKind::InfiniteMapping).next();
    proof.extend(fails.iter().map(|fail| fail.frame).chain(infinite.map(|event| event.frame)));
    let mut text = String::new();
    if let Some(fail) = fails.first() {
        text.push_str(&format!(
            "{} carries MP_FAIL: its sender found a DSS checksum wrong, so the bytes {} (or their mapping) had been \
             changed on the path, as application-level gateways and proxies do. ",
            capital(&view.place_of(fail.frame, fail.time, fail.subflow_id, fail.direction)),
            way(fail.direction.reverse())
        ));
    }
    match infinite {
        Some(infinite) => text.push_str(&format!(
            "There was no other subflow to go on with, so frame {} ({}) sent an infinite mapping: {}.",
            infinite.frame,
            view.moment(infinite.time),
            infinite.detail
        )),
        None => text.push_str(&format!(
            "There was no other subflow to go on with; from frame {} ({}) on data came without mappings.",
            event.frame,
            view.moment(event.time)
        )),
    }
    text
}

fn later(view: &View<'_>, event: &Event, proof: &mut Vec<u64>) -> String {
    let mapped = view.packets.iter().rev().find(|packet| {
        packet.direction == event.direction && packet.mapping_bytes.is_some() && packet.time <= event.time
    });
    proof.extend(mapped.map(|packet| packet.frame));
    let infinite = view.events_of(EventKind::InfiniteMapping).next();
    if let Some(infinite) = infinite.filter(|infinite| infinite.frame == event.frame) {
        return format!(
            "{} sent an infinite mapping ({}): its sender gave up MPTCP of its own accord, without a failed checksum in this capture.",
            capital(&view.place_of(event.frame, event.time, event.subflow_id, event.direction)),
            infinite.detail
        );
    }
    let mut text = format!(
        "{} carries data that no mapping covers, and no mapping came later",
        capital(&view.place_of(event.frame, event.time, event.subflow_id, event.direction))
    );
    let last = view.half(0, event.direction).iter().rfind(|packet| {
        packet.time <= event.time && packet.frame != event.frame && !packet.options.is_empty()
    });
    match (mapped, last) {
        (Some(mapped), _) => {
            text.push_str(&format!(
                "; the last mapping {} was that of {}",
                way(event.direction),
                view.short(mapped)
            ));
        }
        (None, Some(last)) => {
            proof.push(last.frame);
            let way = way(event.direction);
            text.push_str(&format!("; the last packet {way} with MPTCP options was {}", view.short(last)));
        }
        (None, None) => {}
    }
    let first_other = view
        .half(0, event.direction.reverse())
        .iter()
        .find(|packet| packet.time >= event.time && packet.bytes > 0 && packet.options.is_empty());
    if let Some(other) = first_other {
        proof.push(other.frame);
        text.push_str(&format!(
            ". The other way, {} is the first with data and without options",
            view.short(other)
        ));
    }
    text.push_str(
        ". MPTCP worked until then: a box began to take options out in the middle of the connection (a route that changed leads \
         through another box), or the sender stopped using them.",
    );
    text
}
