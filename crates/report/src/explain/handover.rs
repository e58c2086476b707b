//! Data that moved to another subflow after one died without closing.

use super::claim::{Claim, Subject};
use super::view::{BOTH, View};
use super::words::{capital, counted, duration, frames, sender, way};
use subflow_analysis::rows::{Carried, Event, EventKind};

const RULE: &str = "a handover: a subflow that carried data and was never closed by FIN is heard from by both ends for the last time, and \
                    another subflow carries new data after that";

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    for event in view.events_of(EventKind::Handover) {
        let (frames, text) = told(view, event);
        claims.push(
            Claim::new(view.id(), Subject::Handover, "handover", RULE)
                .at(event.time)
                .on(event.subflow_id)
                .towards(event.direction)
                .proved_by(frames)
                .say(text),
        );
    }
}

fn told(view: &View<'_>, event: &Event) -> (Vec<u64>, String) {
    let old = event.subflow_id;
    let mut proof = vec![event.frame];
    let mut text = format!(
        "Subflow {old}: {} is the last that was heard from {}. ",
        view.place_of(event.frame, event.time, old, event.direction),
        sender(event.direction)
    );
    let void: Vec<_> = view
        .half(old, event.direction.reverse())
        .iter()
        .filter(|packet| packet.time > event.time && !packet.flags.contains('R'))
        .copied()
        .collect();
    if let (Some(first), Some(last)) = (void.first(), void.last()) {
        let repeats = void.iter().filter(|packet| packet.retransmitted_bytes > 0).count() as u64;
        let all: Vec<_> = void.iter().map(|packet| packet.frame).collect();
        text.push_str(&format!(
            "{} went on to send into the void: {} ({}), {} of them repeats, the last at {}. ",
            capital(sender(event.direction.reverse())),
            counted(void.len() as u64, "packet"),
            frames(&all),
            repeats,
            view.moment(last.time)
        ));
        proof.extend([first.frame, last.frame]);
    }
    if let Some(reset) = view.reset(old).filter(|packet| packet.time >= event.time) {
        proof.push(reset.frame);
        text.push_str(&format!("It was reset by {} in {}. ", sender(reset.direction), view.short(reset)));
    }
    let again = view
        .reinjections
        .iter()
        .find(|row| row.from_subflow == Some(old) && row.to_subflow != old && row.time > event.time);
    if let Some(again) = again {
        proof.push(again.frame);
        text.push_str(&format!(
            "What it still held came again on subflow {} from frame {} ({}) on. ",
            again.to_subflow,
            again.frame,
            view.moment(again.time)
        ));
    }
    let next = view
        .carriages
        .iter()
        .find(|row| row.carried == Carried::New && row.subflow_id != old && row.time > event.time);
    if let Some(next) = next {
        proof.push(next.frame);
        let gap = (next.time.0 - event.time.0) as f64 / 1e9;
        text.push_str(&format!(
            "New data went on on subflow {}: {} carries the first of them after that, {} later",
            next.subflow_id,
            view.place_of(next.frame, next.time, next.subflow_id, next.direction),
            duration(gap)
        ));
        let pause = BOTH
            .into_iter()
            .filter_map(|direction| longest_pause(view, direction, event))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match pause {
            Some((pause, direction, frame)) if pause > gap.max(0.05) => {
                proof.push(frame);
                text.push_str(&format!(
                    "; the longest pause in new data {} around it was {} (up to frame {frame}).",
                    way(direction),
                    duration(pause)
                ));
            }
            _ => text.push('.'),
        }
    }
    (proof, text)
}

/// The longest time between two carriages of new data of a direction that has the handover's moment in it or after it within a second.
fn longest_pause(
    view: &View<'_>,
    direction: subflow_analysis::rows::Direction,
    event: &Event,
) -> Option<(f64, subflow_analysis::rows::Direction, u64)> {
    let new =
        || view.carriages.iter().filter(move |row| row.direction == direction && row.carried == Carried::New);
    let before = new().take_while(|row| row.time <= event.time).last()?;
    let mut at = before.time;
    let mut longest: Option<(f64, subflow_analysis::rows::Direction, u64)> = None;
    for row in new().skip_while(|row| row.time <= event.time) {
        let pause = (row.time.0 - at.0) as f64 / 1e9;
        if at.0 - event.time.0 > 1_000_000_000 {
            break;
        }
        if longest.is_none_or(|longest| pause > longest.0) {
            longest = Some((pause, direction, row.frame));
        }
        at = row.time;
    }
    longest
}
