//! `cargo xtask docs`: the parts of the documentation that are made from the code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{execute, have, output, program, root};

/// Regenerate the data dictionary and the output shown in the README and the guide, then build the guide
///
/// The guide is built with mdbook where that is installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail when something is out of date
    #[arg(long)]
    check: bool,
}

/// What `subflow` prints stands on a page between these lines, within a code block.
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
    let program = program()?;
    let dictionary = subflow(&program, &["tables"])?;
    update(&root().join("docs/src/tables.md"), &dictionary, check)?;
    for page in pages()? {
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        if text.contains(BEGIN) {
            update(&page, &with_outputs(&program, &text)?, check)?;
        }
    }
    Ok(())
}

/// The README and the pages of the guide.
fn pages() -> Result<Vec<PathBuf>> {
    let guide = root().join("docs/src");
    let mut pages = vec![root().join("README.md")];
    for entry in fs::read_dir(&guide).with_context(|| format!("cannot read {}", guide.display()))? {
        pages.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    pages.sort();
    Ok(pages)
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
fn with_outputs(program: &Path, text: &str) -> Result<String> {
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
        page.push_str("```text\n");
        page.push_str(subflow(program, &arguments(command))?.trim_end());
        page.push_str("\n```\n");
        page.push_str(END);
        page.push('\n');
    }
    Ok(page)
}

/// The words of a command line; double quotes hold several together.
fn arguments(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part);
        } else {
            words.extend(part.split_whitespace());
        }
    }
    words
}

/// What the program prints.
fn subflow(program: &Path, args: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    output(command.args(args).current_dir(root()).env("NO_COLOR", "1"))
}
