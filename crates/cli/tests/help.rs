//! Help, manual pages and completions, word by word.

mod support;

use support::{stdout, subflow};

const COMMANDS: [&str; 16] = [
    "analyze",
    "show",
    "explain",
    "query",
    "compare",
    "live",
    "anonymize",
    "scan",
    "verify",
    "tracebox",
    "check",
    "serve-check",
    "sim",
    "tables",
    "completions",
    "man",
];

/// The text without the version, which changes with every release.
fn unversioned(text: &str) -> String {
    text.replace(concat!("subflow ", env!("CARGO_PKG_VERSION")), "subflow [VERSION]")
}

#[test]
fn help_of_every_command() {
    insta::assert_snapshot!("help", stdout(&["--help"]));
    insta::assert_snapshot!("short_help", stdout(&["-h"]));
    for command in COMMANDS {
        insta::assert_snapshot!(format!("help_{command}"), stdout(&[command, "--help"]));
        insta::assert_snapshot!(format!("short_help_{command}"), stdout(&[command, "-h"]));
    }
}

#[test]
fn no_example_is_wider_than_a_page() {
    for command in COMMANDS {
        let help = stdout(&[command, "--help"]);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{command}");
        assert!(help.contains("Examples:"), "{command}");
    }
}

#[test]
fn manual_pages_of_all_commands() {
    insta::assert_snapshot!("man", unversioned(&stdout(&["man"])));
    let dir = tempfile::tempdir().expect("a folder");
    let man = dir.path().join("man1");
    stdout(&["man", man.to_str().expect("UTF-8")]);
    let page = |name: &str| std::fs::read_to_string(man.join(name)).expect("a page");
    assert_eq!(page("subflow.1"), stdout(&["man"]));
    insta::assert_snapshot!("man_analyze", unversioned(&page("subflow-analyze.1")));
    for command in COMMANDS {
        assert!(page(&format!("subflow-{command}.1")).contains(".SH EXAMPLES"), "{command}");
    }
}

#[test]
fn completions_know_commands_flags_and_values() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&["completions", shell]);
        for word in ["analyze", "idle-timeout", "parquet"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_version_is_the_package_version() {
    assert_eq!(stdout(&["--version"]), concat!("subflow ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn no_command_shows_the_help_and_exits_with_2() {
    subflow().assert().code(2).stdout_eq("").stderr_eq(snapbox::str![[r#"
Measure Multipath TCP

Usage: subflow <COMMAND>
...
"#]]);
}

#[test]
fn the_dictionary_has_every_table() {
    let page = stdout(&["tables"]);
    for table in [
        "traffic",
        "connections",
        "subflows",
        "announcements",
        "reinjections",
        "events",
        "hosts",
        "issues",
        "stalls",
        "series",
        "packets",
        "carriages",
        "samples",
        "clocks",
        "matches",
        "paths",
        "changes",
        "reinjection_outcomes",
        "delays",
        "differences",
        "counters",
        "probes",
        "targets",
        "campaigns",
        "hops",
        "modifications",
    ] {
        assert!(page.contains(&format!("\n### `{table}`\n")), "{table}");
    }
    let fields = stdout(&["tables", "--list-fields"]);
    assert!(fields.contains("\nconnections\tstart_ns\tint\tns\t"), "{fields}");
    assert!(fields.starts_with(&stdout(&["analyze", "--list-fields"])), "those of `analyze` come first");
    assert!(
        fields.lines().skip(1).all(|line| line.ends_with('.')),
        "every column says what it means: {fields}"
    );
    let issues = stdout(&["tables", "--list-fields", "issues"]);
    assert_eq!(issues.lines().filter(|line| !line.starts_with("issues\t")).count(), 1, "{issues}");
}
