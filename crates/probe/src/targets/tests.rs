use super::*;
use proptest::prelude::*;

fn list(entries: &[&str]) -> List {
    let mut list = List::default();
    for entry in entries {
        list.add(entry).unwrap();
    }
    list
}

fn wanted(targets: &[&str], ports: &str) -> Wanted {
    Wanted {
        targets: list(targets),
        ports: ports.parse().unwrap(),
        special: true,
        shards: 1,
        ..Wanted::default()
    }
}

fn all(plan: &Plan) -> Vec<Target> {
    (0..plan.len()).map(|position| plan.target(position).unwrap()).collect()
}

#[test]
fn both_families_and_all_ports_once() {
    let plan =
        Plan::new(wanted(&["10.0.0.0/30", "10.0.0.9", "fd00::/127", "10.0.0.2-10.0.0.5"], "80,443")).unwrap();
    let mut targets = all(&plan);
    for (position, target) in targets.iter().enumerate() {
        assert_eq!(plan.position_of(target), Some(position as u64));
    }
    targets.sort();
    let text: Vec<_> = targets.iter().map(ToString::to_string).collect();
    assert_eq!(text.len(), 2 * (7 + 2));
    assert_eq!(text[..3], ["10.0.0.0:80", "10.0.0.0:443", "10.0.0.1:80"]);
    assert_eq!(text[17], "[fd00::1]:443");
    assert_eq!((plan.addresses(), plan.densest()), ((7, 2), 14));
    assert_eq!(plan.target(plan.len()), None);
    let other = |text: &str, port| Target { addr: text.parse().unwrap(), port };
    assert_eq!(plan.position_of(&other("10.0.0.6", 80)), None);
    assert_eq!(plan.position_of(&other("10.0.0.1", 81)), None);
}

#[test]
fn special_addresses_are_left_out_by_default() {
    let lists = ["0.0.0.0/0"];
    let plan = Plan::new(Wanted { special: false, ..wanted(&lists, "443") }).unwrap();
    let special = special::v4().size().unwrap() as u64;
    assert_eq!((plan.len(), plan.blocked()), ((1 << 32) - special, u128::from(special)));
    assert!(plan.is_public());
    let private = Plan::new(Wanted { special: false, ..wanted(&["10.0.0.0/8", "fe80::/64"], "443") });
    assert!(matches!(private, Err(Error::AllBlocked)));
    assert!(!Plan::new(wanted(&["10.0.0.0/8"], "443")).unwrap().is_public());
}

#[test]
fn never_wins_over_the_longest_match() {
    let plan = Plan::new(Wanted {
        block: list(&["10.0.0.0/8"]),
        allow: list(&["10.1.0.0/24", "10.2.0.0/24"]),
        never: list(&["10.1.0.0/25", "10.1.0.200"]),
        ..wanted(&["10.0.0.0/8", "fd00::1"], "80")
    })
    .unwrap();
    assert_eq!(plan.addresses(), (127 + 256, 0));
}

#[test]
fn digests_tell_plans_apart() {
    let digest = |wanted| Plan::new(wanted).unwrap().digest();
    let base = || wanted(&["10.0.0.0/24", "fd00::/120"], "80");
    let one = digest(base());
    assert_eq!(one.len(), 64);
    // The same addresses in other words.
    assert_eq!(one, digest(wanted(&["fd00::/121", "10.0.0.0-10.0.0.255", "fd00::80/121"], "80,80")));
    for other in [
        wanted(&["10.0.0.0/24"], "80"),
        wanted(&["10.0.0.0/24", "fd00::/120"], "81"),
        Wanted { seed: 1, ..base() },
        Wanted { max_targets: Some(5), ..base() },
        Wanted { shards: 2, ..base() },
        Wanted { block: list(&["10.0.0.7"]), ..base() },
    ] {
        assert_ne!(one, digest(other));
    }
}

#[test]
fn what_cannot_be_probed_is_said() {
    assert!(matches!(Plan::new(wanted(&[], "80")), Err(Error::NoTargets)));
    assert!(matches!(Plan::new(wanted(&["fd00::/16"], "80")), Err(Error::TooManyTargets)));
    assert!(matches!(Plan::new(wanted(&["::/0"], "80")), Err(Error::TooManyTargets)));
    let shard = Plan::new(Wanted { shard: 3, shards: 3, ..wanted(&["10.0.0.1"], "80") });
    assert!(matches!(shard, Err(Error::NoSuchShard { shard: 3, shards: 3 })));
}

#[test]
fn a_million_blocked_prefixes_leave_what_is_between_them() {
    let mut block = List::default();
    // Every second /64 of the first two million of a /32.
    let site = 0x2a00_1234_u128 << 96;
    block.v6 = (0..1_000_000_u128)
        .map(|k| (site + ((2 * k) << 64), site + ((2 * k) << 64) + u128::from(u64::MAX)))
        .collect();
    let v6 =
        (0..100_000_u128).map(|k| site + ((k * 17) << 64) + 7).map(|address| (address, address)).collect();
    let targets = List { v6, ..List::default() };
    let plan = Plan::new(Wanted {
        targets,
        block,
        shards: 1,
        special: false,
        ports: "80,443".parse().unwrap(),
        ..Wanted::default()
    })
    .unwrap();
    // 17k is odd for odd k; beyond two million nothing is blocked: k of 117,648 and more, which there are none of.
    assert_eq!(plan.addresses(), (0, 50_000));
    assert_eq!(plan.len(), 100_000);
}

proptest! {
    #[test]
    fn shards_partition_the_targets(
        shards in 1_u64..9, size in 1_u32..200, ports in 1_u16..4, seed in any::<u64>(), most in proptest::option::of(0_u64..500),
    ) {
        let mut found = Vec::new();
        for shard in 0..shards {
            let mut wanted = wanted(&["fd00::/126"], &format!("1-{ports}"));
            wanted.targets.v4.push((1000, 999 + size));
            let plan = Plan::new(Wanted { shard, shards, seed, max_targets: most, ..wanted }).unwrap();
            let mine = all(&plan);
            for (position, target) in mine.iter().enumerate() {
                prop_assert_eq!(plan.position_of(target), Some(position as u64));
            }
            let mut together = vec![None; mine.len() + 3];
            plan.targets(0.., &mut together);
            let one_by_one: Vec<_> = (0..together.len() as u64).map(|position| plan.target(position)).collect();
            prop_assert_eq!(together, one_by_one);
            found.extend(mine);
        }
        let everything = u64::from(size + 4) * u64::from(ports);
        prop_assert_eq!(found.len() as u64, most.map_or(everything, |most| most.min(everything)));
        found.sort();
        found.dedup();
        prop_assert_eq!(found.len() as u64, most.map_or(everything, |most| most.min(everything)));
    }
}
