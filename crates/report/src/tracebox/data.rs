//! What the script of the page draws.

use super::collect::Collected;
use super::lookups::Lookups;
use super::page::{end, rtt};
use super::path::{Lane, Path};
use super::totals::Totals;
use super::words;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use subflow_probe::rows::{Finding, Hop, HopAnswer};

/// The paths of all targets that are kept.
pub(super) fn traces(found: &Collected, lookups: &Lookups) -> Value {
    let traces = found.kept().iter().map(|kept| {
        let row = &kept.rows.target;
        let path = Path::of(&kept.rows, lookups);
        let hops: Vec<Value> = path
            .lines
            .iter()
            .enumerate()
            .map(|(place, line)| {
                let said = [path.words(place, true), path.words(place, false)];
                json!({
                    "hop": line.hop,
                    "until": line.until,
                    "addrs": line.addrs.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "name": line.name,
                    "operator": line.operator,
                    "rtt": line.rtt,
                    "quote": line.quote.map(words::quote),
                    "mpls": line.mpls,
                    "end": line.is_end,
                    "said": said,
                })
            })
            .collect();
        json!({
            "target": end(row),
            "name": lookups.name(row.addr),
            "before": kept.before,
            "category": words::category(row.category),
            "code": row.category.as_str(),
            "behaviour": words::behaviour(row.behaviour),
            "confidence": row.confidence.as_str(),
            "after_hop": row.after_hop,
            "before_hop": row.before_hop,
            "sentence": words::sentence(&kept.rows),
            "evidence": row.evidence,
            "rtt": row.rtt_min,
            "rtt_text": rtt(row.rtt_min),
            "hops": hops,
            "lanes": path.lanes.iter().map(lane).collect::<Vec<_>>(),
            "back": path.back,
        })
    });
    Value::Array(traces.collect())
}

fn lane(lane: &Lane<'_>) -> Value {
    let cells: Vec<Value> = (0..lane.cells.len())
        .map(|place| match lane.cells.get(place).copied().flatten() {
            Some(row) => json!([look(row), lane.words(place)]),
            None => Value::Null,
        })
        .collect();
    let marks: Vec<Value> = lane
        .marks
        .iter()
        .map(|mark| {
            json!({
                "after": mark.after,
                "before": mark.before,
                "words": mark.words,
                "matters": mark.matters,
                "confirmed": mark.confirmed,
            })
        })
        .collect();
    json!({
        "name": lane.name,
        "full": words::asks_in_full(lane.asks),
        "asking": lane.asking,
        "cells": cells,
        "marks": marks,
    })
}

/// How a node of a lane looks.
fn look(row: &Hop) -> &'static str {
    match row.answer {
        HopAnswer::Silent => "silent",
        HopAnswer::Unreachable => "refused",
        HopAnswer::Reset => "reset",
        HopAnswer::SynAck | HopAnswer::Ack => match row.finding {
            Some(Finding::V0 | Finding::V1) => "supports",
            Some(Finding::Mirrored | Finding::Malformed | Finding::Stripped) => "wrong",
            _ => "answers",
        },
        HopAnswer::TimeExceeded if row.changes.is_some_and(|changes| changes > 0) => "changed",
        HopAnswer::TimeExceeded if row.quote.is_some_and(words::shows_options) => "same",
        HopAnswer::TimeExceeded => "unclear",
    }
}

/// How many targets flow from what was known before, by what the path does, to each category.
pub(super) fn flow(totals: &Totals) -> Value {
    let known = totals.is_known_before();
    let mut first: BTreeMap<(String, &str), u64> = BTreeMap::new();
    let mut second: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for ((before, behaviour, category), &count) in &totals.ways {
        let behaviour = words::behaviour(*behaviour);
        let before = if before.is_empty() { "not scanned".to_owned() } else { before.replace('_', " ") };
        *first.entry((before, behaviour)).or_default() += count;
        *second.entry((behaviour, words::category(*category), category.as_str())).or_default() += count;
    }
    let first: Vec<Value> = first.into_iter().map(|((from, to), count)| json!([from, to, count])).collect();
    let second: Vec<Value> =
        second.into_iter().map(|((from, to, code), count)| json!([from, to, count, code])).collect();
    if known {
        json!({ "columns": ["known before", "the path", "category"], "links": [first, second] })
    } else {
        json!({ "columns": ["the path", "category"], "links": [second] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::stripped;
    use super::*;

    #[test]
    fn a_path_as_it_is_drawn() {
        let mut found = Collected::default();
        found.add(stripped(), "");
        let traces = traces(&found, &Lookups::default());
        let one = &traces[0];
        assert_eq!(one["target"], "10.5.3.2:443");
        let looks = |lane: usize| -> Vec<&str> {
            let cells = one["lanes"][lane]["cells"].as_array().expect("cells");
            cells.iter().filter_map(|cell| cell[0].as_str()).collect()
        };
        assert_eq!(looks(0), ["same", "changed", "changed", "answers"]);
        assert_eq!(looks(1), ["same", "same", "same", "answers"]);
        assert_eq!(one["lanes"][0]["marks"][0]["after"], 1);
        assert_eq!(one["hops"][3]["end"], true);
        assert_eq!(flow(&found.totals)["links"], json!([[["strips", "middlebox", 1, "middlebox_affected"]]]));
        found.add(stripped(), "plain_tcp");
        assert_eq!(flow(&found.totals)["links"][0][1], json!(["plain tcp", "strips", 1]));
    }
}
