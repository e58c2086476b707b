//! The report of a simulation, of small runs of every kind of workload.

use crate::cdp::{Browser, Tab};
use serde_json::Value;
use std::path::{Path, PathBuf};
use subflow_report::simulation::{About, simulation_report};
use subflow_sim::rows::Tables;
use subflow_sim::scenario::{BUILTINS, Scenario};
use subflow_sim::sweep::jobs;
use subflow_sim::time::Duration;

/// Flows of all sizes at two loads, with samples of links and queues.
const ARRIVALS: &str = r#"
name = "<b>arrivals</b>"
description = "Web-search flows by load & scheme."
duration = "60 ms"
sample = "1 ms"
seeds = [1, 2, 3]
[topology]
kind = "fat-tree"
k = 4
oversubscription = 4
rate = "10 Gb/s"
delay = "1 us"
buffer = "400 packets"
mark = "65 packets"
[workload]
kind = "poisson"
load = [0.3, 0.6]
load_of = "fabric"
sizes = "web-search"
arrive = "15 ms"
[transport]
congestion = "dctcp"
[[scheme]]
name = "ecmp"
[[scheme]]
name = "flowbender"
balance.kind = "flowbender"
[[scheme]]
name = "spray"
balance.kind = "spray"
"#;

/// Flows without end over one and several subflows, while a link fails.
const PERMUTATION: &str = r#"
name = "permutation"
description = "Every host sends to one other, and a link fails."
duration = "40 ms"
warm_up = "2 ms"
sample = "1 ms"
detection = "1 s"
seeds = [1, 2]
[topology]
kind = "fat-tree"
k = 4
rate = "1 Gb/s"
delay = "1 us"
buffer = "100 packets"
mark = "30 packets"
[workload]
kind = "permutation"
bytes = "endless"
[[failure]]
between = ["agg0.0", "core0"]
at = "15 ms"
repair = "25 ms"
[transport]
congestion = "dctcp"
min_rto = "2 ms"
[[scheme]]
name = "tcp"
[[scheme]]
name = "flowbender"
balance.kind = "flowbender"
[[scheme]]
name = "mptcp-4"
transport = { congestion = "lia", ecn = true }
mptcp.subflows = 4
"#;

/// Many to one, a single seed.
const INCAST: &str = r#"
name = "incast"
duration = "500 ms"
sample = "200 us"
seeds = [1]
[topology]
kind = "leaf-spine"
leaves = 2
spines = 2
hosts_per_leaf = 8
rate = "10 Gb/s"
delay = "1 us"
buffer = "60 packets"
mark = "20 packets"
[workload]
kind = "incast"
receiver = 0
senders = 15
bytes = "64 KiB"
[[scheme]]
name = "newreno"
transport.congestion = "newreno"
[[scheme]]
name = "dctcp"
transport.congestion = "dctcp"
"#;

fn parsed(text: &str) -> Scenario {
    let scenario = Scenario::parse(text, "test.toml", &mut |_| Err(std::io::ErrorKind::NotFound.into()));
    scenario.expect("a right scenario")
}

/// A page, and the tables that it must agree with.
struct Case {
    page: PathBuf,
    tables: Tables,
    _folder: tempfile::TempDir,
}

impl Case {
    fn of(scenario: &Scenario) -> Self {
        let mut tables = Tables::default();
        for job in jobs(scenario) {
            scenario.run(&job).expect("runs").into_rows().for_each(|row| tables.row(row));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("report.html");
        simulation_report(&About::from(scenario), &tables, &page).expect("a page");
        Self { page, tables, _folder: folder }
    }
}

/// Every figure that can be seen has marks, and they lie in it.
fn check_figures(tab: &mut Tab) {
    tab.eval("subflow.drawAll()");
    let empty = tab.eval(
        "[...document.querySelectorAll('[data-figure]')].filter(plot => {
            if (plot.offsetParent === null) return false;
            const marks = [...plot.querySelectorAll('.trace path, .trace .point path, .points path, .hm image')];
            const frame = plot.getBoundingClientRect();
            const svg = plot.querySelector('svg.main-svg')?.getBoundingClientRect();
            const seen = marks.some(mark => { const box = mark.getBoundingClientRect(); return box.width + box.height > 1; });
            return !seen || !svg || svg.width > frame.width + 1 || svg.height > frame.height + 1;
        }).map(plot => plot.dataset.figure)",
    );
    assert_eq!(empty, Value::Array(Vec::new()), "figures without marks");
}

fn check_width(tab: &mut Tab) {
    let wide = tab.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(wide, 0, "wider than the window");
}

/// Figures in the page, hidden ones included.
fn figures(tab: &mut Tab) -> Vec<String> {
    let ids = tab.eval("[...document.querySelectorAll('figure')].map(figure => figure.id)");
    serde_json::from_value(ids).expect("ids")
}

