//! The list of connections: sorted, filtered and opened in the page, from all columns of the rows.

use super::collect::{Collected, MOST_CONNECTIONS, MOST_OF_ONE};
use crate::page::{Block, Page, Section};
use crate::text::{counted, grouped};
use serde_json::{Value as Json, json};
use subflow_analysis::summary::Summary;
use subflow_rows::{Kind, Row, Value};

const SCRIPT: &str = include_str!("../../assets/connections.js");
const PLACE: &str = include_str!("../../templates/connections.html");

pub(super) fn section(rows: &Collected, summary: &Summary) -> Section {
    let section = Section::new("connections", "Connections");
    if rows.connections.is_empty() {
        return section.empty("There is no MPTCP connection in this capture.");
    }
    let shown = u64::try_from(rows.connections.len()).unwrap_or(u64::MAX);
    let mut words = "Choose a connection to see its subflows, announcements and events.".to_owned();
    if shown < summary.connections {
        words = format!(
            "These are the first {} of {} to end (the figures are drawn over all of them; subflow analyze -f csv lists \
             every one). {words}",
            grouped(shown),
            counted(summary.connections, "connection")
        );
    }
    section.text(words).block(Block::Markup(PLACE.to_owned()))
}

/// Adds the rows and the script that shows them.
pub(super) fn add_data(page: Page, rows: &Collected) -> Page {
    if rows.connections.is_empty() {
        return page;
    }
    debug_assert!(rows.connections.len() <= MOST_CONNECTIONS);
    let reinjections: Vec<Json> = rows
        .reinjections
        .iter()
        .map(|(way, amount)| {
            json!([
                way.connection_id,
                way.direction.as_str(),
                way.from,
                way.to,
                way.cause.map(|cause| cause.as_str()),
                amount.packets,
                amount.bytes,
                amount.useless_bytes
            ])
        })
        .collect();
    let columns = [
        "connection_id",
        "direction",
        "from_subflow",
        "to_subflow",
        "cause",
        "rows",
        "bytes",
        "useless_bytes",
    ];
    let columns: Vec<Json> = columns
        .iter()
        .map(|name| json!({ "name": name, "kind": "", "unit": if name.ends_with("bytes") { "B" } else { "" }, "doc": "" }))
        .collect();
    page.data("connections", &table(&rows.connections).to_string())
        .data("subflows", &table(&rows.subflows).to_string())
        .data("announcements", &table(&rows.announcements).to_string())
        .data("events", &table(&rows.events).to_string())
        .data("reinjections", &json!({ "columns": columns, "rows": reinjections }).to_string())
        .data("limits", &json!({ "of_one": MOST_OF_ONE }).to_string())
        .script(SCRIPT)
}

/// Rows with all their columns: times in microseconds since 1970, which a double holds exactly.
fn table<R: Row>(rows: &[R]) -> Json {
    let columns: Vec<Json> = R::SCHEMA
        .columns
        .iter()
        .map(|column| {
            let kind = match column.kind {
                Kind::Bool => "bool",
                Kind::Int => "int",
                Kind::Float => "float",
                Kind::Text => "text",
                Kind::Time => "time",
            };
            json!({ "name": column.name, "kind": kind, "unit": column.unit, "doc": column.doc.trim() })
        })
        .collect();
    let rows: Vec<Json> = rows
        .iter()
        .map(|row| Json::Array(row.cells().as_ref().iter().copied().map(cell).collect()))
        .collect();
    json!({ "columns": columns, "rows": rows })
}

fn cell(value: Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Int(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Addr(addr) => json!(addr.to_string()),
        Value::Hex { value, digits } => json!(format!("{value:0width$x}", width = usize::from(digits))),
        Value::Time(ns) => json!(ns.div_euclid(1000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_what_is_unknown_and_what_is_exact() {
        assert_eq!(cell(Value::Null), Json::Null);
        assert_eq!(cell(Value::Hex { value: 0xabc, digits: 8 }), json!("00000abc"));
        assert_eq!(cell(Value::Time(1_767_323_045_000_001_999)), json!(1_767_323_045_000_001_i64));
    }
}
