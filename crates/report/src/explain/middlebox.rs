//! Whether a box on the path interferes, in words: what of the capture points to one, and what speaks against it.

use super::claim::{Claim, Subject};
use super::view::{View, carries};
use super::words::{counted, frames};
use subflow_analysis::rows::{EventKind, Fallback, Finding, State};

const RULE: &str = "RFC 8684, sections 3.7 and 6: options that went missing or came back changed, payload that does not fit its checksum, \
                    addresses that differ from what their owner says";

/// How sure it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sure {
    Perhaps,
    Yes,
}

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    let mut signs: Vec<(Sure, Vec<u64>, String)> = Vec::new();
    fallback(view, &mut signs);
    joins(view, &mut signs);
    payload(view, &mut signs);
    nat(view, &mut signs);
    let surest = signs.iter().map(|sign| sign.0).max();
    let (name, opening) = match surest {
        Some(Sure::Yes) => ("middlebox", "Yes."),
        Some(Sure::Perhaps) => ("middlebox_possible", "Perhaps."),
        None if !view.connection.complete => (
            "middlebox_unknown",
            "This cannot be told: the handshake is not in the capture. What is there shows no sign of one.",
        ),
        None => ("middlebox_none", "There is no sign of one."),
    };
    let mut text = opening.to_owned();
    let mut proof = Vec::new();
    signs.sort_by_key(|sign| std::cmp::Reverse(sign.0));
    for (_, frames, sign) in signs {
        text.push(' ');
        text.push_str(&sign);
        proof.extend(frames);
    }
    if surest.is_none() && view.connection.complete {
        text.push_str(&innocent(view, &mut proof));
    }
    claims.push(Claim::new(view.id(), Subject::Middlebox, name, RULE).proved_by(proof).say(text));
}

fn fallback(view: &View<'_>, signs: &mut Vec<(Sure, Vec<u64>, String)>) {
    let Some(event) = view.events_of(EventKind::Fallback).next() else { return };
    let frames = vec![event.frame];
    let unusable = view.events.iter().any(|event| event.finding == Some(Finding::CapableUnusable));
    let sign = match view.connection.fallback {
        Fallback::None => return,
        Fallback::SynAck if unusable => (
            Sure::Perhaps,
            frames,
            format!(
                "The SYN/ACK in frame {} answers with an MP_CAPABLE that cannot be used; the server, or a box that changes options, made it.",
                event.frame
            ),
        ),
        Fallback::SynAck => (
            Sure::Perhaps,
            frames,
            format!(
                "The SYN/ACK in frame {} came without MP_CAPABLE: a box that takes the option out, or a server without MPTCP.",
                event.frame
            ),
        ),
        Fallback::Syn => (
            Sure::Perhaps,
            frames,
            format!(
                "Only the SYN without MP_CAPABLE was answered (frame {}): something drops SYNs with the option, or they were lost by chance.",
                event.frame
            ),
        ),
        Fallback::Mirror => (
            Sure::Yes,
            frames,
            format!(
                "The SYN/ACK in frame {} returns the client's own MP_CAPABLE, as a box (or a host) that copies unknown options does.",
                event.frame
            ),
        ),
        Fallback::FirstData => (
            Sure::Yes,
            frames,
            format!(
                "MPTCP options passed in SYN and SYN/ACK but not with data (frame {}): a box takes them out of data packets.",
                event.frame
            ),
        ),
        Fallback::Checksum => (
            Sure::Yes,
            frames,
            format!(
                "A DSS checksum failed (MP_FAIL), so payload or mapping were changed on the path; plain TCP from frame {} on.",
                event.frame
            ),
        ),
        Fallback::Later => (
            Sure::Perhaps,
            frames,
            format!(
                "MPTCP options went missing from frame {} on: a box on a new route, or an end that stopped using them.",
                event.frame
            ),
        ),
    };
    signs.push(sign);
}

fn joins(view: &View<'_>, signs: &mut Vec<(Sure, Vec<u64>, String)>) {
    for subflow in &view.subflows {
        match subflow.state {
            State::Stripped => {
                let answer: Vec<_> =
                    view.syn_acks(subflow).iter().take(1).map(|packet| packet.frame).collect();
                signs.push((
                    Sure::Yes,
                    answer.clone(),
                    format!(
                        "The join of subflow {} was answered without MP_JOIN ({}): a box takes the option out on that path.",
                        subflow.subflow_id,
                        frames(&answer)
                    ),
                ));
            }
            State::SynLost => {
                let syns = super::view::frames_of(&view.syns(subflow));
                signs.push((
                    Sure::Perhaps,
                    syns.clone(),
                    format!(
                        "The join of subflow {} to {} was never answered ({}): a firewall, or nothing there to answer.",
                        subflow.subflow_id,
                        subflow.dst_addr,
                        frames(&syns)
                    ),
                ));
            }
            _ => {}
        }
    }
    let wrong: Vec<_> = view
        .events
        .iter()
        .filter(|event| event.finding == Some(Finding::JoinHmacWrong))
        .map(|event| event.frame)
        .collect();
    if !wrong.is_empty() {
        signs.push((
            Sure::Perhaps,
            wrong.clone(),
            format!(
                "The HMAC of a join is wrong ({}): a box changed the option, or another host than the peer tried to join.",
                frames(&wrong)
            ),
        ));
    }
}

