//! Runs a scenario that comes with the program, or a file, and prints a line a run: `cargo run --release -p subflow-sim --example scenario -- subflow-count [most runs]`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use subflow_sim::scenario::{Scenario, builtin};
use subflow_sim::statistics::Summary;
use subflow_sim::sweep::{jobs, sweep, threads};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "subflow-count".to_owned());
    let most = args.next().and_then(|most| most.parse().ok()).unwrap_or(usize::MAX);
    let scenario = match builtin(&name) {
        Some(builtin) => builtin.scenario()?,
        None => {
            let folder = Path::new(&name).parent().unwrap_or(Path::new("")).to_owned();
            let text = std::fs::read_to_string(&name)?;
            Scenario::parse(&text, &name, &mut |file| std::fs::read_to_string(folder.join(file)))?
        }
    };
    let mut jobs = jobs(&scenario);
    jobs.truncate(most);
    let run = |job: &_| {
        let begin = std::time::Instant::now();
        (scenario.run(job), begin.elapsed().as_secs_f64())
    };
    sweep(&jobs, threads(), run, |_, (tables, seconds)| {
        let tables = tables?;
        for run in &tables.runs {
            let share =
                |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.1}%", 100.0 * share));
            let small = |most: u64| {
                let sized = |size: Option<u64>| size.is_some_and(|size| size <= most);
                let flows = tables.flows.iter().filter(|flow| sized(flow.size));
                Summary::of(&mut flows.filter_map(|flow| flow.slowdown).collect::<Vec<_>>())
                    .map_or("-".to_owned(), |summary| format!("{:.2}/{:.2}", summary.mean, summary.p99))
            };
            println!(
                "{:3} {:18} load {:?} seed {} flows {}/{} used {} max-min {} slowdown <=100kB {} <=1MB {} all {} rtx {} rto {} moves {} ooo {} hops {:.1}M in {seconds:.1} s = {:.1} M/s end {:.3} s",
                run.run_id,
                run.scheme,
                run.load,
                run.seed,
                run.completed,
                run.flows,
                share(run.utilisation),
                share(run.max_min),
                small(100_000),
                small(1_000_000),
                small(u64::MAX),
                tables.flows.iter().map(|flow| flow.retransmits).sum::<u64>(),
                tables.flows.iter().map(|flow| flow.timeouts).sum::<u64>(),
                tables.changes.len(),
                tables.flows.iter().map(|flow| flow.out_of_order).sum::<u64>(),
                run.hops as f64 / 1e6,
                run.hops as f64 / 1e6 / seconds,
                run.duration,
            );
        }
        Ok::<_, Box<dyn Error>>(true)
    })
}
