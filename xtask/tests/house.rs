//! Rules of the house that no other tool checks.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder whose name ends so, generated folders left out.
fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if entry.is_dir()
            && !name.starts_with(".git")
            && !["target", "artifacts", "corpus"].contains(&name.as_str())
        {
            files(&entry, ending, found);
        } else if entry.is_file() && name.ends_with(ending) {
            found.push(entry);
        }
    }
}

/// Only `crates/netio` talks to the kernel directly; everything else is safe Rust, whatever its lints say.
#[test]
fn no_unsafe_code() {
    let word = concat!("un", "safe");
    let mut sources = Vec::new();
    files(&root(), ".rs", &mut sources);
    assert!(sources.len() > 100, "found the sources");
    for source in sources.iter().filter(|path| !path.starts_with(root().join("crates/netio"))) {
        for (number, line) in fs::read_to_string(source).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let found = code
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|token| token == word);
            assert!(!found, "{}:{}: {line}", source.display(), number + 1);
        }
    }
}

/// The lints of the root manifest hold in every member. The crate that talks to the kernel has them in a table of its own,
/// as a manifest takes all or none: there the one word is allowed, and must be explained.
#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let mut manifests = Vec::new();
    files(&root().join("crates"), "Cargo.toml", &mut manifests);
    manifests.push(root().join("xtask/Cargo.toml"));
    for manifest in manifests {
        let text = fs::read_to_string(&manifest).unwrap();
        if manifest.ends_with("netio/Cargo.toml") {
            let of_the_workspace = read("Cargo.toml");
            let lints =
                of_the_workspace.split("[workspace.lints.").skip(1).flat_map(|table| table.lines().skip(1));
            for lint in
                lints.take_while(|line| !line.starts_with("[profile")).filter(|line| line.contains(" = "))
            {
                assert!(
                    text.contains(lint) || lint == "unsafe_code = \"forbid\"",
                    "{}: {lint}",
                    manifest.display()
                );
            }
            assert!(text.contains("undocumented_unsafe_blocks = \"warn\""), "{}", manifest.display());
            continue;
        }
        assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
        for line in text.lines().filter(|line| line.contains("version = \"") || line.contains(" = \"")) {
            let own = ["name", "description", "harness", "path"].iter().any(|key| line.starts_with(key));
            assert!(
                own || line.contains("path = \"../fuzz\""),
                "{}: {line} belongs into the root manifest",
                manifest.display()
            );
        }
    }
}

/// The README promises two commands; CI runs the second as it stands.
#[test]
fn the_readme_and_ci_name_the_same_commands() {
    let readme = read("README.md");
    let block =
        readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a first sh block");
    let commands: Vec<&str> = block.lines().map(|line| line.split("  #").next().unwrap().trim()).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let capture = commands[0].strip_prefix("cargo run --release -- analyze ").expect("the main job first");
    assert!(root().join(capture).is_file(), "{capture} is bundled");
    assert!(
        read(".ci/run").lines().any(|line| line == commands[1]),
        ".ci/run does not run `{}`",
        commands[1]
    );
}

/// Bundled captures stay small: a clone is quick.
#[test]
fn examples_are_small_and_described() {
    let about = read("examples/README.md");
    let mut captures = Vec::new();
    files(&root().join("examples"), ".zst", &mut captures);
    let bytes: u64 = captures.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes < 500_000, "{bytes} bytes");
    for capture in captures {
        let name = capture.file_name().unwrap().to_string_lossy().into_owned();
        assert!(about.contains(&format!("`{name}`")), "examples/README.md says nothing of {name}");
    }
}
