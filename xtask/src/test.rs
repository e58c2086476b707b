//! `cargo xtask test`: everything that must hold before a change is taken, here as in CI.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::packages;
use crate::shell::{cargo, execute, have, loud, words};

/// Where proptest takes the seed of its cases from.
const DRAWS: &str = "PROPTEST_RNG_SEED";

/// Run every check: format, lints, tests, documentation, licences
///
/// Installs tshark, tcpdump and chromium if they are missing and this is Debian and run by root: some tests compare with
/// the former and open pages in the latter, and say so when they cannot. cargo-nextest, cargo-deny and typos are used where they are installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Build with all cores, but run only the tests, no other check
    #[arg(long)]
    only_tests: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut checks = Checks::default();
    let data = subflow_testdata::root();
    if !data.is_dir() {
        checks.skip(&format!(
            "tests on captures with known truth: {} is missing (set SUBFLOW_DATA)",
            data.display()
        ));
    }
    for program in packages::want(&[("tshark", "tshark"), ("tcpdump", "tcpdump"), ("chromium", "chromium")]) {
        checks.skip(&match program {
            "chromium" => "pages in a browser: chromium is not installed".to_owned(),
            program => format!("comparisons with {program}, which is not installed"),
        });
    }
    if !args.only_tests {
        component("rustfmt")?;
        component("clippy")?;
        checks.step("format", &["fmt", "--all", "--", "--check"]);
        let lint = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
        checks.step("lints", &lint);
    }
    if have("cargo-nextest") {
        checks.tests(&["nextest", "run", "--locked", "--workspace", "--no-fail-fast"]);
        checks.step("examples in the documentation", &["test", "--locked", "--workspace", "--doc"]);
    } else {
        checks.tests(&["test", "--locked", "--workspace", "--no-fail-fast"]);
    }
    if !args.only_tests {
        checks.timed("pages made from the code", || crate::docs::refresh(true));
        checks.timed("documentation", || {
            let args = ["doc", "--locked", "--workspace", "--no-deps"];
            execute(cargo(args).env("RUSTDOCFLAGS", "-D warnings"))
        });
        deny(&mut checks);
        if have("typos") {
            checks.timed("spelling", || execute(words("typos").current_dir(crate::shell::root())));
        } else {
            checks.skip("spelling: typos is not installed (cargo install typos-cli)");
        }
    }
    checks.report()
}

/// Licences, duplicates, sources; known vulnerabilities if their list can be had.
fn deny(checks: &mut Checks) {
    if !have("cargo-deny") {
        checks.skip("licences and advisories: cargo-deny is not installed (cargo install cargo-deny)");
        return;
    }
    checks.step("licences, bans, sources", &["deny", "check", "licenses", "bans", "sources"]);
    if execute(&mut cargo(["deny", "fetch", "db"])).is_ok() {
        checks.step("advisories", &["deny", "check", "--disable-fetch", "advisories"]);
    } else {
        checks.skip("advisories: their list cannot be fetched");
    }
}

/// Sees to it that a component of the Rust toolchain is there.
fn component(name: &str) -> Result<()> {
    let program = if name == "clippy" { "cargo-clippy" } else { "rustfmt" };
    if have(program) {
        return Ok(());
    }
    if have("rustup") && execute(&mut words(&format!("rustup component add {name}"))).is_ok() {
        return Ok(());
    }
    bail!("{name} is missing: `rustup component add {name}`")
}

/// What came of the checks. All are run, so that one failure does not hide the next.
#[derive(Default)]
struct Checks {
    done: Vec<(String, f64)>,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Checks {
    fn step(&mut self, name: &str, args: &[&str]) {
        self.timed(name, || execute(&mut cargo(args)));
    }

    /// Tests, whose drawn cases are the same each time: what passed here passes in CI. `cargo test` draws others.
    fn tests(&mut self, args: &[&str]) {
        let seed = std::env::var(DRAWS).unwrap_or_else(|_| "1".to_owned());
        self.timed("tests", || execute(cargo(args).env(DRAWS, seed)));
    }

    fn timed(&mut self, name: &str, check: impl FnOnce() -> Result<()>) {
        eprintln!("\n== {name}");
        let begin = Instant::now();
        match check() {
            Ok(()) => self.done.push((name.to_owned(), begin.elapsed().as_secs_f64())),
            Err(error) => {
                loud(&format!("{name}: {error:#}"));
                self.failed.push(name.to_owned());
            }
        }
    }

    fn skip(&mut self, what: &str) {
        loud(&format!("skipped: {what}"));
        self.skipped.push(what.to_owned());
    }

    fn report(&self) -> Result<()> {
        eprintln!("\n== result");
        for (name, seconds) in &self.done {
            eprintln!("{seconds:7.1} s  passed   {name}");
        }
        for what in &self.skipped {
            eprintln!("           skipped  {what}");
        }
        for name in &self.failed {
            eprintln!("           FAILED   {name}");
        }
        let (passed, failed, skipped) = (self.done.len(), self.failed.len(), self.skipped.len());
        eprintln!("\n{passed} passed, {failed} failed, {skipped} skipped");
        if self.failed.is_empty() {
            return Ok(());
        }
        bail!("{} of {} checks failed", self.failed.len(), self.failed.len() + self.done.len())
    }
}
