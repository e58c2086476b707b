//! Wireshark as the judge: what it says of each frame but for addresses, keys and payload is the same before and after.

use std::{path::Path, process::Command};
use subflow_anonymize::{Secret, Settings, run};

/// What Wireshark is asked of every frame. Status of checksums: 0 bad, 1 good, 2 not checked.
const FIELDS: [&str; 19] = [
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "ip.checksum.status",
    "ip.len",
    "ip.id",
    "ip.ttl",
    "ipv6.plen",
    "tcp.checksum.status",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
    "tcp.flags",
    "tcp.option_kind",
    "tcp.options.mptcp.subtype",
    "mptcp.stream",
];

fn tshark(path: &Path, filter: &str) -> String {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(path).args(["-Y", filter, "-T", "fields", "-E", "occurrence=a"]);
    command.args(["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]);
    command.args(["-o", "tcp.relative_sequence_numbers:FALSE"]);
    FIELDS.iter().for_each(|field| _ = command.args(["-e", field]));
    let output = command.output().expect("tshark runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The lines without frame numbers, sorted.
fn unnumbered(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('\t')?.1)).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn wireshark_sees_the_same() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    let Some(root) = subflow_testdata::folder("truth").and_then(|truth| Some(truth.parent()?.to_owned()))
    else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    for name in [
        "crafted/v0_options_csum.pcap",
        "crafted/v1_options.pcap",
        "crafted/v0_dsn_wrap.pcap",
        "crafted/synth_server_trace.pcap",
        "formats/snap_096.pcap",
        "formats/en_vlan.pcap",
        "formats/tun_vxlan.pcap",
        "formats/tun_gre.pcap",
        "formats/ip_fragments.pcap",
        "formats/ip6_ext_chain.pcap",
        "formats/lt_sll113_vlan.pcap",
        "truth/13_nat",
        "truth/08_mirror",
        "truth/16_checksum",
        "truth/29_offload",
        "truth/30_full_payload",
        "truth/17_tfo",
    ] {
        let path = root.join(name);
        let files = if path.is_dir() { subflow_testdata::files_below(&path) } else { vec![path] };
        for input in files.iter().filter(|file| file.extension().is_none_or(|extension| extension != "json"))
        {
            let output = dir.path().join("out.pcapng");
            let settings = Settings {
                inputs: vec![input.clone()],
                output: output.clone(),
                secret: Secret::new(b"a secret for tests only").expect("long enough"),
                shift_ns: 0,
                drop_others: false,
                force: true,
                verify: false,
            };
            let Ok(report) = run(&settings, &mut |_| true) else { continue };
            let (mut before, mut after) = (tshark(input, "tcp && !icmp && !icmpv6"), tshark(&output, "tcp"));
            if report.renumbered {
                // It did not stand in order of time.
                (before, after) = (unnumbered(&before), unnumbered(&after));
            }
            assert!(before.lines().count() > 3, "{name}: nothing to compare");
            for (before, after) in before.lines().zip(after.lines()) {
                assert_eq!(before, after, "{}\n{FIELDS:?}", input.display());
            }
            assert_eq!(before.lines().count(), after.lines().count(), "{name}");
        }
    }
}
