//! `subflow query` from end to end.

mod support;

use std::path::Path;
use support::{stdout, subflow};

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn tables_are_listed() {
    let text = stdout(&["query", &example("handover.pcap.zst"), ".tables"]);
    assert!(text.contains("\npackets "), "{text}");
    assert!(!subflow().args(["query"]).output().expect("runs").status.success());
}

/// A run that fails: its exit code and what it says.
fn fails(arguments: &[&str]) -> (Option<i32>, String) {
    let output = subflow().args(["query"]).args(arguments).output().expect("runs");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

fn stored(dir: &Path) -> String {
    let tables = dir.join("tables");
    let tables = tables.to_str().expect("UTF-8");
    stdout(&["analyze", "-q", &example("handover.pcap.zst"), "-o", tables]);
    tables.to_owned()
}

#[test]
fn mistakes_are_told_with_what_there_is() {
    let file = example("handover.pcap.zst");
    for (number, sql) in [
        "SELECT bytes FROM connections",
        "SELECT * FROM conections",
        "SELECT state FROM connections",
        "SELECT s.stat FROM subflows s",
        "SELECT conut(*) FROM connections",
        "SELECT close,\n  count(*)\nFORM connections x",
        "SELECT count(*) FROM connections WHERE",
        "SELECT connection_id FROM connections JOIN subflows ON true",
        "COPY (SELECT 1) TO '/tmp/never.csv'",
        "EXPLAIN ANALYZE INSERT INTO events SELECT * FROM events",
        ".tabels",
        ".schema subflow",
    ]
    .iter()
    .enumerate()
    {
        let (code, text) = fails(&[&file, "-e", sql]);
        assert_eq!(code, Some(2), "{sql}");
        insta::assert_snapshot!(format!("mistake_{number:02}"), text, sql);
    }
}

#[test]
fn forms_of_a_result() {
    let file = example("handover.pcap.zst");
    let sql = "SELECT kind, time, time_ns, NULL AS nothing, 0.1 AS share, frame FROM events ORDER BY time_ns LIMIT 2";
    for format in ["table", "json", "jsonl", "csv"] {
        let text = stdout(&["query", &file, "-f", format, sql]);
        insta::assert_snapshot!(format!("form_{format}"), text);
    }
    let dir = tempfile::tempdir().expect("a folder");
    let result = dir.path().join("result.parquet");
    let result = result.to_str().expect("UTF-8");
    assert_eq!(stdout(&["query", &file, sql, "-o", result]), "");
    let back = stdout(&["query", result, "-f", "csv", "SELECT * FROM result"]);
    assert_eq!(back, stdout(&["query", &file, "-f", "csv", sql]));
    let names: Vec<_> = std::fs::read_dir(dir.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "no partial file is left");
}

#[test]
fn the_rows_are_those_of_analyze() {
    let file = example("handover.pcap.zst");
    for table in ["connections", "subflows", "reinjections", "events", "traffic", "hosts"] {
        let sql = format!("SELECT * FROM {table}");
        let queried: Vec<serde_json::Value> =
            serde_json::from_str(&stdout(&["query", &file, "-f", "json", &sql])).expect("JSON");
        let analyzed: serde_json::Value =
            serde_json::from_str(&stdout(&["analyze", &file, "-f", "json", "-t", table])).expect("JSON");
        assert_eq!(analyzed[table].as_array(), Some(&queried), "{table}");
    }
}

#[test]
fn tables_of_single_connections_come_when_they_are_named() {
    let file = example("handover.pcap.zst");
    let count = |arguments: &[&str]| {
        let text = stdout(&[&["query", &file, "-f", "csv"], arguments].concat());
        text.lines().nth(1).map(str::to_owned).expect("a row")
    };
    assert_eq!(count(&["SELECT count(*) FROM packets"]), "3561");
    assert_eq!(count(&["SELECT count(*) FROM packets", "-c", "7"]), "0");
    // What two tables say of the same bytes.
    let both = "SELECT (SELECT sum(bytes) FROM carriages WHERE carried = 'reinjection') \
                - (SELECT sum(bytes) FROM reinjections)";
    assert_eq!(count(&[both]), "0");
}

#[test]
fn filters_reach_the_reader_of_stored_tables() {
    let dir = tempfile::tempdir().expect("a folder");
    let tables = stored(dir.path());
    let plan = stdout(&["query", &tables, "EXPLAIN SELECT bytes_c2s FROM subflows WHERE connection_id = 7"]);
    assert!(plan.contains("projection=[bytes_c2s]"), "{plan}");
    assert!(plan.contains("predicate=connection_id@0 = 7"), "{plan}");
    assert!(plan.contains("pruning_predicate=") && !plan.contains("FilterExec"), "{plan}");
}

#[test]
fn hive_folders_have_their_keys_as_columns() {
    let dir = tempfile::tempdir().expect("a folder");
    let tables = stored(dir.path());
    let root = dir.path().join("campaign");
    for day in ["2026-01-01", "2026-01-02"] {
        let folder = root.join(format!("subflows/day={day}/hour=7"));
        std::fs::create_dir_all(&folder).expect("makes");
        std::fs::copy(format!("{tables}/subflows.parquet"), folder.join("part-0.parquet")).expect("copies");
    }
    let root = root.to_str().expect("UTF-8");
    let text = stdout(&[
        "query",
        root,
        "-f",
        "csv",
        "SELECT day, hour + 1 AS next, count(*) AS n FROM subflows GROUP BY 1, 2 ORDER BY 1",
    ]);
    assert_eq!(text, "day,next,n\n2026-01-01,8,2\n2026-01-02,8,2\n");
    let sql = "EXPLAIN ANALYZE SELECT count(*) FROM subflows WHERE day = '2026-01-02' AND bytes_c2s > 0";
    let plan = stdout(&["query", root, sql]);
    assert!(plan.contains("day=2026-01-02") && !plan.contains("day=2026-01-01/"), "{plan}");
    assert!(plan.contains("files_opened=1,"), "{plan}");
    let text = stdout(&["query", root, "-f", "csv", "SELECT hour FROM subflows WHERE day > '2027'"]);
    assert_eq!(text, "hour\n");

    let text = stdout(&[
        "query",
        "-q",
        root,
        &tables,
        "-f",
        "csv",
        "SELECT source, count(*) AS n FROM subflows GROUP BY source ORDER BY n",
    ]);
    assert_eq!(text, format!("source,n\n{tables},2\n{root},4\n"));
}

#[test]
fn inputs_that_cannot_be_are_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let tables = stored(dir.path());
    let file = example("handover.pcap.zst");
    let (code, text) = fails(&[&file, &tables, ".tables"]);
    assert!(code == Some(2) && text.contains("either captures or stored tables\nhint: "), "{text}");

    let other = dir.path().join("other");
    std::fs::create_dir(&other).expect("makes");
    std::fs::write(other.join("a.csv"), "a\n1\n").expect("writes");
    let (code, text) = fails(&[other.to_str().expect("UTF-8"), ".tables"]);
    assert!(
        code == Some(1) && text.contains("neither captures nor stored tables: it holds 1 .csv file\nhint: "),
        "{text}"
    );

    std::fs::write(other.join("b.parquet"), b"PAR1 and no more").expect("writes");
    let (code, text) = fails(&[other.to_str().expect("UTF-8"), ".tables"]);
    assert!(code == Some(1) && text.contains("b.parquet as Parquet: "), "{text}");

    std::fs::copy(&file, Path::new(&tables).join("a.pcap")).expect("copies");
    let output = subflow().args(["query", &tables, ".tables"]).output().expect("runs");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success() && text.contains("holds stored tables and 1 capture"), "{text}");

    let (code, text) = fails(&[&tables, "-c", "7", "SELECT 1"]);
    assert!(code == Some(2) && text.contains("WHERE connection_id = 7"), "{text}");
    let (code, text) = fails(&[&file, "-f", "json", "SELECT 1; SELECT 2"]);
    assert!(code == Some(2) && text.contains("json holds one result, and these are 2 queries"), "{text}");
}

