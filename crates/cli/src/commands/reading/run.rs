//! The one loop: packets in, rows out.

use super::progress::Progress;
use crate::interrupt;
use crate::settings::Reading;
use std::sync::atomic::{AtomicBool, Ordering};
use subflow_analysis::Analyzer;
use subflow_analysis::rows::{Issue, Sink};
use subflow_capture::{Ahead, Input, Packets};

/// How many packets pass between two looks at the clock, the keyboard and the output.
const ROUND: u64 = 4096;

/// How the reading ended.
pub(crate) struct Outcome {
    /// Packets that were analysed.
    pub(crate) packets: u64,
    /// Files that they came from.
    pub(crate) files: u64,
    /// Times of the earliest and the latest of them, nanoseconds since 1970; `None` without packets.
    pub(crate) span_ns: Option<(i64, i64)>,
    /// Whether Ctrl-C ended it.
    pub(crate) interrupted: bool,
}

/// Analyses all packets of the input, or those up to Ctrl-C, or until `failed` rises because the sink takes no more. With
/// more than one thread the input is read ahead.
pub(crate) fn read<S: Sink>(input: Input, reading: &Reading, sink: S, failed: &AtomicBool) -> (Outcome, S) {
    let mut analyzer = Analyzer::new(reading.options.clone(), sink);
    let mut progress = Progress::new(reading.talk.progress, input.bytes_total());
    let mut go_on = |seen: Seen| {
        progress.show(seen.bytes, seen.packets, seen.connections);
        !interrupt::is_pressed() && !failed.load(Ordering::Relaxed)
    };
    // Where the system gives no second thread, one does both.
    let ahead = if reading.threads > 1 { Ahead::start(input) } else { Err(Box::new(input)) };
    let ((packets, span_ns), input) = match ahead {
        Ok(mut ahead) => (pump(&mut ahead, &mut analyzer, &mut go_on), ahead.finish()),
        Err(mut input) => (pump(&mut *input, &mut analyzer, &mut go_on), *input),
    };
    progress.clear();
    // Pressed at the very end, it may have cut short what a pipe would still have brought.
    let interrupted = interrupt::is_pressed();
    analyzer.input_issues(&input);
    if interrupted {
        let reason = format!("interrupted: only the first {packets} packets were analysed");
        analyzer.issue(Issue { file: String::new(), offset: None, reason, count: 1, lost: true });
    }
    let files = u64::try_from(input.files().len()).unwrap_or(u64::MAX);
    (Outcome { packets, files, span_ns, interrupted }, analyzer.finish())
}

/// How far the reading has come.
struct Seen {
    bytes: u64,
    packets: u64,
    connections: u64,
}

/// Feeds packets to the analyser until the end, or until `go_on` says no; returns how many, and from when to when.
fn pump<S: Sink>(
    input: &mut impl Packets,
    analyzer: &mut Analyzer<S>,
    go_on: &mut impl FnMut(Seen) -> bool,
) -> (u64, Option<(i64, i64)>) {
    let mut packets = 0_u64;
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
        packets += 1;
        first = first.min(packet.time_ns);
        last = last.max(packet.time_ns);
        if packets.is_multiple_of(ROUND) {
            let seen = Seen { bytes: input.bytes_read(), packets, connections: analyzer.connections() };
            if !go_on(seen) {
                break;
            }
        }
    }
    (packets, (packets > 0).then_some((first, last)))
}
