//! The options of a TCP header as an ordered list, held against those that were seen.

use subflow_wire::tcp::{Options, TcpOption, kind};

use super::change::{Change, Value, option_field};
use crate::answers::OptionBytes;
use crate::rows::{ChangeKind, Field};

/// An option and where it stands.
#[derive(Clone, Copy, Debug)]
struct Item<'a> {
    kind: u8,
    at: usize,
    bytes: &'a [u8],
}

impl Item<'_> {
    fn end(&self) -> usize {
        self.at + self.bytes.len()
    }

    fn value(&self) -> Option<Value> {
        Some(Value::Option(OptionBytes::new(self.bytes)))
    }
}

/// The options without padding. What follows the end of the options is padding, too.
fn items(bytes: &[u8]) -> Vec<Item<'_>> {
    let mut at = 0;
    let mut items = Vec::with_capacity(8);
    for option in Options::new(bytes) {
        let len = match option {
            TcpOption::End => break,
            TcpOption::Malformed { bytes, .. } => bytes.len(),
            _ => option.len(),
        };
        if option != TcpOption::Nop {
            items.push(Item { kind: option.kind(), at, bytes: bytes.get(at..at + len).unwrap_or(&[]) });
        }
        at += len;
    }
    items
}

/// Each option: its place among all, its kind, and where it begins and ends.
pub(super) fn each(bytes: &[u8]) -> impl Iterator<Item = (u8, u8, usize, usize)> {
    (0..u8::MAX).zip(items(bytes)).map(|(place, item)| (place, item.kind, item.at, item.end()))
}

/// Where an option of a kind stands among option bytes, the `place`-th of all options: start and end.
pub(super) fn range(sent: &[u8], place: u8) -> Option<(usize, usize)> {
    items(sent).get(usize::from(place)).map(|item| (item.at, item.end()))
}

/// Compares the options that were sent with those that were seen. `whole` says that the seen ones end where they do; otherwise the
/// quote was cut there, and what is missing is no difference.
pub(super) fn compare(sent: &[u8], seen: &[u8], whole: bool, changes: &mut Vec<Change>) {
    let same = if whole { sent == seen } else { sent.get(..seen.len()) == Some(seen) };
    if same {
        return;
    }
    let (ours, mut theirs) = (items(sent), items(seen));
    // The last option may be cut: what there is of it is compared where it stands.
    let cut = match theirs.last() {
        Some(last) if !whole && last.end() == seen.len() => theirs.pop(),
        _ => None,
    };
    let pairs = pair(&ours, &theirs);
    for (place, (item, &partner)) in ours.iter().zip(&pairs).enumerate() {
        let change = |kind, seen: Option<Value>| Change {
            field: option_field(item.kind),
            kind,
            option: Some(item.kind),
            place: place as u8,
            sent: item.value(),
            seen,
        };
        match partner.and_then(|at| theirs.get(at)) {
            Some(found) if found.bytes == item.bytes => {}
            Some(found) => changes.push(change(ChangeKind::Changed, found.value())),
            None => match seen.get(item.at..item.end()) {
                Some(bytes) if is_padding(bytes) && free(&theirs, item) => {
                    changes.push(change(ChangeKind::Padded, None));
                }
                _ if whole => changes.push(change(ChangeKind::Removed, None)),
                _ => {}
            },
        }
    }
    if let Some(cut) = cut {
        let begins_as = |item: &Item<'_>| item.bytes.starts_with(cut.bytes);
        let known = ours.iter().zip(&pairs).any(|(item, partner)| partner.is_none() && begins_as(item));
        let in_place = ours.iter().enumerate().find(|(_, item)| item.at == cut.at && item.kind == cut.kind);
        if let (false, Some((place, item))) = (known, in_place) {
            changes.push(Change {
                field: option_field(item.kind),
                kind: ChangeKind::Changed,
                option: Some(item.kind),
                place: place as u8,
                sent: item.value(),
                seen: cut.value(),
            });
        }
    }
    for (at, found) in theirs.iter().enumerate().filter(|&(at, _)| !pairs.contains(&Some(at))) {
        let again = ours.iter().any(|item| item.bytes == found.bytes);
        changes.push(Change {
            field: option_field(found.kind),
            kind: if again { ChangeKind::Doubled } else { ChangeKind::Added },
            option: Some(found.kind),
            place: at as u8,
            sent: None,
            seen: found.value(),
        });
    }
    let order: Vec<usize> = pairs.iter().flatten().copied().collect();
    if order.windows(2).any(|pair| matches!(pair, [a, b] if a > b)) {
        let kinds = |items: &[Item<'_>]| {
            let kinds: Vec<u8> = items.iter().map(|item| item.kind).collect();
            Value::Kinds(OptionBytes::new(&kinds))
        };
        let kind = ChangeKind::Moved;
        let (sent, seen) = (Some(kinds(&ours)), Some(kinds(&theirs)));
        changes.push(Change { field: Field::OptionOrder, kind, option: None, place: 0, sent, seen });
    } else if whole && changes.iter().all(|change| change.option.is_none()) {
        let bytes = |bytes| Value::Options(OptionBytes::new(bytes));
        changes.push(Change::value(Field::Padding, bytes(sent), bytes(seen)));
    }
}

