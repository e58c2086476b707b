//! `subflow sim list`.

use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::sim as summary;
use subflow_sim::scenario::{BUILTINS, Scenario};

pub(super) fn run() -> Result<Exit, Failure> {
    let scenarios: Vec<Scenario> = BUILTINS
        .iter()
        .map(|builtin| builtin.scenario().map_err(Failure::failed))
        .collect::<Result<_, _>>()?;
    console::print(&summary::list(&scenarios))?;
    Ok(Exit::Done)
}
