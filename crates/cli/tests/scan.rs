//! `subflow scan`: captures of scans, what is refused, what a dry run says, and scans in network namespaces.
//!
//! The last need root, iproute2, python3 and a kernel with MPTCP; where something lacks they say so and have nothing to test.

mod support;

#[cfg(target_os = "linux")]
#[path = "support/wire.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod lab;

use serde_json::Value;
use support::{stdout, subflow};

/// Ten targets that answer in ten ways, each asked once.
const ANSWERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/analyzer/scan_answers.pcap");

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = subflow().args(arguments).output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_capture_in_words() {
    insta::assert_snapshot!("read", stdout(&["scan", "--read", ANSWERS]));
}

#[test]
fn a_capture_as_rows() {
    insta::assert_snapshot!("read_targets", stdout(&["scan", "--read", ANSWERS, "-f", "csv"]));
    let probes = stdout(&["scan", "--read", ANSWERS, "-f", "jsonl", "-t", "probes"]);
    let rows: Vec<Value> = probes.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 9);
    assert!(rows.iter().all(|row| row["table"] == "probes" && row["ttl"].is_u64()));
    let document: Value =
        serde_json::from_str(&stdout(&["scan", "--read", ANSWERS, "-f", "json", "-t", "targets,probes"]))
            .expect("JSON");
    assert_eq!(document["targets"].as_array().map(Vec::len), Some(10));
    assert_eq!(document["probes"].as_array().map(Vec::len), Some(9));
}

#[test]
fn columns_are_chosen_and_are_enough_to_go_on_from() {
    let read = ["scan", "--read", ANSWERS, "-f", "csv", "--fields"];
    let chosen = stdout(&[&read[..], &["verdict,port,addr"]].concat());
    let whole = stdout(&["scan", "--read", ANSWERS, "-f", "csv"]);
    let expected: String = whole
        .lines()
        .map(|line| line.splitn(4, ',').collect::<Vec<_>>())
        .map(|cells| format!("{},{},{}\n", cells[2], cells[1], cells[0]))
        .collect();
    assert_eq!(chosen, expected);
    // As ZMap calls it; another table by its name.
    let hops = stdout(&["scan", "--read", ANSWERS, "-f", "csv", "--output-fields", "probes.ttl"]);
    assert_eq!(hops.lines().next(), Some("ttl"));
    assert_eq!(hops.lines().count(), 10);

    let dir = tempfile::tempdir().expect("a folder");
    let few = support::write_capture(dir.path(), "few.csv", chosen.as_bytes());
    let dry = |from: &str| stdout(&["verify", "--from", from, "--dryrun", "--i-have-permission"]);
    let all = support::write_capture(dir.path(), "all.csv", whole.as_bytes());
    assert_eq!(dry(&few), dry(&all));

    let (code, _, told) = run(&["scan", "--read", ANSWERS, "-f", "csv", "--fields", "verdikt"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("no column `verdikt` in targets") && told.contains("--list-fields"), "{told}");
    let (code, _, told) = run(&["scan", "--read", ANSWERS, "--fields", "addr"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("a report exports none") && told.contains("--format"), "{told}");
}

#[test]
fn tables_of_a_capture_can_be_queried() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().to_str().expect("UTF-8");
    let (code, _, told) = run(&["scan", "--read", ANSWERS, "-o", out]);
    assert_eq!(code, Some(0), "{told}");
    let sql = "SELECT verdict, count(*) AS n FROM targets GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2";
    assert_eq!(stdout(&["query", out, sql, "-f", "csv"]), "verdict,n\nmalformed,3\nmirrored,2\n");
}

#[test]
fn a_cut_capture_is_told_and_strict_refuses_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let bytes = std::fs::read(ANSWERS).expect("reads");
    let cut = support::write_capture(dir.path(), "cut.pcap", &bytes[..bytes.len() - 10]);
    let (code, text, told) = run(&["scan", "--read", &cut]);
    assert_eq!(code, Some(0));
    assert!(text.contains("Verdicts") && told.contains("cut.pcap: file ends inside"), "{told}");
    let (code, _, told) = run(&["scan", "--read", &cut, "--strict"]);
    assert_eq!(code, Some(1), "{told}");
    let nobody = support::write_capture(dir.path(), "nobody.pcap", &support::capture(3));
    let (code, _, told) = run(&["scan", "--read", &nobody]);
    assert_eq!(code, Some(0));
    assert!(told.contains("no SYN was found"), "{told}");
}

