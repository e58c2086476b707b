//! The proofs held against handshakes that others made: kernels with version 1, and traces with every byte known of version 0.

use std::collections::HashMap;
use std::net::SocketAddr;

use subflow_capture::Input;
use subflow_wire::keys::Version;
use subflow_wire::mptcp::{Capable, Join, Mptcp};
use subflow_wire::tcp::Tcp;
use subflow_wire::{Dissection, Key, LinkType, dissect};

use super::handshake::{judge_join, judge_syn_ack};
use super::space::{Mappings, Space};
use crate::rows::{AnswerStep, JoinStep, SynStep};

/// Client and server.
type Ends = (SocketAddr, SocketAddr);

struct Keys {
    version: Version,
    client: Key,
    server: Key,
}

/// Frames with their link types.
fn frames(path: &std::path::Path) -> Vec<(LinkType, Vec<u8>)> {
    let mut input = Input::open(&[path.to_owned()]).unwrap();
    let mut frames = Vec::new();
    while let Some(packet) = input.next_packet() {
        frames.push((packet.link, packet.data.to_vec()));
    }
    frames
}

/// Calls back for each segment.
fn walk(frames: &[(LinkType, Vec<u8>)], mut visit: impl FnMut(SocketAddr, SocketAddr, &Tcp<'_>)) {
    for (link, bytes) in frames {
        let Dissection::Ip(ip) = dissect(*link, bytes, bytes.len() as u32) else { continue };
        if let Ok(tcp) = Tcp::parse(ip.payload) {
            visit(SocketAddr::new(ip.src, tcp.src_port()), SocketAddr::new(ip.dst, tcp.dst_port()), &tcp);
        }
    }
}

/// Judges every handshake of a capture: how many SYN/ACKs are capable, how many joins are proved, in how many connections the
/// server's first byte is where its key puts it.
fn judge(path: &std::path::Path) -> [usize; 3] {
    let frames = frames(path);
    let mut keys: HashMap<Ends, Keys> = HashMap::new();
    let mut tokens: HashMap<u32, Ends> = HashMap::new();
    walk(&frames, |src, dst, tcp| {
        for option in tcp.options().mptcp() {
            if let Mptcp::Capable(Capable {
                version,
                sender_key: Some(client),
                receiver_key: Some(server),
                ..
            }) = option
            {
                let version = Version::try_from(version).unwrap();
                tokens.insert(server.token(version), (src, dst));
                keys.insert((src, dst), Keys { version, client, server });
            }
        }
    });
    let (mut capable, mut joined, mut mapped) = (0, 0, 0);
    let mut joins: HashMap<Ends, (u32, u32)> = HashMap::new();
    let mut spaces: HashMap<Ends, (Space, Mappings)> = HashMap::new();
    walk(&frames, |src, dst, tcp| {
        let flags = tcp.flags();
        let ends = (dst, src);
        for option in tcp.options().mptcp() {
            match option {
                Mptcp::Join(Join::Syn { token, nonce, .. }) => {
                    joins.insert((src, dst), (token, nonce));
                }
                Mptcp::Capable(_) if flags.syn() && flags.ack() => {
                    let Some(Keys { version, client, server }) = keys.get(&ends) else { continue };
                    let (step, found) = judge_syn_ack(*version, *client, tcp);
                    assert_eq!(step, SynStep::Capable, "{ends:?}");
                    assert_eq!(found.unwrap().sender_key, Some(*server), "{ends:?}");
                    // Had we sent that key, it would be a mirror's.
                    assert_eq!(judge_syn_ack(*version, *server, tcp).0, SynStep::Mirrored, "{ends:?}");
                    capable += 1;
                }
                Mptcp::Join(Join::SynAck { .. }) => {
                    let Some(&(token, nonce)) = joins.get(&ends) else { continue };
                    let Some(Keys { version, client, server }) =
                        tokens.get(&token).and_then(|ends| keys.get(ends))
                    else {
                        continue;
                    };
                    let judged = |client, server| judge_join(*version, client, server, nonce, tcp).0;
                    assert_eq!(judged(*client, *server), JoinStep::Unconfirmed, "{ends:?}");
                    assert_eq!(judged(Key(client.0 ^ 1), *server), JoinStep::WrongHmac, "{ends:?}");
                    assert_eq!(judged(*client, Key(server.0 ^ 1)), JoinStep::WrongHmac, "{ends:?}");
                    joined += 1;
                }
                Mptcp::Dss(dss) => {
                    let Some(Keys { version, server, .. }) = keys.get(&ends) else { continue };
                    let new = || (Space::new(server.idsn(*version)), Mappings::default());
                    let (space, mappings) = spaces.entry(ends).or_insert_with(new);
                    let before = space.step;
                    space.signal(mappings, &dss);
                    assert_ne!(space.step, AnswerStep::OtherKey, "{ends:?}");
                    mapped += usize::from(before != space.step && space.step == AnswerStep::Mapped);
                }
                _ => {}
            }
        }
    });
    [capable, joined, mapped]
}

#[test]
fn proofs_of_captured_connections() {
    let Some(truth) = subflow_testdata::folder("truth") else { return };
    let Some(crafted) = subflow_testdata::folder("crafted") else { return };
    // Capable and joined SYN/ACKs as tshark counts them.
    for (file, counts) in [
        ("01_tiny/client.pcap", [1, 0]),
        ("02_fullmesh/client.pcapng", [1, 3]),
        ("06_dualstack_v4first/client.pcap", [1, 1]),
        ("07_join_bad_hmac_ack/client.pcap", [1, 1]),
        ("15_ndiffports_server_ports/client.pcap", [1, 4]),
        ("16_checksum/client.pcap", [1, 1]),
        ("24_parallel/client.pcap", [3, 3]),
    ] {
        let [capable, joined, mapped] = judge(&truth.join(file));
        assert_eq!([capable, joined], counts, "{file}");
        assert!(mapped <= capable, "{file}");
    }
    for (file, counts) in [
        ("v0_ndiffports", [1, 4]),
        ("v0_options", [1, 1]),
        ("v0_options_csum", [1, 1]),
        ("v0_reinjection", [1, 1]),
    ] {
        let [capable, joined, _] = judge(&crafted.join(file).with_extension("pcap"));
        assert_eq!([capable, joined], counts, "{file}");
    }
}
