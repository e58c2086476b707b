//! Established subflows that carried no data, and why, where it shows.

use super::claim::{Claim, Subject};
use super::view::{View, ends};
use super::words::{counted, duration};
use subflow_analysis::rows::{Carried, EventKind, Subflow};

const RULE: &str = "an unused subflow: established, no payload either way; the reason is the first of backup, reset within 1 s, established \
                    after the last new data, slower handshake than every used subflow";

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    for subflow in &view.subflows {
        let Some(reason) = subflow.unused else { continue };
        let established = view.third_ack(subflow).or_else(|| view.on(subflow.subflow_id).next());
        let mut proof: Vec<_> = established.iter().map(|packet| packet.frame).collect();
        let mut text = format!(
            "Subflow {} ({}) was established{} and carried no data. ",
            subflow.subflow_id,
            ends(subflow),
            established.map(|packet| format!(" by {}", view.short(packet))).unwrap_or_default()
        );
        text.push_str(&why(view, subflow, reason, &mut proof));
        let packets = subflow.packets_c2s + subflow.packets_s2c;
        text.push_str(&format!(
            " It lived for {} with {}.",
            duration(subflow.duration),
            counted(packets, "packet")
        ));
        claims.push(
            Claim::new(view.id(), Subject::Unused, "unused_subflow", RULE)
                .at(subflow.start)
                .on(subflow.subflow_id)
                .proved_by(proof)
                .say(text),
        );
    }
}

fn why(view: &View<'_>, subflow: &Subflow, reason: &str, proof: &mut Vec<u64>) -> String {
    match reason {
        "backup" => {
            let changed = view
                .events_of(EventKind::MpPrio)
                .filter(|event| event.subflow_id == subflow.subflow_id)
                .last();
            match changed.filter(|_| !subflow.backup) {
                Some(event) => {
                    proof.insert(0, event.frame);
                    format!(
                        "MP_PRIO in frame {} ({}) had made it a backup.",
                        event.frame,
                        view.moment(event.time)
                    )
                }
                None => {
                    let syn = view.syns(subflow).first().map(|packet| packet.frame);
                    proof.splice(0..0, syn);
                    "Its join asked for a backup, so others came first.".to_owned()
                }
            }
        }
        "reset" => match view.reset(subflow.subflow_id) {
            Some(reset) => {
                proof.insert(0, reset.frame);
                format!("It was reset at once, in {}.", view.short(reset))
            }
            None => "It was reset at once.".to_owned(),
        },
        "late" => {
            let last = view.carriages.iter().rfind(|row| row.carried == Carried::New);
            match last {
                Some(last) => {
                    proof.push(last.frame);
                    format!(
                        "It came too late: frame {} ({}) had carried the last new data by then.",
                        last.frame,
                        view.moment(last.time)
                    )
                }
                None => "There was no data to carry on any subflow.".to_owned(),
            }
        }
        "slower" => {
            let own = subflow.rtt_handshake.map(duration).unwrap_or_default();
            let others: Vec<_> = view
                .subflows
                .iter()
                .filter(|other| other.bytes_c2s + other.bytes_s2c > 0)
                .filter_map(|other| {
                    Some(format!("{} on subflow {}", duration(other.rtt_handshake?), other.subflow_id))
                })
                .collect();
            format!(
                "Its handshake took {own}, those of the subflows in use {}: a scheduler that prefers short round trips leaves it aside.",
                others.join(", ")
            )
        }
        _ => "The capture does not show why: too little data to need it, or a choice of the scheduler."
            .to_owned(),
    }
}
