//! Data, and what of it was sent more than once.

use super::sheet::Sheet;
use super::{percent, share};
use crate::text::{counted, grouped};
use subflow_analysis::summary::{Repeats, Summary};

pub(super) fn render(summary: &Summary) -> String {
    if summary.established == 0 {
        return String::new();
    }
    let [data_c2s, data_s2c] = summary.data_bytes;
    let [reinjected_c2s, reinjected_s2c] = summary.reinjected_bytes;
    let mut sheet = Sheet::new(&["bytes of established connections", "c2s", "s2c", "total", "of data"], 1);
    let data = data_c2s + data_s2c;
    let reinjected = reinjected_c2s + reinjected_s2c;
    sheet.row([
        "data, each byte once".to_owned(),
        grouped(data_c2s),
        grouped(data_s2c),
        grouped(data),
        String::new(),
    ]);
    sheet.row([
        "reinjected on another subflow".to_owned(),
        grouped(reinjected_c2s),
        grouped(reinjected_s2c),
        grouped(reinjected),
        percent(reinjected, data),
    ]);
    let retransmitted = summary.retransmitted_bytes;
    sheet.row([
        "retransmitted on its subflow".to_owned(),
        String::new(),
        String::new(),
        grouped(retransmitted),
        percent(retransmitted, data),
    ]);
    sheet.under("Data, reinjections and retransmissions")
}

/// The same for connections that had a choice of subflows: what each of them repeated of its own data.
pub(super) fn render_choice(summary: &Summary) -> String {
    let connections = summary.reinjected.connections;
    if connections == 0 {
        return String::new();
    }
    let header = ["", "connections", "share", "bytes", "of data", "median", "90 %", "largest"];
    let mut sheet = Sheet::new(&header, 1);
    for (name, repeats) in [("reinjected", &summary.reinjected), ("retransmitted", &summary.retransmitted)] {
        let Repeats { connections, with_any, bytes, unique_bytes, fraction } = repeats;
        let quantile = |q| fraction.quantile(q).map(share).unwrap_or_default();
        sheet.row([
            name.to_owned(),
            grouped(*with_any),
            percent(*with_any, *connections),
            grouped(*bytes),
            percent(*bytes, *unique_bytes),
            quantile(0.5),
            quantile(0.9),
            quantile(1.0),
        ]);
    }
    sheet.under(&format!(
        "Repeated share of data, {} with data on several subflows",
        counted(connections, "connection")
    ))
}
