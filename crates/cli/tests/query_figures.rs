//! The queries of the guide's page: what it shows is what they answer, and on a trace whose truth is known they are right.

mod support;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use support::stdout;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/src/query.md")).expect("the page")
}

/// The page in pieces: a query, the text after it up to its result, the result, and so on.
fn queries(page: &str) -> Vec<String> {
    let mut queries = Vec::new();
    for block in page.split("```sql\n").skip(1) {
        let (sql, rest) = block.split_once("```\n").expect("a closed block");
        assert!(rest.starts_with("\n```text\n"), "a result follows every query:\n{sql}");
        queries.push(sql.to_owned());
    }
    queries
}

/// With `INSTA_UPDATE=always` the results are written anew, as those of all snapshots.
#[test]
fn the_page_shows_what_its_queries_answer() {
    let page = page();
    let examples = root().join("examples");
    let examples = examples.to_str().expect("UTF-8");
    assert_eq!(queries(&page).len(), 12);
    let mut wanted = String::new();
    let mut rest = &*page;
    while let Some((before, block)) = rest.split_once("```sql\n") {
        let (sql, after) = block.split_once("```\n").expect("a closed block");
        let (_, after) = after.split_once("\n```text\n").expect("a result");
        let (_, after) = after.split_once("```\n").expect("a closed result");
        let answer = stdout(&["query", examples, "-e", sql]);
        wanted.push_str(&format!("{before}```sql\n{sql}```\n\n```text\n{answer}```\n"));
        rest = after;
    }
    wanted.push_str(rest);
    if wanted == page {
        return;
    }
    assert!(
        std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always"),
        "docs/src/query.md shows other results: look at them with INSTA_UPDATE=always"
    );
    fs::write(root().join("docs/src/query.md"), wanted).expect("writes the page");
}

/// The answers on a trace, a JSON array of rows each.
fn answers(capture: &str) -> Vec<Value> {
    let answer = |sql: &String| {
        let text = stdout(&["query", "-q", capture, "-f", "json", "-e", sql]);
        serde_json::from_str(&text).expect("JSON")
    };
    queries(&page()).iter().map(answer).collect()
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}"))
}

fn rows(value: &Value) -> &Vec<Value> {
    value.as_array().expect("rows")
}

/// The figure in `column` of the row whose `key` is `name`; 0 without such a row.
fn figure(answer: &Value, key: &str, name: &str, column: &str) -> i64 {
    let row =
        rows(answer).iter().find(|row| row[key].as_str().map_or(row[key].to_string(), str::to_owned) == name);
    row.map_or(0, |row| int(&row[column]))
}

fn sum(answer: &Value, column: &str) -> i64 {
    rows(answer).iter().map(|row| int(&row[column])).sum()
}

#[test]
fn the_figures_of_a_server_trace_are_right() {
    let Some(folder) = subflow_testdata::folder("crafted") else { return };
    let capture = folder.join("synth_server_trace.pcap");
    let capture = capture.to_str().expect("UTF-8");
    let truth = fs::read(folder.join("synth_server_trace.json")).expect("the truth");
    let truth: Value = serde_json::from_slice(&truth).expect("JSON");
    let truth = &truth["tables"];
    let answers = answers(capture);
    let [traffic, services, subflows, classes, delays, spreads, reinjected, _, _, fallbacks, closes, _] =
        answers.as_slice()
    else {
        panic!("{} queries", answers.len())
    };

    assert_eq!(sum(traffic, "packets"), int(&truth["packets_total"]));
    assert_eq!(sum(traffic, "mptcp_packets"), int(&truth["packets_mptcp_connections"]));

    for (service, port) in [("http", "80"), ("iperf", "5001"), ("ftp control", "21")] {
        assert_eq!(
            figure(services, "service", service, "connections"),
            int(&truth["by_port"][port]),
            "{service}"
        );
    }
    assert_eq!(sum(services, "connections"), int(&truth["mptcp_established"]));

    for (column, histogram) in [
        ("connections_attempted", "subflows_attempted_hist"),
        ("connections_established", "subflows_established_hist"),
    ] {
        for row in rows(subflows) {
            let expected = truth[histogram][row["subflows"].to_string()].as_i64().unwrap_or(0);
            assert_eq!(int(&row[column]), expected, "{histogram} {row}");
        }
        assert_eq!(sum(subflows, column), int(&truth["mptcp_established"]));
    }

    for (column, table) in [("announcements", "add_addr_classes"), ("addresses", "add_addr_classes_distinct")]
    {
        let expected = truth[table].as_object().expect("classes");
        assert_eq!(rows(classes).len(), expected.len());
        for (class, count) in expected {
            assert_eq!(figure(classes, "class", class, column), int(count), "{table} {class}");
        }
    }

    let bytes = |direction: &str, what: &str| int(&truth[what][direction]);
    assert_eq!(
        int(&reinjected[0]["reinjected_bytes"]),
        bytes("c2s", "reinjected_bytes") + bytes("s2c", "reinjected_bytes")
    );
    assert_eq!(int(&reinjected[0]["with_any"]), int(&truth["connections_with_reinjection"]));
    assert_eq!(sum(fallbacks, "connections"), int(&truth["fallback"]));
    assert_eq!(figure(closes, "close", "fastclose", "connections"), int(&truth["fastclose"]));
    assert_eq!(sum(closes, "connections"), int(&truth["mptcp_established"]));

    // What the truth does not tell follows from the tables that `analyze` exports.
    let text = stdout(&["analyze", "-q", capture, "-f", "json", "-t", "connections"]);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let connections: Vec<_> = rows(&document["connections"])
        .iter()
        .filter(|row| {
            int(&row["subflows_established"]) > 0
                && ["none", "checksum", "later"].contains(&row["fallback"].as_str().expect("text"))
        })
        .collect();
    let numbers =
        |column: &str| connections.iter().filter_map(|row| row[column].as_f64()).collect::<Vec<_>>();
    for (answer, column, cuts) in [
        (
            delays,
            "second_subflow_delay",
            &[("within_200ms", 0.2), ("within_1s", 1.0), ("within_60s", 60.0), ("within_3600s", 3600.0)][..],
        ),
        (spreads, "rtt_spread", &[("within_10ms", 0.01), ("within_100ms", 0.1), ("within_1s", 1.0)][..]),
    ] {
        let numbers = numbers(column);
        assert!(numbers.len() > 10, "{column}");
        assert_eq!(usize::try_from(int(&answer[0]["connections"])), Ok(numbers.len()), "{column}");
        for (name, cut) in cuts {
            let share = numbers.iter().filter(|number| *number <= cut).count() as f64 / numbers.len() as f64;
            let told = answer[0][*name].as_f64().expect("a share");
            assert!((told - share).abs() < 1e-12, "{column} {name}: {told}, not {share}");
        }
    }
}

/// Captures and the tables stored from them answer alike.
#[test]
fn stored_tables_answer_as_their_captures_do() {
    let examples = root().join("examples");
    let examples = examples.to_str().expect("UTF-8");
    let dir = tempfile::tempdir().expect("a folder");
    let tables = dir.path().to_str().expect("UTF-8");
    stdout(&["analyze", "-q", examples, "-o", tables]);
    for sql in queries(&page()).iter().filter(|sql| !sql.contains("carriages")) {
        assert_eq!(stdout(&["query", tables, "-e", sql]), stdout(&["query", examples, "-e", sql]), "{sql}");
    }
}
