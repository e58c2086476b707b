//! `scan`, then `verify`, then `tracebox`, over a small Internet of 106,496 addresses behind three routers each, of which it is known who
//! does what. Needs root, iproute2, python3 and a kernel with MPTCP; where something lacks it says so and has nothing to test.
#![cfg(target_os = "linux")]

#[path = "../../probe/tests/lab/chain/mod.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod chain;
#[path = "../../probe/tests/lab/support.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod support;

use chain::{Behaviour, Chain, End, Path, Quote, Stage};
use std::collections::BTreeMap;

/// Routers on every path.
const ROUTERS: usize = 3;
/// Of so many addresses in a row one is somebody's; the others are nobody's.
const SPARSE: usize = 128;
/// Addresses of IPv4 and of IPv6.
const ADDRESSES: [usize; 2] = [1 << 16, 0xa000];

/// Who is somewhere, and what each step must say of it: verdict of the scan, conclusion of the verification (of the version that was answered),
/// category and behaviour of the path; empty where a step does not come to it.
struct Kind {
    path: Path,
    verdict: &'static str,
    conclusion: &'static str,
    path_says: &'static str,
}

fn kinds() -> Vec<Kind> {
    let path = |behaviour, stage| Path::clean(ROUTERS, Quote::Full).with(2, behaviour, stage);
    let (before, after) = (Stage::Before, Stage::After);
    let clean = Path::clean(ROUTERS, Quote::Full);
    [
        (clean.clone(), "supports_v1", "true_support", "true pass_through"),
        (clean.clone().quoting(2, Quote::Silent), "supports_v1", "true_support", "true pass_through"),
        (Path { end: End::V0, ..clean }, "supports_v0", "", ""),
        (path(Behaviour::Nat(false), after), "supports_v1", "true_support", "true nat"),
        (path(Behaviour::Strip, after), "plain_tcp", "", ""),
        (path(Behaviour::StripSynAck, after), "stripped", "", "middlebox_affected strip"),
        (path(Behaviour::StripData, after), "supports_v1", "stripped_in_data", "middlebox_affected strip"),
        (path(Behaviour::SwapKey, after), "supports_v1", "key_rewritten", "middlebox_affected rewrite"),
        (path(Behaviour::Drop, after), "dropped_with_option", "", "middlebox_affected drop"),
        (path(Behaviour::Reset, before), "reset_with_option", "", "middlebox_affected reset"),
        (path(Behaviour::Mirror, before), "mirrored", "", ""),
        // It takes the option in the SYN, and knows nothing more of it.
        (path(Behaviour::ProxyMptcp, before), "supports_v1", "stripped_in_data", "middlebox_affected proxy"),
        (path(Behaviour::Proxy, before), "plain_tcp", "", ""),
        (path(Behaviour::DropAll, after), "", "", ""),
    ]
    .into_iter()
    .map(|(path, verdict, conclusion, path_says)| Kind { path, verdict, conclusion, path_says })
    .collect()
}

/// The paths of the laboratory: one after the other of the kinds, far apart.
fn paths(set: &str) -> Vec<Path> {
    assert_eq!(set, "internet");
    let nobody = Path { end: End::Nobody, ..Path::clean(ROUTERS, Quote::Silent) };
    let kinds = kinds();
    let mut paths = vec![nobody; SPARSE * kinds.len()];
    for (index, kind) in kinds.into_iter().enumerate() {
        paths[SPARSE * index + 1] = kind.path;
    }
    paths
}

/// What a process of ours does that was started in a namespace; without a role, nothing.
#[test]
fn role() {
    let Ok(role) = std::env::var(support::ROLE) else { return };
    let mut arguments = role.split('\n').map(str::to_owned);
    let result = match arguments.next().as_deref() {
        Some("chain") => chain::forward(arguments),
        other => Err(format!("no such role: {other:?}")),
    };
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
    std::process::exit(0);
}

/// How many addresses of both families a kind has.
fn count(index: usize) -> u64 {
    let (place, period) = (SPARSE * index + 1, SPARSE * kinds().len());
    ADDRESSES.map(|all| (place..all).step_by(period).count() as u64).iter().sum()
}

/// How many each name must have, where a step says one.
fn expected(says: impl Fn(&Kind) -> &'static str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (index, kind) in kinds().iter().enumerate() {
        let name = says(kind);
        if !name.is_empty() {
            *counts.entry(name.to_owned()).or_default() += count(index);
        }
    }
    counts
}

/// The two columns of the result of a query.
fn counts(text: &str) -> BTreeMap<String, u64> {
    let pair = |line: &str| {
        let (name, count) = line.rsplit_once(',').expect("two columns");
        (name.to_owned(), count.parse().expect("a number"))
    };
    text.lines().skip(1).map(pair).collect()
}

#[test]
fn a_small_internet_is_sorted_as_it_was_built() {
    let Some(chain) = Chain::new("internet") else { return };
    let lab = &chain.lab;
    let out = lab.file("out").display().to_string();
    let told = lab.file("told").display().to_string();
    let subflow = format!("env -i XDG_CONFIG_HOME=/nonexistent {}", env!("CARGO_BIN_EXE_subflow"));
    let shell = |line: &str| {
        let mut process = lab.start('a', "sh", &["-c", &format!("{{ {line}; }} 2>> {told}")]);
        let mut text = String::new();
        let mut output = process.0.stdout.take().expect("piped");
        std::io::Read::read_to_string(&mut output, &mut text).expect("text");
        let code = process.0.wait().expect("it ends").code();
        let told = std::fs::read_to_string(&told).unwrap_or_default();
        assert_eq!(code, Some(0), "{line}\n{text}\n{told}");
        (text, told)
    };
    // As the guide has it.
    let (_, said) = shell(&format!(
        "{subflow} scan 10.6.0.0/16 fd06::-fd06::9fff --special -p 80 -r 12000 --cooldown 3 -P 2 --no-silent -o {out} && \
         {subflow} verify --from {out} -o {out} && \
         {subflow} tracebox --from {out} -o {out}/paths"
    ));
    eprintln!("{said}");
    let query = |dir: &str, sql: &str| counts(&shell(&format!("{subflow} query {dir} \"{sql}\" -f csv")).0);
    let scanned = query(&out, "SELECT verdict, count(*) FROM targets WHERE verdict <> 'filtered' GROUP BY 1");
    assert_eq!(scanned, expected(|kind| kind.verdict), "{said}");
    let verified = query(&out, "SELECT conclusion, count(*) FROM verifications WHERE version = 1 GROUP BY 1");
    assert_eq!(verified, expected(|kind| kind.conclusion), "{said}");
    let paths = query(
        &format!("{out}/paths"),
        "SELECT category || ' ' || coalesce(behaviour, '-'), count(*) FROM targets GROUP BY 1",
    );
    let mut wanted = expected(|kind| kind.path_says);
    *wanted.entry("true pass_through".to_owned()).or_default() += count(2);
    assert_eq!(paths, wanted, "{said}");
}
