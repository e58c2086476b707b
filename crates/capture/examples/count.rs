//! Counts the packets of captures: `cargo run --release --example count -- FILE...`

use std::path::PathBuf;

use subflow_capture::{Error, Input};

fn main() -> Result<(), Error> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let mut input = Input::open(&paths)?;
    let (mut packets, mut captured, mut disorder, mut newest) = (0_u64, 0_u64, 0_u64, i64::MIN);
    while let Some(packet) = input.next_packet() {
        packets += 1;
        captured += packet.data.len() as u64;
        disorder += u64::from(packet.time_ns < newest);
        newest = newest.max(packet.time_ns);
    }
    eprintln!("{packets} packets, {captured} bytes captured, {disorder} out of order");
    for issue in input.issues() {
        let file = input.files().get(issue.file as usize).map_or("", |file| &file.name);
        eprintln!("{file}: {issue}");
    }
    Ok(())
}
