//! Fuzz targets of subflow.
//!
//! Each target is a plain function from bytes to nothing that panics when something is wrong: not only where the code
//! under test would panic itself, but also where what it says contradicts itself. `cargo fuzz` runs them for as long
//! as one likes (nightly); [`bounded::run`] runs them for a fixed number of mutated seeds in ordinary tests.

mod analyzer;
mod anonymize;
mod answers;
pub mod bounded;
mod containers;
mod mutate;
mod nstat;
mod options;
mod packet;
pub mod replay;
mod scenario;

pub use analyzer::analyzer;
pub use anonymize::anonymize;
pub use answers::answers;
pub use containers::{compressed, pcap, pcapng};
pub use nstat::nstat;
pub use options::options;
pub use packet::packet;
pub use scenario::scenario;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Its seeds lie in `fuzz/seeds/SEEDS`.
    pub seeds: &'static str,
    /// What it does with an input.
    pub body: fn(&[u8]),
    /// How many inputs a bounded run takes, chosen so that each target runs for seconds in a debug build.
    pub runs: u32,
    /// Whether its seeds are pcap files, so that whole packets can be dropped, repeated and swapped.
    pub records: bool,
}

/// Every target.
pub const TARGETS: [Target; 10] = [
    Target { name: "packet", seeds: "packet", body: packet, runs: 400_000, records: false },
    Target { name: "options", seeds: "options", body: options, runs: 400_000, records: false },
    Target { name: "pcap", seeds: "pcap", body: pcap, runs: 40_000, records: true },
    Target { name: "pcapng", seeds: "pcapng", body: pcapng, runs: 40_000, records: false },
    Target { name: "compressed", seeds: "compressed", body: compressed, runs: 20_000, records: false },
    Target { name: "analyzer", seeds: "analyzer", body: analyzer, runs: 6_000, records: true },
    Target { name: "anonymize", seeds: "analyzer", body: anonymize, runs: 300, records: true },
    Target { name: "answers", seeds: "answers", body: answers, runs: 100_000, records: false },
    Target { name: "nstat", seeds: "nstat", body: nstat, runs: 40_000, records: false },
    Target {
        name: "scenario",
        seeds: "../../crates/sim/scenarios",
        body: scenario,
        runs: 60_000,
        records: false,
    },
];

/// The program of a target: libFuzzer's under `cargo fuzz`, else one that replays files.
#[macro_export]
macro_rules! target {
    ($body:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $body(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::replay::main($body)
        }
    };
}
