//! `subflow sim`: simulations.

mod keep;
mod list;
mod run;

use crate::args::{SimArgs, SimCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::Simulation;

pub(super) fn run(args: SimArgs) -> Result<Exit, Failure> {
    match args.command {
        SimCommand::Run(args) => run::run(Simulation::scenario(*args)?),
        SimCommand::Fabric(args) => run::run(Simulation::fabric(*args)?),
        SimCommand::Phone(args) => run::run(Simulation::phone(*args)?),
        SimCommand::List(_) => list::run(),
    }
}
