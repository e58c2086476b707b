//! tshark reads what is written: no malformed packet, right checksums, the fields that were meant.

mod script;

use std::process::Command;

use subflow_sim::capture::{Place, Settings, Taps};
use subflow_sim::observe::End;
use subflow_sim::wire_image::Framing;

fn tshark(file: &std::path::Path, more: &[&str]) -> Option<String> {
    let checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
    let output = Command::new("tshark").arg("-r").arg(file).args(checks).args(more).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn write(name: &str, script: script::Script, framing: Framing) -> tempfile::NamedTempFile {
    let settings = Settings { framing, snap: 0, ..Settings::default() };
    let mut taps = Taps::new(settings);
    taps.add(Place::Ends(End::Client), Vec::new()).unwrap();
    script.play(&mut taps);
    let bytes = taps.finish().unwrap().remove(0);
    let file = tempfile::Builder::new().prefix(&name.replace(' ', "-")).suffix(".pcapng").tempfile().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn no_packet_is_malformed_and_every_checksum_is_right() {
    for (index, (name, script)) in script::all().into_iter().enumerate() {
        let framing = if index % 2 == 0 { Framing::Ethernet } else { Framing::Raw };
        let file = write(&name, script, framing);
        // Errors are 0x800000, warnings 0x600000.
        let wrong = "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.expert.severity >= 8388608";
        let Some(lines) = tshark(file.path(), &["-Y", wrong]) else {
            eprintln!("skipped: no tshark");
            return;
        };
        assert_eq!(lines, "", "{name}");
        let checked = tshark(file.path(), &["-Y", "tcp.checksum.status == 1"]).unwrap();
        let all = tshark(file.path(), &[]).unwrap();
        assert_eq!(checked.lines().count(), all.lines().count(), "{name}");
        assert!(all.lines().count() > 8, "{name}: {all}");
    }
}
