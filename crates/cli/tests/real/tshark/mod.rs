//! tshark as an oracle: what it reads out of packets, and the tables that follow from that.

mod packets;
pub(crate) mod reference;

pub(crate) use packets::{End, Packet, packets};

use std::process::Command;

/// Whether tshark is there; says so loudly when it is not.
pub(crate) fn is_there() -> bool {
    let there = Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: tshark is not on the PATH (Debian: apt-get install tshark)");
    }
    there
}
