//! What a scan would do, before it does it, and what it did, for the record.

use std::fs;
use std::time::Duration;

use subflow_rows::{Hex64, Time};

use super::network::Network;
use super::settings::{Settings, frame_len, on_the_wire};
use super::sink::Progress;
use crate::probes::Kinds;
use crate::rows::{Campaign, Sending};
use crate::targets::{Plan, Target};

/// What a scan would do.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// Targets of this shard.
    pub targets: u64,
    /// Addresses of IPv4 and IPv6 that may be probed, over all shards.
    pub addresses: (u64, u64),
    /// Addresses that were asked for and are blocked.
    pub blocked: u128,
    /// Whether public addresses are among them.
    pub public: bool,
    /// Packets at least, when every target answers at once, and at most, when none does.
    pub packets: (u64, u64),
    /// Bytes on an Ethernet, preamble and gap included, at least and at most.
    pub bytes: (u64, u64),
    /// Packets a second, the limit per network included; `None` for no limit.
    pub rate: Option<f64>,
    /// How long it would take, at least and at most; `None` without a rate.
    pub duration: Option<(Duration, Duration)>,
    /// The first targets in the order.
    pub first: Vec<Target>,
}

/// Targets that a dry run names.
const NAMED: u64 = 10;

/// What a scan would do.
pub fn dry_run(plan: &Plan, settings: &Settings) -> DryRun {
    let targets = plan.len();
    let asking = settings.kinds.and(Kinds::ASKING).len();
    let follow = settings.follow_up && asking > 0;
    let least = u64::from(settings.kinds.len());
    // Further attempts, a plain SYN, and the option once more.
    let follow_most = if follow { 1 + u64::from(asking) } else { 0 };
    let most = least * (1 + u64::from(settings.retries)) + follow_most;
    let packets = (targets.saturating_mul(least), targets.saturating_mul(most));
    let (v4, v6) = plan.addresses();
    let mean = |v6| {
        let sum: usize =
            settings.kinds.iter().map(|kind| on_the_wire(frame_len(kind, settings.canary, v6))).sum();
        sum as f64 / least.max(1) as f64
    };
    let share = v6 as f64 / (v4 as f64 + v6 as f64).max(1.0);
    let size = mean(false) * (1.0 - share) + mean(true) * share;
    let rate = settings.packet_rate(plan);
    let stages = 1 + settings.retries + if follow { 2 } else { 0 };
    let time = |packets: u64| {
        let seconds = packets as f64 / rate?;
        Duration::try_from_secs_f64(seconds).ok()?.checked_add(settings.cooldown * stages)
    };
    DryRun {
        targets,
        addresses: (v4, v6),
        blocked: plan.blocked(),
        public: plan.is_public(),
        packets,
        bytes: ((packets.0 as f64 * size) as u64, (packets.1 as f64 * size) as u64),
        rate,
        duration: time(packets.0).zip(time(packets.1)),
        first: (0..NAMED.min(targets)).filter_map(|position| plan.target(position)).collect(),
    }
}

/// What is known of a run when it begins, beside what it is to do.
pub(super) struct Begun<'a> {
    pub(super) network: &'a Network,
    pub(super) start_ns: i64,
    pub(super) resumed_at: u64,
    pub(super) sending: Sending,
    /// Whether half-open connections are reset by us.
    pub(super) resets: bool,
}