fn payload(view: &View<'_>, signs: &mut Vec<(Sure, Vec<u64>, String)>) {
    let wrong: Vec<_> = view
        .events
        .iter()
        .filter(|event| event.finding == Some(Finding::ChecksumWrong))
        .map(|event| event.frame)
        .collect();
    if !wrong.is_empty() {
        signs.push((
            Sure::Yes,
            wrong.clone(),
            format!("The DSS checksum of {} does not fit the bytes ({}): they were changed before the capture point.", counted(wrong.len() as u64, "mapping"), frames(&wrong)),
        ));
    }
    if view.connection.fallback != Fallback::Checksum {
        let fails: Vec<_> = view.events_of(EventKind::MpFail).map(|event| event.frame).collect();
        if !fails.is_empty() {
            signs.push((
                Sure::Yes,
                fails.clone(),
                format!(
                    "MP_FAIL in {}: its sender got bytes that did not fit their DSS checksum.",
                    frames(&fails)
                ),
            ));
        }
    }
    let outside: Vec<_> = view
        .events
        .iter()
        .filter(|event| event.finding == Some(Finding::DataOutsideMapping))
        .map(|event| event.frame)
        .collect();
    if !outside.is_empty() {
        signs.push((
            Sure::Perhaps,
            outside.clone(),
            format!("Data without a mapping on a subflow that goes on ({}): options were taken out of some packets.", frames(&outside)),
        ));
    }
}

/// A join whose address id was announced with another address than the one it comes from.
fn nat(view: &View<'_>, signs: &mut Vec<(Sure, Vec<u64>, String)>) {
    for subflow in view.subflows.iter().filter(|subflow| subflow.subflow_id != 0) {
        let opened = view.opened(subflow);
        let Some(id) = subflow.address_id.filter(|&id| id != 0) else { continue };
        let told = view.announcements.iter().rfind(|row| {
            row.direction == opened
                && !row.echo
                && row.address_id == id
                && row.hmac_ok != Some(false)
                && row.addr.is_ipv4() == subflow.src_addr.is_ipv4()
                && row.time <= subflow.start
        });
        let Some(told) = told.filter(|told| told.addr != subflow.src_addr) else { continue };
        let syn: Vec<_> = view.syns(subflow).iter().take(1).map(|packet| packet.frame).collect();
        let mut frames = vec![told.frame];
        frames.extend(&syn);
        signs.push((
            Sure::Perhaps,
            frames,
            format!(
                "Subflow {} comes from {}, but its address id {id} had been announced as {} (frame {}): a NAT translates it.",
                subflow.subflow_id, subflow.src_addr, told.addr, told.frame
            ),
        ));
    }
}

/// What speaks against a box.
fn innocent(view: &View<'_>, proof: &mut Vec<u64>) -> String {
    let mut text = String::new();
    if let Some(initial) = view.subflows.first() {
        let answer = view.syn_acks(initial).into_iter().find(|packet| carries(packet, "MP_CAPABLE"));
        let syn = view.syns(initial).into_iter().find(|packet| carries(packet, "MP_CAPABLE"));
        if let (Some(syn), Some(answer)) = (syn, answer) {
            proof.extend([syn.frame, answer.frame]);
            text.push_str(&format!(
                " MP_CAPABLE stood in the SYN (frame {}) and in the SYN/ACK (frame {})",
                syn.frame, answer.frame
            ));
        }
    }
    let right = view.subflows.iter().filter(|subflow| subflow.hmac_ok == Some(true)).count() as u64;
    if right > 0 {
        text.push_str(&format!(", the HMACs of {} are right", counted(right, "join")));
    }
    let mapped: u64 = view.subflows.iter().map(|row| row.mapped_bytes_c2s + row.mapped_bytes_s2c).sum();
    if mapped > 0 {
        text.push_str(&format!(", {} of payload carried mappings", counted(mapped, "byte")));
    }
    if let Some(right) = view.connection.checksums_right.filter(|&right| right > 0) {
        text.push_str(&format!(", the DSS checksums of {} fit", counted(right, "mapping")));
        if let Some(unverified) = view.connection.checksums_unverified.filter(|&unverified| unverified > 0) {
            text.push_str(&format!(" ({} more could not be verified)", super::words::grouped(unverified)));
        }
    }
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(
        " A box that changes addresses or sequence numbers alike for both ends leaves no trace at one capture point; \
         `subflow compare` of captures at both ends shows it.",
    );
    text
}
