//! Claims as text for people, and as rows for scripts.

use super::claim::{Claim, Subject};
use super::view::ends;
use super::words::{counted, duration};
use serde_json::{Value, json};
use std::net::SocketAddr;
use subflow_analysis::rows::Tables;

/// Widest line of text, in characters.
const WIDTH: usize = 100;
/// Frames of a claim that are named in text.
const MOST_FRAMES: usize = 12;

/// The claims about a connection as text: a head, then subject by subject. `subjects` were asked for; an empty list means all.
pub fn text(tables: &Tables, connection_id: u64, subjects: &[Subject], claims: &[Claim]) -> String {
    let mut page = head(tables, connection_id);
    let wanted = |subject: &Subject| subjects.is_empty() || subjects.contains(subject);
    for subject in Subject::ALL.iter().filter(|subject| wanted(subject)) {
        let here: Vec<_> = claims.iter().filter(|claim| claim.subject == *subject).collect();
        if here.is_empty() {
            // What was asked for by name gets an answer, and what everybody wants to know.
            if !subjects.is_empty() {
                page.push_str(&format!("\n{}\n\n  None.\n", subject.heading()));
            }
            continue;
        }
        page.push_str(&format!("\n{}\n", subject.heading()));
        let mut rule = "";
        for (index, claim) in here.iter().enumerate() {
            page.push('\n');
            wrap(&mut page, "  ", "  ", &claim.text);
            let last = here.get(index + 1).is_none_or(|next| next.rule != claim.rule);
            let named = claim.frames.iter().take(MOST_FRAMES).map(u64::to_string);
            let mut frames = named.collect::<Vec<_>>().join(" ");
            if let Some(more) = claim.frames.len().checked_sub(MOST_FRAMES).filter(|&more| more > 0) {
                frames.push_str(&format!(" and {more} more, which -f json lists"));
            }
            if !frames.is_empty() {
                let noun = if claim.frames.len() == 1 { "    Frame " } else { "    Frames " };
                wrap(&mut page, noun, "      ", &frames);
            }
            if last && claim.rule != rule && !claim.rule.is_empty() {
                rule = &claim.rule;
                wrap(&mut page, "    Rule: ", "      ", &format!("{rule}."));
            }
        }
    }
    page
}

/// What the connection is.
fn head(tables: &Tables, connection_id: u64) -> String {
    let Some(row) = tables.connections.iter().find(|row| row.connection_id == connection_id) else {
        return String::new();
    };
    let end = |addr, port| SocketAddr::from((addr, port)).to_string();
    let version =
        row.version.map_or_else(|| "version unknown".to_owned(), |version| format!("version {version}"));
    let mut page = format!(
        "Connection {connection_id}: {} → {}, {version}, {}, {}\n",
        end(row.client_addr, row.client_port),
        end(row.server_addr, row.server_port),
        duration(row.duration),
        counted(row.packets, "packet"),
    );
    for subflow in tables.subflows.iter().filter(|subflow| subflow.connection_id == connection_id) {
        page.push_str(&format!("  Subflow {}: {}, {}\n", subflow.subflow_id, ends(subflow), subflow.state));
    }
    wrap(
        &mut page,
        "  ",
        "  ",
        "Times count from the connection's first packet, data bytes from the first data byte of their direction, subflow bytes from \
         the byte after the SYN.",
    );
    page
}

/// Appends words, broken into lines.
fn wrap(page: &mut String, first: &str, rest: &str, text: &str) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            page.push_str(line.trim_end());
            page.push('\n');
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    page.push_str(line.trim_end());
    page.push('\n');
}

/// The claims as one JSON array.
pub fn json(claims: &[Claim]) -> String {
    let rows: Vec<_> = claims.iter().map(|claim| row(claim).to_string()).collect();
    if rows.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", rows.join(",\n")) }
}

/// The claims as JSON, one a line.
pub fn jsonl(claims: &[Claim]) -> String {
    claims.iter().map(|claim| format!("{}\n", row(claim))).collect()
}

fn row(claim: &Claim) -> Value {
    json!({
        "connection_id": claim.connection_id,
        "subject": claim.subject.as_str(),
        "claim": claim.claim,
        "time_ns": claim.time.map(|time| time.0),
        "subflow_id": claim.subflow_id,
        "direction": claim.direction.map(|direction| direction.as_str()),
        "frames": claim.frames,
        "packets": claim.packets,
        "bytes": claim.bytes,
        "rule": claim.rule,
        "text": claim.text,
    })
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_between_words() {
        let mut page = String::new();
        wrap(&mut page, "  ", "    ", &"word ".repeat(40));
        assert!(page.lines().all(|line| line.chars().count() <= super::WIDTH));
        assert_eq!(page.split_whitespace().count(), 40);
        assert!(page.lines().skip(1).all(|line| line.starts_with("    word")));
    }
}
