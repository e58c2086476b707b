//! Exit codes, messages, and where settings come from.

mod support;

use snapbox::str;
use support::{capture, plain, subflow, write_capture};

#[test]
fn a_missing_file_fails_with_a_hint() {
    subflow().args(["analyze", "/nonexistent/a.pcap"]).assert().code(1).stdout_eq("").stderr_eq(str![[r#"
error: cannot read /nonexistent/a.pcap: No such file or directory (os error 2)
hint: check the path; - reads standard input

"#]]);
}

#[test]
fn parquet_needs_a_folder() {
    subflow().args(["analyze", "a.pcap", "--format", "parquet"]).assert().code(2).stdout_eq("").stderr_eq(
        str![[r#"
error: the format parquet (--format) makes files, not a stream
hint: name a folder for them with -o DIR, or choose json, jsonl or csv for standard output

"#]],
    );
}

#[test]
fn wrong_values_are_usage_errors() {
    for (arguments, reason) in [
        (&["analyze"][..], "required arguments were not provided"),
        (&["analyse", "a.pcap"], "similar subcommand exists: 'analyze'"),
        (&["analyze", "a.pcap", "--since", "yesterday"], "not a time: write 2026-01-31"),
        (&["analyze", "a.pcap", "--port", "65536"], "65536 is not in 0..=65535"),
        (&["analyze", "a.pcap", "--host", "10.0.0.0/33"], "prefix length '33'"),
        (&["analyze", "a.pcap", "--idle-timeout", "0"], "not a number of seconds above 0"),
        (&["analyze", "a.pcap", "-f", "json", "-t", "flow"], "there is no table `flow`"),
        (&["analyze", "a.pcap", "-f", "csv", "--fields", "flow"], "there is no column `flow` in connections"),
        (&["analyze", "a.pcap", "-t", "hosts"], "hint: add --format csv, json or jsonl, or -o DIR"),
        (&["tables", "flow"], "hint: the tables are traffic, connections"),
    ] {
        let output = subflow().args(arguments).output().expect("runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_environment_is_checked_and_named() {
    subflow().args(["analyze", "a.pcap"]).env("SUBFLOW_FORMAT", "xml").assert().code(2).stderr_eq(str![[
        r#"
error: the environment variable SUBFLOW_FORMAT: 'xml' is no format: they are table, json, jsonl, csv, parquet
hint: correct it, or unset SUBFLOW_FORMAT

"#
    ]]);
    subflow().args(["analyze", "a.pcap"]).env("SUBFLOW_FORMAT", "parquet").assert().code(2).stderr_eq(str![
        [r#"
error: the format parquet (SUBFLOW_FORMAT) makes files, not a stream
hint: name a folder for them with -o DIR, or choose json, jsonl or csv for standard output

"#]
    ]);
}

#[test]
fn flags_over_environment_over_configuration() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write_capture(dir.path(), "a.pcap", &capture(2));
    std::fs::create_dir(dir.path().join("subflow")).expect("makes a folder");
    std::fs::write(dir.path().join("subflow/config.toml"), "format = \"json\"\n").expect("writes");
    let first_bytes = |environment: Option<&str>, arguments: &[&str]| {
        let mut command =
            subflow().args(["analyze", &file]).args(arguments).env("XDG_CONFIG_HOME", dir.path());
        if let Some(format) = environment {
            command = command.env("SUBFLOW_FORMAT", format);
        }
        let output = command.output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).chars().take(9).collect::<String>()
    };
    assert_eq!(first_bytes(None, &[]), "{\n\"traffi");
    assert_eq!(first_bytes(Some("jsonl"), &[]), "{\"table\":");
    assert_eq!(first_bytes(Some("jsonl"), &["-f", "csv", "-t", "hosts"]), "addr,clas");
    assert_eq!(first_bytes(Some(""), &[]), "{\n\"traffi");
}

#[test]
fn a_mistake_in_the_configuration_is_shown_with_its_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("c.toml");
    std::fs::write(&config, "strict = true\ncolour = 1\n").expect("writes");
    subflow().args(["analyze", "a.pcap"]).env("SUBFLOW_CONFIG", &config).assert().code(2).stderr_eq(str![[
        r#"
error: in the configuration [..]/c.toml: TOML parse error at line 2, column 1
  |
2 | colour = 1
  | ^^^^^^
unknown field `colour`, expected one of `format`, `idle-timeout`, `threads`, `strict`, `quiet`, `progress`
hint: its keys are format, idle-timeout, threads, strict, quiet and progress

"#
    ]]);
}

/// Runs with a standard output that nobody reads.
fn into_closed_pipe(arguments: &[&str]) -> std::process::Output {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let child =
        plain().args(arguments).stdout(writer).stderr(std::process::Stdio::piped()).spawn().expect("runs");
    child.wait_with_output().expect("ends")
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write_capture(dir.path(), "a.pcap", &capture(2));
    for arguments in [
        &["tables"][..],
        &["completions", "bash"],
        &["man"],
        &["analyze", &file],
        &["analyze", &file, "-f", "json"],
        &["analyze", &file, "-f", "jsonl"],
        &["analyze", &file, "-f", "csv"],
    ] {
        let output = into_closed_pipe(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn colours_stay_away_from_pipes() {
    let coloured = |pairs: &[(&str, &str)]| {
        let command = subflow().args(["analyze", "/nonexistent/a.pcap"]).envs(pairs.iter().copied());
        command.output().expect("runs").stderr.contains(&0x1b)
    };
    assert!(!coloured(&[]));
    assert!(!coloured(&[("NO_COLOR", "1")]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
}
