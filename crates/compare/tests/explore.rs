//! scratch
use std::path::{Path, PathBuf};
use subflow_analysis::{Analyzer, Options, rows::Tables};
use subflow_compare::{ends, nstat, rows::*};
fn tables(p: &Path) -> Tables {
    let mut input = subflow_capture::Input::open(&[p.to_owned()]).unwrap();
    let mut an = Analyzer::new(Options::default(), Tables::default());
    while let Some(packet) = input.next_packet() {
        an.packet(&packet);
    }
    an.input_issues(&input);
    let mut t = an.finish();
    t.sort();
    t
}
fn two(a: &Path, b: &Path, s: ends::Settings) -> ends::Report {
    let (ta, tb) = (tables(a), tables(b));
    let (pa, pb): ([PathBuf; 1], [PathBuf; 1]) = ([a.to_owned()], [b.to_owned()]);
    ends::compare(
        ends::Capture { paths: &pa, tables: &ta },
        ends::Capture { paths: &pb, tables: &tb },
        s,
        &mut || true,
    )
    .unwrap()
}
#[test]
fn explore() {
    let root = subflow_testdata::folder("truth").unwrap();
    let mut all: Vec<_> = std::fs::read_dir(&root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("truth.json").is_file())
        .collect();
    all.sort();
    for d in &all {
        let name = d.file_name().unwrap().to_string_lossy().into_owned();
        let truth = std::fs::read_to_string(d.join("truth.json")).unwrap();
        let sets = nstat::parse(&truth).unwrap_or_default();
        for e in std::fs::read_dir(d).unwrap() {
            let p = e.unwrap().path();
            let f = p.file_name().unwrap().to_string_lossy().into_owned();
            if !f.contains(".pcap") {
                continue;
            }
            let t = tables(&p);
            let side = if f.starts_with("server") { nstat::Host::Server } else { nstat::Host::Client };
            for (h, c) in &sets {
                if *h == Some(side) {
                    for r in nstat::counters(&t, c, side, nstat::is_far(&t, side)) {
                        if matches!(r.verdict, Verdict::Explained | Verdict::Unexplained) {
                            println!(
                                "NSTAT {name}/{f} {} {:?} exp {:?} act {} {:?}",
                                r.counter, r.verdict, r.expected, r.actual, r.reason
                            );
                        }
                    }
                }
            }
        }
        let a = ["client.pcap", "client.pcapng", "client_inside.pcap", "client_c2.pcap"]
            .iter()
            .map(|f| d.join(f))
            .find(|p| p.is_file())
            .unwrap();
        for b in ["server.pcap", "server_outside.pcap", "server_s2.pcap", "server_skewed.pcap"]
            .iter()
            .map(|f| d.join(f))
            .filter(|p| p.is_file())
        {
            let r = two(&a, &b, ends::Settings::default());
            println!(
                "== {name} {} clock {:?} off {:?} err {:?} [{:?} {:?}] skew {:?}±{:?}",
                b.file_name().unwrap().to_string_lossy(),
                r.clock.basis,
                r.clock.offset,
                r.clock.offset_error,
                r.clock.offset_low,
                r.clock.offset_high,
                r.clock.skew_ppm,
                r.clock.skew_error_ppm
            );
            for m in r.matches.iter().take(4) {
                println!(
                    "   M {} {:?}/{:?} {:?} near {:?} nat {} shift {} sub {}/{}/{} pk {}/{}/{}",
                    m.match_id,
                    m.connection_a,
                    m.connection_b,
                    m.matched_by,
                    m.nearer_client,
                    m.translated,
                    m.sequence_shifted,
                    m.subflows_a,
                    m.subflows_b,
                    m.subflows_matched,
                    m.packets_a,
                    m.packets_b,
                    m.packets_matched
                );
            }
            for p in r.paths.iter().take(10) {
                println!(
                    "   P {}/{:?}/{:?} {} {:?} sent {} recv {} match {} lost {} unj {} app {} reord {} dup {} reseg {} order {} min {:.5?} med {:.5?} max {:.5?} err {:.5?}",
                    p.match_id,
                    p.subflow_a,
                    p.subflow_b,
                    p.direction,
                    p.sender,
                    p.packets_sent,
                    p.packets_received,
                    p.packets_matched,
                    p.packets_lost,
                    p.packets_unjudged,
                    p.packets_appeared,
                    p.packets_reordered,
                    p.packets_duplicated,
                    p.packets_resegmented,
                    p.packets_by_order,
                    p.delay_min,
                    p.delay_median,
                    p.delay_max,
                    p.delay_error
                );
            }
            for c in r.changes.iter().take(14) {
                println!(
                    "   C {}/{} {} {} {} {:?} -> {:?} {} of {} @{} {}",
                    c.match_id,
                    c.subflow,
                    c.direction,
                    c.field,
                    c.change,
                    c.before,
                    c.after,
                    c.packets,
                    c.of_packets,
                    c.frame_a,
                    c.frame_b
                );
            }
            if !r.reinjections.is_empty() {
                let mut m = std::collections::BTreeMap::new();
                for x in &r.reinjections {
                    *m.entry((x.direction.to_string(), x.outcome)).or_insert(0) += x.bytes;
                }
                println!("   R {m:?}");
            }
            for x in &r.remarks {
                println!("   N {x}");
            }
        }
        let stats: serde_json::Value = serde_json::from_str(&truth).unwrap();
        println!("   TRUTH {}", stats["pathbox"]["stats"]);
    }
}
