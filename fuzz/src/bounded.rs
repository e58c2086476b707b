//! A fixed number of inputs: every seed as it is, then mutated seeds, then noise.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::{Target, mutate};

/// How often the bounded run is extended: `SUBFLOW_FUZZ_FACTOR=100 cargo test -p xtask` takes a hundred times as long.
const FACTOR: &str = "SUBFLOW_FUZZ_FACTOR";

/// Runs a target on its seeds and on inputs made from them, the same ones each time. An input on which it panics is
/// kept in `fuzz/artifacts/NAME`, and the panic goes on.
pub fn run(target: &Target) -> io::Result<()> {
    let seeds = seeds(target.seeds)?;
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    for seed in &seeds {
        attempt(target, seed);
    }
    let factor = std::env::var(FACTOR).ok().and_then(|text| text.parse().ok()).unwrap_or(1_u32);
    let mut random = mutate::Random(0x5eed);
    for _ in 0..target.runs.saturating_mul(factor) {
        let seed = &seeds[random.below(seeds.len())];
        let mut input = match random.below(16) {
            0 => Vec::new(),
            1..8 if target.records => mutate::records(seed, &mut random),
            _ => seed.clone(),
        };
        let other = &seeds[random.below(seeds.len())];
        if !target.records || random.below(2) == 0 {
            mutate::bytes(&mut input, other, &mut random);
        }
        attempt(target, &input);
    }
    Ok(())
}

/// The seeds in a folder in order of their names.
pub fn seeds(name: &str) -> io::Result<Vec<Vec<u8>>> {
    let dir = home().join("seeds").join(name);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.sort();
    paths.iter().map(fs::read).collect()
}

fn attempt(target: &Target, input: &[u8]) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.body)(input))) else { return };
    let dir = home().join("artifacts").join(target.name);
    let digest = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let path = dir.join(format!("bounded-{digest:016x}"));
    match fs::create_dir_all(&dir).and_then(|()| fs::write(&path, input)) {
        Ok(()) => eprintln!("{} fails on {} (kept there)", target.name, path.display()),
        Err(error) => eprintln!("{} fails on an input that cannot be kept: {error}", target.name),
    }
    resume_unwind(panic)
}

/// The folder of this package.
fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
