//! Why copies were sent, against what the sender's kernel counted: its timers, and the subflows that it lost.

use super::{Capture, Vantage, exceptions::Why};
use crate::support::exceptions::Judge;
use subflow_analysis::rows::{Direction, ReinjectionCause};

/// Only where the sender was captured can its reasons be compared with its counters.
pub(super) fn judge(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    let sender = match capture.vantage {
        Vantage::Client => Direction::C2s,
        Vantage::Server => Direction::S2c,
        Vantage::Between => return,
    };
    let counter = |name: &str| capture.scenario.counter(sender, name);
    let rows = || capture.tables.reinjections.iter().filter(|row| row.direction == sender);
    let count = |cause: ReinjectionCause, shown: bool| {
        let rows = rows().filter(|row| row.cause == Some(cause));
        rows.filter(|row| row.cause_frame.is_some() == shown).count()
    };
    let at = |what: &str| format!("{}: {what}", capture.name);
    let findings = &mut judge.findings;
    // Without a timeout of TCP no repeat can look like one.
    if counter("TcpExtTCPTimeouts") + counter("TcpExtTCPLossProbes") == 0 {
        findings.equal(&at("repeats after a timeout"), count(ReinjectionCause::HolderTimeout, true), 0);
    }
    // The timer of the data level is the only thing that copies while subflows live.
    let timed = [ReinjectionCause::DataTimeout, ReinjectionCause::HolderTimeout];
    let timed: usize = timed.into_iter().map(|cause| count(cause, true) + count(cause, false)).sum();
    if counter("MPTcpExtMPTCPRetrans") > 0 && rows().count() > 0 {
        findings.holds(&at("copies by a timer"), timed > 0, || "none".to_owned());
    }
    for row in rows() {
        let told = row.cause != Some(ReinjectionCause::HolderClosed) || row.cause_frame.is_some();
        findings.holds(&at("what closed the holder"), told, || format!("{row:?}"));
        let order = row.from_frame.is_none_or(|first| first < row.frame);
        let shown = row.cause_frame.is_none_or(|frame| frame < row.frame);
        findings.holds(&at("frames in order"), order && shown, || format!("{row:?}"));
    }
}