fn is_padding(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == kind::NOP) || bytes.iter().all(|&byte| byte == kind::END)
}

/// Whether no option that was seen reaches into the place of this one.
fn free(theirs: &[Item<'_>], item: &Item<'_>) -> bool {
    theirs.iter().all(|other| other.end() <= item.at || other.at >= item.end())
}

/// For each option that was sent, the number of the one that was seen for it: first those that are the same byte by byte, then
/// those of the same kind and length, then of the same kind.
fn pair(ours: &[Item<'_>], theirs: &[Item<'_>]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; ours.len()];
    let mut taken = vec![false; theirs.len()];
    let tests: [fn(&Item<'_>, &Item<'_>) -> bool; 3] = [
        |a, b| a.bytes == b.bytes,
        |a, b| a.kind == b.kind && a.bytes.len() == b.bytes.len(),
        |a, b| a.kind == b.kind,
    ];
    for test in tests {
        for (item, partner) in ours.iter().zip(&mut pairs).filter(|(_, partner)| partner.is_none()) {
            let found = theirs
                .iter()
                .zip(&mut taken)
                .enumerate()
                .find(|(_, (other, taken))| !**taken && test(item, other));
            if let Some((at, (_, taken))) = found {
                *partner = Some(at);
                *taken = true;
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: [u8; 4] = [2, 4, 5, 0xb4];
    const SACK: [u8; 2] = [4, 2];
    const WS: [u8; 4] = [1, 3, 3, 7];
    const V1: [u8; 4] = [30, 4, 1, 1];
    const V0: [u8; 12] = [30, 12, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8];

    fn of(sent: &[&[u8]], seen: &[&[u8]], whole: bool) -> Vec<String> {
        let mut changes = Vec::new();
        compare(&sent.concat(), &seen.concat(), whole, &mut changes);
        changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn padded_removed_changed() {
        assert_eq!(of(&[&MSS, &V1], &[&MSS, &V1], true), [""; 0]);
        assert_eq!(of(&[&MSS, &V1], &[&MSS, &[1; 4]], true), ["mptcp padded"]);
        assert_eq!(of(&[&MSS, &V1], &[&MSS, &[0; 4]], true), ["mptcp padded"]);
        assert_eq!(of(&[&MSS, &V1], &[&MSS], true), ["mptcp removed"]);
        assert_eq!(of(&[&MSS, &V1], &[&[2, 4, 5, 0x50], &V1], true), ["mss 1460 → 1360"]);
        assert_eq!(of(&[&V1, &MSS], &[&MSS], true), ["mptcp removed"]);
        let other = [30, 12, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9];
        assert_eq!(
            of(&[&V0], &[&other], true),
            ["mptcp capable v0 12 key 0102030405060708 → capable v0 12 key 0909090909090909"]
        );
    }

    #[test]
    fn one_of_two_options_of_a_kind_is_taken_out() {
        assert_eq!(of(&[&V1, &V0], &[&V1], true), ["mptcp removed"]);
        let mut changes = Vec::new();
        compare(&[&V1[..], &V0].concat(), &V0, true, &mut changes);
        assert_eq!((changes.len(), changes[0].place), (1, 0));
    }

    #[test]
    fn reordered_and_doubled_options_are_seen() {
        assert_eq!(
            of(&[&MSS, &SACK, &WS], &[&WS, &SACK, &MSS], true),
            ["option_order mss,sackok,ws → ws,sackok,mss"]
        );
        assert_eq!(of(&[&MSS, &V1], &[&MSS, &V1, &V1], true), ["mptcp doubled capable v1 4"]);
        assert_eq!(of(&[&MSS], &[&MSS, &SACK, &[1, 1]], true), ["sack_permitted added sackok"]);
    }

    #[test]
    fn padding_alone() {
        assert_eq!(
            of(&[&MSS, &WS], &[&MSS, &WS[1..], &[0]], true),
            ["padding 020405b401030307 → 020405b403030700"]
        );
    }

    #[test]
    fn a_cut_list_accuses_of_no_deletion() {
        let all = [&MSS[..], &SACK, &V0, &WS].concat();
        for cut in 0..all.len() {
            assert_eq!(of(&[&all], &[&all[..cut]], false), [""; 0], "{cut}");
        }
        // But it shows what it shows: another value, padding in the place of an option.
        assert_eq!(of(&[&MSS, &V0], &[&[2, 4, 5]], false), [""; 0]);
        assert_eq!(of(&[&MSS, &V0], &[&[2, 4, 6]], false), ["mss 1460 → 020406"]);
        assert_eq!(of(&[&MSS, &V1, &V0], &[&MSS, &[1; 4], &V0[..6]], false), ["mptcp padded"]);
        assert_eq!(of(&[&MSS, &V1, &V0], &[&MSS, &V0[..6]], false), [""; 0]);
    }
}
