//! Scans in network namespaces that these tests make and remove. They need root, iproute2 and, for servers that speak Multipath
//! TCP, python3 and a kernel that does; where something lacks they say so past the harness and have nothing to test.
//!
//! Scanner, counter and middlebox run as processes of their own in their namespaces: this program, called with the name of the role.
#![cfg(target_os = "linux")]

mod behaviours;
mod boxes;
mod chain;
mod check;
#[path = "../../examples/check.rs"]
#[expect(dead_code, reason = "the example's own main")]
mod checker;
mod counter;
mod distances;
mod exact;
mod fetch;
mod network;
#[allow(dead_code, reason = "the library's own tests use more of it")]
mod responder;
#[path = "../../examples/scan.rs"]
#[expect(dead_code, reason = "the example's own main")]
mod scan;
mod support;
mod trace;
mod verify;
#[path = "../../examples/verify.rs"]
#[expect(dead_code, reason = "the example's own main")]
mod verify_example;

/// The paths of a set.
fn paths(set: &str) -> Vec<chain::Path> {
    match set {
        "own" => distances::paths(),
        "check" => check::paths(),
        "trace" => trace::paths(),
        "clean" => trace::clean(),
        "silent" => trace::mostly_silent(),
        other => panic!("no set of paths called {other}"),
    }
}

/// What a process of ours does that was started in a namespace; without a role, nothing.
#[test]
fn role() {
    let Ok(role) = std::env::var(support::ROLE) else { return };
    let mut arguments = role.split('\n').map(str::to_owned);
    let result = match arguments.next().as_deref() {
        Some("scan") => scan::scan(arguments),
        Some("count") => counter::count(arguments),
        Some("chain") => chain::forward(arguments),
        Some("measure") => distances::measure(arguments),
        Some("trace") => trace::run(arguments),
        Some("call") => network::call(arguments),
        Some("check") => checker::check(arguments),
        Some("verify") => verify_example::verify(arguments),
        Some("meddler") => verify::meddler(arguments),
        Some("box") => boxes::forward(arguments),
        other => Err(format!("no such role: {other:?}")),
    };
    if let Err(error) = result {
        eprintln!("{:?}: {error}", role.get(..80).unwrap_or(&role));
        std::process::exit(1);
    }
    std::process::exit(0);
}
