//! The ladder of paths: what each subflow was.

use super::One;
use super::style::Style;
use super::text::{end, wrapped};
use crate::text::{counted, grouped, percent, seconds as duration};
use std::fmt::Write;
use subflow_analysis::rows::Subflow;

/// How many subflows are listed in full before the list is cut.
const MOST: usize = 40;
/// Columns that a line may have, indentation aside.
const WIDTH: usize = 76;

/// A few lines for each subflow; with `all`, for every one of them.
pub(super) fn paths(one: &One<'_>, style: Style, all: bool) -> String {
    let mut text = format!("{}  RTT: least / mean / most\n", style.bold("Paths"));
    let whole = |of: fn(&Subflow) -> u64| one.subflows.iter().map(of).sum::<u64>();
    let wholes = [whole(|row| row.bytes_c2s), whole(|row| row.bytes_s2c)];
    let most = if all { usize::MAX } else { MOST };
    for row in one.subflows.iter().take(most) {
        path(one, row, wholes, style, &mut text);
    }
    let hidden = one.subflows.len().saturating_sub(most);
    if hidden > 0 {
        let _ = writeln!(text, "  … and {}; --all shows them", counted(hidden as u64, "subflow"));
    }
    text
}

fn path(one: &One<'_>, row: &Subflow, wholes: [u64; 2], style: Style, text: &mut String) {
    let backup = match (row.backup, row.backup_at_end) {
        (true, true) => ", backup",
        (true, false) => ", backup at first",
        (false, true) => ", backup in the end",
        (false, false) => "",
    };
    let hmac = match row.hmac_ok {
        Some(true) => ", HMAC right",
        Some(false) => ", HMAC wrong",
        None => "",
    };
    let (from, to) = (end(row.src_addr, row.src_port), end(row.dst_addr, row.dst_port));
    let number = style.subflow(row.subflow_id, format!("{:>3}", row.subflow_id));
    let mut ends = wrapped(&format!("{from} → {to}"), WIDTH).into_iter();
    let _ = writeln!(text, "{number} {}", ends.next().unwrap_or_default());
    ends.for_each(|part| text.push_str(&format!("    {part}\n")));
    let mut line = |value: String| {
        for part in wrapped(&value, WIDTH) {
            let _ = writeln!(text, "    {part}");
        }
    };
    let start = one.seconds(row.start);
    line(format!(
        "{}, opened by the {}{hmac}{backup}; from {start:.3} s for {}",
        row.state,
        row.opener,
        duration(row.duration)
    ));
    for (name, bytes, whole, retransmitted, reinjected, rtt) in [
        (
            "c2s",
            row.bytes_c2s,
            wholes[0],
            row.retransmitted_bytes_c2s,
            row.reinjected_bytes_c2s,
            (row.rtt_min_c2s, row.rtt_mean_c2s, row.rtt_max_c2s),
        ),
        (
            "s2c",
            row.bytes_s2c,
            wholes[1],
            row.retransmitted_bytes_s2c,
            row.reinjected_bytes_s2c,
            (row.rtt_min_s2c, row.rtt_mean_s2c, row.rtt_max_s2c),
        ),
    ] {
        if bytes == 0 && rtt.1.is_none() {
            continue;
        }
        let mut value = format!("{name} {} B ({})", grouped(bytes), percent(bytes, whole));
        if whole == 0 {
            value = format!("{name} no data");
        }
        if let (Some(least), Some(mean), Some(most)) = rtt {
            value.push_str(&format!(", RTT {} / {} / {}", duration(least), duration(mean), duration(most)));
        }
        line(value);
        let mut again = Vec::new();
        if retransmitted > 0 {
            again.push(format!("{} B resent", grouped(retransmitted)));
        }
        if reinjected > 0 {
            again.push(format!("{} B first sent elsewhere", grouped(reinjected)));
        }
        if !again.is_empty() {
            line(format!("{name} {}", again.join(", ")));
        }
    }
    if let Some(reason) = row.reset_reason {
        line(format!("reset: {reason}"));
    }
    if let Some(reason) = row.unused {
        line(format!("carried no data: {reason}"));
    }
}
