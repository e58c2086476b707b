//! The one loop: packets in, rows out.

use super::output::Rows;
use super::progress::Progress;
use crate::interrupt;
use crate::settings::Talk;
use std::sync::atomic::Ordering;
use subflow_analysis::{Analyzer, Options};
use subflow_capture::Input;

/// How many packets pass between two looks at the clock, the keyboard and the output.
const ROUND: u64 = 4096;

/// How the reading ended.
pub(super) struct Outcome {
    /// Packets that were analysed.
    pub(super) packets: u64,
    /// Files that they came from.
    pub(super) files: u64,
    /// Whether Ctrl-C ended it.
    pub(super) interrupted: bool,
}

/// Analyses all packets of the input, or those up to Ctrl-C.
pub(super) fn analyze(mut input: Input, options: Options, rows: Rows, talk: Talk) -> (Outcome, Rows) {
    let failed = rows.failed();
    let mut progress = Progress::new(talk.progress, input.bytes_total());
    let mut analyzer = Analyzer::new(options, rows);
    let mut packets = 0_u64;
    let mut interrupted = false;
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
        packets += 1;
        if packets.is_multiple_of(ROUND) {
            interrupted = interrupt::is_pressed();
            if interrupted || failed.load(Ordering::Relaxed) {
                break;
            }
            progress.show(input.bytes_read(), packets, analyzer.connections());
        }
    }
    progress.clear();
    // Pressed at the very end, it may have cut short what a pipe would still have brought.
    interrupted |= interrupt::is_pressed();
    for issue in input.issues() {
        let file = usize::try_from(issue.file).ok().and_then(|index| input.files().get(index));
        let name = file.map_or("", |file| &*file.name);
        analyzer.input_issue(name, issue.offset, issue.reason.to_string(), issue.count);
    }
    if interrupted {
        let reason = format!("interrupted: only the first {packets} packets were analysed");
        analyzer.input_issue("", None, reason, 1);
    }
    let files = u64::try_from(input.files().len()).unwrap_or(u64::MAX);
    (Outcome { packets, files, interrupted }, analyzer.finish())
}
