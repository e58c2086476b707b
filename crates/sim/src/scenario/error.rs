//! What is wrong with a scenario.

use std::fmt;

/// What is wrong with a scenario, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file, as it was named.
    pub file: String,
    /// Number of the line, from 1; none when it is about the whole.
    pub line: Option<usize>,
    /// The key, with the tables that it stands in: `topology.rate`. Empty when it is about no key.
    pub key: String,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Error {}

/// Names that are told at most.
const TOLD: usize = 16;

/// `; did you mean "…"?` where a known name is near, and else the list of them, as far as people read on.
pub(super) fn suggestion(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (distance(name, known), known)).min();
    match near {
        Some((distance, known))
            if distance <= 1 + name.chars().count() / 4 || (name.len() > 1 && known.starts_with(name)) =>
        {
            format!("; did you mean {known:?}?")
        }
        Some(_) => match known.get(..TOLD) {
            Some(told) if known.len() > TOLD => {
                format!("; known: {} and {} more", told.join(", "), known.len() - TOLD)
            }
            _ => format!("; known: {}", known.join(", ")),
        },
        None => String::new(),
    }
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to make one name of the other (optimal string
/// alignment). Case and `-`/`_` do not count.
fn distance(a: &str, b: &str) -> usize {
    let plain = |name: &str| -> Vec<char> {
        name.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
    };
    let (a, b) = (plain(a), plain(b));
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("rate", "rtae", 1), ("rate", "rates", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
        assert_eq!(distance("Initial-Window", "initial_window"), 0);
    }

    #[test]
    fn suggestions() {
        assert_eq!(suggestion("rat", &["delay", "rate"]), "; did you mean \"rate\"?");
        assert_eq!(suggestion("colour", &["delay", "rate"]), "; known: delay, rate");
        assert_eq!(suggestion("colour", &[]), "");
        assert!(suggestion("colour", &["x"; TOLD]).ends_with("x, x"));
        assert!(suggestion("colour", &["x"; TOLD + 2]).ends_with("x, x and 2 more"));
    }
}
