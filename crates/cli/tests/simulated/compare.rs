//! Holds the tables of the analysis of a capture against the truth of the run that wrote it.

use std::fmt::Debug;
use std::io::Cursor;

use subflow_analysis::rows::{self, EventKind, Sampled, Tables};
use subflow_analysis::{Analyzer, Options};
use subflow_capture::Input;
use subflow_rows::{Row, Value};
use subflow_sim::observe::End;
use subflow_sim::truth::rows::{self as truth, TruthConnection, TruthSubflow};

/// Analyses a capture in every detail.
pub(crate) fn analyze(capture: Vec<u8>) -> Tables {
    let mut input = Input::from_reader("simulated", Cursor::new(capture)).expect("a capture");
    let mut analyzer = Analyzer::new(Options { detail: true, ..Options::default() }, Tables::default());
    while let Some(packet) = input.next_packet() {
        analyzer.packet(&packet);
    }
    analyzer.input_issues(&input);
    let mut tables = analyzer.finish();
    tables.sort();
    tables
}

/// What the tables of a capture at one end have otherwise than the truth of that end.
pub(crate) fn differences(tables: &Tables, truth: &truth::Tables, vantage: End) -> Vec<String> {
    let mut found = Differences::default();
    let mut connections: Vec<_> = truth.connections.iter().filter(|row| row.vantage == vantage).collect();
    connections.sort_by_key(|row| row.start);
    found.equal("connections", &tables.connections.len(), &connections.len());
    for expected in connections {
        let seen = tables.connections.iter().find(|seen| {
            (seen.client_addr, seen.client_port) == (expected.client_addr, expected.client_port)
                && (seen.server_addr, seen.server_port) == (expected.server_addr, expected.server_port)
        });
        match seen {
            Some(seen) => found.connection(tables, seen, truth, expected),
            None => found.0.push(format!("connection {} is missing", expected.connection_id)),
        }
    }
    for issue in &tables.issues {
        found.0.push(format!("issue: {}", issue.reason));
    }
    found.0
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn equal<T: PartialEq + Debug>(&mut self, what: &str, seen: &T, expected: &T) {
        if seen != expected {
            self.0.push(format!("{what}: analysed {seen:?}, truth {expected:?}"));
        }
    }

    /// Every column that both rows have, by name; times in seconds may differ by what was cut off below a nanosecond.
    fn columns(&mut self, what: &str, seen: &impl Row, expected: &impl Row, apart: &[&str]) {
        let (seen, expected) = (cells(seen), cells(expected));
        for (name, truth) in expected {
            let Some((_, analysed)) = seen.iter().find(|cell| cell.0 == name) else { continue };
            if !apart.contains(&name) && !alike(analysed, &truth) {
                self.0.push(format!("{what} {name}: analysed {analysed}, truth {truth}"));
            }
        }
    }

    fn connection(
        &mut self,
        tables: &Tables,
        seen: &rows::Connection,
        truth: &truth::Tables,
        expected: &TruthConnection,
    ) {
        let (id, vantage) = (expected.connection_id, expected.vantage);
        let what = format!("connection {id}");
        // The names for "it did not" and "it has not" are the analysis' own.
        self.columns(&what, seen, expected, &["connection_id", "fallback", "close"]);
        let fallback = expected.fallback.map_or("none", |fallback| fallback.as_str());
        self.equal(&format!("{what} fallback"), &seen.fallback.as_str(), &fallback);
        let close = expected.close.map_or("open", |close| close.as_str());
        self.equal(&format!("{what} close"), &seen.close.as_str(), &close);

        let of = |row: &&TruthSubflow| row.connection_id == id && row.vantage == vantage;
        for subflow in truth.subflows.iter().filter(of) {
            let what = format!("subflow {id}/{}", subflow.subflow_id);
            let row = tables
                .subflows
                .iter()
                .find(|row| row.connection_id == seen.connection_id && row.subflow_id == subflow.subflow_id);
            match row {
                Some(row) => self.columns(&what, row, subflow, &["connection_id"]),
                None => self.0.push(format!("{what} is missing")),
            }
        }
        self.lists(tables, seen.connection_id, truth, expected);
    }

    /// Tables with a row per happening.
    fn lists(&mut self, tables: &Tables, seen: u64, truth: &truth::Tables, expected: &TruthConnection) {
        let (id, vantage) = (expected.connection_id, expected.vantage);
        let of = |connection: u64, at: End| connection == id && at == vantage;

        let analysed = tables.reinjections.iter().filter(|row| row.connection_id == seen).map(|row| {
            let way = row.direction.as_str();
            (way, row.time.0, row.dsn, row.bytes, row.from_subflow, row.to_subflow)
        });
        let meant = truth.reinjections.iter().filter(|row| of(row.connection_id, row.vantage)).map(|row| {
            let way = row.direction.as_str();
            (way, row.time.0, row.dsn, row.bytes, Some(row.from_subflow), row.to_subflow)
        });
        self.list(&format!("reinjections of {id}"), analysed, meant);

        let analysed = tables.announcements.iter().filter(|row| row.connection_id == seen).map(|row| {
            let way = row.direction.as_str();
            (row.time.0, way, row.subflow_id, row.address_id, row.addr, row.port, row.echo)
        });
        let meant = truth.announcements.iter().filter(|row| of(row.connection_id, row.vantage)).map(|row| {
            let way = row.direction.as_str();
            (row.time.0, way, row.subflow_id, row.address_id, row.addr, row.port, row.echo)
        });
        self.list(&format!("announcements of {id}"), analysed, meant);

        // A fallback is noticed by the ends and by the analysis in different segments.
        let analysed = tables.events.iter().filter(|row| row.connection_id == seen);
        let analysed = analysed.filter(|row| !matches!(row.kind, EventKind::Violation | EventKind::Advice));
        let analysed = analysed.map(|row| match row.kind {
            EventKind::Fallback => (0, "", row.subflow_id, "fallback"),
            _ => (row.time.0, row.direction.as_str(), row.subflow_id, row.kind.as_str()),
        });
        let meant = truth.events.iter().filter(|row| of(row.connection_id, row.vantage));
        let meant = meant.map(|row| match row.kind {
            truth::EventKind::Fallback => (0, "", row.subflow_id, "fallback"),
            _ => (row.time.0, row.direction.as_str(), row.subflow_id, row.kind.as_str()),
        });
        self.list(&format!("events of {id}"), analysed, meant);

        let analysed = tables.samples.iter().filter(|row| row.connection_id == seen);
        let analysed = analysed.filter(|row| row.sampled == Sampled::Ack);
        let analysed =
            analysed.map(|row| (row.time.0, row.direction.as_str(), row.subflow_id, nanoseconds(row.rtt)));
        let meant = truth.rtts.iter().filter(|row| of(row.connection_id, row.vantage));
        let meant =
            meant.map(|row| (row.time.0, row.direction.as_str(), Some(row.subflow_id), nanoseconds(row.rtt)));
        let (mut analysed, mut meant): (Vec<_>, Vec<_>) = (analysed.collect(), meant.collect());
        analysed.sort_unstable();
        meant.sort_unstable();
        self.equal(&format!("round-trip samples of {id}"), &analysed.len(), &meant.len());
        let differs = analysed
            .iter()
            .zip(&meant)
            .find(|(a, b)| (a.0, a.1, a.2) != (b.0, b.1, b.2) || a.3.abs_diff(b.3) > 1);
        if let Some((analysed, meant)) = differs {
            self.0.push(format!("round-trip samples of {id}: analysed {analysed:?}, truth {meant:?}"));
        }
    }

    fn list<T: Ord + Debug>(
        &mut self,
        what: &str,
        analysed: impl Iterator<Item = T>,
        meant: impl Iterator<Item = T>,
    ) {
        let (mut analysed, mut meant): (Vec<_>, Vec<_>) = (analysed.collect(), meant.collect());
        analysed.sort();
        meant.sort();
        self.equal(&format!("number of {what}"), &analysed.len(), &meant.len());
        if let Some((a, b)) = analysed.iter().zip(&meant).find(|(a, b)| a != b) {
            self.0.push(format!("{what}: analysed {a:?}, truth {b:?}"));
        }
    }
}

