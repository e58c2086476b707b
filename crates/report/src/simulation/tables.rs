//! Small tables for tests, made by hand.

use subflow_sim::rows::{Flow, Link, Run, Tables};

/// A run of a scheme at a load.
pub(super) fn run(run_id: u32, scheme: &str, load: Option<f64>, seed: u64) -> Run {
    Run {
        run_id,
        scenario: "test".to_owned(),
        scheme: scheme.to_owned(),
        load,
        seed,
        hosts: 4,
        duration: 1.0,
        flows: 4,
        completed: 4,
        delivered: 1_000_000,
        utilisation: Some(0.5),
        max_min: None,
        packets: 2000,
        hops: 8000,
        dropped: 10,
        lost: 0,
        failed: 0,
        marked: 100,
    }
}

/// A flow of 5 kB with this slowdown, whose ideal time is a millisecond.
pub(super) fn flow(run_id: u32, flow_id: u64, slowdown: f64) -> Flow {
    Flow {
        run_id,
        scheme: String::new(),
        load: None,
        seed: 1,
        flow_id,
        group: None,
        src: format!("h{flow_id}"),
        dst: "h9".to_owned(),
        size: Some(5000),
        start: 0.1 * flow_id as f64,
        fct: Some(slowdown / 1000.0),
        ideal_fct: Some(0.001),
        slowdown: Some(slowdown),
        delivered: 5000,
        throughput: Some(4e7 / slowdown),
        congestion: "dctcp",
        subflows: 1,
        packets: 100,
        retransmits: 2,
        reinjected: 0,
        timeouts: 1,
        reroutes: 3,
        out_of_order: 5,
        marked: 10,
    }
}

/// A link that was busy for this share of the second before `time`, at 1 Gbit/s.
pub(super) fn link(run_id: u32, (link_id, from, to): (u32, &str, &str), time: f64, utilisation: f64) -> Link {
    Link {
        run_id,
        link_id,
        from: from.to_owned(),
        to: to.to_owned(),
        time,
        interval: 1.0,
        rate: 1e9,
        utilisation,
        packets: 0,
        bytes: 0,
        dropped: 0,
        lost: 0,
        failed: 0,
        marked: 0,
        up: true,
    }
}

/// Two schemes at two loads with two seeds, four flows each, three of 5 kB and one of 500 kB. The last flow of ECMP is not completed with seed 1.
pub(super) fn small() -> Tables {
    let mut tables = Tables::default();
    let slowdowns: [[f64; 4]; 8] = [
        [1.0, 2.0, 3.0, 4.0],
        [1.0, 2.0, 3.0, 4.0],
        [2.0, 3.0, 4.0, 5.0],
        [2.0, 3.0, 4.0, 5.0],
        [2.0, 4.0, 6.0, 0.0],
        [1.0, 2.0, 3.0, 9.0],
        [4.0, 8.0, 12.0, 8.0],
        [2.0, 4.0, 6.0, 4.0],
    ];
    for (run_id, flows) in (0u32..).zip(slowdowns) {
        let scheme = ["ecmp", "flowbender"][run_id as usize % 2];
        let load = if run_id < 4 { 0.2 } else { 0.4 };
        tables.runs.push(run(run_id, scheme, Some(load), 1 + u64::from(run_id) / 2 % 2));
        for (flow_id, slowdown) in (0..).zip(flows) {
            let mut flow = flow(run_id, flow_id, slowdown);
            if flow_id == 3 {
                flow.size = Some(500_000);
            }
            if slowdown == 0.0 {
                (flow.fct, flow.slowdown) = (None, None);
            }
            tables.flows.push(flow);
        }
    }
    tables
}
