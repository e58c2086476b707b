//! Options that the kernels count as sent and as received: announcements, echoes, withdrawals, priorities, failures,
//! fast closes, reset reasons, infinite mappings.

use super::{Capture, Vantage, exceptions::Why};
use crate::support::{exceptions::Judge, run::BOTH};
use subflow_analysis::rows::{Direction, EventKind};

/// What is counted, and the counters of its sender and of its receiver.
const COUNTERS: [(Counted, &str, &str); 8] = [
    (Counted::Announced, "MPTcpExtAddAddrTx", "MPTcpExtAddAddr"),
    (Counted::Echoed, "MPTcpExtEchoAddTx", "MPTcpExtEchoAdd"),
    (Counted::Event(EventKind::RemoveAddr), "MPTcpExtRmAddrTx", "MPTcpExtRmAddr"),
    (Counted::Event(EventKind::MpPrio), "MPTcpExtMPPrioTx", "MPTcpExtMPPrioRx"),
    (Counted::Event(EventKind::MpFail), "MPTcpExtMPFailTx", "MPTcpExtMPFailRx"),
    (Counted::Event(EventKind::FastClose), "MPTcpExtMPFastcloseTx", "MPTcpExtMPFastcloseRx"),
    (Counted::Event(EventKind::TcpRst), "MPTcpExtMPRstTx", "MPTcpExtMPRstRx"),
    (Counted::Event(EventKind::InfiniteMapping), "MPTcpExtInfiniteMapTx", "MPTcpExtInfiniteMapRx"),
];

#[derive(Clone, Copy)]
enum Counted {
    Announced,
    Echoed,
    Event(EventKind),
}

impl Counted {
    fn column(self) -> &'static str {
        match self {
            Self::Announced => "announcements",
            Self::Echoed => "echoes",
            Self::Event(kind) => kind.as_str(),
        }
    }

    fn seen(self, capture: &Capture<'_>, from: Direction) -> u64 {
        let announcements = |echo: bool| {
            let rows = capture.tables.announcements.iter();
            rows.filter(|row| row.direction == from && row.echo == echo).count() as u64
        };
        match self {
            Self::Announced => announcements(false),
            Self::Echoed => announcements(true),
            Self::Event(kind) => {
                let events = capture.tables.events.iter();
                events.filter(|row| row.kind == kind && row.direction == from).count() as u64
            }
        }
    }
}

pub(super) fn judge(judge: &mut Judge<Why>, capture: &Capture<'_>) {
    for (counted, sent, received) in COUNTERS {
        for from in BOTH {
            // Near its sender a capture sees all that was sent, at the receiver all that arrived.
            let at_receiver = match capture.vantage {
                Vantage::Client => from == Direction::S2c,
                Vantage::Server => from == Direction::C2s,
                Vantage::Between => false,
            };
            let truth = if at_receiver {
                capture.scenario.counter(from.reverse(), received)
            } else {
                capture.scenario.counter(from, sent)
            };
            let column = format!("{} {from}", counted.column());
            judge.equal(&capture.name, &column, counted.seen(capture, from), truth);
        }
    }
}