/// Violations of the RFCs that the analysis found.
pub(crate) fn violations(tables: &Tables) -> Vec<String> {
    let violations = tables.events.iter().filter(|event| event.kind == EventKind::Violation);
    violations.map(|event| format!("frame {}: {}", event.frame, event.detail)).collect()
}

fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

/// A cell by its column: text, or a number of seconds.
fn cells(row: &impl Row) -> Vec<(&'static str, Cell)> {
    fn names<R: Row>(_: &R) -> impl Iterator<Item = &'static str> + use<R> {
        R::SCHEMA.columns.iter().map(|column| column.name)
    }
    names(row).zip(row.cells().as_ref().iter().copied().map(cell)).collect()
}

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Float(f64),
    Text(String),
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn cell(value: Value<'_>) -> Cell {
    match value {
        Value::Float(value) => Cell::Float(value),
        Value::Null => Cell::Text("null".to_owned()),
        Value::Bool(value) => Cell::Text(value.to_string()),
        Value::Int(value) | Value::Time(value) => Cell::Text(value.to_string()),
        Value::Text(text) => Cell::Text(text.to_owned()),
        Value::Addr(addr) => Cell::Text(addr.to_string()),
        Value::Hex { value, .. } => Cell::Text(format!("{value:x}")),
    }
}

fn alike(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => (a - b).abs() <= 1.5e-9,
        _ => a == b,
    }
}
