//! What every test of the command needs.
#![allow(dead_code, reason = "not every test file uses all of it")]

use snapbox::cmd::Command;
use std::path::Path;

/// The command, free of the settings of whoever runs the tests.
pub(crate) fn subflow() -> Command {
    Command::new(env!("CARGO_BIN_EXE_subflow"))
        .env_clear()
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("COLUMNS", "100")
}

/// The same for what only the standard library's command can do.
pub(crate) fn plain() -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_subflow"));
    command.env_clear().env("XDG_CONFIG_HOME", "/nonexistent").env("COLUMNS", "100");
    command
}

/// Standard output of a run that ends well.
pub(crate) fn stdout(arguments: &[&str]) -> String {
    let output = subflow().args(arguments).output().expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} failed: {stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A pcap file with this many plain TCP packets from 10.0.0.1 to 10.0.0.2, a second apart from 1970 on.
pub(crate) fn capture(packets: u32) -> Vec<u8> {
    // Microseconds, little-endian, link type 101 (raw IP).
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    for packet in 0..packets {
        file.extend(packet.to_le_bytes());
        file.extend([0, 0, 0, 0, 40, 0, 0, 0, 40, 0, 0, 0]);
        // IPv4 with TCP inside, 40 bytes; no checksums.
        file.extend([
            0x45,
            0,
            0,
            40,
            0,
            packet.to_le_bytes()[0],
            0,
            0,
            64,
            6,
            0,
            0,
            10,
            0,
            0,
            1,
            10,
            0,
            0,
            2,
        ]);
        // Port 40000 to 80, an ACK.
        file.extend([0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
    }
    file
}

/// Writes a capture into a folder and returns its path.
pub(crate) fn write_capture(dir: &Path, name: &str, bytes: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, bytes).expect("writes");
    path.to_str().expect("UTF-8").to_owned()
}
