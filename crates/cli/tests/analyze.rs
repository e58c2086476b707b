//! `subflow analyze` from end to end: forms of output, folders, damaged input, Ctrl-C.

mod support;

use std::io::Write;
use std::process::Stdio;
use support::{capture, plain, stdout, subflow, write_capture};

const TABLES: [&str; 8] =
    ["traffic", "connections", "subflows", "announcements", "reinjections", "events", "hosts", "issues"];

#[test]
fn json_is_one_document_with_every_table_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = stdout(&["analyze", &write_capture(dir.path(), "a.pcap", &capture(3)), "-f", "json"]);
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document.as_object().map(serde_json::Map::len), Some(TABLES.len()));
    let places: Vec<_> = TABLES.iter().map(|table| text.find(&format!("\n\"{table}\": ["))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    assert_eq!(document["traffic"][0]["packets"], 3);
    assert_eq!(document["connections"], serde_json::json!([]));
}

#[test]
fn csv_and_json_lines_follow_the_selection() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write_capture(dir.path(), "a.pcap", &capture(3));
    let fields = ["-f", "csv", "--fields", "traffic.packets,traffic.family"];
    assert_eq!(stdout(&[&["analyze", &file][..], &fields].concat()), "packets,family\n3,ipv4\n");
    let fields = ["-f", "jsonl", "-t", "traffic", "--fields", "mptcp"];
    assert_eq!(
        stdout(&[&["analyze", &file][..], &fields].concat()),
        "{\"table\":\"traffic\",\"mptcp\":false}\n"
    );
}

#[test]
fn a_folder_gets_a_file_for_every_table() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write_capture(dir.path(), "a.pcap", &capture(3));
    let tables = dir.path().join("made/for/it");
    let output = subflow().args(["analyze", &file, "-o"]).arg(&tables).output().expect("runs");
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("10 tables with "));
    let mut names: Vec<_> = std::fs::read_dir(&tables)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    let mut expected = TABLES.map(|table| format!("{table}.parquet"));
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write_capture(dir.path(), "a.pcap", &capture(3));
    let run = |name: &str| {
        let out = dir.path().join(name);
        stdout(&["analyze", &file, "-o", out.to_str().expect("UTF-8")]);
        TABLES.map(|table| std::fs::read(out.join(format!("{table}.parquet"))).expect("a file"))
    };
    assert!(run("one") == run("two"));
}

#[test]
fn a_cut_file_is_a_warning_and_with_strict_a_failure() {
    let dir = tempfile::tempdir().expect("a folder");
    let whole = capture(3);
    let file = write_capture(dir.path(), "cut.pcap", &whole[..whole.len() - 5]);
    let run = |arguments: &[&str]| {
        let output = subflow().args(["analyze", &file, "-f", "json"]).args(arguments).output().expect("runs");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(document["traffic"][0]["packets"], 2, "everything before the cut");
        assert_eq!(document["issues"][0]["file"], *file);
        assert_eq!(document["issues"][0]["offset"], 24 + 2 * 56);
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (code, stderr) = run(&[]);
    assert_eq!(code, Some(0));
    assert!(
        stderr.starts_with("warning: ") && stderr.contains("cut.pcap: ") && stderr.contains(" at byte 136"),
        "{stderr}"
    );
    let (code, stderr) = run(&["--strict"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("error: 1 thing in the input could not be read, and --strict is set\nhint: "),
        "{stderr}"
    );
    assert_eq!(run(&["--quiet"]), (Some(0), String::new()));
}

#[test]
fn the_summary_is_the_default() {
    let dir = tempfile::tempdir().expect("a folder");
    let whole = capture(1234);
    let file = write_capture(dir.path(), "a.pcap", &whole[..whole.len() - 5]);
    let text = stdout(&["analyze", &file]);
    assert!(text.starts_with("No MPTCP connections\n\nTraffic "), "{text}");
    assert!(text.contains("\n  all TCP    1,233  49,320 "), "{text}");
    assert!(text.contains("\nWhat could not be read\n"), "{text}");
}

#[test]
fn standard_input_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let from_file = stdout(&["analyze", &write_capture(dir.path(), "a.pcap", &capture(3)), "-f", "jsonl"]);
    let output = subflow().args(["analyze", "-", "-f", "jsonl"]).stdin(capture(3)).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), from_file);
}

#[test]
fn ctrl_c_writes_what_was_read_and_exits_with_130() {
    let mut child = plain()
        .args(["analyze", "-", "-f", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // More than a pipe holds: when all is written, the command has begun to read, and listens to Ctrl-C. The pipe
    // then stays open and silent.
    stdin.write_all(&capture(5000)).expect("writes");
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    let killed = kill.is_ok_and(|status| status.success());
    if !killed {
        child.kill().expect("ends");
    }
    let output = child.wait_with_output().expect("ends");
    drop(stdin);
    if !killed {
        eprintln!("skipped: there is no kill command");
        return;
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packets = document["traffic"][0]["packets"].as_u64().expect("a number");
    assert!((1..=5000).contains(&packets), "{packets}");
    let mut reasons = document["issues"].as_array().expect("an array").iter().map(|issue| &issue["reason"]);
    let reason = format!("interrupted: only the first {packets} packets were analysed");
    assert!(reasons.any(|told| told == &reason), "{document}");
    assert!(stderr.contains("warning: incomplete: only the first "), "{stderr}");
}
