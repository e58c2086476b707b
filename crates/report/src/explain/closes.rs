//! How the connection ended, and each of its subflows (RFC 8684, sections 3.3.3, 3.5 and 3.6).

use super::claim::{Claim, Subject};
use super::view::{BOTH, View, frames_of};
use super::words::{capital, frames, grouped, sender};
use subflow_analysis::rows::{Close, Direction, EventKind, Subflow};

const DATA: &str = "RFC 8684 (RFC 6824), section 3.3.3: DATA_FIN ends one direction's data, a DATA_ACK beyond it confirms that";
const SUBFLOW: &str = "RFC 9293, section 3.6: FIN both ways closes a subflow, RST either way; MP_TCPRST names a reason (RFC 8684, section 3.6)";

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    connection(view, claims);
    for direction in BOTH {
        data_fin(view, direction, claims);
    }
    for event in view.events_of(EventKind::FastClose).take(1) {
        let all: Vec<_> = view.events_of(EventKind::FastClose).map(|event| event.frame).collect();
        let text = format!(
            "{} carries MP_FASTCLOSE: {}. It came in {}.",
            capital(&view.place_of(event.frame, event.time, event.subflow_id, event.direction)),
            event.detail,
            frames(&all)
        );
        claims.push(
            Claim::new(
                view.id(),
                Subject::Closes,
                "fastclose",
                "RFC 8684 (RFC 6824), section 3.5: MP_FASTCLOSE aborts the whole connection",
            )
            .at(event.time)
            .on(event.subflow_id)
            .towards(event.direction)
            .proved_by([event.frame])
            .proved_by(all)
            .say(text),
        );
    }
    claims.extend(view.subflows.iter().map(|subflow| end_of(view, subflow)));
}

fn connection(view: &View<'_>, claims: &mut Vec<Claim>) {
    let last = view.packets.last();
    let text = match view.connection.close {
        Close::DataFin => "The connection was closed in order, by DATA_FIN.",
        Close::FastClose => "The connection was aborted by MP_FASTCLOSE.",
        Close::Reset => "The connection ended with the reset of its last subflow.",
        Close::Fin => "Only TCP FINs ended it: it had fallen back, or its DATA_FIN is not in the capture.",
        Close::Timeout => {
            "Nothing was heard of it for longer than the idle limit; it counts as ended by that."
        }
        Close::Open => "It was still open when the capture ended.",
    };
    let mut claim =
        Claim::new(view.id(), Subject::Closes, "close", DATA).proved_by(last.map(|packet| packet.frame));
    let mut text = text.to_owned();
    if let Some(last) = last {
        claim = claim.at(last.time);
        text.push_str(&format!(" Its last packet is {}.", view.place(last)));
    }
    claims.push(claim.say(text));
}

fn data_fin(view: &View<'_>, direction: Direction, claims: &mut Vec<Claim>) {
    let Some(event) = view.events_of(EventKind::DataFin).find(|event| event.direction == direction) else {
        return;
    };
    let mut proof = vec![event.frame];
    let again: Vec<_> = view
        .packets
        .iter()
        .filter(|packet| packet.data_fin && packet.direction == direction && packet.frame != event.frame)
        .copied()
        .collect();
    let fin = view.packets.iter().find(|packet| packet.frame == event.frame && packet.data_fin);
    let fin = fin.and_then(|packet| Some(packet.dsn? + i64::try_from(packet.mapping_bytes?).ok()?));
    let mut text = format!(
        "{} carries DATA_FIN of {}: {}",
        capital(&view.place_of(event.frame, event.time, event.subflow_id, event.direction)),
        sender(direction),
        event.detail
    );
    if !again.is_empty() {
        text.push_str(&format!(" (again in {})", frames(&frames_of(&again))));
    }
    match fin.and_then(|fin| view.covering(direction, fin)) {
        Some((ack, packet)) => {
            proof.push(packet.frame);
            text.push_str(&format!(
                ". DATA_ACK {} in {} confirms it.",
                grouped(ack.unsigned_abs()),
                view.short(packet)
            ));
        }
        None => text.push_str(". No DATA_ACK in the capture confirms it."),
    }
    claims.push(
        Claim::new(view.id(), Subject::Closes, "data_fin", DATA)
            .at(event.time)
            .on(event.subflow_id)
            .towards(direction)
            .proved_by(proof)
            .say(text),
    );
}

fn end_of(view: &View<'_>, subflow: &Subflow) -> Claim {
    let id = subflow.subflow_id;
    let reset = view.reset(id);
    let fins: Vec<_> = BOTH
        .into_iter()
        .filter_map(|direction| {
            view.half(id, direction).iter().find(|packet| packet.flags.contains('F')).copied()
        })
        .collect();
    let claim = Claim::new(view.id(), Subject::Closes, "subflow_end", SUBFLOW).on(id);
    let mut text = format!("Subflow {id}: ");
    let mut proof = Vec::new();
    for fin in &fins {
        text.push_str(&format!("FIN of {} in {}, ", sender(fin.direction), view.short(fin)));
        proof.push(fin.frame);
    }
    if let Some(reset) = reset {
        proof.push(reset.frame);
        let reason = view.events_of(EventKind::TcpRst).find(|event| event.frame == reset.frame);
        text.push_str(&format!("RST of {} in {}", sender(reset.direction), view.short(reset)));
        match reason {
            Some(reason) => text.push_str(&format!(
                " with MP_TCPRST, {}, ",
                reason.detail.replacen("reset: ", "reason: ", 1)
            )),
            None => text.push_str(", "),
        }
    }
    if fins.is_empty() && reset.is_none() {
        text.push_str("neither FIN nor RST is in the capture, ");
    } else if fins.len() == 1 && reset.is_none() {
        text.push_str("none the other way, ");
    }
    let last = view.on(id).last();
    match last {
        Some(last) => {
            proof.push(last.frame);
            text.push_str(&format!("last packet {}.", view.short(last)));
        }
        None => text.push_str("no packet."),
    }
    let time = fins.first().copied().or(reset).or(last).map(|packet| packet.time);
    let claim = claim.proved_by(proof).say(text);
    match time {
        Some(time) => claim.at(time),
        None => claim,
    }
}
