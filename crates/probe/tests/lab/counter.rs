//! Counts SYNs where they arrive: how often each address of a network was probed.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use subflow_netio::{Config, Instruction, Ring, wait};

/// Counts on an interface, for the addresses of an IPv4 network given by its first address and size (or, for `v6`, for IPv6
/// addresses told apart by their second four bytes, and two ports), until the standard input
/// ends; then writes to a file how many addresses were probed how often, and what was lost.
pub(crate) fn count(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut next = || arguments.next().ok_or("an argument lacks");
    let (interface, first, size, file) = (next()?, next()?, next()?, next()?);
    let first: Option<u32> = match first.as_str() {
        "v6" => None,
        first => Some(first.parse::<std::net::Ipv4Addr>().map_err(|error| error.to_string())?.into()),
    };
    let size: usize = size.parse().map_err(|_| "no size")?;
    let mut counts = vec![0_u8; size];
    let step = |code, jump_true, jump_false, k| Instruction { code, jump_true, jump_false, k };
    // IPv4, TCP without options in the IP header, SYN alone: 34 bytes.
    let four = [
        step(0x28, 0, 0, 12),
        step(0x15, 0, 5, 0x0800),
        step(0x30, 0, 0, 23),
        step(0x15, 0, 3, 6),
        step(0x30, 0, 0, 47),
        step(0x15, 0, 1, 2),
        step(0x06, 0, 0, 34),
        step(0x06, 0, 0, 0),
    ];
    // IPv6, TCP, SYN alone: up to the ports.
    let six = [
        step(0x28, 0, 0, 12),
        step(0x15, 0, 5, 0x86dd),
        step(0x30, 0, 0, 20),
        step(0x15, 0, 3, 6),
        step(0x30, 0, 0, 67),
        step(0x15, 0, 1, 2),
        step(0x06, 0, 0, 60),
        step(0x06, 0, 0, 0),
    ];
    let program = if first.is_some() { four } else { six };
    let config = Config { interface, snap_len: 60, ring_bytes: 256 << 20, promiscuous: false };
    let mut rings = [Ring::open_filtered(&config, &program).map_err(|error| error.to_string())?];
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.store(true, Ordering::Relaxed);
    });
    // Not by print!, which libraries may not use either: the test waits for this line.
    writeln!(std::io::stdout(), "\ncounting").map_err(|error| error.to_string())?;
    let mut end = None;
    loop {
        wait(&rings, Duration::from_millis(10)).map_err(|error| error.to_string())?;
        while let Some(block) = rings[0].next_block() {
            for frame in block.frames() {
                let word = |at: usize| Some(u32::from_be_bytes(*frame.data.get(at..)?.first_chunk()?));
                let place = match first {
                    Some(first) => word(30).map(|addr| addr.wrapping_sub(first)),
                    // The second four bytes of the address, twice: for port 80 and for others.
                    None => {
                        word(42).zip(word(54)).map(|(addr, ports)| addr << 1 | u32::from(ports as u16 != 80))
                    }
                };
                let Some(at) = place.map(|place| place as usize) else { continue };
                if let Some(count) = counts.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
        }
        if ended.load(Ordering::Relaxed)
            && *end.get_or_insert(Instant::now() + 4 * Ring::LATENCY) < Instant::now()
        {
            break;
        }
    }
    let statistics = rings[0].statistics().map_err(|error| error.to_string())?;
    let mut text = format!("lost {}\n", statistics.drops);
    for often in 0..=u8::MAX {
        let addresses = counts.iter().filter(|&&count| count == often).count();
        if addresses > 0 {
            text += &format!("{often} {addresses}\n");
        }
    }
    std::fs::write(file, text).map_err(|error| error.to_string())
}