/// Opens the page as readers do, chooses everything that can be chosen, and looks at it.
fn look(browser: &Browser, page: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (width, scheme) in [(1280, "light"), (390, "dark")] {
        let mut tab = browser.open(page, width, scheme);
        assert_eq!(tab.eval("document.documentElement.dataset.theme"), scheme);
        check_figures(&mut tab);
        check_width(&mut tab);
        let most = tab.eval("Math.max(0, ...[...document.querySelectorAll('.choice')].map(choice => choice.children.length - 1))");
        for option in 0..most.as_u64().expect("a number") {
            tab.eval(&format!(
                "document.querySelectorAll('.choice').forEach(choice => choice.querySelectorAll('.options button')[{option}]?.click())"
            ));
            check_figures(&mut tab);
            check_width(&mut tab);
        }
        let ink = tab.eval("getComputedStyle(document.body).color");
        tab.eval("document.getElementById('theme').click()");
        assert_ne!(tab.eval("getComputedStyle(document.body).color"), ink);
        check_figures(&mut tab);
        assert_eq!(tab.complaints(), [""; 0]);
        assert_eq!(tab.files_asked_for(), 1, "only the page itself is read");
        found = figures(&mut tab);
    }
    found
}

/// The values in a column of a table.
fn column(tab: &mut Tab, table: &str, heading: &str) -> Vec<String> {
    let values = tab.eval(&format!(
        "(() => {{
            const table = document.getElementById('{table}');
            const at = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === '{heading}');
            return [...table.tBodies[0].rows].map(row => row.cells[at].dataset.value);
        }})()"
    ));
    serde_json::from_value(values).expect("texts")
}

fn has(figures: &[String], prefixes: &[&str]) {
    for prefix in prefixes {
        assert!(figures.iter().any(|id| id.starts_with(prefix)), "no {prefix} in {figures:?}");
    }
}

#[test]
fn arrivals_by_load() {
    let Some(browser) = Browser::start() else { return };
    let case = Case::of(&parsed(ARRIVALS));
    let drawn = look(&browser, &case.page);
    has(
        &drawn,
        &["slowdown-p50-0", "slowdown-size-p50-1", "relative-mean-0", "cdf-slowdown-0", "cdf-time-1"],
    );
    has(
        &drawn,
        &["links-heat-2", "links-tiers-0", "links-ranked", "queues-time-1", "queues-cdf", "marked", "moves"],
    );

    // The largest slowdowns, and what the choice hides.
    let mut tab = browser.open(&case.page, 1280, "light");
    let most = case.tables.flows.iter().filter_map(|flow| flow.slowdown).fold(0.0, f64::max);
    let unfinished = case.tables.flows.iter().filter(|flow| flow.slowdown.is_none()).count();
    let shown = column(&mut tab, "flows-table", "slowdown");
    assert_eq!(shown[unfinished].parse(), Ok(most));
    assert_eq!(tab.eval("document.querySelectorAll('h1 b, .name b').length"), 0, "names stay names");
    let visible =
        "[...document.querySelectorAll('#relative .option')].map(option => option.offsetParent !== null)";
    assert_eq!(tab.eval(visible), serde_json::json!([true, false]));
    tab.eval("document.querySelectorAll('#relative .options button')[1].click()");
    assert_eq!(tab.eval(visible), serde_json::json!([false, true]));
    // On paper there is no choice.
    tab.call("Emulation.setEmulatedMedia", serde_json::json!({ "media": "print" }));
    assert_eq!(tab.eval(visible), serde_json::json!([true, true]));
}

#[test]
fn flows_without_end_and_a_failure() {
    let Some(browser) = Browser::start() else { return };
    let case = Case::of(&parsed(PERMUTATION));
    let drawn = look(&browser, &case.page);
    has(
        &drawn,
        &["throughput-0", "ranked-0", "links-heat-0", "failure-received", "failure-down-1", "failure-counts"],
    );
    let mut tab = browser.open(&case.page, 1280, "light");
    let shown = column(&mut tab, "runs-table", "utilisation");
    let expected: Vec<String> = case
        .tables
        .runs
        .iter()
        .map(|run| run.utilisation.map_or_else(String::new, |it| it.to_string()))
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn one_seed_and_no_load() {
    let Some(browser) = Browser::start() else { return };
    let case = Case::of(&parsed(INCAST));
    let drawn = look(&browser, &case.page);
    has(&drawn, &["slowdown-p50", "query-mean", "cdf-slowdown-0", "queues-longest"]);
}

/// Each scenario that comes with the program, smaller and shorter where it would take long.
#[test]
fn every_scenario_that_comes_with_the_program() {
    let Some(browser) = Browser::start() else { return };
    for builtin in BUILTINS {
        let text = builtin.text.replace("k = 8", "k = 4").replace("arrive = \"50 ms\"", "arrive = \"4 ms\"");
        let mut scenario = parsed(&text);
        scenario.seeds.truncate(2);
        if builtin.name == "subflow-count" {
            (scenario.duration, scenario.warm_up) = (Duration::from_millis(300), Duration::from_millis(100));
        }
        let case = Case::of(&scenario);
        assert!(!case.tables.flows.is_empty(), "{}", builtin.name);
        let drawn = look(&browser, &case.page);
        match builtin.name {
            "subflow-count" | "polarisation" => has(&drawn, &["throughput-0", "ranked-0"]),
            "completion-times" | "oversubscribed" => {
                has(&drawn, &["slowdown-p50-0", "relative-mean-0", "cdf-slowdown-0"]);
            }
            "link-failure" => has(&drawn, &["failure-received", "failure-down-0", "links-heat-0"]),
            "phone-handover" => has(&drawn, &["failure-received", "failure-senders-1"]),
            "incast" => has(&drawn, &["query-mean", "queues-time-0", "dropped"]),
            _ => has(&drawn, &["throughput-0"]),
        }
    }
}
