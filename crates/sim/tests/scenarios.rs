//! Scenarios, run: conservation of what rows say, the figures that they are to repeat, and that a run depends on its seed alone.

use subflow_sim::Time;
use subflow_sim::rows::{ChangeKind, Tables};
use subflow_sim::scenario::{BUILTINS, Phone, Scenario, builtin, run};
use subflow_sim::sweep::{Job, jobs};

/// A built-in scenario, changed.
fn changed(name: &str, changes: &[(&str, &str)]) -> Scenario {
    let mut text = builtin(name).expect("built in").text.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{name} has no {from}");
        text = text.replace(from, to);
    }
    Scenario::parse(&text, name, &mut |_| Err(std::io::ErrorKind::NotFound.into())).expect("a scenario")
}

fn job(scenario: &Scenario, scheme: &str, seed: u64) -> Job {
    let scheme = scenario.schemes.iter().position(|it| it.name == scheme).expect("a scheme");
    Job { run_id: 0, scheme, load: scenario.loads.first().copied(), seed }
}

fn go(scenario: &Scenario, scheme: &str, seed: u64) -> Tables {
    scenario.run(&job(scenario, scheme, seed)).expect("runs")
}

#[test]
fn every_built_in_scenario_begins_and_may_be_stopped() {
    for builtin in BUILTINS {
        let scenario = builtin.scenario().expect("right");
        for job in jobs(&scenario).iter().take(scenario.schemes.len()) {
            let begun = std::cell::Cell::new(0);
            let stopped = run(&scenario, job, None, &|now| {
                begun.set(begun.get() + 1);
                now < Time::ZERO + scenario.duration && begun.get() < 3
            });
            // Short ones are over before the third pause.
            match stopped {
                Ok(tables) => assert!(tables.runs[0].completed == tables.runs[0].flows, "{}", builtin.name),
                Err(error) => assert_eq!(error.to_string(), "stopped", "{}", builtin.name),
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_rows() {
    let scenario = changed("oversubscribed", &[("arrive = \"50 ms\"", "arrive = \"1 ms\"")]);
    let first = go(&scenario, "flowbender", 1);
    assert!(first.flows.len() > 10);
    assert_eq!(first, go(&scenario, "flowbender", 1));
    assert_ne!(first, go(&scenario, "flowbender", 2));
    // Every scheme meets the same flows.
    let other = go(&scenario, "ecmp", 1);
    let offered = |tables: &Tables| {
        tables
            .flows
            .iter()
            .map(|flow| (flow.src.clone(), flow.dst.clone(), flow.size, flow.start.to_bits()))
            .collect::<Vec<_>>()
    };
    assert_eq!(offered(&first), offered(&other));
}

#[test]
fn rows_agree_with_one_another() {
    let scenario = changed(
        "completion-times",
        &[
            ("arrive = \"50 ms\"", "arrive = \"2 ms\""),
            ("k = 8", "k = 4"),
            ("duration = \"1 s\"", "duration = \"1 s\"\nsample = \"200 us\""),
        ],
    );
    for scheme in ["ecmp", "flowbender", "spray", "mptcp-8"] {
        let tables = go(&scenario, scheme, 3);
        let run = &tables.runs[0];
        assert_eq!(
            (run.flows, run.completed),
            (tables.flows.len() as u64, tables.flows.len() as u64),
            "{scheme}"
        );
        assert_eq!(run.delivered, tables.flows.iter().map(|flow| flow.size.unwrap_or(0)).sum::<u64>());
        for flow in &tables.flows {
            assert!(flow.slowdown.is_some_and(|slowdown| slowdown >= 1.0), "{scheme}: {flow:?}");
            assert!(
                flow.packets >= flow.size.unwrap_or(0).div_ceil(1460) && flow.retransmits <= flow.packets
            );
        }
        assert!(tables.links.iter().all(|link| (0.0..=1.0 + 1e-9).contains(&link.utilisation)));
        assert!(tables.links.iter().map(|link| link.dropped).sum::<u64>() <= run.dropped);
        assert!(tables.links.iter().map(|link| link.packets).sum::<u64>() <= run.hops + run.dropped);
        let moves = tables.changes.iter().filter(|change| change.kind == ChangeKind::Path).count();
        assert_eq!(moves > 0, scheme == "flowbender", "{scheme}: {moves}");
        for flow in &tables.flows {
            let timeouts = tables.changes.iter().filter(|change| change.kind == ChangeKind::Timeout);
            let told = timeouts.filter(|change| change.flow_id == Some(flow.flow_id)).count();
            assert_eq!(told as u64, flow.timeouts, "{scheme}: {flow:?}");
        }
    }
}

/// Throughput of long flows against max-min fair rates on the very same paths.
#[test]
fn subflows_come_close_to_max_min() {
    let scenario = changed("subflow-count", &[("duration = \"4 s\"", "duration = \"3500 ms\"")]);
    for (scheme, most) in [("tcp", 0.03), ("mptcp-8", 0.04)] {
        let tables = go(&scenario, scheme, 1);
        let (used, line) = (tables.runs[0].utilisation.unwrap(), tables.runs[0].max_min.unwrap());
        assert!((used - line).abs() < most, "{scheme}: {used} {line}");
    }
}

#[test]
fn a_failed_link_is_left() {
    let scenario = changed("link-failure", &[]);
    let throughput = |tables: &Tables| tables.runs[0].utilisation.expect("flows");
    let (ecmp, bender) = (go(&scenario, "ecmp", 2), go(&scenario, "flowbender", 2));
    let kinds = |tables: &Tables, kind| tables.changes.iter().filter(|change| change.kind == kind).count();
    assert_eq!(
        (kinds(&ecmp, ChangeKind::Failure), kinds(&ecmp, ChangeKind::Repair), kinds(&ecmp, ChangeKind::Path)),
        (2, 2, 0)
    );
    assert!(throughput(&bender) > throughput(&ecmp));
    let mptcp = go(&scenario, "mptcp-4", 2);
    assert!(throughput(&mptcp) > throughput(&ecmp), "{} {}", throughput(&mptcp), throughput(&ecmp));
    let during = bender.links.iter().filter(|link| !link.up).count();
    // Both directions, samples at 30 (or just after) to 89 ms.
    assert!((118..=120).contains(&during), "{during}");
}

#[test]
fn a_phone_goes_on_over_its_other_radio() {
    let scenario = changed("phone-handover", &[("20 MB", "12 MB")]);
    let files = std::cell::RefCell::new(Vec::new());
    let mut open = |name: &str| -> std::io::Result<Box<dyn std::io::Write>> {
        files.borrow_mut().push(name.to_owned());
        Ok(Box::new(std::io::sink()))
    };
    let tables = run(&scenario, &job(&scenario, "mptcp", 1), Some(&mut open), &|_| true).expect("runs");
    let flow = &tables.flows[0];
    assert_eq!((flow.subflows, flow.delivered), (2, 12_000_000));
    // 12 MB at 20 + 8 Mb/s take 3.43 s, headers and a beginning; the server's own link is faster.
    let ideal = flow.ideal_fct.expect("a size");
    assert!((3.5..3.8).contains(&ideal) && flow.slowdown.expect("complete") >= 1.0, "{ideal}");
    assert_eq!(*files.borrow(), ["phone.pcapng", "server.pcapng"]);
    let truth = tables.truth.as_ref().expect("the truth");
    assert!(truth.connections.len() >= 2, "one for each vantage");
    let alone = go(&scenario, "tcp", 1);
    // What is ideal does not depend on the scheme, but for its headers.
    let other = alone.flows[0].ideal_fct.expect("a size");
    assert!((other / ideal - 1.0).abs() < 0.03, "{other} {ideal}");
    let (with, without) = (flow.fct.expect("complete"), alone.flows[0].fct.expect("complete"));
    // 12 MB at 20 + 8 Mb/s take 3.4 s and more; without the cellular network WiFi must come back after 10 s, if it takes more than 5.
    assert!(with < without, "{with} {without}");
}

#[test]
fn what_happens_to_a_phone_stands_in_changes() {
    // The WiFi does not come back.
    let tables = go(&changed("phone-handover", &[("repair = \"10 s\"", "")]), "mptcp", 1);
    let of = |kind: ChangeKind| tables.changes.iter().filter(move |change| change.kind == kind);
    let ups: Vec<_> = of(ChangeKind::SubflowUp).map(|change| (change.flow_id, change.subflow_id)).collect();
    assert_eq!(ups, [(Some(0), Some(0)), (Some(0), Some(1))]);
    let flow = &tables.flows[0];
    let timeouts = of(ChangeKind::Timeout).filter(|change| change.detail == "told by the client").count();
    assert_eq!(timeouts as u64, flow.timeouts);
    assert!(timeouts > 0);
    let alone = go(&changed("phone-handover", &[]), "tcp", 1);
    let up = alone.changes.iter().find(|change| change.kind == ChangeKind::SubflowUp).expect("it comes in");
    assert_eq!((up.flow_id, up.subflow_id), (Some(0), Some(0)));
    // The WiFi is gone after 5 s; data goes on over the other radio.
    let failed = of(ChangeKind::Failure).next().expect("a failure").time;
    let handover = of(ChangeKind::Handover).next().expect("a handover");
    assert!((handover.time - failed).abs() < 0.5 && handover.subflow_id == Some(0), "{handover:?} {failed}");
}

/// A box on the cellular network changes what passes, which the checksum tells: that subflow is reset, the other one carries all.
#[test]
fn a_subflow_that_is_reset_stands_in_changes() {
    let end = "[[scheme]]\nname = \"mptcp\"";
    let middlebox = "[[middlebox]]\nbetween = [\"phone\", \"base-station\"]\nkind = \"change\"\n";
    let scenario = changed(
        "phone-handover",
        &[
            (end, &format!("{middlebox}{end}\nmptcp.checksum = true")),
            ("from = \"phone\"\nto = \"server\"", "from = \"server\"\nto = \"phone\""),
            ("[[failure]]\nbetween = [\"phone\", \"access-point\"]\nat = \"5 s\"\nrepair = \"10 s\"\n", ""),
        ],
    );
    let tables = go(&scenario, "mptcp", 1);
    let of = |kind: ChangeKind| tables.changes.iter().filter(move |change| change.kind == kind);
    let numbers = |kind| of(kind).map(|change| (change.flow_id, change.subflow_id)).collect::<Vec<_>>();
    assert_eq!(numbers(ChangeKind::SubflowUp), [(Some(0), Some(0)), (Some(0), Some(1))]);
    assert_eq!(numbers(ChangeKind::SubflowDown), [(Some(0), Some(1))]);
    assert_eq!(tables.flows[0].delivered, 20_000_000);
}

/// The short forms run as they are, a download over both radios and one over WiFi alone.
#[test]
fn short_forms_run() {
    let phone = Phone {
        schemes: ["tcp", "mptcp", "mptcp:round-robin"].map(str::to_owned).to_vec(),
        wifi: "20 Mb/s,10 ms".to_owned(),
        cellular: "8 Mb/s,35 ms".to_owned(),
        leave: Some("2 s,3 s".to_owned()),
        size: None,
        time: "5 s".to_owned(),
        mptcp_version: 0,
        capture: false,
        seeds: vec![],
    };
    let text = phone.text().expect("known words");
    let scenario =
        Scenario::parse(&text, "phone", &mut |_| Err(std::io::ErrorKind::NotFound.into())).expect("right");
    let [tcp, both, turns] =
        ["tcp", "mptcp", "mptcp:round-robin"].map(|scheme| go(&scenario, scheme, 1).flows[0].clone());
    // 5 s of 20 + 8 Mb/s, less WiFi's second, headers and beginnings; WiFi alone comes back after a timeout.
    for flow in [&tcp, &both, &turns] {
        assert!(flow.fct.is_none() && flow.size.is_none() && flow.throughput.is_some(), "{flow:?}");
        assert!(flow.delivered < 14_500_000);
    }
    assert!(
        tcp.delivered > 4_000_000 && both.delivered > tcp.delivered,
        "{} {}",
        tcp.delivered,
        both.delivered
    );
    assert_eq!((tcp.subflows, both.subflows), (1, 2));
}
