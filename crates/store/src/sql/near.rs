//! The name that was perhaps meant.

/// At most this many are told.
const MOST: usize = 3;

/// `; did you mean …?` with the names nearest to `name`: those with few letters changed, or else those that hold it, or are
/// held by it, as a part between underscores; nothing when none comes near.
pub(super) fn did_you_mean<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, names).as_slice() {
        [] => String::new(),
        [one] => format!("; did you mean `{one}`?"),
        [some @ .., last] => format!("; did you mean `{}` or `{last}`?", some.join("`, `")),
    }
}

fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let rate = |other: &'a str| {
        let lower = other.to_lowercase();
        let changed = distance(&name, &lower);
        if changed <= 1 + name.chars().count() / 4 {
            return Some((0, changed, other));
        }
        let held = lower.split('_').any(|part| part == name) || name.split('_').any(|part| part == lower);
        held.then_some((1, changed, other))
    };
    let mut rated: Vec<_> = names.filter_map(rate).collect();
    rated.sort_unstable();
    rated.dedup();
    let best = rated.first().map(|(class, changed, _)| (*class, *changed));
    // Of names that were mistyped only the nearest are told, of names that were shortened the first few.
    rated.retain(|(class, changed, _)| {
        best.is_some_and(|(first, least)| *class == first && (first == 1 || *changed == least))
    });
    rated.into_iter().take(MOST).map(|(_, _, other)| other).collect()
}

/// Letters to insert, delete, replace or swap with their neighbour to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, x) in a.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, y) in b.iter().enumerate() {
            let mut cost =
                (last[column] + usize::from(x != y)).min(last[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && *x == b[column - 1] && a[row - 1] == *y {
                cost = cost.min(before[column - 1] + 1);
            }
            line.push(cost);
        }
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (a, b, changed) in [("", "abc", 3), ("kitten", "sitting", 3), ("form", "from", 1), ("a", "a", 0)]
        {
            assert_eq!(distance(a, b), changed, "{a} {b}");
        }
    }

    #[test]
    fn what_was_meant_is_found() {
        let columns = ["connection_id", "wire_bytes", "bytes_c2s", "bytes_s2c", "duration", "rtt_spread"];
        let near = |name| did_you_mean(name, columns.into_iter());
        assert_eq!(near("conection_id"), "; did you mean `connection_id`?");
        assert_eq!(near("bytes"), "; did you mean `bytes_c2s`, `bytes_s2c` or `wire_bytes`?");
        assert_eq!(near("bytes_s2s"), "; did you mean `bytes_c2s` or `bytes_s2c`?");
        assert_eq!(near("Duraton"), "; did you mean `duration`?");
        assert_eq!(near("spread"), "; did you mean `rtt_spread`?");
        assert_eq!(near("flags"), "");
    }
}
