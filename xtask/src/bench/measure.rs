//! CPU time and memory of a program, as GNU time reports them.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Options of `time`: user seconds, system seconds, peak resident set in kB, on a line of their own.
pub(super) const FORMAT: [&str; 2] = ["-f", "cost %U %S %M"];

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// User and system CPU time in seconds.
    pub(super) cpu: f64,
    /// Largest resident set in kB.
    pub(super) peak_kb: u64,
}

/// Runs a command that begins with `time` and [`FORMAT`].
pub(super) fn measure(command: &mut Command) -> Result<Cost> {
    let output = command.stdout(Stdio::null()).output().context("cannot run `time`")?;
    let talk = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{command:?} failed: {talk}");
    }
    parse(&talk).with_context(|| format!("`time` said {talk:?}"))
}

fn parse(talk: &str) -> Option<Cost> {
    // Progress that is written over begins its lines anew.
    let mut numbers = talk.split(['\n', '\r']).rev().find_map(|line| line.strip_prefix("cost "))?.split(' ');
    let mut next = || numbers.next();
    let (user, system) = (next()?.parse::<f64>().ok()?, next()?.parse::<f64>().ok()?);
    Some(Cost { cpu: user + system, peak_kb: next()?.parse().ok()? })
}

/// The middle value, or the mean of the two middle ones.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or(f64::NAN);
    match values.get(middle.wrapping_sub(1)) {
        Some(lower) if values.len().is_multiple_of(2) => (lower + upper) / 2.0,
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::{median, parse};

    #[test]
    fn the_last_line_counts() {
        let cost = parse("reading from file x\ncost 1.50 0.25 20480\n").unwrap();
        assert_eq!((cost.cpu, cost.peak_kb), (1.75, 20480));
        assert_eq!(parse("100 % done\r          \rcost 0.30 0.90 7\n").unwrap().peak_kb, 7);
        assert!(parse("no such line").is_none());
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&mut []).is_nan());
    }
}
