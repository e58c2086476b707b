//! Chores of this repository, as `cargo xtask NAME`.

mod bench;
mod dist;
mod docs;
mod lab;
mod packages;
mod replay;
mod shell;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the subflow repository
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    Test(test::Args),
    Docs(docs::Args),
    Lab(lab::Args),
    Replay(replay::Args),
    Bench(bench::Args),
    Dist(dist::Args),
}

fn main() -> ExitCode {
    let done = match Args::parse().chore {
        Chore::Test(args) => test::run(&args),
        Chore::Docs(args) => docs::run(&args),
        Chore::Lab(args) => lab::run(&args),
        Chore::Replay(args) => replay::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::Dist(args) => dist::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
