//! The page of `tracebox`.

use crate::cdp::{Browser, Tab};
use crate::support::stdout;
use std::path::{Path, PathBuf};

/// A page of captures of probes.
fn page(folder: &Path, names: &[&str]) -> PathBuf {
    let page = folder.join("paths.html");
    let mut arguments = vec!["tracebox".to_owned(), "-q".to_owned()];
    for name in names {
        arguments.push("--read".to_owned());
        arguments.push(format!("{}/tests/tracebox/{name}.pcap", env!("CARGO_MANIFEST_DIR")));
    }
    arguments.extend(["--html".to_owned(), page.display().to_string()]);
    stdout(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    page
}

/// How many elements there are.
fn count(tab: &mut Tab, selector: &str) -> u64 {
    tab.eval(&format!("document.querySelectorAll('{selector}').length")).as_u64().expect("a number")
}

/// Texts of the drawing of a path.
fn texts(tab: &mut Tab, place: usize) -> Vec<String> {
    let texts = tab.eval(&format!(
        "[...document.querySelectorAll('.path-picture')][{place}] ? [...[...document.querySelectorAll('.path-picture')][{place}].querySelectorAll('text')].map(text => text.firstChild.textContent) : []"
    ));
    texts.as_array().expect("texts").iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}

#[test]
fn paths_are_drawn_with_their_changes_on_every_screen() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path(), &["strip"]);
    for (width, scheme) in [(1280, "light"), (390, "dark")] {
        let mut tab = browser.open(&page, width, scheme);
        assert_eq!(count(&mut tab, ".path-picture"), 2, "at {width}");
        let texts = texts(&mut tab, 0);
        let has = |word: &str| texts.iter().any(|text| text.contains(word));
        assert!(has("10.5.1.2") && has("MPTCP option taken out") && has("8.5"), "{texts:?}");
        // Three kinds of probe lost the option between hops 1 and 2; what came of it is seen at hops 2 and 3.
        assert_eq!(count(&mut tab, "[data-path=\"0\"] .span-bad"), 3);
        assert_eq!(count(&mut tab, "[data-path=\"0\"] path.fill-bad"), 6);
        assert_eq!(count(&mut tab, "[data-path=\"0\"] .lane.spoiled"), 3);
        let wide = tab.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, 0, "wider than the window at {width} pixels");
        let fill = "getComputedStyle(document.querySelector('.fill-bad')).fill";
        let before = tab.eval(fill);
        tab.eval("document.getElementById('theme').click()");
        assert_ne!(tab.eval(fill), before, "the other colours");
        assert_eq!(tab.complaints(), [""; 0]);
        assert_eq!(tab.files_asked_for(), 1, "only the page itself is read");
    }
}

#[test]
fn what_is_dropped_is_dotted() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut tab = browser.open(&page(folder.path(), &["drop_mptcp"]), 1280, "light");
    assert_eq!(count(&mut tab, "[data-path=\"0\"] .lane.lost"), 1);
    assert_eq!(count(&mut tab, "[data-path=\"0\"] .dotted"), 3);
    assert!(texts(&mut tab, 0).iter().any(|text| text.contains("dropped")), "{:?}", texts(&mut tab, 0));
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn a_list_is_filtered_sorted_and_opened() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    // Each capture has its own prober and the same target: three of them are one of three targets each.
    let page = page(folder.path(), &["many"]);
    for (width, scheme) in [(1280, "dark"), (390, "light")] {
        let mut tab = browser.open(&page, width, scheme);
        let rows = count(&mut tab, "#trace-table tbody tr");
        assert_eq!(rows, 6, "at {width}");
        assert!(count(&mut tab, ".flow-picture .band") >= 2);
        tab.eval("(() => { const select = document.getElementById('trace-category'); select.value = 'middlebox'; select.dispatchEvent(new Event('input')); })()");
        assert_eq!(count(&mut tab, "#trace-table tbody tr"), 4);
        tab.eval("(() => { const find = document.getElementById('trace-find'); find.value = 'drops'; find.dispatchEvent(new Event('input')); })()");
        assert_eq!(count(&mut tab, "#trace-table tbody tr"), 2);
        tab.eval("document.querySelector('#trace-table .link').click()");
        assert_eq!(tab.eval("document.getElementById('trace-details').open"), true);
        assert_eq!(count(&mut tab, "#details-body .path-picture"), 1);
        assert_eq!(tab.eval("location.hash.startsWith('#target-')"), true);
        tab.eval("document.getElementById('details-next').click()");
        assert_eq!(tab.eval("document.getElementById('details-next').disabled"), true);
        tab.eval("document.getElementById('details-close').click()");
        assert_eq!(tab.eval("document.getElementById('trace-details').open"), false);
        tab.eval("(() => { const find = document.getElementById('trace-find'); find.value = ''; find.dispatchEvent(new Event('input')); document.getElementById('trace-category').value = ''; find.dispatchEvent(new Event('input')); document.querySelector('#trace-table thead button').click(); })()");
        let first = tab.eval("document.querySelector('#trace-table .link').textContent");
        tab.eval("document.querySelector('#trace-table thead button').click()");
        assert_ne!(
            tab.eval("document.querySelector('#trace-table .link').textContent"),
            first,
            "the other way round"
        );
        let wide = tab.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, 0, "wider than the window at {width} pixels");
        assert_eq!(tab.complaints(), [""; 0]);
    }
}
