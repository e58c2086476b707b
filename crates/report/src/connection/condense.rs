//! Long timelines made short: things of one kind that follow each other become one entry with a count.

use super::timeline::{Entry, Kind};
use std::collections::HashMap;

/// Things of one kind this close together are one run, in seconds; doubled and doubled again while the list is too long.
const FIRST_GAP: f64 = 0.2;

/// What entries must have in common to be put together.
type Key = (Kind, Option<u32>, Option<u32>, Option<usize>);

fn key(entry: &Entry) -> Key {
    (entry.kind, entry.subflow, entry.from, entry.direction.map(subflow_analysis::rows::Direction::index))
}

/// At most about `most` entries, and how many of the originals are shown nowhere, not even in a count.
///
/// Runs of one kind on one subflow are put together, first those with gaps of up to 0.2 s, then with longer ones. Where even that
/// leaves too many, the middle of the list is left out.
pub fn condense(entries: &[Entry], most: usize) -> (Vec<Entry>, Option<(usize, u64)>) {
    let span = match (entries.first(), entries.last()) {
        (Some(first), Some(last)) => (last.until.0 - first.time.0) as f64 / 1e9,
        _ => return (Vec::new(), None),
    };
    let mut gap = FIRST_GAP;
    let mut short = merged(entries, gap);
    while short.len() > most && gap < span {
        gap *= 4.0;
        short = merged(entries, gap);
    }
    if short.len() <= most {
        return (short, None);
    }
    let head = most / 2;
    let tail = short.len() - (most - head);
    let left_out = short.drain(head..tail).map(|entry| entry.count).sum();
    (short, Some((head, left_out)))
}

fn merged(entries: &[Entry], gap: f64) -> Vec<Entry> {
    let mut list: Vec<Entry> = Vec::new();
    let mut open: HashMap<Key, usize> = HashMap::new();
    for entry in entries {
        let key = key(entry);
        let run = open.get(&key).and_then(|&index| list.get_mut(index));
        if let Some(run) = run
            && (entry.time.0 - run.until.0) as f64 / 1e9 <= gap
            && mergeable(entry.kind)
        {
            run.until = run.until.max(entry.until);
            run.frames = match (run.frames, entry.frames) {
                (Some((first, last)), Some((other_first, other_last))) => {
                    Some((first.min(other_first), last.max(other_last)))
                }
                (frames, other) => frames.or(other),
            };
            run.count += entry.count;
            run.bytes += entry.bytes;
            if matches!(entry.kind, Kind::Reinjection | Kind::Retransmission) && run.detail != entry.detail {
                run.detail.clear();
            }
            continue;
        }
        open.insert(key, list.len());
        list.push(entry.clone());
    }
    list
}

/// Whether two of a kind can be told as one.
fn mergeable(kind: Kind) -> bool {
    !matches!(kind, Kind::Handshake | Kind::Join | Kind::Data | Kind::Handover | Kind::Fallback | Kind::Close)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_analysis::rows::Direction;
    use subflow_rows::Time;

    fn entry(kind: Kind, second: i64, subflow: u32) -> Entry {
        Entry {
            time: Time(second * 1_000_000_000),
            until: Time(second * 1_000_000_000),
            frames: Some((second as u64, second as u64)),
            subflow: Some(subflow),
            direction: Some(Direction::C2s),
            kind,
            count: 1,
            bytes: 10,
            from: None,
            detail: String::new(),
        }
    }

    #[test]
    fn a_short_list_keeps_what_is_apart() {
        let list = [entry(Kind::Reinjection, 0, 1), entry(Kind::Reinjection, 5, 1)];
        assert_eq!(condense(&list, 10), (list.to_vec(), None));
    }

    #[test]
    fn runs_become_one_entry_with_a_count() {
        let mut list: Vec<_> = (0..100).map(|second| entry(Kind::Retransmission, second, 0)).collect();
        list.insert(50, entry(Kind::Handover, 50, 0));
        let (short, left_out) = condense(&list, 5);
        assert_eq!(left_out, None);
        let counts: Vec<_> = short.iter().map(|entry| (entry.kind, entry.count, entry.bytes)).collect();
        assert_eq!(counts, [(Kind::Retransmission, 100, 1000), (Kind::Handover, 1, 10)]);
        assert_eq!(short[0].frames, Some((0, 99)));
    }

    #[test]
    fn what_cannot_be_put_together_loses_its_middle() {
        let list: Vec<_> = (0..100).map(|second| entry(Kind::Join, second, second as u32)).collect();
        let (short, left_out) = condense(&list, 10);
        assert_eq!((short.len(), left_out), (10, Some((5, 90))));
        assert_eq!(short[5].time, Time(95_000_000_000));
    }
}
