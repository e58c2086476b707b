//! A ring and a sender on the loopback interface, with frames of an EtherType that nobody else uses.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use subflow_netio::{
    ANY, Config, Error, Frame, Framing, Instruction, RawSender, Ring, Sender, Shield, Vlan, wait,
};

/// EtherType for local experiments.
const OURS: u16 = 0x88b5;

fn config(interface: &str, snap_len: u32, mebibytes: usize) -> Config {
    Config { interface: interface.to_owned(), snap_len, ring_bytes: mebibytes << 20, promiscuous: false }
}

/// A ring; none, said loudly, where this is not allowed.
fn open(config: &Config) -> Option<Ring> {
    match Ring::open(config) {
        Ok(ring) => Some(ring),
        Err(Error::NotPermitted) => {
            eprintln!("skipped: packet sockets need CAP_NET_RAW");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A frame of one of the tests, which run at the same time.
fn frame(test: u8, number: u32, len: usize) -> Vec<u8> {
    let mut frame = vec![0; len];
    frame[12..14].copy_from_slice(&OURS.to_be_bytes());
    frame[14..18].copy_from_slice(&number.to_be_bytes());
    frame[18] = test;
    frame
}

fn send(count: u32, frame: impl Fn(u32) -> Vec<u8>) {
    let mut sender = Sender::open("lo", false).unwrap();
    let frames: Vec<_> = (0..count).map(frame).collect();
    let mut rest: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    while !rest.is_empty() {
        let sent = sender.send(&rest).unwrap();
        rest.drain(..sent);
    }
}

/// Reads a ring that takes no more to its end; how many packets came, and of ours each number and length.
fn drain(ring: &mut Ring, test: u8, mut ours: impl FnMut(u32, &Frame<'_>)) -> u64 {
    ring.stop().unwrap();
    let framing = ring.framing();
    let (mut packets, end) = (0, Instant::now() + 4 * Ring::LATENCY);
    loop {
        while let Some(block) = ring.next_block() {
            for frame in block.frames() {
                packets += 1;
                let at = if framing == Framing::Cooked { 0 } else { 14 };
                let payload = frame.data.get(at..at + 5).filter(|_| frame.protocol == OURS);
                if let Some(&[a, b, c, d, whose]) = payload
                    && whose == test
                    && !frame.is_sent_to_self()
                {
                    ours(u32::from_be_bytes([a, b, c, d]), &frame);
                }
            }
        }
        if Instant::now() > end {
            return packets;
        }
        wait(std::slice::from_ref(ring), Duration::from_millis(5)).unwrap();
    }
}

#[test]
fn every_packet_sent_is_in_the_ring() {
    let Some(mut ring) = open(&config("lo", 100, 64)) else { return };
    assert_eq!(ring.framing(), Framing::Link(772));
    send(1000, |number| frame(1, number, 200 + number as usize));
    let mut next = 0;
    let packets = drain(&mut ring, 1, |number, frame| {
        assert_eq!((number, frame.data.len(), frame.wire_len), (next, 100, 200 + number));
        assert!(frame.time_ns > 1_700_000_000_000_000_000);
        next += 1;
    });
    assert_eq!(next, 1000);
    let statistics = ring.statistics().unwrap();
    assert_eq!((statistics.packets, statistics.drops), (packets, 0));
    assert_eq!(ring.fill(), 0.0);
    assert_eq!(ring.trouble(), None);
}

#[test]
fn what_does_not_fit_is_counted() {
    let Some(mut ring) = open(&config("lo", 65_535, 4)) else { return };
    // Twelve megabytes, sent and received, into four.
    send(6000, |number| frame(2, number, 1000));
    let mut ours = 0;
    let packets = drain(&mut ring, 2, |_, _| ours += 1);
    let statistics = ring.statistics().unwrap();
    assert!(statistics.drops > 0 && statistics.freezes > 0 && ours < 6000, "{statistics:?}");
    assert_eq!(packets + statistics.drops, statistics.packets);
}

#[test]
fn all_interfaces_come_without_link_header() {
    let Some(mut ring) = open(&config(ANY, 1000, 64)) else { return };
    assert_eq!(ring.framing(), Framing::Cooked);
    send(10, |number| frame(3, number, 60));
    let mut numbers = Vec::new();
    drain(&mut ring, 3, |number, frame| {
        assert_eq!((frame.hardware, frame.data.len(), frame.wire_len), (772, 46, 46));
        numbers.push(number);
    });
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}

#[test]
fn a_tag_is_told_where_the_kernel_takes_it_out() {
    let Some(mut ring) = open(&config("lo", 1000, 64)) else { return };
    send(1, |_| {
        let mut frame = frame(4, 7, 60);
        frame.splice(12..12, [0x81, 0, 0x20, 42]);
        frame
    });
    // Received frames lose their tag to the packet's description.
    let mut tags = Vec::new();
    drain(&mut ring, 4, |number, frame| {
        assert_eq!((number, frame.wire_len), (7, 60));
        tags.push(frame.vlan);
    });
    assert_eq!(tags, [Some(Vlan { tpid: 0x8100, tci: 0x202a })]);
}

/// A statement of classic BPF.
fn step(code: u16, jump_true: u8, jump_false: u8, k: u32) -> Instruction {
    Instruction { code, jump_true, jump_false, k }
}

#[test]
fn a_filter_lets_in_what_it_says_and_nothing_that_was_sent() {
    // Load the byte at 18; is it 9; 40 bytes, or none.
    let program = [step(0x30, 0, 0, 18), step(0x15, 0, 1, 9), step(0x06, 0, 0, 40), step(0x06, 0, 0, 0)];
    let mut ring = match Ring::open_filtered(&config("lo", 1000, 4), &program) {
        Ok(ring) => ring,
        Err(Error::NotPermitted) => {
            eprintln!("skipped: packet sockets need CAP_NET_RAW");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    send(100, |number| frame(if number % 2 == 0 { 9 } else { 10 }, number, 100));
    let mut numbers = Vec::new();
    let packets = drain(&mut ring, 9, |number, frame| {
        assert_eq!((frame.data.len(), frame.wire_len, frame.is_sent_to_self()), (40, 100, false));
        numbers.push(number);
    });
    // On the loopback interface each frame is seen twice, but here only as received.
    assert_eq!((packets, numbers), (50, (0..100).step_by(2).collect()));
    let endless = [step(0x05, 0, 0, 7)];
    assert!(matches!(Ring::open_filtered(&config("lo", 1000, 4), &endless), Err(Error::System { .. })));
}

#[test]
fn the_fast_sender_loses_nothing_and_sends_nothing_twice() {
    let mut sender = match Sender::open_fast("lo", 0) {
        Ok(sender) => sender,
        Err(error) => {
            eprintln!("skipped: no AF_XDP here ({error})");
            return;
        }
    };
    let Some(mut ring) = open(&config("lo", 100, 64)) else { return };
    let frames: Vec<_> = (0..10_000).map(|number| frame(11, number, 60 + number as usize % 1000)).collect();
    let mut rest: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let mut left = rest.as_mut_slice();
    while !left.is_empty() {
        let sent = sender.send(left).unwrap();
        left = &mut left[sent..];
    }
    let mut next = 0;
    drain(&mut ring, 11, |number, frame| {
        assert_eq!((number, frame.wire_len), (next, 60 + number % 1000));
        next += 1;
    });
    assert_eq!(next, 10_000);
    // A queue serves one of them at a time.
    assert!(matches!(Sender::open_fast("lo", 0), Err(Error::System { .. })));
    assert!(matches!(sender.send(&[&[0; 3000]]), Err(Error::System { .. })));
    assert!(matches!(Sender::open_fast("no such", 0), Err(Error::NoInterface { .. })));
}

#[test]
fn a_shielded_port_answers_nobody() {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
    let first = (50_000..60_000).step_by(8).find_map(|port| Shield::open(port, port + 7).ok());
    let shield = first.expect("ports that nobody has");
    let (first, last) = shield.ports();
    assert_eq!(last, first + 7);
    assert!(matches!(Shield::open(last, last), Err(Error::PortInUse { port }) if port == last));
    let wait = Duration::from_millis(150);
    let connect = |addr: IpAddr, port| {
        TcpStream::connect_timeout(&SocketAddr::new(addr, port), wait).map_err(|error| error.kind())
    };
    let hosts: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    // Where there is no IPv6, only IPv4 is asked.
    let hosts = hosts.into_iter().filter(|&addr| TcpListener::bind((addr, 0)).is_ok());
    for addr in hosts.clone() {
        for port in [first, last] {
            assert_eq!(connect(addr, port).err(), Some(std::io::ErrorKind::TimedOut), "{addr} {port}");
        }
    }
    drop(shield);
    for addr in hosts {
        assert_eq!(connect(addr, first).err(), Some(std::io::ErrorKind::ConnectionRefused), "{addr}");
    }
}

#[test]
fn a_raw_sender_reaches_this_very_host() {
    let sender = match RawSender::open() {
        Ok(sender) => sender,
        Err(Error::NotPermitted) => {
            eprintln!("skipped: raw sockets need CAP_NET_RAW");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let receiver = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let port = receiver.local_addr().unwrap().port();
    // IPv4 and UDP without a checksum of its own, from another address of this host.
    let mut packet = vec![0x45, 0, 0, 31, 0, 1, 0, 0, 1, 17, 0, 0, 127, 0, 0, 9, 127, 0, 0, 1];
    packet.extend([0, 7]);
    packet.extend(port.to_be_bytes());
    packet.extend([0, 11, 0, 0]);
    packet.extend(b"you");
    assert!(sender.send(&packet, "127.0.0.1".parse().unwrap()).unwrap());
    let mut bytes = [0; 8];
    let (len, from) = receiver.recv_from(&mut bytes).unwrap();
    assert_eq!((&bytes[..len], from.to_string().as_str()), (&b"you"[..], "127.0.0.9:7"));
}
