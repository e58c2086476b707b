//! Linux 6.18 between network namespaces: every capture of every scenario against what both kernels and both
//! applications say.

mod connections;
mod copies;
mod delays;
mod exceptions;
mod failures;
mod monitor;
mod options;
mod special;
mod totals;

use crate::support::{
    exceptions::Judge,
    invariants::add_up,
    json::{Must, read},
    run::tables,
};
use exceptions::{EXCEPTIONS, Why};
use serde_json::Value;
use std::path::{Path, PathBuf};
use subflow_analysis::rows::{Connection, Direction, Subflow, Tables};
use subflow_testdata::folder;

/// How many scenarios there are; a new one must be looked at.
const SCENARIOS: usize = 53;

/// One scenario's truth.
struct Scenario {
    name: String,
    folder: PathBuf,
    truth: Value,
}

/// Where a capture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vantage {
    Client,
    Server,
    /// On a box between them, which sees what both ends see.
    Between,
}

/// One capture of a scenario, analysed.
struct Capture<'a> {
    scenario: &'a Scenario,
    /// `scenario/file`, the name in the table of exceptions.
    name: String,
    truth: &'a Value,
    vantage: Vantage,
    tables: Tables,
}

/// All scenarios in order.
fn scenarios(root: &Path) -> Vec<Scenario> {
    let mut folders: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("truth.json").is_file())
        .collect();
    folders.sort();
    assert_eq!(folders.len(), SCENARIOS, "scenarios in {}", root.display());
    folders.into_iter().map(scenario).collect()
}

fn scenario(folder: PathBuf) -> Scenario {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let truth = read(&folder.join("truth.json"));
    Scenario { name, folder, truth }
}

impl Scenario {
    fn captures(&self) -> impl Iterator<Item = Capture<'_>> {
        self.truth["captures"].list().iter().map(|truth| {
            let file = truth["file"].text();
            let vantage = match truth["vantage"].text() {
                "C" => Vantage::Client,
                "S" => Vantage::Server,
                _ => Vantage::Between,
            };
            let tables = tables(&self.folder.join(file));
            Capture { scenario: self, name: format!("{}/{file}", self.name), truth, vantage, tables }
        })
    }

    /// A counter of one host's kernel.
    fn counter(&self, host: Direction, name: &str) -> u64 {
        let host = if host == Direction::C2s { "client" } else { "server" };
        self.truth["counters"][host].count(name)
    }

    /// The connections whose client asked for MPTCP, with their place in the truth. The scenario of many short ones
    /// lists them elsewhere and in another form.
    fn connections(&self) -> impl Iterator<Item = (usize, &Value)> {
        let all = self.truth["summary"]["connections"].as_array().into_iter().flatten();
        all.enumerate().filter(|(_, truth)| truth["mptcp_socket"] == true)
    }
}

impl Capture<'_> {
    /// The row of a connection of the truth: by the server's token, else by an end that one of its subflows has.
    fn row_of(&self, truth: &Value) -> Option<&Connection> {
        let rows = &self.tables.connections;
        if let Some(token) = truth["server_token"].as_str() {
            let token = u32::from_str_radix(token, 16).unwrap();
            if let Some(row) = rows.iter().find(|row| row.server_token.is_some_and(|seen| seen.0 == token)) {
                return Some(row);
            }
        }
        let end = truth.get("client").or(truth.get("server"))?.end();
        let has = |row: &Subflow| [(row.src_addr, row.src_port), (row.dst_addr, row.dst_port)].contains(&end);
        let subflow = self.tables.subflows.iter().find(|row| has(row))?;
        let row = rows.iter().find(|row| row.connection_id == subflow.connection_id)?;
        // A connection whose token is another one is not this one, whatever its ports.
        row.server_token.is_none_or(|_| truth.get("server_token").is_none()).then_some(row)
    }

    /// Which side's sending the capture sees before any loss on the path.
    fn sees_sender(&self, sender: Direction) -> bool {
        match self.vantage {
            Vantage::Client => sender == Direction::C2s,
            Vantage::Server => sender == Direction::S2c,
            Vantage::Between => false,
        }
    }
}

#[test]
fn every_figure_of_every_capture() {
    let Some(root) = folder("truth") else { return };
    let mut judge = Judge::<Why>::new(EXCEPTIONS);
    for scenario in scenarios(&root) {
        for capture in scenario.captures() {
            add_up(&mut judge.findings, &capture.name, &capture.tables);
            totals::judge(&mut judge, &capture);
            copies::judge(&mut judge, &capture);
            options::judge(&mut judge, &capture);
            connections::judge(&mut judge, &capture);
            monitor::judge(&mut judge, &capture);
            failures::judge(&mut judge, &capture);
        }
    }
    judge.settle(5_000);
}
