//! The page of `show`.

use crate::cdp::{Browser, Tab};
use crate::support::stdout;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A page of the only connection of a capture, or of the one with this number.
fn page(folder: &Path, capture: &Path, connection: Option<u64>) -> PathBuf {
    let page = folder.join("connection.html");
    let mut arguments = vec!["show", "-q", capture.to_str().expect("UTF-8")];
    arguments.extend(["--html", page.to_str().expect("UTF-8")]);
    let id = connection.map(|id| id.to_string());
    arguments.extend(id.iter().flat_map(|id| ["-c", id]));
    stdout(&arguments);
    page
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// Panels in which nothing but the frame is drawn: without a pixel of a subflow's colour.
const EMPTY: &str = "(() => {
    subflow.plots.draw();
    const colours = [0, 1, 2, 3, 4, 5, 6, 7].map(id => subflow.colour('var(--s' + id + ')'))
        .map(text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16)));
    return [...document.querySelectorAll('.plot-canvas')].filter(canvas => {
        // A copy is read: reading the canvas itself would change how the browser draws it.
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const pixels = copy.getImageData(66, 0, canvas.width - 66, canvas.height).data;
        for (let i = 0; i < pixels.length; i += 4) {
            if (pixels[i + 3] > 200 && colours.some(c => c.every((part, at) => Math.abs(part - pixels[i + at]) < 3))) return false;
        }
        return true;
    }).map(canvas => canvas.id);
})()";

/// One number that stands for what a panel shows.
fn look(tab: &mut Tab, panel: &str) -> Value {
    tab.eval(&format!(
        "(() => {{ subflow.plots.draw(); return document.getElementById('plot-{panel}').toDataURL(); }})()"
    ))
}

#[test]
fn every_panel_is_drawn_and_nothing_fails_or_is_fetched() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["handover", "dualstack", "stripped", "checksum"] {
        let page = page(folder.path(), &example(&format!("{name}.pcap.zst")), None);
        for (width, scheme) in [(1280, "light"), (390, "dark")] {
            let mut tab = browser.open(&page, width, scheme);
            assert_eq!(tab.eval(EMPTY), Value::Array(Vec::new()), "{name} at {width}");
            let wide =
                tab.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(wide, 0, "{name}: wider than the window at {width} pixels");
            // The other colours, by the button.
            let before = look(&mut tab, "sequence");
            tab.eval("document.getElementById('theme').click()");
            assert_ne!(look(&mut tab, "sequence"), before);
            assert_eq!(tab.eval(EMPTY), Value::Array(Vec::new()), "{name} at {width}, other colours");
            assert_eq!(tab.complaints(), [""; 0], "{name}");
            assert_eq!(tab.files_asked_for(), 1, "only the page itself is read");
        }
    }
}

#[test]
fn a_row_of_the_timeline_leads_to_its_place_in_all_panels() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut tab = browser.open(&page(folder.path(), &example("handover.pcap.zst"), None), 1280, "light");
    let panels = ["ladder", "sequence", "rtt", "flight", "goodput"];
    let before = panels.map(|panel| look(&mut tab, panel));
    let time = tab.eval(
        "(() => { const row = [...document.getElementById('timeline').tBodies[0].rows].find(row => row.textContent.includes('handover'));
            row.click(); return Number(row.cells[0].dataset.value); })()",
    );
    let time = time.as_f64().expect("a time");
    let (from, to) = (tab.eval("subflow.plots.state.from"), tab.eval("subflow.plots.state.to"));
    let (from, to) = (from.as_f64().expect("a time"), to.as_f64().expect("a time"));
    // Subflow 0 was heard from for the last time 1.48 s in.
    assert!((time - 1.48).abs() < 0.01 && from < time && time < to && to - from < 1.0, "{from} {time} {to}");
    for (panel, before) in panels.into_iter().zip(before) {
        assert_ne!(look(&mut tab, panel), before, "{panel} follows");
    }
    tab.eval("document.querySelector('[data-zoom=all]').click()");
    assert_eq!(tab.eval("Math.abs(subflow.plots.state.from - subflow.plots.whole[0]) < 1e-6"), true);
    // The other direction, and without a subflow.
    let before = look(&mut tab, "sequence");
    tab.eval("document.querySelectorAll('[name=plot-direction]')[1].click()");
    assert_eq!(tab.eval("subflow.plots.state.side"), "s2c");
    assert_ne!(look(&mut tab, "sequence"), before);
    assert_eq!(tab.complaints(), [""; 0]);
}

/// Prints how long frames take while a large connection is zoomed and moved; no test, as machines differ:
/// `SUBFLOW_MEASURE=capture.pcap cargo test -p subflow --test browser -- --ignored --nocapture frame_times`.
#[test]
#[ignore = "a measurement"]
fn frame_times() {
    let capture = std::env::var_os("SUBFLOW_MEASURE").expect("SUBFLOW_MEASURE names a capture");
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut tab = browser.open(&page(folder.path(), Path::new(&capture), None), 1280, "light");
    tab.eval("document.getElementById('plots').scrollIntoView()");
    tab.call("Performance.enable", serde_json::json!({ "timeDomain": "threadTicks" }));
    let busy = |tab: &mut Tab| {
        let metrics = tab.call("Performance.getMetrics", serde_json::json!({}));
        let metrics = metrics["metrics"].as_array().cloned().unwrap_or_default();
        metrics
            .iter()
            .find(|metric| metric["name"] == "TaskDuration")
            .and_then(|metric| metric["value"].as_f64())
    };
    let before = busy(&mut tab);
    let figures = tab.eval(
        "new Promise(done => {
            const { plots } = subflow, whole = plots.whole, span = whole[1] - whole[0], n = 120;
            const frames = [], draws = [];
            let at = 0, last = null;
            const step = now => {
                if (last !== null) { frames.push(now - last); draws.push(plots.state.took); }
                last = now;
                if (at === 3 * n) {
                    const sum = list => { list.sort((a, b) => a - b); return { median: list[list.length >> 1], p95: list[Math.floor(list.length * .95)], max: list[list.length - 1] }; };
                    done({ frames: sum(frames), draws: sum(draws) });
                    return;
                }
                const part = at % n / n;
                // Zoom in to a hundredth, move through half of all, zoom out a little at a time.
                const width = at < n ? span * Math.pow(.01, part) : at < 2 * n ? span * .5 : span * Math.pow(.01, 1 - part);
                const from = at < n ? whole[0] + (span - width) * .5 : at < 2 * n ? whole[0] + span * .5 * part : whole[0] + (span - width) * .3;
                plots.show(from, from + width);
                at += 1;
                requestAnimationFrame(step);
            };
            requestAnimationFrame(step);
        })",
    );
    let cpu = busy(&mut tab).zip(before).map(|(after, before)| (after - before) / 360.0 * 1e3);
    eprintln!("milliseconds: {figures}, CPU of the page a frame: {cpu:?}");
}
