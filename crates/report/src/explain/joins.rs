//! Handshakes of further subflows: what came of each, and what made it fail (RFC 8684, section 3.2).

use super::claim::{Claim, Subject};
use super::view::{View, ends, frames_of};
use super::words::{capital, counted, duration, frames};
use subflow_analysis::rows::{EventKind, Finding, Packet, State, Subflow};

const RULE: &str =
    "RFC 8684 (RFC 6824), section 3.2: SYN with token and nonce, SYN/ACK with HMAC, third ACK with HMAC";

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    for subflow in view.subflows.iter().filter(|subflow| is_join(view, subflow)) {
        let handshake = Handshake::of(view, subflow);
        let (name, text) = handshake.told(view, subflow);
        claims.push(
            Claim::new(view.id(), Subject::Joins, name, RULE)
                .at(subflow.start)
                .on(subflow.subflow_id)
                .towards(view.opened(subflow))
                .proved_by(handshake.frames())
                .say(text),
        );
    }
}

/// Whether a subflow is a join, as far as is known.
fn is_join(view: &View<'_>, subflow: &Subflow) -> bool {
    subflow.subflow_id != 0
        || view.events.iter().any(|event| event.finding == Some(Finding::JoinTokenUnknown))
}

/// The packets of a join.
struct Handshake<'a> {
    syns: Vec<&'a Packet>,
    syn_acks: Vec<&'a Packet>,
    third: Option<&'a Packet>,
    reset: Option<&'a Packet>,
}

impl<'a> Handshake<'a> {
    fn of(view: &View<'a>, subflow: &Subflow) -> Self {
        Self {
            syns: view.syns(subflow),
            syn_acks: view.syn_acks(subflow),
            third: view.third_ack(subflow),
            reset: view
                .reset(subflow.subflow_id)
                .filter(|_| !matches!(subflow.state, State::Established | State::Midstream)),
        }
    }

    /// The packet that tells how it ended first, then the handshake in order.
    fn frames(&self) -> Vec<u64> {
        let mut frames: Vec<_> = self.reset.iter().map(|packet| packet.frame).collect();
        frames.extend(frames_of(&self.syns));
        frames.extend(frames_of(&self.syn_acks));
        frames.extend(self.third.map(|packet| packet.frame));
        frames
    }

    fn told(&self, view: &View<'_>, subflow: &Subflow) -> (&'static str, String) {
        let mut text = self.opening(view, subflow);
        let wrong = view.events.iter().find(|event| {
            event.finding == Some(Finding::JoinHmacWrong) && event.subflow_id == subflow.subflow_id
        });
        let reset = self.reset.map(|packet| self.reset_text(view, packet)).unwrap_or_default();
        let name = match subflow.state {
            State::Established => {
                self.established(view, subflow, &mut text);
                "join_established"
            }
            State::Midstream => {
                text.push_str(
                    "Its handshake is not in the capture; it was found by its data sequence numbers.",
                );
                "join_midstream"
            }
            State::SynLost => {
                text.push_str(
                    "Nothing came back: the SYN or its answer was lost, a firewall drops SYNs to this address (or SYNs with \
                     MP_JOIN), or nobody is there. Capture at the other end to see whether the SYN arrives.",
                );
                "join_syn_lost"
            }
            State::Refused => {
                text.push_str(&reset);
                text.push_str("The SYN arrived and was refused: no listener there, no room for a further subflow, or an unknown token.");
                "join_refused"
            }
            State::Stripped => {
                text.push_str(&format!(
                    "The SYN/ACK, {}, came without MP_JOIN: a box took the option out on the way there or back, or \
                     the host that answered is not the peer. {reset}",
                    self.first_answer(view)
                ));
                "join_stripped"
            }
            State::Reset if wrong.is_some() => {
                self.hmac(view, &mut text, wrong.map_or(0, |event| event.frame));
                text.push_str(&reset);
                "join_hmac_wrong"
            }
            State::Reset => {
                text.push_str(&format!("The SYN/ACK, {}, came with MP_JOIN. ", self.first_answer(view)));
                text.push_str(&self.third_text(view));
                text.push_str(&reset);
                text.push_str("The subflow was never established.");
                "join_reset"
            }
            State::Unconfirmed if wrong.is_some() => {
                self.hmac(view, &mut text, wrong.map_or(0, |event| event.frame));
                text.push_str("So it does not count as established.");
                "join_hmac_wrong"
            }
            State::Unconfirmed => {
                text.push_str(&format!(
                    "{} in {}, but no third ACK with an HMAC is in the capture: the SYN/ACK did not reach the \
                     opener, or its ACK was lost before the capture point.",
                    capital(&counted(self.syn_acks.len() as u64, "SYN/ACK")),
                    frames(&frames_of(&self.syn_acks)),
                ));
                "join_unconfirmed"
            }
        };
        (name, text.trim_end().to_owned())
    }

