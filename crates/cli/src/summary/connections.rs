//! How many connections there are, what became of them, and between how many hosts.

use super::percent;
use super::sheet::Sheet;
use crate::text::{counted, grouped};
use subflow_analysis::summary::Summary;

pub(super) fn render(summary: &Summary) -> String {
    let all = summary.connections;
    if all == 0 {
        let tcp = if summary.tcp.total.packets == 0 { ", no TCP packets" } else { "" };
        return format!("No MPTCP connections{tcp}\n");
    }
    let mut sheet = Sheet::new(&["", "connections", "share"], 1);
    let mut line = |what: &str, count: u64| {
        if count > 0 {
            sheet.row([what.to_owned(), grouped(count), percent(count, all)]);
        }
    };
    line("all", all);
    line("established", summary.established);
    let mut version = |version, what| line(what, summary.versions.get(&version).copied().unwrap_or(0));
    version(Some(0), "  of version 0 (RFC 6824)");
    version(Some(1), "  of version 1 (RFC 8684)");
    version(None, "  of unknown version");
    line("never established", summary.unanswered);
    line("fell back in the handshake", all.saturating_sub(summary.established + summary.unanswered));
    line("handshake not wholly in the capture", summary.incomplete);
    let (addresses, clients) = (counted(summary.hosts, "address"), grouped(summary.clients));
    sheet.under(&format!("MPTCP connections ({addresses}, of which {clients} opened connections)"))
}
