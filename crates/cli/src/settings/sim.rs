//! Settings of `subflow sim`.

use super::layers::Layer;
use super::reading::{lower_layers, talk_flags};
use super::{Output, Talk, Wanted};
use crate::args::{SimFabricArgs, SimOutputArgs, SimPhoneArgs, SimPlanArgs, SimRunArgs, TalkArgs};
use crate::failure::Failure;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use subflow_sim::rows::SCHEMAS;
use subflow_sim::scenario::{self, Fabric, Phone, Scenario, builtin};
use subflow_sim::sweep;

/// What `subflow sim` is to simulate, and where the results go.
#[derive(Debug)]
pub(crate) struct Simulation {
    /// The scenario, with what the flags changed.
    pub(crate) scenario: Scenario,
    /// Its text and the changes: what a folder of results is of.
    pub(crate) plan: String,
    /// Print the text, run nothing.
    pub(crate) print: bool,
    pub(crate) threads: usize,
    /// The folder for tables and captures.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) report: Option<PathBuf>,
    pub(crate) output: Output,
    pub(crate) talk: Talk,
}

impl Simulation {
    /// Of a scenario by its name or file.
    pub(crate) fn scenario(args: SimRunArgs) -> Result<Self, Failure> {
        let (text, name, folder) = source(&args.scenario)?;
        Self::new(text, &name, &folder, &args.schemes, &args.plan, args.output, &args.talk)
    }

    /// Of a fabric, from flags.
    pub(crate) fn fabric(args: SimFabricArgs) -> Result<Self, Failure> {
        let fabric = Fabric {
            schemes: args.schemes,
            k: args.k,
            oversubscription: args.oversubscription,
            rate: args.rate,
            traffic: args.traffic,
            time: args.time,
            fail: args.fail,
            loads: args.plan.loads.clone(),
            seeds: args.plan.seeds.clone(),
        };
        let text = fabric.text().map_err(Failure::usage)?;
        let plan = SimPlanArgs { loads: Vec::new(), seeds: Vec::new(), ..args.plan };
        Self::new(text, "fabric", Path::new("."), &[], &plan, args.output, &args.talk)
    }

    /// Of a phone, from flags.
    pub(crate) fn phone(args: SimPhoneArgs) -> Result<Self, Failure> {
        if !args.plan.loads.is_empty() {
            return Err(Failure::usage("a phone has no --load: it sends one transfer")
                .hint("--size says how much, --time for how long"));
        }
        let phone = Phone {
            schemes: args.schemes,
            wifi: args.wifi,
            cellular: args.cellular,
            leave: args.leave,
            size: args.size,
            time: args.time,
            mptcp_version: args.mptcp_version,
            capture: args.capture,
            seeds: args.plan.seeds.clone(),
        };
        let text = phone.text().map_err(Failure::usage)?;
        let plan = SimPlanArgs { seeds: Vec::new(), ..args.plan };
        Self::new(text, "phone", Path::new("."), &[], &plan, args.output, &args.talk)
    }

    fn new(
        text: String,
        name: &str,
        folder: &Path,
        schemes: &[String],
        plan: &SimPlanArgs,
        output: SimOutputArgs,
        talk: &TalkArgs,
    ) -> Result<Self, Failure> {
        let mut read = |file: &str| fs::read_to_string(folder.join(file));
        let mut scenario = Scenario::parse(&text, name, &mut read).map_err(|error| {
            Failure::failed(error)
                .hint("the guide describes scenarios; subflow sim run NAME --print shows one")
        })?;
        keep(&mut scenario, schemes)?;
        if !plan.seeds.is_empty() {
            scenario.seeds.clone_from(&plan.seeds);
        }
        if !plan.loads.is_empty() {
            if scenario.loads.is_empty() {
                return Err(Failure::usage(format!("the traffic of {name} has no load"))
                    .hint("only flows that arrive at random have one: workload.kind = \"poisson\""));
            }
            if let Some(load) = plan.loads.iter().find(|load| !(**load > 0.0 && **load <= 2.0)) {
                return Err(Failure::usage(format!("{load} is no load: it is a share, as 0.4")));
            }
            scenario.loads.clone_from(&plan.loads);
        }
        let names: Vec<&str> = scenario.schemes.iter().map(|scheme| scheme.name.as_str()).collect();
        let changes = format!(
            "\n# Run: schemes {}; loads {:?}; seeds {:?}\n",
            names.join(", "),
            scenario.loads,
            scenario.seeds
        );
        let flags = Layer { format: Wanted::flag(&output.rows), ..talk_flags(talk) };
        let mut layer = flags.over(lower_layers()?);
        let dir = output.rows.output.clone();
        let wanted = Wanted::new(output.rows, layer.format.take())?;
        let tables = wanted.output(&SCHEMAS, "flows")?;
        Ok(Self {
            plan: text + if plan.print { "" } else { &changes },
            print: plan.print,
            scenario,
            threads: plan.threads.or(layer.threads).map_or_else(sweep::threads, usize::from),
            dir,
            report: output.report,
            output: tables,
            talk: Talk::of(talk, &layer),
        })
    }
}

/// Leaves the named schemes only.
fn keep(scenario: &mut Scenario, names: &[String]) -> Result<(), Failure> {
    let known: Vec<&str> = scenario.schemes.iter().map(|scheme| scheme.name.as_str()).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::usage(format!("the scenario has no scheme `{name}`"))
            .hint(format!("its schemes are {}", known.join(", "))));
    }
    if !names.is_empty() {
        scenario.schemes.retain(|scheme| names.contains(&scheme.name));
    }
    Ok(())
}

/// Text of a scenario, its name for messages, and the folder that its files are in.
fn source(name: &str) -> Result<(String, String, PathBuf), Failure> {
    if name == "-" {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::failed(format!("cannot read standard input: {error}")))?;
        return Ok((text, "standard input".to_owned(), PathBuf::from(".")));
    }
    let path = Path::new(name);
    match fs::read_to_string(path) {
        Ok(text) => {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            Ok((text, name.to_owned(), folder.unwrap_or(Path::new(".")).to_owned()))
        }
        Err(error) => {
            if let Some(builtin) = builtin(name) {
                return Ok((builtin.text.to_owned(), name.to_owned(), PathBuf::from(".")));
            }
            if error.kind() == io::ErrorKind::NotFound && !name.contains(['/', '.']) {
                let names: Vec<&str> = scenario::BUILTINS.iter().map(|builtin| builtin.name).collect();
                return Err(Failure::usage(format!("there is no scenario `{name}`"))
                    .hint(format!("give a TOML file, or one of {}", names.join(", "))));
            }
            Err(Failure::failed(format!("cannot read {name}: {error}")))
        }
    }
}
