//! The answers, in words and key figures: what somebody who reads nothing else should know.

use super::class::Class;
use super::data::Data;
use super::failures::kept;
use super::measure::{LEVEL, Statistic, over_seeds, relative};
use super::throughput::endless;
use super::words::{against, sureness, whole_share};
use crate::figure::Unit;
use crate::page::{Block, Fact, Finding, Section, Tone};
use crate::text::{bytes, counted, grouped, percent, seconds, share};
use subflow_sim::rows::Flow;
use subflow_sim::statistics::Interval;

/// Loads that have sentences of their own; of more, the lowest, the middle and the highest.
const MOST_LOADS: usize = 3;

pub(super) fn section(data: &Data<'_>) -> Section {
    let section = Section::new("short", "In short");
    if data.runs.is_empty() {
        return section.empty("No run is in the tables.");
    }
    let mut findings = unfinished(data);
    findings.extend(slowdowns(data));
    findings.extend(throughputs(data));
    findings.extend(failures(data));
    section.block(Block::Facts(facts(data))).block(Block::Findings(findings))
}

fn total(data: &Data<'_>, of: impl Fn(&subflow_sim::rows::Run) -> u64) -> u64 {
    data.runs.iter().map(|run| of(run.row)).sum()
}

fn facts(data: &Data<'_>) -> Vec<Fact> {
    let (flows, completed) = (total(data, |run| run.flows), total(data, |run| run.completed));
    let hosts = data.runs.iter().map(|run| run.row.hosts).max().unwrap_or(0);
    let time: f64 = data.runs.iter().map(|run| run.row.duration).sum();
    let loads = data.loads.iter().flatten().count() as u64;
    let dropped = total(data, |run| run.dropped);
    let packets = total(data, |run| run.packets);
    let mut runs = counted(data.schemes.len() as u64, "scheme");
    if loads > 0 {
        runs.push_str(&format!(", {}", counted(loads, "load")));
    }
    runs.push_str(&format!(", {}", counted(data.seeds() as u64, "seed")));
    vec![
        Fact::new("runs", grouped(data.runs.len() as u64), runs),
        Fact::new("hosts", grouped(u64::from(hosts)), ""),
        Fact::new(
            "flows",
            grouped(flows),
            if endless(data) {
                "some or all last as long as their run".to_owned()
            } else {
                format!("{} completed", percent(completed, flows.max(1)))
            },
        ),
        Fact::new("simulated time", seconds(time), "over all runs"),
        Fact::new("data delivered", bytes(total(data, |run| run.delivered)), "over all runs"),
        Fact::new("packet hops", grouped(total(data, |run| run.hops)), "packets that crossed a link"),
        Fact::new(
            "packets dropped",
            grouped(dropped),
            format!("{} of those sent", percent(dropped, packets.max(1))),
        ),
    ]
}

/// `27.0 % below that under ecmp (95 % interval 22.0 % to 31.0 %; 5 seeds paired)`.
fn compared(ratio: &Interval, first: &str) -> String {
    let mut words = format!("{} that under {first}", against(ratio.mean));
    match ratio.low.zip(ratio.high) {
        Some((low, high)) => {
            let way = |ratio: f64| {
                if ratio < 1.0 {
                    format!("{} below", share(1.0 - ratio))
                } else {
                    format!("{} above", share(ratio - 1.0))
                }
            };
            let interval = if high <= 1.0 {
                format!("{} to {}", share(1.0 - high), share(1.0 - low))
            } else if low >= 1.0 {
                format!("{} to {}", share(low - 1.0), share(high - 1.0))
            } else {
                format!("{} to {}, so that no difference is shown", way(low), way(high))
            };
            words.push_str(&format!(
                " ({} interval {interval}; {} paired)",
                whole_share(LEVEL),
                counted(ratio.n as u64, "seed")
            ));
        }
        None => words.push_str(" (one seed, so without an interval)"),
    }
    words
}

/// How a ratio of times is to be taken: an interval on one side of 1 is a difference.
fn tone(ratio: &Interval) -> Tone {
    match (ratio.low, ratio.high) {
        (_, Some(high)) if high < 1.0 => Tone::Good,
        (Some(low), _) if low > 1.0 => Tone::Bad,
        _ => Tone::Plain,
    }
}

/// The places of the loads that have sentences.
fn told(loads: usize) -> Vec<usize> {
    if loads <= MOST_LOADS { (0..loads).collect() } else { vec![0, loads / 2, loads - 1] }
}

fn slowdowns(data: &Data<'_>) -> Vec<Finding> {
    let Some(first) = data.schemes.first() else { return Vec::new() };
    let of_slowdown = |flow: &Flow| flow.slowdown;
    // Short flows where there are some and others; the 99th percentile where runs have enough flows for it.
    let short =
        data.classes.iter().any(|class| class.name() == "to 10 kB" || class.name() == "10 kB to 100 kB");
    let classes = if short { vec![Class::SHORT, Class::ALL] } else { vec![Class::ALL] };
    let mut findings = Vec::new();
    for (scheme, name) in data.schemes.iter().enumerate().skip(1) {
        for load in told(data.loads.len()) {
            for class in &classes {
                let mut statistic = Statistic::Quantile(0.99);
                let mut found = relative(data, (scheme, load), *class, statistic, of_slowdown);
                if *class == Class::ALL || found.is_none() {
                    statistic = Statistic::Mean;
                    found = relative(data, (scheme, load), *class, statistic, of_slowdown);
                }
                let Some((ratio, _)) = found else { continue };
                let at = data.load_name(load);
                let at = if at.is_empty() { at } else { format!("At {at}, ") };
                let what = if *class == Class::ALL {
                    "of all flows".to_owned()
                } else {
                    format!("of flows {}", class.name())
                };
                let the = if at.is_empty() { "The" } else { "the" };
                let words = format!(
                    "{at}{the} {} slowdown {what} under {name} is {}.",
                    statistic.name(),
                    compared(&ratio, first)
                );
                findings.push(Finding { tone: tone(&ratio), words });
            }
        }
    }
    findings
}

