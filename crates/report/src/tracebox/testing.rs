//! Rows for tests.

use std::net::IpAddr;
use subflow_probe::rows::{
    Asks, Behaviour, Category, ChangeKind, Confidence, Direction, Field, Finding, Hop, HopAnswer,
    Modification, QuoteKind, Traced,
};
use subflow_probe::trace::Concluded;
use subflow_rows::Time;

pub(crate) const TARGET: [u8; 4] = [10, 5, 3, 2];

fn router(hop: u8) -> IpAddr {
    IpAddr::from([10, 5, hop, 254])
}

/// A hop of the path to the target.
pub(crate) fn hop(probe: Asks, hop: u8, answer: HopAnswer) -> Hop {
    let quoted = answer == HopAnswer::TimeExceeded;
    let heard = answer != HopAnswer::Silent;
    Hop {
        time: Time(1_700_000_000_000_000_000),
        addr: TARGET.into(),
        port: 443,
        flow: 0,
        probe,
        round: 1,
        src_port: 61_000,
        hop,
        answer,
        from_addr: heard.then(|| if quoted { router(hop) } else { TARGET.into() }),
        rtt: heard.then_some(f64::from(hop) * 0.001),
        probes: 1,
        ttl: heard.then_some(64 - hop),
        return_hops: heard.then_some(hop),
        icmp_type: quoted.then_some(11),
        icmp_code: quoted.then_some(0),
        quote: quoted.then_some(QuoteKind::Full),
        quote_bytes: quoted.then_some(64),
        quoted_ttl: quoted.then_some(1),
        extensions: quoted.then_some(false),
        mpls: None,
        finding: (answer == HopAnswer::SynAck).then_some(Finding::NoOption),
        changes: quoted.then_some(0),
        changed: None,
    }
}

/// A change of the first probe.
pub(crate) fn modification(field: Field, kind: ChangeKind, after: u8, before: u8) -> Modification {
    Modification {
        time: Time(1_700_000_000_000_000_000),
        addr: TARGET.into(),
        port: 443,
        flow: 0,
        probe: Asks::V1,
        direction: Direction::Forward,
        field,
        kind,
        option_kind: (field == Field::Mptcp).then_some(30),
        sent: None,
        seen: None,
        after_hop: Some(after),
        before_hop: Some(before),
        after_addr: Some(router(after)),
        before_addr: Some(router(before)),
        times: 2,
        confirmed: true,
        checksum_fits: Some(true),
        reason: format!("hop {after} got it as it was sent, hop {before} got it changed"),
    }
}

/// A verdict.
pub(crate) fn traced(category: Category, behaviour: Option<Behaviour>) -> Traced {
    Traced {
        time: Time(1_700_000_000_000_000_000),
        addr: TARGET.into(),
        port: 443,
        category,
        behaviour,
        direction: None,
        after_hop: None,
        before_hop: None,
        after_addr: None,
        before_addr: None,
        confidence: Confidence::High,
        evidence: "seen twice".to_owned(),
        v1: Some(Finding::NoOption),
        v0: None,
        both: None,
        plain: Some(Finding::NoOption),
        join: None,
        canary: None,
        custom: None,
        data_passed: None,
        syn_ack_hops: Some(4),
        reset_hops: Some(4),
        echo_hops: Some(4),
        silent_hops: 0,
        rtt_min: Some(0.004),
        flows: 1,
        paths: 1,
        modifications: 1,
        probes: 16,
        answers: 16,
        rejected: 0,
        duration: 0.5,
    }
}

/// Four hops; the second gets the option padded over.
pub(crate) fn stripped() -> Concluded {
    let mut hops = Vec::new();
    for probe in [Asks::Plain, Asks::V1] {
        hops.extend((1..4).map(|number| {
            let changed = probe == Asks::V1 && number > 1;
            Hop {
                changes: Some(u32::from(changed)),
                changed: changed.then(|| "mptcp padded".to_owned()),
                ..hop(probe, number, HopAnswer::TimeExceeded)
            }
        }));
        hops.push(hop(probe, 4, HopAnswer::SynAck));
    }
    let target = Traced {
        direction: Some(Direction::Forward),
        after_hop: Some(1),
        before_hop: Some(2),
        after_addr: Some(router(1)),
        before_addr: Some(router(2)),
        ..traced(Category::MiddleboxAffected, Some(Behaviour::Strip))
    };
    Concluded { target, hops, modifications: vec![modification(Field::Mptcp, ChangeKind::Padded, 1, 2)] }
}
