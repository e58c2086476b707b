//! `cargo xtask dist`: an archive for people without Rust.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell::{cargo, execute, output, root, target, words};

/// Build an optimised binary and pack it with man pages, completions and licences
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to put the archive
    #[arg(long, value_name = "DIR", default_value = "dist")]
    output: PathBuf,
}

const PAGES: [&str; 5] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "docs/src/tables.md"];
const SHELLS: [(&str, &str); 3] = [("bash", "subflow.bash"), ("zsh", "_subflow"), ("fish", "subflow.fish")];

pub(crate) fn run(args: &Args) -> Result<()> {
    run_cargo()?;
    let binary = target().join("dist/subflow");
    let name = format!("subflow-{}-{}", env!("CARGO_PKG_VERSION"), host()?);
    let parent = root().join(&args.output);
    let dir = parent.join(&name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    for part in ["man", "completions"] {
        fs::create_dir_all(dir.join(part))?;
    }
    fs::copy(&binary, dir.join("subflow")).with_context(|| format!("no {}", binary.display()))?;
    for page in PAGES {
        let page = root().join(page);
        fs::copy(&page, dir.join(page.file_name().unwrap_or_default()))
            .with_context(|| format!("no {}", page.display()))?;
    }
    let program = || std::process::Command::new(&binary);
    execute(program().arg("man").arg(dir.join("man")))?;
    for (shell, file) in SHELLS {
        let script = output(program().args(["completions", shell]))?;
        fs::write(dir.join("completions").join(file), script)?;
    }
    let archive = format!("{name}.tar.gz");
    // Names in order, no owner and one time for all: the same build gives the same archive.
    let mut pack = words("tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0");
    pack.arg("--use-compress-program=gzip -n");
    execute(pack.arg("-cf").arg(&archive).arg(&name).current_dir(&parent))?;
    let sum = output(words("sha256sum").arg(&archive).current_dir(&parent))?;
    fs::write(parent.join(format!("{archive}.sha256")), &sum)?;
    eprint!("{}/{archive}\n{sum}", parent.display());
    Ok(())
}

fn run_cargo() -> Result<()> {
    execute(&mut cargo(["build", "--locked", "--profile", "dist", "--package", "subflow"]))
}

/// The triple of this machine.
fn host() -> Result<String> {
    let version = output(&mut words("rustc --version --verbose"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}
