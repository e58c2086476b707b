//! The traces that list every option: each shows up in the row of its frame, and nothing else does.

use super::{direction, trace};
use crate::support::{findings::Findings, json::Must, run::Ask};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use subflow_analysis::rows::{EventKind, Tables};
use subflow_testdata::folder;

const NAMES: [&str; 5] =
    ["v0_fastclose_client", "v0_options", "v0_options_csum", "v1_fastclose_server", "v1_options"];

#[test]
fn every_option_has_its_row() {
    let Some(folder) = folder("crafted") else { return };
    let mut findings = Findings::default();
    for name in NAMES {
        let (truth, tables) = trace(&folder, name);
        let mut counts = BTreeMap::new();
        let mut ended = BTreeSet::new();
        for option in truth["expected_options"].list() {
            let frame = option["packet"].number();
            let place = format!("{name}, frame {frame}: {}", option["option"].text());
            if let Some(kind) = event_of(option) {
                // A DATA_FIN is an event once a direction, however often it is repeated.
                let row = tables.events.iter().find(|row| row.frame == frame && row.kind == kind);
                findings.holds(&place, row.is_some(), || "no event".to_owned());
                if kind != EventKind::DataFin || row.is_some_and(|row| ended.insert(row.direction)) {
                    *counts.entry(kind).or_insert(0_u64) += 1;
                }
            } else if option["option"] == "ADD_ADDR" {
                announcement(&mut findings, &place, &tables, option);
            } else if option["option"] == "MP_CAPABLE" {
                capable(&mut findings, &place, &tables, option);
            }
        }
        // The reset that follows a fast close carries MP_TCPRST in v1, which the list leaves out.
        if name == "v1_fastclose_server" {
            counts.insert(EventKind::TcpRst, 1);
        }
        // An unknown id is withdrawn, and addresses of two classes are announced that nobody can reach.
        if name.contains("_options") {
            counts.insert(EventKind::Advice, 3);
        }
        findings.equal(&format!("{name}: events"), tables.event_counts(), counts);
        let announcements = |echo: bool| tables.announcements.iter().filter(|row| row.echo == echo).count();
        let listed = |echo: bool| {
            let options = truth["expected_options"].list().iter();
            options
                .filter(|option| option["option"] == "ADD_ADDR" && (option["echo"] == true) == echo)
                .count()
        };
        findings.equal(&format!("{name}: announcements"), announcements(false), listed(false));
        findings.equal(&format!("{name}: echoes"), announcements(true), listed(true));
    }
    findings.settle(100);
}

fn event_of(option: &Value) -> Option<EventKind> {
    Some(match option["option"].text() {
        "MP_PRIO" => EventKind::MpPrio,
        "REMOVE_ADDR" => EventKind::RemoveAddr,
        "MP_FAIL" => EventKind::MpFail,
        "MP_FASTCLOSE" => EventKind::FastClose,
        "DSS" if option["data_fin"] == true => EventKind::DataFin,
        _ => return None,
    })
}

fn announcement(findings: &mut Findings, place: &str, tables: &Tables, option: &Value) {
    let frame = option["packet"].number();
    let Some(row) = tables.announcements.iter().find(|row| row.frame == frame) else {
        findings.holds(place, false, || "no announcement".to_owned());
        return;
    };
    findings.equal(&format!("{place}: address_id"), u64::from(row.address_id), option["id"].number());
    findings.equal(&format!("{place}: addr"), row.addr.to_string(), option["addr"].text());
    findings.equal(&format!("{place}: port"), row.port.map(u64::from), option["port"].as_u64());
    findings.equal(&format!("{place}: echo"), row.echo, option["echo"] == true);
    let with_hmac = option.get("hmac").is_some().then_some(true);
    findings.equal(&format!("{place}: hmac_ok"), row.hmac_ok, with_hmac);
    let echoed = (option["version"] == 1 && !row.echo).then_some(true);
    findings.equal(&format!("{place}: echoed"), row.echoed, echoed);
}

fn capable(findings: &mut Findings, place: &str, tables: &Tables, option: &Value) {
    let row = &tables.connections[0];
    findings.equal(&format!("{place}: version"), row.version.map(u64::from), option["version"].as_u64());
    let key = option["sender_key"].as_str().and_then(|key| u64::from_str_radix(key, 16).ok());
    let keys = [row.client_key, row.server_key].map(|key| key.map(|key| key.0));
    findings.holds(place, key.is_none() || keys.contains(&key), || format!("{key:x?} is none of {keys:x?}"));
}

#[test]
fn addresses_are_classed() {
    let Some(folder) = folder("crafted") else { return };
    for name in ["v0_options", "v0_options_csum", "v1_options"] {
        let (_, tables) = trace(&folder, name);
        let announced = tables.announced_on(0);
        let classes: Vec<_> =
            announced.iter().map(|row| (row.direction, row.addr.to_string(), row.class)).collect();
        let told = [
            ("client", "10.20.30.40", "v4 private"),
            ("client", "2001:db8::99", "v6 documentation"),
            ("server", "203.0.113.5", "v4 documentation"),
            ("server", "fe80::1", "v6 link-local"),
        ];
        let told = told.map(|(by, addr, class)| (direction(by), addr.to_owned(), class));
        assert_eq!(classes, told, "{name}");
    }
}

#[test]
fn priorities_change_the_subflow_they_name() {
    let Some(folder) = folder("crafted") else { return };
    for name in ["v0_options", "v1_options"] {
        let (_, tables) = trace(&folder, name);
        let backup: Vec<_> = tables.subflows.iter().map(|row| (row.backup, row.backup_at_end)).collect();
        // The first MP_PRIO ends the backup of the second subflow, the other (with its address id) begins it again.
        assert_eq!(backup, [(false, false), (true, true)], "{name}");
    }
}
