//! `subflow tracebox`: captures of probes, as text, rows and JSON, and what is refused.

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use support::{stdout, subflow};

/// A capture of probes: three routers and a server, with one box or none.
fn capture(name: &str) -> String {
    format!("{}/tests/tracebox/{name}.pcap", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = subflow().args(arguments).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn captures_in_words() {
    for name in ["clean", "strip", "nat", "short_quote", "drop_mptcp", "many"] {
        insta::assert_snapshot!(name, stdout(&["tracebox", "--read", &capture(name)]));
    }
}

#[test]
fn a_capture_as_rows() {
    let strip = capture("strip");
    let document: Value = serde_json::from_str(&stdout(&[
        "tracebox",
        "--read",
        &strip,
        "-f",
        "json",
        "-t",
        "targets,hops,modifications",
    ]))
    .expect("JSON");
    let targets = document["targets"].as_array().expect("rows");
    assert_eq!(targets.len(), 2);
    assert!(targets.iter().all(|row| row["category"] == "middlebox_affected" && row["behaviour"] == "strip"));
    assert!(document["hops"].as_array().is_some_and(|hops| hops.len() > 20));
    assert!(document["modifications"].as_array().is_some_and(|rows| !rows.is_empty()));
}

#[test]
fn rows_of_a_stream_are_of_one_table() {
    let lines = stdout(&["tracebox", "--read", &capture("many"), "-f", "jsonl", "-t", "hops"]);
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(rows.len() > 50 && rows.iter().all(|row| row["table"] == "hops" && row["hop"].is_u64()));
    let csv = stdout(&["tracebox", "--read", &capture("many"), "-f", "csv"]);
    assert_eq!(csv.lines().count(), 7);
    assert!(csv.starts_with("time,time_ns,addr,port,category,behaviour,"), "{csv}");
}

#[test]
fn tables_of_paths_can_be_queried() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().to_str().expect("UTF-8");
    let (code, _, told) = run(&["tracebox", "--read", &capture("many"), "-o", out]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("3 tables") && told.contains("6 targets: 2 true support, 4 middlebox"), "{told}");
    let sql = "SELECT behaviour, count(*) AS n FROM targets GROUP BY 1 ORDER BY 1";
    assert_eq!(stdout(&["query", out, sql, "-f", "csv"]), "behaviour,n\ndrop,2\npass_through,2\nstrip,2\n");
}

#[test]
fn the_shape_of_the_classic_tool() {
    let lines = stdout(&["tracebox", "--read", &capture("strip"), "--classic-json"]);
    let paths: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(paths.len(), 2);
    assert_eq!((&paths[0]["addr"], &paths[0]["max_hops"]), (&Value::from("10.5.3.2"), &Value::from(30)));
    let hops = paths[0]["Hops"].as_array().expect("hops");
    assert_eq!(hops.iter().map(|hop| hop["from"].as_str()).collect::<Vec<_>>().len(), 4);
    let gone = |hop: &Value| hop["Deletions"].as_array().is_some_and(|list| !list.is_empty());
    assert_eq!(hops.iter().map(gone).collect::<Vec<_>>(), [false, true, true, false]);
}

#[test]
fn a_page_names_what_it_was_made_of() {
    let dir = tempfile::tempdir().expect("a folder");
    let page = dir.path().join("paths.html");
    let operators = dir.path().join("operators.csv");
    std::fs::write(&operators, "10.5.0.0/16,Lab & Sons\n10.5.1.0/24,Inner\n").expect("writes");
    let (page, operators) = (page.to_str().expect("UTF-8"), operators.to_str().expect("UTF-8"));
    let arguments = ["tracebox", "--read", &capture("strip"), "--html", page, "--operators", operators];
    let (code, text, told) = run(&arguments);
    assert_eq!((code, told.as_str()), (Some(0), format!("page in {page}\n").as_str()));
    assert!(text.contains("operator") && text.contains("Inner"), "{text}");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("strip.pcap</p>") && page.contains("Lab &#38; Sons"));
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn what_is_cut_or_no_probe_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let bytes = std::fs::read(capture("strip")).expect("reads");
    let cut = support::write_capture(dir.path(), "cut.pcap", &bytes[..bytes.len() - 10]);
    let (code, text, told) = run(&["tracebox", "--read", &cut]);
    assert_eq!(code, Some(0));
    assert!(text.contains("takes the option") && told.contains("cut.pcap: file ends inside"), "{told}");
    let (code, _, told) = run(&["tracebox", "--read", &cut, "--strict"]);
    assert_eq!(code, Some(1), "{told}");
    let nobody = support::write_capture(dir.path(), "nobody.pcap", &support::capture(3));
    let (code, text, told) = run(&["tracebox", "--read", &nobody]);
    assert_eq!((code, text.as_str()), (Some(0), ""));
    assert!(told.contains("no probe was found"), "{told}");
}

#[test]
fn a_dry_run_of_what_a_scan_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let rows = "addr,port,verdict,v1,v0\n10.0.0.1,80,supports_v1,v1,no_option\n10.0.0.2,80,mirrored,mirrored,\n\
                192.0.77.3,443,supports_both,v1,v0\n10.0.0.4,80,plain_tcp,,\n";
    let scan = dir.path().join("targets.csv");
    std::fs::write(&scan, rows).expect("writes");
    let scan = scan.to_str().expect("UTF-8");
    insta::assert_snapshot!(
        "dry_run",
        stdout(&["tracebox", "--from", scan, "--dryrun", "--contact", "noc@example.net"])
    );
}
