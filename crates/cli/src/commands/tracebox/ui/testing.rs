//! Targets for tests.

use std::net::IpAddr;
use subflow_probe::rows::{
    Asks, Behaviour, Category, ChangeKind, Confidence, Direction, Field, Finding, Hop, HopAnswer,
    Modification, QuoteKind, Traced,
};
use subflow_probe::trace::Concluded;
use subflow_rows::Time;

fn router(hop: u8) -> IpAddr {
    IpAddr::from([172, 16, 0, hop])
}

fn hop(addr: IpAddr, probe: Asks, hop: u8, changed: bool) -> Hop {
    let router = (hop < 4).then(|| router(hop));
    Hop {
        time: Time(0),
        addr,
        port: 80,
        flow: 0,
        probe,
        round: 1,
        src_port: 61_000,
        hop,
        answer: if router.is_some() { HopAnswer::TimeExceeded } else { HopAnswer::SynAck },
        from_addr: Some(router.unwrap_or(addr)),
        rtt: Some(f64::from(hop) * 0.0012),
        probes: 1,
        ttl: None,
        return_hops: None,
        icmp_type: router.map(|_| 11),
        icmp_code: router.map(|_| 0),
        quote: router.map(|_| QuoteKind::Full),
        quote_bytes: router.map(|_| 64),
        quoted_ttl: router.map(|_| 1),
        extensions: router.map(|_| false),
        mpls: None,
        finding: match (router, probe, changed) {
            (Some(_), ..) => None,
            (None, Asks::V1, false) => Some(Finding::V1),
            (None, ..) => Some(Finding::NoOption),
        },
        changes: router.map(|_| u32::from(changed)),
        changed: None,
    }
}

fn of(number: u8, affected: bool) -> Concluded {
    let addr = IpAddr::from([10, 0, 0, number]);
    let lane = |probe| (1..=4).map(move |n| hop(addr, probe, n, affected && probe == Asks::V1 && n > 1));
    let edge = |hop: u8| affected.then_some(hop);
    let target = Traced {
        time: Time(0),
        addr,
        port: 80,
        category: if affected { Category::MiddleboxAffected } else { Category::True },
        behaviour: Some(if affected { Behaviour::Strip } else { Behaviour::PassThrough }),
        direction: affected.then_some(Direction::Forward),
        after_hop: edge(1),
        before_hop: edge(2),
        after_addr: edge(1).map(router),
        before_addr: edge(2).map(router),
        confidence: Confidence::High,
        evidence: String::new(),
        v1: Some(if affected { Finding::NoOption } else { Finding::V1 }),
        v0: None,
        both: None,
        plain: Some(Finding::NoOption),
        join: None,
        canary: None,
        custom: None,
        data_passed: None,
        syn_ack_hops: Some(4),
        reset_hops: None,
        echo_hops: None,
        silent_hops: 0,
        rtt_min: Some(0.0048),
        flows: 1,
        paths: 1,
        modifications: u32::from(affected),
        probes: 16,
        answers: 16,
        rejected: 0,
        duration: 0.1,
    };
    let padded = Modification {
        time: Time(0),
        addr,
        port: 80,
        flow: 0,
        probe: Asks::V1,
        direction: Direction::Forward,
        field: Field::Mptcp,
        kind: ChangeKind::Padded,
        option_kind: Some(30),
        sent: None,
        seen: None,
        after_hop: Some(1),
        before_hop: Some(2),
        after_addr: Some(router(1)),
        before_addr: Some(router(2)),
        times: 2,
        confirmed: true,
        checksum_fits: Some(true),
        reason: String::new(),
    };
    Concluded {
        target,
        hops: lane(Asks::Plain).chain(lane(Asks::V1)).collect(),
        modifications: affected.then_some(padded).into_iter().collect(),
    }
}

/// Whose option is padded over between the first two hops.
pub(crate) fn stripped(number: u8) -> Concluded {
    of(number, true)
}

/// On whose path there is nothing.
pub(crate) fn clean(number: u8) -> Concluded {
    of(number, false)
}
