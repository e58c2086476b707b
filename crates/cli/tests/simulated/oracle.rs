//! tshark finds nothing malformed and no wrong checksum in simulated captures, whatever boxes and actions they had.

use std::process::Command;

use crate::matrix::{simulate, special_cases};

/// Cases of every option that a session sends, and of every box that changes segments.
const CASES: [&str; 12] = [
    "strip data down V1",
    "strip and shrink up V0",
    "mirror down V0",
    "proxy down V1",
    "nat up V0",
    "rewrite down V1",
    "change out late up V1",
    "change in alone down V0",
    "checksums up V1",
    "priorities down V0",
    "withdrawn up V1",
    "abort down V1",
];

#[test]
fn tshark_accepts_simulated_captures() {
    // Errors are 0x800000; retransmissions and resets are less.
    let wrong = "_ws.malformed || _ws.expert.severity >= 8388608 || tcp.checksum.status == 0 || ip.checksum.status == 0";
    let mut cases: Vec<_> =
        special_cases().into_iter().filter(|case| CASES.contains(&case.name.as_str())).collect();
    assert_eq!(cases.len(), CASES.len());
    for case in &mut cases {
        let (captures, _) = simulate(case, 2);
        for capture in captures {
            let file = tempfile::Builder::new().suffix(".pcapng").tempfile().unwrap();
            std::fs::write(file.path(), &capture).unwrap();
            let mut command = Command::new("tshark");
            command.args([
                "-o",
                "tcp.check_checksum:TRUE",
                "-o",
                "ip.check_checksum:TRUE",
                "-Y",
                wrong,
                "-r",
            ]);
            let Ok(output) = command.arg(file.path()).output() else {
                eprintln!("skipped: no tshark");
                return;
            };
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{}", case.name);
        }
    }
}
