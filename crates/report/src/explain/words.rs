//! Numbers, times and places in words.

pub(super) use crate::text::{counted, grouped, seconds as duration};
use subflow_analysis::rows::Direction;

/// First and last of a range of data bytes, both included: `14,280–15,707`; `14,280` for a single one.
pub(super) fn range(start: i64, bytes: u64) -> String {
    let signed = |offset: i64| {
        let digits = grouped(offset.unsigned_abs());
        if offset < 0 { format!("−{digits}") } else { digits }
    };
    let last = start.saturating_add_unsigned(bytes).saturating_sub(1);
    if last <= start { signed(start) } else { format!("{}–{}", signed(start), signed(last)) }
}

/// `client to server`.
pub(super) const fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::C2s => "client to server",
        Direction::S2c => "server to client",
    }
}

/// `the client` or `the server`: who sends in this direction.
pub(super) const fn sender(direction: Direction) -> &'static str {
    match direction {
        Direction::C2s => "the client",
        Direction::S2c => "the server",
    }
}

/// `frame 7`, `frames 7 and 9`, `frames 7, 8, … and 12` with at most four named.
pub(super) fn frames(list: &[u64]) -> String {
    match list {
        [] => "no frame".to_owned(),
        [one] => format!("frame {one}"),
        [first, second, .., last] if list.len() > 4 => format!("frames {first}, {second}, … and {last}"),
        [all @ .., last] => {
            let all: Vec<_> = all.iter().map(u64::to_string).collect();
            format!("frames {} and {last}", all.join(", "))
        }
    }
}

/// With a capital letter first.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::{capital, frames, range};

    #[test]
    fn numbers_read_well() {
        assert_eq!(range(14_280, 1428), "14,280–15,707");
        assert_eq!(range(5, 1), "5");
        assert_eq!(frames(&[7]), "frame 7");
        assert_eq!(frames(&[7, 9]), "frames 7 and 9");
        assert_eq!(frames(&[1, 2, 3, 4, 5, 6]), "frames 1, 2, … and 6");
        assert_eq!(capital("frame 7"), "Frame 7");
    }
}