    /// `Subflow 1 (A → B): SYN in frame 9 (0.1 s), repeated in frames …`
    fn opening(&self, view: &View<'_>, subflow: &Subflow) -> String {
        let who = subflow.opener;
        let mut text = format!("Subflow {} ({}), opened by the {who}", subflow.subflow_id, ends(subflow));
        if subflow.backup {
            text.push_str(" as a backup");
        }
        match self.syns.as_slice() {
            [] => text.push_str(". "),
            [one] => text.push_str(&format!(": SYN with MP_JOIN in {}. ", view.short(one))),
            [first, rest @ ..] => text.push_str(&format!(
                ": SYN with MP_JOIN in {}, repeated in {}. ",
                view.short(first),
                frames(&frames_of(rest))
            )),
        }
        text
    }

    fn established(&self, view: &View<'_>, subflow: &Subflow, text: &mut String) {
        if let Some(first) = self.syn_acks.first() {
            text.push_str(&format!("SYN/ACK in {}", view.short(first)));
        }
        if let Some(third) = self.third {
            text.push_str(&format!(", third ACK in {}", view.short(third)));
        }
        text.push_str(match subflow.hmac_ok {
            Some(true) => ", both HMACs right. ",
            Some(false) => ", an HMAC is wrong. ",
            None => "; the HMACs cannot be verified, as the keys are not in the capture. ",
        });
        if let Some(delay) = subflow.join_delay {
            text.push_str(&format!("It began {} after the initial subflow.", duration(delay)));
        }
    }

    fn first_answer(&self, view: &View<'_>) -> String {
        self.syn_acks.first().map_or_else(|| "not captured".to_owned(), |packet| view.short(packet))
    }

    fn third_text(&self, view: &View<'_>) -> String {
        match self.third {
            Some(third) => format!("The third ACK is {}. ", view.short(third)),
            None => "No third ACK followed. ".to_owned(),
        }
    }

    fn hmac(&self, view: &View<'_>, text: &mut String, frame: u64) {
        text.push_str(&format!(
            "The HMAC in frame {frame} is wrong for the keys of this connection: its sender is not the peer, or a box changed the \
             option or the nonces. "
        ));
        if self.third.is_some_and(|third| third.frame == frame) {
            text.push_str(&format!("The SYN/ACK before it is {}. ", self.first_answer(view)));
        }
    }

    fn reset_text(&self, view: &View<'_>, reset: &Packet) -> String {
        let reason = view.events_of(EventKind::TcpRst).find(|event| event.frame == reset.frame);
        let reason = reason.map_or_else(
            || "without a reason (no MP_TCPRST)".to_owned(),
            |event| format!("with MP_TCPRST, {}", event.detail.replacen("reset: ", "reason: ", 1)),
        );
        format!("Reset by {} in {}, {reason}. ", super::words::sender(reset.direction), view.short(reset))
    }
}
