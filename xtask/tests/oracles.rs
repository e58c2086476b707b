//! Other programs on the bundled captures: tcpdump must see the same packets, tshark the same connections and subflows.
//!
//! Where one of them is not installed, its test says so and passes; `cargo xtask test` installs them where it may.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

use subflow_analysis::rows::Tables;
use subflow_analysis::{Analyzer, Options};
use subflow_capture::{Input, pcap};
use tempfile::TempDir;

/// A bundled capture with what subflow says of it, and a plain copy for programs that read no zstd.
struct Example {
    name: String,
    packets: u64,
    tables: Tables,
    plain: PathBuf,
}

fn examples(dir: &TempDir) -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let captures = paths.filter(|path| path.extension().is_some_and(|ending| ending == "zst"));
    let examples: Vec<Example> = captures.map(|path| example(&path, dir)).collect();
    assert!(examples.len() >= 3, "the captures are there");
    examples
}

fn example(path: &Path, dir: &TempDir) -> Example {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let plain = dir.path().join(&name);
    let mut input = Input::open(&[path.to_owned()]).unwrap();
    let mut analyzer = Analyzer::new(Options::default(), Tables::default());
    let mut copy = None;
    while let Some(packet) = input.next_packet() {
        let writer = copy.get_or_insert_with(|| {
            let file = BufWriter::new(File::create(&plain).unwrap());
            pcap::Writer::new(file, packet.link, pcap::Resolution::Micros).unwrap()
        });
        writer.write_packet(&packet).unwrap();
        analyzer.packet(&packet);
    }
    copy.expect("packets").finish().unwrap();
    Example { name, packets: analyzer.packets(), tables: analyzer.finish(), plain }
}

/// What a program prints, or `None` (said aloud) where it is not installed.
fn ask(program: &str, args: &[&str], file: &Path) -> Option<String> {
    match Command::new(program).arg("-r").arg(file).args(args).output() {
        Ok(output) => {
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) => {
            eprintln!("skipped: {program} cannot be run ({error})");
            None
        }
    }
}

#[test]
fn tcpdump_sees_the_same_packets() {
    let dir = tempfile::tempdir().unwrap();
    for example in examples(&dir) {
        let Some(lines) = ask("tcpdump", &["-n", "-tt", "-q"], &example.plain) else { return };
        assert_eq!(lines.lines().count() as u64, example.packets, "{}", example.name);
    }
}

#[test]
fn tshark_sees_the_same_connections_and_subflows() {
    let dir = tempfile::tempdir().unwrap();
    let fields =
        ["-n", "-Y", "mptcp", "-T", "fields", "-E", "occurrence=f", "-e", "mptcp.stream", "-e", "tcp.stream"];
    for example in examples(&dir) {
        let Some(lines) = ask("tshark", &fields, &example.plain) else { return };
        let mut streams: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (connection, subflow) in lines.lines().filter_map(|line| line.split_once('\t')) {
            // A SYN of version 1 holds no key yet: tshark puts it to no connection.
            if !connection.is_empty() {
                streams.entry(connection).or_default().insert(subflow);
            }
        }
        let theirs: Vec<usize> = streams.values().map(BTreeSet::len).collect();
        let ours: Vec<usize> =
            example.tables.connections.iter().map(|row| row.subflows_attempted as usize).collect();
        assert_eq!(ours, theirs, "{}", example.name);
    }
}
