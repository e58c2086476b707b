//! A box that answers with the client's own option: what servers and boxes do that copy options they do not know.
//!
//! The server gets the SYN without the option; into its SYN/ACK the box puts what the SYN had carried.

use subflow_wire::tcp::TcpOption;

use super::{Flow, Table, Way};
use crate::header::{Header, OptionBytes};

/// Returns the client's option.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    /// The Multipath TCP options of the SYN of each flow.
    seen: Table<Flow, OptionBytes>,
}

impl Mirror {
    /// A box that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn pass(&mut self, way: Way, header: &mut Header) {
        if !header.flags.syn() {
            return;
        }
        let flow = Flow::of(way, header);
        if header.flags.ack() {
            let Some(options) = self.seen.get(&flow) else { return };
            header.options.retain(false, |option| !matches!(option, TcpOption::Mptcp(_)));
            // Without room the SYN/ACK stays as it is.
            let _ = header.options.push_bytes(options.as_bytes());
        } else if header.mptcp().next().is_some() {
            let mut options = OptionBytes::new();
            for option in header.mptcp() {
                let _ = options.mptcp(&option);
            }
            self.seen.insert(flow, options);
            header.options.retain(true, |option| !matches!(option, TcpOption::Mptcp(_)));
        }
    }
}
