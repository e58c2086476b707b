//! The report of `analyze`.

use crate::cdp::{Browser, Tab};
use crate::support::stdout;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A report and the tables that it must agree with.
struct Case {
    page: PathBuf,
    tables: Value,
    _folder: tempfile::TempDir,
}

impl Case {
    fn of(capture: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("report.html");
        let capture = capture.to_str().expect("UTF-8");
        let tables =
            stdout(&["analyze", "-q", capture, "-f", "json", "--report", page.to_str().expect("UTF-8")]);
        Self { page, tables: serde_json::from_str(&tables).expect("JSON"), _folder: folder }
    }

    fn rows(&self, table: &str) -> &[Value] {
        self.tables[table].as_array().expect("rows")
    }

    /// Rows of `connections` that became MPTCP, as the summary counts them.
    fn established(&self) -> Vec<&Value> {
        let mptcp = |row: &&Value| {
            row["subflows_established"].as_u64() > Some(0)
                && ["none", "checksum", "later"].contains(&row["fallback"].as_str().expect("text"))
        };
        self.rows("connections").iter().filter(mptcp).collect()
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// Captures of our own, and the large ones where they are at hand.
fn captures() -> Vec<PathBuf> {
    let mut captures: Vec<_> = ["handover", "dualstack", "stripped", "checksum"]
        .map(|name| example(&format!("{name}.pcap.zst")))
        .into();
    captures.extend(subflow_testdata::folder("crafted").map(|folder| folder.join("synth_server_trace.pcap")));
    captures.extend(subflow_testdata::folder("truth"));
    captures.extend(subflow_testdata::folder("perf").map(|folder| folder.join("kernel-v1.pcap.zst")));
    captures
}

fn sum(rows: &[&Value], column: &str) -> u64 {
    rows.iter().filter_map(|row| row[column].as_u64()).sum()
}

#[test]
fn everything_is_drawn_and_nothing_fails_or_is_fetched() {
    let Some(browser) = Browser::start() else { return };
    for capture in captures() {
        let case = Case::of(&capture);
        for (width, scheme) in [(1280, "light"), (390, "dark")] {
            let mut tab = browser.open(&case.page, width, scheme);
            assert_eq!(tab.eval("document.documentElement.dataset.theme"), scheme);
            check_figures(&mut tab, &capture);
            let wide =
                tab.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(wide, 0, "{}: wider than the window at {width} pixels", capture.display());
            // The other colours, by the button.
            let ink = tab.eval("getComputedStyle(document.body).color");
            tab.eval("document.getElementById('theme').click()");
            assert_ne!(tab.eval("getComputedStyle(document.body).color"), ink);
            check_figures(&mut tab, &capture);
            assert_eq!(tab.complaints(), [""; 0], "{}", capture.display());
            assert_eq!(tab.files_asked_for(), 1, "only the page itself is read");
        }
    }
}

/// Every figure of the page has marks, and they lie in it.
fn check_figures(tab: &mut Tab, capture: &Path) {
    tab.eval("subflow.drawAll()");
    let empty = tab.eval(
        "[...document.querySelectorAll('[data-figure]')].filter(plot => {
            const marks = [...plot.querySelectorAll('.trace path, .trace .point path, .points path')];
            const frame = plot.getBoundingClientRect();
            const svg = plot.querySelector('svg.main-svg')?.getBoundingClientRect();
            const seen = marks.some(mark => { const box = mark.getBoundingClientRect(); return box.width + box.height > 1; });
            return !seen || !svg || svg.width > frame.width + 1 || svg.height > frame.height + 1;
        }).map(plot => plot.dataset.figure)",
    );
    assert_eq!(empty, Value::Array(Vec::new()), "{}: figures without marks", capture.display());
    let labels = tab.eval("[...document.querySelectorAll('[data-figure]')].every(plot => plot.getAttribute('aria-label').length > 5)");
    assert_eq!(labels, true);
}