/// The row of table `campaigns` at the beginning of a run.
pub(super) fn begin(plan: &Plan, settings: &Settings, begun: &Begun<'_>) -> Campaign {
    let source = &begun.network.source;
    let v4 = source.v4.map(|(gateway, addr)| (gateway, addr.to_string()));
    let v6 = source.v6.map(|(gateway, addr)| (gateway, addr.to_string()));
    let (gateways, sources): (Vec<String>, Vec<String>) =
        v4.into_iter().chain(v6).map(|(gateway, addr)| (colons(gateway), addr)).unzip();
    let lists: Vec<String> =
        plan.reading().digests.iter().map(|(name, digest)| format!("{name} {digest}")).collect();
    let (first, last) = settings.source_ports.range();
    let (shard, shards) = plan.shard();
    Campaign {
        version: env!("CARGO_PKG_VERSION"),
        start: Time(begun.start_ns),
        end: None,
        ended: None,
        trouble: None,
        contact: settings.contact.clone(),
        command: settings.command.clone(),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        interface: begun.network.interface.clone(),
        sources: sources.join(" "),
        gateways: gateways.join(" "),
        sending: begun.sending,
        threads: settings.threads as u64,
        source_ports: format!("{first}-{last}"),
        ports: plan.ports_text(),
        kinds: settings.kinds.to_string(),
        canary: settings.canary,
        seed: Hex64(plan.seed()),
        plan: plan.digest(),
        lists: lists.join(" "),
        bad_lines: plan.reading().bad_lines,
        special: plan.special(),
        blocked: u64::try_from(plan.blocked()).unwrap_or(u64::MAX),
        total: plan.total(),
        shard,
        shards,
        targets: plan.len(),
        resumed_at: begun.resumed_at,
        settled: begun.resumed_at,
        rate: settings.packet_rate(plan).unwrap_or(f64::INFINITY),
        prefix_rate: settings.prefix_rate,
        retries: settings.retries,
        follow_up: settings.follow_up,
        resets: begun.resets,
        silent: settings.report_silent,
        cooldown: settings.cooldown.as_secs_f64(),
        max_runtime: settings.max_runtime.map(|most| most.as_secs_f64()),
        sent: 0,
        sent_again: 0,
        sent_plain: 0,
        sent_resets: 0,
        answers: 0,
        repeats: 0,
        unverified: 0,
        late: 0,
        drops: 0,
        slowed: 0,
    }
}

