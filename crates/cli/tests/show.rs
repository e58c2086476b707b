//! `subflow show`: what it prints and writes of the bundled captures, and what it says when it cannot choose.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{stdout, subflow};

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(format!("{name}.pcap.zst"));
    path.to_str().expect("UTF-8").to_owned()
}

/// The text for a terminal of 80 columns.
fn shown(arguments: &[&str]) -> String {
    let output = subflow().env("COLUMNS", "80").arg("show").args(arguments).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// FNV-1a, 64 bits: tells whether a file is the one that it was.
fn fnv(text: &[u8]) -> u64 {
    text.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Name, lines and hash of every file of a folder.
fn digest(dir: &Path) -> String {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let line = |path: &PathBuf| {
        let text = fs::read(path).expect("a file");
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name} {lines} {:016x}\n", fnv(&text))
    };
    paths.iter().map(line).collect()
}

#[test]
fn terminal_text_of_the_bundled_captures() {
    for name in ["handover", "dualstack", "stripped", "checksum"] {
        let text = shown(&[&example(name)]);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{name} is wider than 80 columns");
        assert!(!text.contains('\x1b'), "{name}: colours where there is no terminal");
        insta::assert_snapshot!(format!("show_{name}"), text);
    }
}

#[test]
fn all_shows_every_entry() {
    let short = shown(&[&example("handover")]);
    let long = shown(&[&example("handover"), "--all"]);
    let reinjections = |text: &str| text.lines().filter(|line| line.contains("reinjection of")).count();
    assert_eq!(reinjections(&short), 0, "they are told in runs");
    let rows = stdout(&["analyze", &example("handover"), "-f", "csv", "-t", "reinjections"]);
    assert_eq!(reinjections(&long), rows.lines().count() - 1);
}

#[test]
fn a_wider_terminal_has_a_finer_picture() {
    let picture = |columns: &str| {
        let output =
            subflow().env("COLUMNS", columns).args(["show", &example("handover")]).output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().find(|line| line.starts_with("  0 c2s ")).map(|line| line.chars().count())
    };
    assert!(picture("160") > picture("80"));
}

#[test]
fn several_connections_are_listed() {
    let files = [example("handover"), example("dualstack")];
    let output = subflow().args(["show", &files[0], &files[1]]).output().expect("runs");
    assert!(output.status.success());
    insta::assert_snapshot!("show_list", String::from_utf8(output.stdout).expect("UTF-8"));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(stderr, "2 connections: choose one with -c ID, as in -c 0\n");
    assert!(shown(&[&files[0], &files[1], "-c", "1"]).starts_with("Connection 1  10.1.1.1:43544"));
}

#[test]
fn what_cannot_be_shown_comes_with_the_next_step() {
    let files = [example("handover"), example("dualstack")];
    let both = [files[0].as_str(), files[1].as_str()];
    subflow().arg("show").args(both).args(["-c", "9"]).assert().code(1).stdout_eq("").stderr_eq(
        snapbox::str![[r#"
error: there is no connection 9 in the input
hint: there are 2, numbered 0 to 1; without -c they are listed

"#]],
    );
    subflow().arg("show").arg(&files[0]).args(["-c", "9"]).assert().code(1).stderr_eq(snapbox::str![[r#"
error: there is no connection 9 in the input
hint: the only one is 0: leave out -c

"#]]);
    subflow().arg("show").args(both).args(["--svg", "x.svg"]).assert().code(2).stderr_eq(snapbox::str![[
        r#"
error: the input holds 2 connections, and files show one
hint: choose one with -c ID; without options subflow show lists them

"#
    ]]);
    subflow().arg("show").args(both).args(["-c", "0,1"]).assert().code(2).stderr_eq(snapbox::str![[r#"
error: one connection is shown at a time, not 2
hint: give -c once, with one number

"#]]);
    subflow().arg("show").arg(&files[0]).args(["--html", "/nonexistent/x.html"]).assert().code(1).stderr_eq(
        snapbox::str![[r#"
error: cannot write /nonexistent/x.html: No such file or directory (os error 2)
hint: name a place that you may write to, on a disk with room

"#]],
    );
}

#[test]
fn files_for_other_tools() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::copy(example("dualstack"), dir.path().join("dualstack.pcap.zst")).expect("copies");
    let output = subflow()
        .current_dir(dir.path())
        .args(["show", "-q", "dualstack.pcap.zst", "--xplot", "xplot", "--mptcptrace", "mptcptrace"])
        .args(["--csv", "csv", "--svg", "figure.svg"])
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    insta::assert_snapshot!("show_xplot", digest(&dir.path().join("xplot")));
    insta::assert_snapshot!("show_mptcptrace", digest(&dir.path().join("mptcptrace")));
    let graph = fs::read_to_string(dir.path().join("xplot/c2s_seq_0.xpl")).expect("a graph");
    insta::assert_snapshot!("show_xplot_head", graph.lines().take(20).collect::<Vec<_>>().join("\n"));
    let stats = fs::read_to_string(dir.path().join("mptcptrace/stats_0.csv")).expect("statistics");
    insta::assert_snapshot!("show_mptcptrace_stats", stats.lines().take(14).collect::<Vec<_>>().join("\n"));
    // The same rows as `analyze` exports.
    for table in ["packets", "carriages", "samples", "subflows"] {
        let here = fs::read_to_string(dir.path().join(format!("csv/{table}.csv"))).expect("a table");
        assert!(here == stdout(&["analyze", &example("dualstack"), "-f", "csv", "-t", table]), "{table}");
    }
    let drawing = fs::read_to_string(dir.path().join("figure.svg")).expect("a drawing");
    assert!(drawing.starts_with("<svg ") && drawing.trim_end().ends_with("</svg>"));
    assert!(drawing.contains("data sequence") && drawing.contains("goodput"));
}

/// `tests/mptcptrace.txt` holds name, lines and hash of the files that mptcptrace itself (github.com/multipath-tcp/mptcptrace, commit
/// 479e109) wrote of the hand-made captures: `mptcptrace -f in.pcap -s -S -a -A -R -F 7 -r 7 -G 20 -w 2`.
#[test]
fn files_of_mptcptrace_are_those_that_it_writes() {
    let Some(folder) = subflow_testdata::folder("crafted") else { return };
    let golden = include_str!("mptcptrace.txt");
    for name in [
        "v0_dsn_wrap",
        "v0_failed_joins",
        "v0_fastclose_client",
        "v0_ndiffports",
        "v0_reinjection",
        "v0_seq_wrap",
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        fs::copy(folder.join(format!("{name}.pcap")), dir.path().join("in.pcap")).expect("copies");
        let output = subflow()
            .current_dir(dir.path())
            .args(["show", "in.pcap", "--mptcptrace", "out"])
            .output()
            .expect("runs");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let own = digest(&dir.path().join("out"));
        let prefix = format!("{name}/");
        let theirs: String = golden
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(!theirs.is_empty());
        assert_eq!(own, theirs, "{name}");
    }
}
