//! Fuzz targets of subflow.
//!
//! Each target is a plain function from bytes to nothing that panics when something is wrong: not only where the code
//! under test would panic itself, but also where what it says contradicts itself. `cargo fuzz` runs them for as long
//! as one likes (nightly); [`bounded::run`] runs them for a fixed number of mutated seeds in ordinary tests.

mod analyzer;
pub mod bounded;
mod containers;
mod mutate;
mod options;
mod packet;
pub mod replay;

pub use analyzer::analyzer;
pub use containers::{compressed, pcap, pcapng};
pub use options::options;
pub use packet::packet;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name; its seeds lie in `fuzz/seeds/NAME`.
    pub name: &'static str,
    /// What it does with an input.
    pub body: fn(&[u8]),
    /// How many inputs a bounded run takes, chosen so that each target runs for seconds in a debug build.
    pub runs: u32,
    /// Whether its seeds are pcap files, so that whole packets can be dropped, repeated and swapped.
    pub records: bool,
}

/// Every target.
pub const TARGETS: [Target; 6] = [
    Target { name: "packet", body: packet, runs: 400_000, records: false },
    Target { name: "options", body: options, runs: 400_000, records: false },
    Target { name: "pcap", body: pcap, runs: 40_000, records: true },
    Target { name: "pcapng", body: pcapng, runs: 40_000, records: false },
    Target { name: "compressed", body: compressed, runs: 20_000, records: false },
    Target { name: "analyzer", body: analyzer, runs: 6_000, records: true },
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
