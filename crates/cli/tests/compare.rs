//! `subflow compare`: what it says, and how it ends.

mod support;

use std::path::Path;
use support::{stdout, subflow};

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

/// A small connection captured at both ends, whose first SYN and first SYN/ACK were lost.
fn end(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ends").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

/// Paths of this machine stay out of snapshots.
fn placeless(text: &str) -> String {
    text.replace(&end(""), "").replace(&example(""), "")
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = subflow().args(arguments).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn two_ends() {
    let (a, b) = (end("client.pcap"), end("server.pcap"));
    insta::assert_snapshot!("two_ends", placeless(&stdout(&["compare", &a, &b])));
    insta::assert_snapshot!("two_ends_csv", stdout(&["compare", &a, &b, "--same-clock", "-f", "csv"]));
    let turned = stdout(&["compare", &b, &a]);
    assert!(turned.contains("client.pcap, nearer to the client"), "{turned}");
    let series = stdout(&["compare", &a, &b, "--series", "-f", "csv", "-t", "delays"]);
    assert!(series.lines().count() > 100 && series.contains(",lost,"), "{series}");
}

#[test]
fn two_runs() {
    let (a, b) = (example("handover.pcap.zst"), example("dualstack.pcap.zst"));
    let (code, text, told) = run(&["compare", &a, &b]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("share no connection"), "{told}");
    insta::assert_snapshot!("two_runs", placeless(&text));
    let (code, text, _) = run(&["compare", &a, &b, "--threshold", "handovers=0%"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("1 figure beyond the threshold: handovers"), "{text}");
    let (code, text, _) = run(&["compare", &a, &a, "--threshold", "0%"]);
    assert_eq!(code, Some(0), "{text}");
}

/// Two folders of captures: each capture is a repetition, and the figures are means with confidence intervals.
#[test]
fn folders_are_repetitions() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = |name: &str, captures: &[&str]| {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        for (number, capture) in captures.iter().enumerate() {
            std::fs::copy(example(capture), folder.join(format!("{number}.pcap.zst"))).expect("copies");
        }
        folder.to_str().expect("UTF-8").to_owned()
    };
    let (handover, dual) = ("handover.pcap.zst", "dualstack.pcap.zst");
    let before = folder("before", &[handover, dual, handover]);
    let same = folder("same", &[dual, handover, handover]);
    let (code, text, told) = run(&["compare", &before, &same, "--runs", "--threshold", "0%"]);
    assert_eq!(code, Some(0), "{text}{told}");
    let after = folder("after", &[dual, dual, dual]);
    let out = dir.path().join("out");
    let out = out.to_str().expect("UTF-8");
    let (code, text, told) = run(&["compare", &before, &after, "--runs", "-o", out, "-f", "csv"]);
    assert_eq!((code, text.as_str()), (Some(0), ""), "{told}");
    assert!(told.contains("1 table with "), "{told}");
    let table = std::fs::read_to_string(Path::new(out).join("differences.csv")).expect("written");
    let mut rows = csv_rows(&table);
    let handovers = rows.find(|row| row["metric"] == "handovers").expect("a row");
    // Means of 1, 0, 1 and of 0, 0, 0.
    assert_eq!(
        (handovers["value_a"].parse(), handovers["value_b"].as_str()),
        (Ok(2.0 / 3.0), "0.0"),
        "{table}"
    );
    assert_eq!((handovers["runs_a"].as_str(), handovers["runs_b"].as_str()), ("3", "3"), "{table}");
}

/// Rows of a table without quotes, by column.
fn csv_rows(text: &str) -> impl Iterator<Item = std::collections::BTreeMap<&str, String>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    lines.map(move |line| names.iter().copied().zip(line.split(',').map(str::to_owned)).collect())
}

#[test]
fn the_kernels_counters() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("nstat.txt");
    let name = file.to_str().expect("UTF-8");
    std::fs::write(&file, "#kernel\nMPTcpExtMPCapableSYNTX 1 0.0\nMPTcpExtMPCapableSYNACKRX 1 0.0\n")
        .expect("writes");
    let (code, text, told) = run(&["compare", &end("client.pcap"), "--nstat", name]);
    assert_eq!(code, Some(0), "{text}{told}");
    std::fs::write(&file, "MPTcpExtMPCapableSYNTX 1 0.0\nMPTcpExtAddAddr 2 0.0\n").expect("writes");
    let (code, text, _) = run(&["compare", &end("client.pcap"), "--nstat", name]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("UNEXPLAINED"), "{text}");
    std::fs::write(&file, "nothing of the kind").expect("writes");
    let (code, _, told) = run(&["compare", &end("client.pcap"), "--nstat", name]);
    assert_eq!(code, Some(1));
    assert!(told.contains("no counter that begins with MPTcpExt") && told.contains("hint:"), "{told}");
}

#[test]
fn what_cannot_be_asked_for() {
    for (arguments, wanted) in [
        (&["compare", "a.pcap"][..], "required"),
        (&["compare", "-", "b.pcap"], "read more than once"),
        (&["compare", "a", "b", "--threshold", "5"], "as 5%"),
        (&["compare", "a", "b", "--threshold", "goodput=5%"], "there is no figure `goodput`"),
        (&["compare", "a", "b", "-f", "parquet"], "makes files"),
    ] {
        let (code, _, told) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {told}");
        assert!(told.contains(wanted), "{arguments:?}: {told}");
    }
    assert!(stdout(&["compare", "--list-figures"]).lines().count() > 20);
}
