//! tshark as an oracle: what it reads out of packets, and the tables that follow from that.

mod packets;
pub(crate) mod reference;

pub(crate) use packets::{End, Packet, packets};

use std::io::{self, Write};
use std::process::Command;

/// Whether tshark is there; says so loudly when it is not.
pub(crate) fn is_there() -> bool {
    let there = Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        // Past the test harness, which keeps what passing tests say to itself.
        let _ = writeln!(io::stderr(), "skipped: tshark is not on the PATH (Debian: apt-get install tshark)");
    }
    there
}
