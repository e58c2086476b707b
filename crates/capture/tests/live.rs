//! Live captures on the loopback interface, and recordings of them.
#![cfg(target_os = "linux")]

use std::time::Duration;

use subflow_capture::live::{Config, FrameSender, Next, OpenError, Recorder};
use subflow_capture::{Container, Input, Live};

/// EtherType for local experiments, other than that of the tests of `netio`.
const OURS: u16 = 0x88b6;

fn open(interfaces: &[&str]) -> Option<Live> {
    let config = Config {
        interfaces: interfaces.iter().map(|&name| name.to_owned()).collect(),
        snap_len: 64,
        ring_bytes: 32 << 20,
        promiscuous: false,
    };
    match Live::open(&config) {
        Ok(live) => Some(live),
        Err(OpenError::NotPermitted) => {
            eprintln!("skipped: packet sockets need CAP_NET_RAW");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn send(test: u8, count: u32) {
    let mut sender = FrameSender::open("lo", false).unwrap();
    for number in 0..count {
        let mut frame = [0; 100];
        frame[12..14].copy_from_slice(&OURS.to_be_bytes());
        frame[14..18].copy_from_slice(&number.to_be_bytes());
        frame[18] = test;
        while sender.send(&[&frame]).unwrap() == 0 {}
    }
}

/// The number of a frame of ours, wherever its payload begins.
fn number(test: u8, data: &[u8], at: usize) -> Option<u32> {
    let protocol = if at == 14 { data.get(12..14)? } else { data.get(..2)? };
    let ours = protocol == OURS.to_be_bytes() && data.get(at + 4) == Some(&test);
    ours.then(|| u32::from_be_bytes(data[at..at + 4].try_into().unwrap()))
}

#[test]
fn a_recording_holds_what_was_lent_out() {
    let dir = tempfile::tempdir().unwrap();
    for container in [Container::Pcap, Container::Pcapng] {
        let Some(mut live) = open(&["lo"]) else { return };
        let path = dir.path().join(container.to_string());
        let mut recorder = Recorder::create(&path, container, live.interfaces()).unwrap();
        send(1, 3000);
        live.stop();
        let (mut lent, mut ours, mut last) = (Vec::new(), Vec::new(), 0);
        loop {
            match live.next(Duration::from_secs(1)) {
                Next::Packet(packet) => {
                    recorder.write(&packet).unwrap();
                    assert!(packet.time_ns >= last, "times never go back");
                    last = packet.time_ns;
                    lent.push((packet.time_ns, packet.wire_len, packet.frame, packet.data.to_vec()));
                    ours.extend(number(1, packet.data, 14));
                }
                Next::Quiet => {}
                Next::End => break,
            }
        }
        assert_eq!(ours, (0..3000).collect::<Vec<_>>(), "each frame once, in order");
        let status = live.status().clone();
        assert_eq!(status.delivered(), lent.len() as u64, "{status:?}");
        assert_eq!(status.dropped(), 0);
        assert!(live.issues().is_empty(), "{:?}", live.issues());
        recorder.finish(&status, last).unwrap();
        let mut input = Input::open(&[path]).unwrap();
        for (time_ns, wire_len, frame, data) in &lent {
            let packet = input.next_packet().expect("as many packets");
            assert_eq!((packet.time_ns, packet.wire_len, packet.frame), (*time_ns, *wire_len, *frame));
            assert_eq!(packet.data, data);
        }
        assert!(input.next_packet().is_none() && input.issues().is_empty());
        assert_eq!(live.finish().delivered(), lent.len() as u64);
    }
}

#[test]
fn several_interfaces_are_one_stream() {
    let Some(mut live) = open(&["lo", "any"]) else { return };
    send(2, 500);
    live.stop();
    let (mut last, mut seen) = (0, [Vec::new(), Vec::new()]);
    loop {
        match live.next(Duration::from_secs(1)) {
            Next::Packet(packet) => {
                assert!(packet.time_ns >= last);
                last = packet.time_ns;
                let at = if packet.interface == 0 { 14 } else { 20 };
                seen[packet.interface as usize].extend(number(2, packet.data, at));
            }
            Next::Quiet => {}
            Next::End => break,
        }
    }
    let all: Vec<_> = (0..500).collect();
    assert_eq!(seen, [all.clone(), all]);
    assert_eq!(live.status().late, 0);
}

#[test]
fn silence_is_told_and_an_end_comes_when_asked_for() {
    let Some(mut live) = open(&["lo"]) else { return };
    while let Next::Packet(_) = live.next(Duration::from_millis(10)) {}
    live.stop();
    while live.next(Duration::from_secs(1)) != Next::End {}
    assert_eq!(live.next(Duration::ZERO), Next::End, "the end stays the end");
}

#[test]
fn an_unknown_interface_is_refused() {
    let config =
        Config { interfaces: vec!["no such".to_owned()], snap_len: 1, ring_bytes: 1, promiscuous: false };
    match Live::open(&config).map(|_| ()) {
        Err(OpenError::NoInterface { name, known }) => {
            assert_eq!(name, "no such");
            assert!(known.contains(&"lo".to_owned()));
        }
        other => panic!("{other:?}"),
    }
}
