//! `cargo xtask docs`: the parts of the documentation that are made from the code.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{cargo, execute, have, output, root, target};

/// Regenerate the data dictionary and the output shown in the README, then build the guide
///
/// The guide is built with mdbook where that is installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail when something is out of date
    #[arg(long)]
    check: bool,
}

/// What `subflow` prints stands in the README between these lines, within a code block.
const BEGIN: &str = "<!-- made by `cargo xtask docs`: subflow ";
const END: &str = "<!-- end -->";

pub(crate) fn run(args: &Args) -> Result<()> {
    refresh(args.check)?;
    if args.check {
        return Ok(());
    }
    if have("mdbook") {
        run_mdbook()
    } else {
        eprintln!("the pages are in docs/src; `cargo install mdbook` to build the guide");
        Ok(())
    }
}

fn run_mdbook() -> Result<()> {
    execute(crate::shell::words("mdbook build").arg(root().join("docs")))
}

/// Writes the generated parts anew, or only compares them.
pub(crate) fn refresh(check: bool) -> Result<()> {
    build()?;
    let dictionary = subflow(&["tables"])?;
    update(&root().join("docs/src/tables.md"), &dictionary, check)?;
    let readme = root().join("README.md");
    let text = fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    update(&readme, &with_outputs(&text)?, check)
}

fn update(path: &Path, wanted: &str, check: bool) -> Result<()> {
    let present = fs::read_to_string(path).unwrap_or_default();
    if present == wanted {
        return Ok(());
    }
    if check {
        bail!("{} is out of date: run `cargo xtask docs`", path.display());
    }
    fs::write(path, wanted).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

/// The text with every output between its markers made anew.
fn with_outputs(text: &str) -> Result<String> {
    let mut page = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        page.push_str(line);
        page.push('\n');
        let Some(command) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        if !lines.any(|line| line == END) {
            bail!("no `{END}` after `{line}`");
        }
        let args: Vec<&str> = command.split_whitespace().collect();
        page.push_str("```text\n");
        page.push_str(subflow(&args)?.trim_end());
        page.push_str("\n```\n");
        page.push_str(END);
        page.push('\n');
    }
    Ok(page)
}

/// Builds the program as the tests do: asked for alone, it would have other features of its dependencies, and all of them
/// would be built once more.
fn build() -> Result<()> {
    execute(&mut cargo(["test", "--quiet", "--locked", "--workspace", "--no-run"]))
}

/// What the program prints.
fn subflow(args: &[&str]) -> Result<String> {
    let mut command = Command::new(target().join("debug").join("subflow"));
    output(command.args(args).current_dir(root()).env("NO_COLOR", "1"))
}
