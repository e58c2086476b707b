//! `subflow explain`: claims about connections, with the frames that prove them.

use super::reading;
use crate::args::{ExplainArgs, ExplainFormat};
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::Reading;
use crate::text::counted;
use std::path::PathBuf;
use subflow_analysis::rows::Tables;
use subflow_report::explain::{self, Claim, Request};

/// Connections that are listed before the rest is counted only.
const MOST_LISTED: usize = 50;

pub(super) fn run(args: ExplainArgs) -> Result<Exit, Failure> {
    let ExplainArgs { captures, what, all, format, filter, read, talk } = args;
    let mut reading = Reading::new(&captures, filter, &read, &talk, "explain")?;
    let request = Request { subjects: what, all };
    interrupt::watch();
    let asked = !reading.options.filter.connections.is_empty();
    reading.options.detail = true;
    let (outcome, tables) = reading::tables(&captures, &reading)?;
    let missing = reading
        .options
        .filter
        .connections
        .iter()
        .find(|&&id| tables.connections.iter().all(|row| row.connection_id != id));
    if let Some(id) = missing {
        return Err(Failure::failed(format!("there is no connection {id}"))
            .hint(format!("subflow explain {} lists the connections", paths(&captures))));
    }
    if !asked && tables.connections.len() != 1 {
        list(&tables, &captures)?;
    } else {
        console::print(&rendered(&tables, &request, format))?;
    }
    Ok(if outcome.interrupted { Exit::Interrupted } else { Exit::Done })
}

fn rendered(tables: &Tables, request: &Request, format: ExplainFormat) -> String {
    let claims: Vec<(u64, Vec<Claim>)> = tables
        .connections
        .iter()
        .map(|row| (row.connection_id, explain::explain(tables, row.connection_id, request)))
        .collect();
    match format {
        ExplainFormat::Text => {
            let pages: Vec<_> = claims
                .iter()
                .map(|(id, claims)| explain::text(tables, *id, &request.subjects, claims))
                .collect();
            pages.join("\n\n")
        }
        ExplainFormat::Json => explain::json(&all_of(claims)),
        ExplainFormat::Jsonl => explain::jsonl(&all_of(claims)),
    }
}

fn all_of(claims: Vec<(u64, Vec<Claim>)>) -> Vec<Claim> {
    claims.into_iter().flat_map(|(_, claims)| claims).collect()
}

/// What there is to explain, connection by connection.
fn list(tables: &Tables, captures: &[PathBuf]) -> Result<(), Failure> {
    let lines = explain::contents(tables);
    if lines.is_empty() {
        return Err(Failure::failed("there is no Multipath TCP connection to explain")
            .hint("subflow analyze shows what the capture holds"));
    }
    let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let mut page = format!("{}, those with most to explain first:\n\n", counted(count, "connection"));
    for line in lines.iter().take(MOST_LISTED) {
        page.push_str(line);
        page.push('\n');
    }
    if lines.len() > MOST_LISTED {
        let more = u64::try_from(lines.len() - MOST_LISTED).unwrap_or(u64::MAX);
        page.push_str(&format!("      and {} with less\n", counted(more, "more connection")));
    }
    let id = lines.first().and_then(|line| line.split_whitespace().next()).unwrap_or("0");
    page.push_str(&format!("\nExplain one of them: subflow explain {} -c {id}\n", paths(captures)));
    console::print(&page)
}

fn paths(captures: &[PathBuf]) -> String {
    captures.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
}