/// A hardware address as text.
fn colons(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

/// Takes the counts over.
pub(super) fn count(campaign: &mut Campaign, progress: &Progress) {
    campaign.settled = progress.settled;
    campaign.sent = progress.sent;
    campaign.sent_again = progress.sent_again;
    campaign.sent_plain = progress.sent_plain;
    campaign.sent_resets = progress.sent_resets;
    campaign.answers = progress.answers;
    campaign.repeats = progress.repeats;
    campaign.unverified = progress.unverified;
    campaign.late = progress.late;
    campaign.drops = progress.drops;
    campaign.slowed = progress.slowed;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::Kind;
    use crate::scan::Rate;
    use crate::targets::{List, Wanted};

    fn plan(targets: &str) -> Plan {
        let mut list = List::default();
        list.add(targets).unwrap();
        let ports = [80, 443].into_iter().collect();
        Plan::new(Wanted { targets: list, ports, special: true, shards: 1, ..Wanted::default() }).unwrap()
    }

    #[test]
    fn packets_bytes_and_time() {
        let settings = Settings {
            kinds: Kinds::only(Kind::V1).with(Kind::Plain),
            rate: Rate::Packets(100.0),
            cooldown: Duration::from_secs(5),
            retries: 1,
            ..Settings::default()
        };
        let dry = dry_run(&plan("10.0.0.0/24"), &settings);
        // 512 targets; two kinds, twice, then one plain SYN and one confirmation.
        assert_eq!((dry.targets, dry.packets), (512, (1024, 3072)));
        // Frames of 78 and 74 bytes, and 24 more on the wire.
        assert_eq!(dry.bytes, (1024 * 100, 3072 * 100));
        let (least, most) = dry.duration.unwrap();
        assert_eq!((least.as_secs_f64(), most.as_secs_f64()), (30.24, 50.72));
        assert_eq!((dry.first.len(), dry.public), (10, false));
    }

    #[test]
    fn what_decides_about_a_repetition_stands_in_the_row() {
        let source = crate::probes::Source {
            mac: [2; 6],
            v4: Some(([2, 0, 0, 0xab, 0xcd, 4], "10.0.0.1".parse().unwrap())),
            v6: Some(([2, 0, 0, 0, 0, 6], "fd00::1".parse().unwrap())),
        };
        let network = Network { interface: "eth7".to_owned(), source, own: true };
        let begun =
            Begun { network: &network, start_ns: 5, resumed_at: 3, sending: Sending::Direct, resets: true };
        let settings = Settings { prefix_rate: Some(2.0), ..Settings::default() };
        let row = |plan: &Plan, settings: &Settings| begin(plan, settings, &begun);
        let first = row(&plan("10.0.0.0/24"), &settings);
        assert_eq!(first, row(&plan("10.0.0.0/24"), &settings));
        assert_eq!((first.sources.as_str(), first.interface.as_str()), ("10.0.0.1 fd00::1", "eth7"));
        assert_eq!(first.gateways, "02:00:00:ab:cd:04 02:00:00:00:00:06");
        assert_eq!((first.total, first.targets, first.settled, first.rate), (512, 512, 3, 2.0));
        assert_eq!(first.plan.len(), 64);
        // Each setting that changes what is sent or told changes the row, and the plan alone what is probed in which order.
        let other = |change: fn(&mut Settings)| {
            let mut changed = settings.clone();
            change(&mut changed);
            row(&plan("10.0.0.0/24"), &changed)
        };
        let changes: [fn(&mut Settings); 11] = [
            |s| s.kinds = Kinds::only(Kind::Plain),
            |s| s.canary = true,
            |s| s.retries = 1,
            |s| s.follow_up = false,
            |s| s.prefix_rate = None,
            |s| s.rate = Rate::Packets(1.5),
            |s| s.cooldown = Duration::from_secs(1),
            |s| s.max_runtime = Some(Duration::from_secs(1)),
            |s| s.threads = 2,
            |s| s.source_ports = crate::probes::SourcePorts::new(50_000, 60_000).unwrap(),
            |s| s.report_silent = true,
        ];
        for (k, change) in changes.into_iter().enumerate() {
            let row = other(change);
            assert!(row != first && row.plan == first.plan, "{k}");
        }
        assert_ne!(row(&plan("10.0.1.0/24"), &settings).plan, first.plan);
        assert_ne!(row(&plan("10.0.0.0/24").limited(9), &settings).plan, first.plan);
    }

    #[test]
    fn lengths_are_those_of_the_frames() {
        let source = crate::probes::Source {
            mac: [2; 6],
            v4: Some(([4; 6], "10.0.0.1".parse().unwrap())),
            v6: Some(([4; 6], "fd00::1".parse().unwrap())),
        };
        for canary in [false, true] {
            let (secret, ports) = (crate::probes::Secret::new(1), crate::probes::SourcePorts::default());
            let probes = crate::probes::Probes::new(secret, ports, source, canary).unwrap();
            for (&kind, v6) in Kind::ALL.iter().flat_map(|kind| [(kind, false), (kind, true)]) {
                assert_eq!(probes.frame_len(kind, v6), Some(frame_len(kind, canary, v6)), "{kind}");
            }
        }
    }

    #[test]
    fn the_limit_of_a_network_slows_the_whole() {
        let limited = Settings { prefix_rate: Some(5.0), ..Settings::default() };
        // A /20 is sixteen /24, each of which gets a sixteenth of the rate.
        assert_eq!(limited.packet_rate(&plan("10.0.0.0/20")), Some(80.0));
        assert_eq!(limited.packet_rate(&plan("10.0.0.0/26")), Some(5.0));
        assert_eq!(limited.packet_rate(&plan("10.0.0.0/8")), Some(1000.0));
        assert_eq!(limited.packet_rate(&plan("fd00::/120")), Some(5.0));
        let bandwidth =
            Settings { rate: Rate::Bandwidth(8e5), kinds: Kinds::only(Kind::V1), ..Settings::default() };
        // 100,000 bytes a second in frames of 102.
        assert_eq!(bandwidth.packet_rate(&plan("10.0.0.0/8")), Some(100_000.0 / 102.0));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let lab = plan("10.0.0.0/24");
        assert!(Settings::default().check(&lab).is_ok());
        for wrong in [
            Settings { kinds: Kinds::NONE, ..Settings::default() },
            Settings { rate: Rate::Packets(0.0), ..Settings::default() },
            Settings { rate: Rate::Bandwidth(f64::NAN), ..Settings::default() },
            Settings { prefix_rate: Some(-1.0), ..Settings::default() },
            Settings { threads: 0, ..Settings::default() },
            Settings { resume: true, ..Settings::default() },
        ] {
            assert!(wrong.check(&lab).is_err());
        }
        let public = plan("8.8.8.8");
        let error = Settings::default().check(&public).unwrap_err().to_string();
        assert!(error.contains("2 targets are public addresses"), "{error}");
        let settings = Settings { acknowledge_public: true, ..Settings::default() };
        assert!(settings.check(&public).is_ok());
        assert!(Settings { rate: Rate::Unlimited, ..settings }.check(&public).is_err());
    }
}
