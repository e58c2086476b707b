//! `subflow live` under load, a short run of what `cargo xtask lab --only-live --live 60` does at length.

use std::process::Command;

/// Where the lab cannot be (no Linux, no root), it says so and ends well.
#[test]
fn a_live_capture_is_its_recording() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["lab", "--only-live", "--live", "5"])
        .output()
        .expect("xtask runs");
    let told = String::from_utf8_lossy(&output.stderr);
    eprintln!("{told}");
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("skipped: the lab needs") || told.contains("the same live and from the recording"),
        "{told}"
    );
}