fn throughputs(data: &Data<'_>) -> Vec<Finding> {
    if !endless(data) {
        return Vec::new();
    }
    let cells =
        data.cells().filter_map(|cell| Some((cell, over_seeds(data, cell, |run| run.row.utilisation)?)));
    cells
        .map(|((scheme, load), utilisation)| {
            let at = data.load_name(load);
            let at = if at.is_empty() { at } else { format!(" at {at}") };
            let max_min = over_seeds(data, (scheme, load), |run| run.row.max_min);
            let most = max_min.map_or_else(String::new, |most| {
                format!("; max-min fair rates on the same paths would be {}", share(most.mean))
            });
            let estimate = super::words::estimate(Unit::Share, &utilisation);
            let words = format!(
                "{}{at} delivers {estimate} of what the hosts could send{most} ({}).",
                data.schemes[scheme],
                sureness(&utilisation)
            );
            Finding { tone: Tone::Plain, words }
        })
        .collect()
}

fn failures(data: &Data<'_>) -> Vec<Finding> {
    data.cells()
        .filter_map(|cell| {
            let kept = kept(data, cell)?;
            let words = format!(
                "Under {}, receivers got {} of what they got before while the link was down ({}).",
                data.schemes[cell.0],
                super::words::estimate(Unit::Share, &kept),
                sureness(&kept)
            );
            Some(Finding { tone: Tone::Plain, words })
        })
        .collect()
}

/// Schemes with flows that were not completed: their percentiles flatter them.
fn unfinished(data: &Data<'_>) -> Vec<Finding> {
    let of_scheme = |scheme: usize| {
        let runs = data.runs.iter().filter(|run| run.scheme == scheme);
        let flows = runs.flat_map(|run| &run.flows).filter(|flow| flow.size.is_some());
        flows.fold((0u64, 0u64), |(open, all), flow| (open + u64::from(flow.fct.is_none()), all + 1))
    };
    (0..data.schemes.len())
        .filter_map(|scheme| {
            let (open, all) = of_scheme(scheme);
            let words = format!(
                "{}: {} of {} not complete when their run ended; they have no completion time, so that its percentiles may look \
                 better than they are.",
                data.schemes[scheme],
                grouped(open),
                counted(all, "flow") + if open == 1 { " was" } else { " were" },
            );
            (open > 0).then_some(Finding { tone: Tone::Care, words })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tables::{flow, run, small};
    use super::*;
    use subflow_sim::rows::Tables;

    /// A hundred short flows in each of two runs of each scheme; those of the second take so much of the time.
    fn paired(shares: [f64; 2]) -> Tables {
        let mut tables = Tables::default();
        for (seed, share) in (0u32..).zip(shares) {
            for (scheme, name) in (0u32..).zip(["ecmp", "flowbender"]) {
                let run_id = 2 * seed + scheme;
                tables.runs.push(run(run_id, name, Some(0.2), u64::from(seed)));
                let factor = if scheme == 0 { 1.0 } else { share };
                tables.flows.extend((0..100).map(|id| flow(run_id, id, 10.0 * factor)));
            }
        }
        tables
    }

    #[test]
    fn a_better_scheme_is_told() {
        let tables = paired([0.7, 0.7]);
        let told = slowdowns(&Data::of(&tables));
        assert_eq!(
            told[0].words,
            "At load 20 %, the mean slowdown of all flows under flowbender is 30.0 % below that under ecmp (95 % interval 30.0 % to 30.0 %; 2 seeds paired)."
        );
        assert_eq!(told[0].tone, Tone::Good);
    }

    #[test]
    fn a_difference_that_seeds_do_not_agree_on_is_none() {
        let tables = paired([0.5, 1.5]);
        let told = slowdowns(&Data::of(&tables));
        assert!(told[0].words.contains("so that no difference is shown"), "{}", told[0].words);
        assert_eq!(told[0].tone, Tone::Plain);
    }

    #[test]
    fn short_flows_are_told_apart() {
        let tables = small();
        let told = slowdowns(&Data::of(&tables));
        assert_eq!(told.len(), 4);
        assert!(told[2].words.starts_with(
            "At load 40 %, the mean slowdown of flows to 100 kB under flowbender is 50.0 % below that under ecmp"
        ));
    }

    #[test]
    fn flows_that_were_not_completed_are_told() {
        let tables = small();
        let told = unfinished(&Data::of(&tables));
        assert_eq!(told.len(), 1);
        assert!(told[0].words.starts_with("ecmp: 1 of 16 flows was not complete"), "{}", told[0].words);
    }

    #[test]
    fn of_many_loads_three_are_told() {
        assert_eq!((told(2), told(5)), (vec![0, 1], vec![0, 2, 4]));
    }
}
