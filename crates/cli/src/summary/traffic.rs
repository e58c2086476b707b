//! Packets and bytes of all TCP and of MPTCP, by family and by service.

use super::percent;
use super::sheet::Sheet;
use crate::text::grouped;
use std::cmp::Reverse;
use std::iter::once;
use subflow_analysis::summary::{ByFamily, Summary};

/// All TCP and MPTCP, total and by family.
pub(super) fn render(summary: &Summary) -> String {
    if summary.tcp.total.packets == 0 {
        return String::new();
    }
    let header = ["", "packets", "bytes", "IPv4 packets", "IPv4 bytes", "IPv6 packets", "IPv6 bytes"];
    let mut sheet = Sheet::new(&header, 1);
    let amounts = |by: &ByFamily| [by.total, by.ipv4, by.ipv6];
    for (name, by) in [("all TCP", &summary.tcp), ("MPTCP", &summary.mptcp)] {
        let numbers =
            amounts(by).into_iter().flat_map(|amount| [grouped(amount.packets), grouped(amount.bytes)]);
        sheet.row(once(name.to_owned()).chain(numbers));
    }
    let pairs = amounts(&summary.mptcp).into_iter().zip(amounts(&summary.tcp));
    let shares = pairs
        .flat_map(|(part, whole)| [percent(part.packets, whole.packets), percent(part.bytes, whole.bytes)]);
    sheet.row(once("share".to_owned()).chain(shares));
    sheet.under("Traffic (bytes from the IP header onward)")
}

/// Services that MPTCP was used for, the most connections first.
pub(super) fn render_services(summary: &Summary) -> String {
    let mut services: Vec<_> = summary.services.iter().collect();
    services.retain(|(_, service)| service.connections > 0 || service.mptcp.packets > 0);
    // A stable sort: names decide between equals.
    services.sort_by_key(|(_, service)| Reverse((service.connections, service.mptcp.bytes)));
    let connections = services.iter().map(|(_, service)| service.connections).sum();
    let header = ["service", "connections", "share", "MPTCP packets", "MPTCP bytes", "of its TCP bytes"];
    let mut sheet = Sheet::new(&header, 1);
    for (name, service) in services {
        sheet.row([
            (*name).to_owned(),
            grouped(service.connections),
            percent(service.connections, connections),
            grouped(service.mptcp.packets),
            grouped(service.mptcp.bytes),
            percent(service.mptcp.bytes, service.tcp.bytes),
        ]);
    }
    sheet.under("Services (established connections by the server's port)")
}