#[test]
fn sql_comes_from_standard_input_where_no_capture_does() {
    let file = example("handover.pcap.zst");
    let script =
        ".format csv\nCREATE VIEW v AS SELECT close FROM connections;\nSELECT * FROM v;\n.quit\nSELECT 1";
    let output = subflow().args(["query", &file]).stdin(script).output().expect("runs");
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), "close\ndata_fin\n");

    let capture = std::fs::read(&file).expect("reads");
    let output = subflow()
        .args(["query", "-", "-f", "csv", "SELECT count(*) AS n FROM packets"])
        .stdin(capture.clone());
    assert_eq!(String::from_utf8(output.output().expect("runs").stdout).expect("UTF-8"), "n\n3561\n");
    let output = subflow().args(["query", &file]).stdin(capture).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("hint: a capture on standard input is named -"));
}

#[test]
fn ctrl_c_cancels_a_query() {
    let dir = tempfile::tempdir().expect("a folder");
    let tables = stored(dir.path());
    let sql =
        "SELECT count(*) FROM range(1, 100000000) a JOIN range(1, 1000000) b ON a.value % 7 <> b.value % 5";
    let mut child = support::plain()
        .args(["query", &tables, "-e", "SELECT 1 AS begun", "-e", sql])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("runs");
    // The first answer says that the second query begins.
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
    std::io::BufRead::read_line(&mut out, &mut line).expect("reads");
    assert_eq!(line, "begun\n");
    // Within the join, which never ends by itself.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    if !kill.is_ok_and(|status| status.success()) {
        child.kill().expect("ends");
        child.wait().expect("ends");
        eprintln!("skipped: there is no kill command");
        return;
    }
    let output = child.wait_with_output().expect("ends");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("the query was cancelled"), "{text}");
}
