//! `subflow sim`: what it says, what it writes, and that the same seed gives the same bytes.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use support::{stdout, subflow};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = subflow().args(arguments).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Every file below a folder with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("below").display().to_string();
                found.insert(name, fs::read(path).expect("reads"));
            }
        }
    }
    found
}

#[test]
fn the_list() {
    insta::assert_snapshot!("list", stdout(&["sim", "list"]));
}

#[test]
fn a_phone_in_words() {
    insta::assert_snapshot!(
        "phone",
        stdout(&["sim", "phone", "--leave", "1s,2s", "--time", "3s", "--size", "4MB"])
    );
}

#[test]
fn a_fabric_in_words() {
    let text = stdout(&[
        "sim",
        "fabric",
        "ecmp",
        "flowbender",
        "mptcp:4",
        "-k",
        "4",
        "--load",
        "0.3",
        "--time",
        "2ms",
        "--seed",
        "1,2",
    ]);
    insta::assert_snapshot!("fabric", text);
}

/// Whatever the number of threads, and whether in one go or in two.
#[test]
fn the_same_seed_gives_the_same_bytes() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = |name: &str| dir.path().join(name);
    let sweep = |name: &str, threads: &str| {
        let path = folder(name);
        let (code, _, told) = run(&[
            "sim",
            "phone",
            "tcp",
            "mptcp",
            "--time",
            "1s",
            "--capture",
            "--seed",
            "1,2",
            "--threads",
            threads,
            "-o",
            path.to_str().expect("UTF-8"),
        ]);
        assert_eq!(code, Some(0), "{told}");
        files(&path)
    };
    let (one, two) = (sweep("one", "1"), sweep("two", "2"));
    assert!(
        one.contains_key("flows.parquet") && one.contains_key("runs/00003/phone.pcapng"),
        "{:?}",
        one.keys()
    );
    assert!(one == two, "threads change something");
    // A run that was cut off is done again, the others are read back.
    fs::remove_file(folder("one").join("runs/00002.done")).expect("is there");
    fs::remove_dir_all(folder("one").join("runs/00002")).expect("is there");
    fs::remove_file(folder("one").join("flows.parquet")).expect("is there");
    assert!(sweep("one", "1") == two, "going on changes something");
}

#[test]
fn a_folder_of_another_plan_stays_as_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().to_str().expect("UTF-8");
    let phone = ["sim", "phone", "tcp", "--time", "100ms", "-o", out];
    assert_eq!(run(&phone).0, Some(0));
    let before = files(dir.path());
    let (code, _, told) = run(&[&phone[..], &["--seed", "7"]].concat());
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("runs of another plan") && told.contains("hint:"), "{told}");
    assert!(files(dir.path()) == before);
}

/// What the simulation wrote is what the analysis finds, through the whole program.
#[test]
fn captures_are_analysed_to_the_truth() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().to_str().expect("UTF-8");
    for version in ["0", "1"] {
        let folder = format!("{out}/{version}");
        let arguments =
            ["sim", "phone", "mptcp", "--leave", "1s", "--time", "20s", "--size", "8MB", "--capture"];
        let (code, _, told) = run(&[&arguments[..], &["--mptcp-version", version, "-o", &folder]].concat());
        assert_eq!(code, Some(0), "{told}");
        let columns = "version, bytes_c2s, bytes_s2c, reinjected_bytes_c2s, reinjected_bytes_s2c, handovers";
        for (capture, end) in [("phone", "client"), ("server", "server")] {
            let run = format!("{folder}/runs/00000");
            let csv = |input: &str, sql: &str| stdout(&["query", "-q", "-f", "csv", input, sql]);
            let found =
                csv(&format!("{run}/{capture}.pcapng"), &format!("SELECT {columns} FROM connections"));
            let truth =
                csv(&run, &format!("SELECT {columns} FROM truth_connections WHERE vantage = '{end}'"));
            assert_eq!(found, truth, "version {version}, {capture}");
            let row = found.lines().nth(1).expect("a row");
            assert!(row.starts_with(&format!("{version},")) && row.ends_with(",1"), "a handover: {row}");
        }
    }
}

#[test]
fn a_scenario_is_printed_and_runs_again_from_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = stdout(&["sim", "phone", "--time", "200ms", "--print"]);
    let file = dir.path().join("mine.toml");
    fs::write(&file, &text).expect("writes");
    let again = stdout(&["sim", "run", file.to_str().expect("UTF-8"), "-f", "csv"]);
    assert_eq!(again, stdout(&["sim", "phone", "--time", "200ms", "-f", "csv"]));
}

#[test]
fn mistakes_are_told_with_the_next_step() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("wrong.toml");
    fs::write(
        &file,
        "name = 'x'\nduration = '1 s'\n[topology]\nkind = 'fat-tre'\n[workload]\nkind = 'permutation'\n",
    )
    .expect("writes");
    let file = file.to_str().expect("UTF-8");
    for (arguments, wanted) in [
        (&["sim", "run", "phone-handove"][..], "there is no scenario `phone-handove`"),
        (&["sim", "run", file], "did you mean \"fat-tree\"?"),
        (&["sim", "run", "two-rtts", "--scheme", "none"], "its schemes are "),
        (&["sim", "run", "two-rtts", "--load", "0.5"], "has no load"),
        (&["sim", "fabric", "ecpm"], "did you mean"),
        (&["sim", "phone", "--capture"], "--output"),
        (&["sim", "phone", "--wifi", "fast"], "fast"),
    ] {
        let (code, _, told) = run(arguments);
        assert!(matches!(code, Some(1 | 2)), "{arguments:?}: {told}");
        assert!(told.contains(wanted), "{arguments:?}: {told}");
    }
}