#[test]
fn numbers_are_those_of_the_tables() {
    let Some(browser) = Browser::start() else { return };
    for capture in captures() {
        let case = Case::of(&capture);
        let name = capture.display();
        let mut tab = browser.open(&case.page, 1280, "light");
        let mut cells = |table: &str| -> Vec<Vec<String>> {
            let cells = tab.eval(&format!(
                "[...(document.getElementById('{table}')?.tBodies[0].rows ?? [])].map(row => [...row.cells].map(cell => cell.dataset.value))"
            ));
            serde_json::from_value(cells).expect("cells")
        };
        let whole = |text: &str| text.parse::<u64>().expect("a number");

        let traffic = cells("traffic-table");
        for (row, mptcp) in [(0, false), (1, true)] {
            for (column, family) in [(1, None), (2, Some("ipv4")), (3, Some("ipv6"))] {
                let of = |row: &&Value| {
                    (!mptcp || row["mptcp"] == true) && family.is_none_or(|family| row["family"] == family)
                };
                let rows: Vec<_> = case.rows("traffic").iter().filter(of).collect();
                assert_eq!(whole(&traffic[row][column]), sum(&rows, "packets"), "{name}: packets");
                assert_eq!(whole(&traffic[row][column + 3]), sum(&rows, "bytes"), "{name}: bytes");
            }
        }

        for row in cells("states") {
            let count =
                case.rows("subflows").iter().filter(|subflow| subflow["state"] == row[0].as_str()).count();
            assert_eq!(row[1], count.to_string(), "{name}: {}", row[0]);
        }
        for row in cells("addresses-table") {
            let of = |announcement: &&Value| {
                announcement["class"] == row[0].as_str() && announcement["echo"] == false
            };
            let rows: Vec<_> = case.rows("announcements").iter().filter(of).collect();
            let distinct: std::collections::BTreeSet<_> =
                rows.iter().map(|row| row["addr"].to_string()).collect();
            assert_eq!(
                (whole(&row[1]), whole(&row[3])),
                (distinct.len() as u64, rows.len() as u64),
                "{name}: {}",
                row[0]
            );
        }
        let fell: u64 = cells("fallbacks").iter().map(|row| whole(&row[3])).sum();
        let expected = case.rows("connections").iter().filter(|row| row["fallback"] != "none").count();
        assert_eq!(fell, expected as u64, "{name}: fallbacks");

        for row in cells("held-table") {
            let kind = row[0].replace(' ', "_");
            let rows: Vec<_> =
                case.rows("stalls").iter().filter(|stall| stall["kind"] == kind.as_str()).collect();
            assert_eq!(whole(&row[5]), rows.len() as u64, "{name}: stalls of {kind}");
            let longest = rows.iter().filter_map(|stall| stall["duration"].as_f64()).fold(0.0, f64::max);
            assert_eq!(row[7].parse::<f64>().expect("a number"), longest, "{name}: longest stall of {kind}");
        }

        let established = case.established();
        for (row, columns) in
            cells("sizes-table").iter().zip([&["bytes_c2s", "bytes_s2c"][..], &["bytes_c2s"], &["bytes_s2c"]])
        {
            let size = |row: &&Value| columns.iter().filter_map(|column| row[*column].as_u64()).sum::<u64>();
            let mut sizes: Vec<u64> = established.iter().map(size).collect();
            if columns.len() == 1 {
                sizes.retain(|&size| size > 0);
            }
            sizes.sort_unstable();
            assert_eq!(whole(&row[1]), sizes.len() as u64, "{name}: n of {}", row[0]);
            assert_eq!(whole(&row[2]), sizes[sizes.len().div_ceil(2) - 1], "{name}: median of {}", row[0]);
            assert_eq!(whole(&row[5]), sizes[sizes.len() - 1], "{name}: largest of {}", row[0]);
        }

        // The list holds every row with every column.
        let listed = tab.eval("subflow.data('connections').rows.length");
        assert_eq!(listed, case.rows("connections").len(), "{name}: connections");
        let bytes = tab.eval(
            "(() => { const t = subflow.data('connections'); const at = t.columns.findIndex(c => c.name === 'bytes_s2c');
              return t.rows.reduce((sum, row) => sum + row[at], 0); })()",
        );
        let all: Vec<_> = case.rows("connections").iter().collect();
        assert_eq!(bytes, sum(&all, "bytes_s2c"), "{name}: bytes of the list");

        // The figure of subflows a connection.
        if !established.is_empty() {
            let bars = tab.eval(
                "JSON.parse(document.getElementById('figure-subflows-per-connection').textContent).data.map(trace =>
                 trace.y.reduce((sum, bar) => sum + bar, 0))",
            );
            let n = established.len();
            assert_eq!(bars, serde_json::json!([n, n]), "{name}: connections in the bars");
        }
    }
}

