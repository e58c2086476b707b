//! Announced addresses by class.

use super::percent;
use super::sheet::Sheet;
use crate::text::{counted, grouped};
use subflow_analysis::summary::Summary;

pub(super) fn render(summary: &Summary) -> String {
    let mut sheet = Sheet::new(&["class", "addresses", "share", "announcements", "joined later"], 1);
    let size = |addresses: usize| u64::try_from(addresses).unwrap_or(u64::MAX);
    let whole = summary.announced.values().map(|class| size(class.addresses.len())).sum();
    for (name, class) in &summary.announced {
        let addresses = size(class.addresses.len());
        sheet.row([
            (*name).to_owned(),
            grouped(addresses),
            percent(addresses, whole),
            grouped(class.announcements),
            grouped(class.joined),
        ]);
    }
    let connections = counted(summary.announcing, "connection");
    let most = summary.most_announced;
    sheet.under(&format!("Announced addresses (on {connections}, at most {most} on one; echoes left out)"))
}
