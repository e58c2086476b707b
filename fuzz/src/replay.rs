//! Replays inputs, such as one that a fuzzer has found, without a fuzzer.

use std::io;

/// Runs a target on every file named on the command line.
pub fn main(body: fn(&[u8])) -> io::Result<()> {
    for path in std::env::args_os().skip(1) {
        eprintln!("{}", path.display());
        body(&std::fs::read(path)?);
    }
    Ok(())
}