#[test]
fn the_list_is_sorted_filtered_opened_and_exported() {
    let Some(browser) = Browser::start() else { return };
    let case = Case::of(&example("handover.pcap.zst"));
    let mut tab = browser.open(&case.page, 1280, "light");
    let id = case.rows("connections")[0]["connection_id"].as_u64().expect("a number");
    let rows = "document.querySelectorAll('#connection-table tbody tr').length";
    assert_eq!(tab.eval(rows), case.rows("connections").len());
    // Nothing is found, then everything again.
    let find = |text: &str| {
        format!(
            "(() => {{ const field = document.getElementById('connection-find'); field.value = '{text}'; field.dispatchEvent(new Event('input')); return {rows}; }})()"
        )
    };
    assert_eq!(tab.eval(&find("no-such-host")), 0);
    assert_eq!(tab.eval("document.getElementById('connection-count').textContent"), "No connection matches.");
    assert_eq!(tab.eval(&find("")), case.rows("connections").len());
    // Opened by keyboard: the link is a button.
    tab.eval("document.querySelector('#connection-table .link').focus()");
    for kind in ["keyDown", "keyUp"] {
        let key = serde_json::json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r" });
        tab.call("Input.dispatchKeyEvent", key);
    }
    let title = tab.eval("document.getElementById('connection-details').open && document.getElementById('connection-title').textContent");
    assert!(title.as_str().is_some_and(|title| title.starts_with(&format!("Connection {id}:"))), "{title}");
    let subflows = case.rows("subflows").iter().filter(|row| row["connection_id"] == id).count();
    assert_eq!(
        tab.eval("document.querySelectorAll('#details-body table')[0].tBodies[0].rows.length"),
        subflows
    );
    assert_eq!(tab.eval("document.querySelectorAll('#details-body .plot .trace').length > 0"), true);
    tab.eval("document.getElementById('details-close').click()");
    assert_eq!(tab.eval("document.getElementById('connection-details').open"), false);
    // A link to a connection opens it.
    tab.eval(&format!("location.hash = '#connection-{id}'; new Promise(done => setTimeout(done, 200))"));
    assert_eq!(tab.eval("document.getElementById('connection-details').open"), true);
    tab.eval("document.getElementById('details-close').click()");
    // What is downloaded.
    tab.eval("window.files = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { window.files.push(blob); return make(blob); }");
    tab.eval("document.getElementById('connection-csv').click()");
    let csv = tab.eval("window.files[0].text()");
    let csv = csv.as_str().expect("text");
    let heading = csv.lines().next().expect("a line");
    assert!(heading.starts_with("connection_id,version,client_addr,"), "{heading}");
    assert_eq!(csv.lines().count(), 1 + case.rows("connections").len());
    let column = heading.split(',').position(|name| name == "bytes_s2c").expect("a column");
    let cell = csv.lines().nth(1).and_then(|line| line.split(',').nth(column)).expect("a cell");
    assert_eq!(cell, case.rows("connections")[0]["bytes_s2c"].to_string());
    tab.eval("document.querySelector('[data-csv=connection-size]').click()");
    let csv = tab.eval("window.files[1].text()");
    assert!(
        csv.as_str().is_some_and(
            |csv| csv.starts_with("series,unique_data_bytes_bytes,cumulative_share\r\nboth directions,")
        ),
        "{csv}"
    );
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn tables_are_sorted_by_their_headings() {
    let Some(browser) = Browser::start() else { return };
    let Some(folder) = subflow_testdata::folder("crafted") else { return };
    let case = Case::of(&folder.join("synth_server_trace.pcap"));
    let mut tab = browser.open(&case.page, 1280, "light");
    let column = |table: &str, at: usize| {
        format!(
            "[...document.getElementById('{table}').tBodies[0].rows].map(row => Number(row.cells[{at}].dataset.value))"
        )
    };
    let press = |table: &str, at: usize| {
        format!(
            "document.getElementById('{table}').tHead.rows[0].cells[{at}].querySelector('button').click()"
        )
    };
    for _ in 0..2 {
        tab.eval(&press("services-table", 6));
        let values: Vec<f64> =
            serde_json::from_value(tab.eval(&column("services-table", 6))).expect("numbers");
        let up = tab.eval(
            "document.getElementById('services-table').tHead.rows[0].cells[6].getAttribute('aria-sort')",
        ) == "ascending";
        assert!(
            values.len() > 3 && values.is_sorted_by(|a, b| if up { a <= b } else { a >= b }),
            "{values:?}"
        );
    }
    // The list, by its largest: pages of 50 of all 315.
    tab.eval("[...document.querySelectorAll('#connection-table th button')].find(button => button.textContent === 'to client').click()");
    let largest =
        case.rows("connections").iter().filter_map(|row| row["bytes_s2c"].as_u64()).max().expect("rows");
    let id = tab.eval("Number(document.querySelector('#connection-table .link').textContent)");
    let first = case.rows("connections").iter().find(|row| row["connection_id"] == id).expect("a row");
    assert_eq!(first["bytes_s2c"], largest);
    assert_eq!(tab.eval("document.querySelectorAll('#connection-table tbody tr').length"), 50);
    tab.eval("document.getElementById('connection-next').click()");
    assert_eq!(
        tab.eval("document.getElementById('connection-count').textContent.startsWith('51 to 100 of 315')"),
        true
    );
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn it_can_be_printed() {
    let Some(browser) = Browser::start() else { return };
    let case = Case::of(&example("handover.pcap.zst"));
    let mut tab = browser.open(&case.page, 1280, "dark");
    // Figures as they stand when the page is printed.
    tab.eval("window.printed = null; addEventListener('beforeprint', () => { window.printed = [...document.querySelectorAll('[data-figure]')].map(plot => Number(plot.querySelector('svg.main-svg')?.getAttribute('width') ?? 0)); window.colours = document.documentElement.dataset.theme; })");
    let answer = tab
        .call("Page.printToPDF", serde_json::json!({ "printBackground": true, "preferCSSPageSize": true }));
    assert!(answer["data"].as_str().is_some_and(|data| data.starts_with("JVBERi0")), "a PDF");
    let widths: Vec<f64> = serde_json::from_value(tab.eval("window.printed")).expect("widths");
    // 182 mm at 96 dots an inch, less the frame of a card.
    assert!(widths.len() > 5 && widths.iter().all(|&width| width > 100.0 && width <= 650.0), "{widths:?}");
    assert_eq!(tab.eval("window.colours"), "light");
    assert_eq!(tab.eval("document.documentElement.dataset.theme"), "dark", "and back");
    // Nothing is cut off at the right edge of the paper.
    tab.call("Emulation.setEmulatedMedia", serde_json::json!({ "media": "print" }));
    let size = serde_json::json!({ "width": 688, "height": 970, "deviceScaleFactor": 1, "mobile": false });
    tab.call("Emulation.setDeviceMetricsOverride", size);
    tab.eval("dispatchEvent(new Event('beforeprint'))");
    let cut = tab.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(cut, 0, "wider than the paper");
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn hostile_names_stay_names() {
    let folder = tempfile::tempdir().expect("a folder");
    // A slash cannot be in a name: the end tag is left out.
    let capture = folder.path().join("<script>alert(1)<img src=x onerror=alert(2)>.pcap");
    std::fs::write(&capture, crate::support::capture(3)).expect("writes");
    let case = Case::of(&capture);
    let page = std::fs::read_to_string(&case.page).expect("a page");
    assert!(page.contains("&#60;script&#62;alert(1)&#60;img src=x onerror=alert(2)&#62;.pcap"));
    assert!(!page.contains("<script>alert(1)"));
    let Some(browser) = Browser::start() else { return };
    let mut tab = browser.open(&case.page, 390, "light");
    assert_eq!(tab.eval("document.querySelectorAll('main img').length"), 0);
    assert_eq!(tab.complaints(), [""; 0]);
}
