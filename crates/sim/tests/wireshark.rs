//! tshark reads what is written: no malformed packet, right checksums, the fields that were meant.

mod script;

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;

use subflow_sim::capture::{Place, Settings, Taps};
use subflow_sim::header::Header;
use subflow_sim::observe::{End, Observer, Sight};
use subflow_sim::wire_image::Framing;
use subflow_wire::mptcp::{Dsn, Join, Mptcp};

/// Errors are 0x800000, warnings 0x600000; retransmissions are notes.
const COLUMNS: [&str; 20] = [
    "_ws.malformed",
    "_ws.expert.severity",
    "ip.checksum.status",
    "tcp.checksum.status",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.flags",
    "tcp.len",
    "tcp.window_size_value",
    "tcp.options.mptcp.subtype",
    "tcp.options.mptcp.sendkey",
    "tcp.options.mptcp.recvtok",
    "tcp.options.mptcp.sendhmac",
    "tcp.options.mptcp.addrid",
    "tcp.options.mptcp.rawdataseqno",
    "tcp.options.mptcp.rawdataack",
    "tcp.options.mptcp.subflowseqno",
    "tcp.options.mptcp.datalvllen",
    "tcp.options.mptcp.backup.flag",
    "tcp.options.mptcp.rst_reason",
];

fn tshark(file: &Path) -> Option<String> {
    let preferences =
        ["tcp.check_checksum:TRUE", "ip.check_checksum:TRUE", "tcp.relative_sequence_numbers:FALSE"];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-T", "fields"]);
    for preference in preferences {
        command.args(["-o", preference]);
    }
    for column in COLUMNS {
        command.args(["-e", column]);
    }
    let output = command.output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Headers that pass the client.
#[derive(Default)]
struct Seen(VecDeque<Header>);

impl Observer for Seen {
    fn sent(&mut self, at: Sight, header: &mut Header) {
        if at.end == End::Client {
            self.0.push_back(*header);
        }
    }

    fn arrived(&mut self, at: Sight, header: &Header) {
        if at.end == End::Client {
            self.0.push_back(*header);
        }
    }
}

fn low(number: Dsn) -> String {
    match number {
        Dsn::Short(number) => number.to_string(),
        Dsn::Long(number) => number.to_string(),
    }
}

/// What tshark should show of the options.
fn meant(header: &Header) -> [Vec<String>; 11] {
    let mut fields: [Vec<String>; 11] = Default::default();
    let [subtypes, keys, tokens, hmacs, ids, dsns, acks, positions, lengths, backups, reasons] = &mut fields;
    for option in header.mptcp() {
        subtypes.extend(option.subtype().map(|subtype| subtype.to_string()));
        match option {
            Mptcp::Capable(capable) => keys.extend(capable.sender_key.map(|key| key.0.to_string())),
            Mptcp::Join(Join::Syn { backup, address_id, token, .. }) => {
                backups.push(u8::from(backup).to_string());
                ids.push(address_id.to_string());
                tokens.push(token.to_string());
            }
            Mptcp::Join(Join::SynAck { backup, address_id, .. }) => {
                backups.push(u8::from(backup).to_string());
                ids.push(address_id.to_string());
            }
            Mptcp::Join(Join::Ack { hmac, .. }) => {
                hmacs.push(hmac.iter().map(|byte| format!("{byte:02x}")).collect());
            }
            Mptcp::AddAddr(announced) => ids.push(announced.address_id.to_string()),
            Mptcp::RemoveAddr(removed) => ids.extend(removed.ids.iter().map(u8::to_string)),
            Mptcp::Prio(prio) => backups.push(u8::from(prio.backup).to_string()),
            Mptcp::Fail(fail) => dsns.push(fail.dsn.to_string()),
            Mptcp::TcpRst(reset) => reasons.push(reset.reason.to_string()),
            Mptcp::Dss(dss) => {
                acks.extend(dss.data_ack.map(low));
                if let Some(mapping) = dss.mapping {
                    dsns.push(low(mapping.dsn));
                    positions.push(mapping.subflow_seq.to_string());
                    lengths.push(mapping.len.to_string());
                }
            }
            _ => {}
        }
    }
    fields
}

#[test]
fn tshark_shows_what_was_meant_and_finds_nothing_wrong() {
    for (index, (name, script)) in script::all().into_iter().enumerate() {
        let framing = if index % 2 == 0 { Framing::Ethernet } else { Framing::Raw };
        let mut taps = Taps::new(Settings { framing, snap: 0, ..Settings::default() });
        taps.add(Place::Ends(End::Client), Vec::new()).unwrap();
        let mut observer = (Seen::default(), taps);
        script.play(&mut observer);
        let file = tempfile::Builder::new().suffix(".pcapng").tempfile().unwrap();
        std::fs::write(file.path(), observer.1.finish().unwrap().remove(0)).unwrap();
        let Some(lines) = tshark(file.path()) else {
            eprintln!("skipped: no tshark");
            return;
        };
        assert_eq!(lines.lines().count(), observer.0.0.len(), "{name}");
        for (line, header) in lines.lines().zip(observer.0.0) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields[0], "", "{name}: {line}");
            let severe = fields[1].split(',').filter_map(|severity| severity.parse::<u32>().ok());
            assert!(severe.max() < Some(0x80_0000), "{name}: {line}");
            assert_eq!(fields[2], if header.src.is_ipv4() { "1" } else { "" }, "{name}: {line}");
            assert_eq!(fields[3], "1", "{name}: {line}");
            let numbers = [header.seq, header.ack].map(|number| number.to_string());
            assert_eq!(fields[4..6], numbers, "{name}: {line}");
            assert_eq!(fields[6], format!("0x{:04x}", header.flags.0), "{name}: {line}");
            assert_eq!(fields[7..9], [header.payload.len, header.window].map(|number| number.to_string()));
            for (column, (shown, meant)) in COLUMNS[9..].iter().zip(fields[9..].iter().zip(meant(&header))) {
                assert_eq!(plain(shown), meant.join(","), "{name}: {column} of {line}");
            }
        }
    }
}

/// Numbers of tshark in decimal, flags in words.
fn plain(shown: &str) -> String {
    let numbers = shown.split(',').map(|number| match number.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).map_or(number.to_owned(), |number| number.to_string()),
        None => number.replace("True", "1").replace("False", "0"),
    });
    numbers.collect::<Vec<_>>().join(",")
}