#[test]
fn a_dry_run() {
    let text = stdout(&[
        "scan",
        "10.0.0.0/20",
        "192.0.77.0/24",
        "fd00::/120",
        "--special",
        "--seed",
        "7",
        "-P",
        "2",
        "--canary",
        "--prefix-rate",
        "20",
        "--contact",
        "noc@example.net",
        "--dryrun",
    ]);
    insta::assert_snapshot!("dry_run", text);
}

#[test]
fn bad_lines_are_named_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let list = dir.path().join("hits.txt");
    std::fs::write(&list, "10.0.0.1\n# a comment\n10.0.0.300\n10.0.0.2 # another\n").expect("writes");
    let list = list.to_str().expect("UTF-8");
    let (code, text, told) = run(&["scan", "--list", list, "--special", "-d", "-p", "80"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(text.contains("targets           2\n"), "{text}");
    assert!(told.contains("hits.txt:3: neither address, prefix nor range: '10.0.0.300'"), "{told}");
    let (code, _, told) = run(&["scan", "--list", list, "--special", "-d", "--strict"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("error: ") && told.contains("hits.txt:3:") && told.contains("hint: "), "{told}");
    let (code, _, told) = run(&["scan", "--list", "/nonexistent/list", "-d"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("/nonexistent/list"), "{told}");
}

#[test]
fn what_is_refused_says_what_to_do() {
    let refused = |arguments: &[&str], what: &str, next: &str| {
        let (code, text, told) = run(&[&["scan"], arguments].concat());
        assert_eq!((code, text.as_str()), (Some(2), ""), "{told}");
        assert!(told.contains(what) && told.contains(next), "{told}");
    };
    refused(&[], "<TARGET>", "--help");
    refused(&["8.8.8.0/24"], "public addresses among the 512 targets", "--i-have-permission");
    refused(&["10.0.0.1"], "every target is blocked", "--special");
    refused(&["10.0.0.1", "--special", "-f", "parquet"], "makes files", "-o DIR");
    refused(&["10.0.0.1", "--special", "--probes", "v1"], "--probes", "chosen with --probe");
    refused(&["10.0.0.1", "--special", "--resume"], "--output", "--help");
    refused(&["10.0.0.1", "--read", ANSWERS], "cannot be used with", "--help");
}

#[cfg(target_os = "linux")]
mod wire {
    use super::lab::{Lab, Process, end, start};
    use super::support::stdout;
    use serde_json::Value;
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    /// The laboratory: `.1` speaks Multipath TCP on port 80, `.2` plain TCP, the others refuse.
    fn lab() -> Option<(Lab, Process)> {
        super::lab::one_link(&[(true, 1, 80), (false, 2, 80)])
    }

    /// Starts a scan of port 80.
    fn begin(lab: &Lab, arguments: &str) -> Process {
        start(lab, &format!("scan --special -p 80 --seed 7 {arguments}"))
    }

    /// Runs a scan to its end: its exit code, what it prints and what it says.
    fn scan(lab: &Lab, arguments: &str) -> (Option<i32>, String, String) {
        end(lab, begin(lab, arguments))
    }

    /// How often each target has a row, by its address, and its verdict.
    fn verdicts(targets: &Path) -> BTreeMap<String, (u32, String)> {
        let text = fs::read_to_string(targets).expect("rows");
        let mut found: BTreeMap<String, (u32, String)> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let mut cells = line.split(',');
            let addr = cells.next().expect("an address").to_owned();
            let verdict = cells.nth(1).expect("a verdict").to_owned();
            let entry = found.entry(addr).or_default();
            *entry = (entry.0 + 1, verdict);
        }
        found
    }

    #[test]
    fn support_is_found_and_everything_is_written_down() {
        let Some((lab, _server)) = lab() else { return };
        let out = lab.file("out");
        let arguments = format!(
            "10.6.0.1-10.6.0.3 fd06::1-fd06::3 --probe v1,v0,join --cooldown 0.3 --contact 'the lab' -f csv -u {} -o {}",
            lab.file("status").display(),
            out.display()
        );
        let (code, text, told) = scan(&lab, &arguments);
        assert_eq!((code, text.as_str()), (Some(0), ""), "{told}");
        assert!(
            told.contains("probing 6 targets from 192.168.77.1 fd77::1 on tob with 1,000 packets/s"),
            "{told}"
        );
        assert!(told.contains("4 ports open, 2 with Multipath TCP"), "{told}");
        let found = verdicts(&out.join("targets.csv"));
        let expected = [
            ("10.6.0.1", "supports_v1"),
            ("10.6.0.2", "plain_tcp"),
            ("10.6.0.3", "closed"),
            ("fd06::1", "supports_v1"),
            ("fd06::2", "plain_tcp"),
            ("fd06::3", "closed"),
        ];
        assert_eq!(found, expected.map(|(addr, verdict)| (addr.to_owned(), (1, verdict.to_owned()))).into());
        let probes = fs::read_to_string(out.join("probes.csv")).expect("rows");
        assert!(probes.lines().count() > 6 * 3, "{probes}");
        let metadata = fs::read_to_string(out.join("metadata.json")).expect("metadata");
        let metadata: Value = serde_json::from_str(&metadata).expect("one object");
        assert_eq!(metadata["ended"], "complete");
        assert_eq!(metadata["contact"], "the lab");
        assert_eq!(metadata["seed"], "0000000000000007");
        assert!(metadata["command"].as_str().expect("a command").contains("scan --special"), "{metadata}");
        assert_eq!(fs::read_to_string(out.join("campaigns.csv")).expect("rows").lines().count(), 2);
        assert!(fs::read_to_string(lab.file("status")).expect("lines").lines().count() > 1);
        // Nothing is written over, and nothing is left to do.
        let (code, _, told) = scan(&lab, &arguments);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("holds a scan already"), "{told}");
        let (code, _, told) = scan(&lab, &format!("{arguments} --resume"));
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("nothing is left to probe"), "{told}");
        assert_eq!(verdicts(&out.join("targets.csv")).len(), 6);
    }

    #[test]
    fn words_and_rows_on_standard_output() {
        let Some((lab, _server)) = lab() else { return };
        let targets = "10.6.0.1-10.6.0.3 --cooldown 0.3";
        let (code, text, told) = scan(&lab, targets);
        assert_eq!(code, Some(0), "{told}");
        assert!(text.contains("supports_v1  Multipath TCP of version 1        1   50.0 %"), "{text}");
        let (code, text, told) = scan(&lab, &format!("{targets} -f jsonl -q"));
        assert_eq!((code, told.as_str()), (Some(0), ""));
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(rows.iter().filter(|row| row["verdict"] == "supports_v1").count(), 1);
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn who_looks_up_where_probes_come_from_finds_a_page() {
        let Some((lab, _server)) = lab() else { return };
        let process = begin(&lab, "10.6.0.1 fd06::1 --cooldown 2 --contact '<noc@example.net>' --page 8099");
        let script = "import sys, time, urllib.request\n\
            for url in ['http://192.168.77.1:8099/', 'http://[fd77::1]:8099/']:\n\
            \x20   while True:\n\
            \x20       try: sys.stdout.write(urllib.request.urlopen(url).read().decode()); break\n\
            \x20       except OSError: time.sleep(0.02)\n";
        let mut reader = lab.start('b', "python3", &["-c", script]);
        let mut pages = String::new();
        let mut out = reader.0.stdout.take().expect("piped");
        std::io::Read::read_to_string(&mut out, &mut pages).expect("text");
        assert_eq!(pages.matches("Why you see packets from here").count(), 2, "{pages}");
        assert!(pages.contains("&lt;noc@example.net&gt;"), "{pages}");
        assert_eq!(end(&lab, process).0, Some(0));
        let (_, _, told) = scan(&lab, "10.6.0.1 --cooldown 0.1 --page");
        assert!(told.contains("--contact"), "{told}");
    }

    fn signal(process: &Process, signal: &str) {
        let id = process.0.id().to_string();
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{signal} {id}")])
            .stdin(Stdio::null())
            .status()
            .expect("runs");
        assert!(status.success());
    }

    fn wait_for_rows(file: &Path, rows: usize) {
        while fs::read_to_string(file).map_or(0, |text| text.lines().count()) < rows {
            sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn stopped_and_killed_it_goes_on() {
        let Some((lab, _server)) = lab() else { return };
        let out = lab.file("out");
        let arguments = |more: &str| {
            format!("10.6.0.0/24 --probe v1 --rate 100 --cooldown 0.2 -f csv -o {} {more}", out.display())
        };
        // Ctrl-C: what was begun is finished.
        let process = begin(&lab, &arguments(""));
        wait_for_rows(&out.join("targets.csv"), 20);
        signal(&process, "INT");
        let (code, _, told) = end(&lab, process);
        assert_eq!(code, Some(130), "{told}");
        assert!(told.contains("targets left; the same command with --resume goes on from here"), "{told}");
        let first = verdicts(&out.join("targets.csv"));
        assert!(first.len() >= 20 && first.len() < 256, "{}", first.len());
        assert!(first.values().all(|(times, _)| *times == 1));
        // A sudden end: what was flushed is there, a line that was cut off is mended.
        let process = begin(&lab, &arguments("--resume"));
        wait_for_rows(&out.join("targets.csv"), first.len() + 20);
        signal(&process, "KILL");
        drop(process);
        let file = out.join("targets.csv");
        let text = fs::read_to_string(&file).expect("rows");
        fs::write(&file, text + "10.6.0").expect("writes");
        // Rows of other columns do not come beneath those that are there.
        let (code, _, told) = scan(&lab, &arguments("--resume --fields addr,verdict"));
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("targets.csv: the rows so far have other columns"), "{told}");
        assert!(told.contains("--fields as before"), "{told}");
        let (code, _, told) = scan(&lab, &arguments("--resume"));
        assert_eq!(code, Some(0), "{told}");
        let all = verdicts(&file);
        assert_eq!(all.len(), 256);
        // At most what was probed in the second before it was killed and the cooldowns has two rows.
        assert!(all.values().filter(|(times, _)| *times > 1).count() < 200);
        assert_eq!(all["10.6.0.1"].1, "supports_v1");
        assert_eq!(fs::read_to_string(out.join("metadata.json")).expect("lines").lines().count(), 3);
    }

    #[test]
    fn parquet_comes_with_the_end_and_grows() {
        let Some((lab, _server)) = lab() else { return };
        let out = lab.file("out");
        let arguments = |more: &str| {
            format!("10.6.0.0/24 --probe v1 --rate 100 --cooldown 0.2 -o {} {more}", out.display())
        };
        let count = || {
            let sql = "SELECT count(*) AS n FROM targets";
            let text = stdout(&["query", out.to_str().expect("UTF-8"), sql, "-f", "csv"]);
            text.lines().nth(1).expect("a row").parse::<u64>().expect("a number")
        };
        let (code, _, told) = scan(&lab, &arguments("--max-runtime 1"));
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("--max-runtime is over"), "{told}");
        let first = count();
        assert!(first > 0 && first < 256, "{first}");
        let (code, _, told) = scan(&lab, &arguments("--resume -f csv"));
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains("another format"), "{told}");
        let (code, _, told) = scan(&lab, &arguments("--resume"));
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(count(), 256);
        // What is complete stays as it is.
        let (code, _, told) = scan(&lab, &arguments("--resume"));
        assert_eq!((code, count()), (Some(0), 256), "{told}");
        let names: Vec<_> =
            fs::read_dir(&out).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().contains("partial")), "{names:?}");
    }

    #[test]
    fn what_fails_says_so() {
        let Some((lab, _server)) = lab() else { return };
        let (code, _, told) = scan(&lab, "10.6.0.1 -i eth77");
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("no interface 'eth77'") && told.contains("tob"), "{told}");
        // Without the right to packet sockets; nobody else may be able to run a program that lies in a home folder.
        let without = "setpriv --bounding-set=-net_raw --inh-caps=-net_raw";
        let command = env!("CARGO_BIN_EXE_subflow");
        let line = format!(
            "{without} env -i XDG_CONFIG_HOME=/nonexistent {command} scan --special 10.6.0.1 -p 80 2>&1"
        );
        let mut process = lab.start('a', "sh", &["-c", &line]);
        let mut text = String::new();
        let mut out = process.0.stdout.take().expect("piped");
        std::io::Read::read_to_string(&mut out, &mut text).expect("text");
        assert_eq!(process.0.wait().expect("it ends").code(), Some(1), "{text}");
        assert!(text.contains("not permitted") && text.contains("setcap cap_net_raw+ep"), "{text}");
        // A full disk: a message, and the scan can be resumed.
        let out = lab.file("full");
        fs::create_dir(&out).expect("a folder");
        std::os::unix::fs::symlink("/dev/full", out.join("targets.csv")).expect("a link");
        let (code, _, told) = scan(&lab, &format!("10.6.0.0/28 --cooldown 0.2 -f csv -o {}", out.display()));
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("targets.csv") && told.contains("space") && told.contains("hint:"), "{told}");
        // The interface goes down.
        let out = lab.file("down");
        let arguments =
            format!("10.6.0.0/24 --probe v1 --rate 50 --cooldown 0.2 -f csv -o {}", out.display());
        let process = begin(&lab, &arguments);
        wait_for_rows(&out.join("targets.csv"), 10);
        lab.ip('a', "link set tob down");
        let (code, _, told) = end(&lab, process);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("is down") && told.contains("--resume"), "{told}");
        assert!(verdicts(&out.join("targets.csv")).len() >= 9);
    }
}
