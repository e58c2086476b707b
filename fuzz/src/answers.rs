//! Answers to probes: from a frame to a verified answer, its rows and a verdict, as it comes and from a capture.

use std::net::IpAddr;

use subflow_capture::Packet;
use subflow_probe::answers::{Answer, Evidence, Offline, Reader, Repeats};
use subflow_probe::probes::{Frame, Kind, Kinds, Probes, Secret, Source, SourcePorts};
use subflow_probe::rows::{AnswerKind, Finding, Probe, Verdict};
use subflow_probe::targets::Target;
use subflow_wire::LinkType;
use subflow_wire::ip::protocol;

/// When it is: the answer comes 50 ms after the probe.
const NOW_NS: i64 = 1_700_000_000_123_456_000;
const SENT_NS: i64 = NOW_NS - 50_000_000;

/// Set in the first byte: the frame is read as it is, else what only we can know is put into it.
const AS_IT_IS: u8 = 1 << 3;
/// Set in the first byte: the options of the probe are put into the answer.
const MIRROR: u8 = 1 << 4;

/// A byte whose lower three bits say which kind of probe is answered, then an Ethernet frame.
pub fn answers(data: &[u8]) {
    let Some((&how, frame)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(how & 7) % Kind::ALL.len()];
    let source = Source {
        mac: [2, 0, 0, 0, 0, 1],
        v4: Some(([2, 0, 0, 0, 0, 9], [192, 0, 2, 1].into())),
        v6: Some(([2, 0, 0, 0, 0, 8], [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into())),
    };
    let Ok(probes) = Probes::new(Secret::new(5), SourcePorts::default(), source, true) else { return };
    let mut frame = frame.to_vec();
    let mirrored = how & AS_IT_IS == 0 && fit(&mut frame, &probes, kind, how & MIRROR != 0).unwrap_or(false);
    let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let Ok(answer) = Reader::new(&probes).read(LinkType::ETHERNET, &frame, len, NOW_NS) else { return };
    let row = answer.row(false);
    check(&answer, &row, mirrored);

    let (mut repeats, mut evidence) = (Repeats::new(4), Evidence::default());
    assert!(!repeats.check(&answer) && repeats.check(&answer), "the second is the repeated one");
    evidence.add(&answer, false);
    evidence.add(&answer, true);
    let verdict = evidence.row(&answer.target, Kinds::only(answer.kind));
    assert_eq!((verdict.answers, verdict.repeats, verdict.addr), (1, 1, row.addr));
    assert_ne!(verdict.verdict, Verdict::Filtered, "somebody has answered");
    assert_eq!(evidence.finding(answer.kind), Some(row.finding));

    // A capture of the same probe and its answer says the same.
    let mut probe = Frame::EMPTY;
    assert!(probes.write(&answer.target, answer.kind, (SENT_NS / 1000) as u32, &mut probe));
    let mut offline = Offline::default();
    assert!(offline.packet(&captured(probe.as_slice(), SENT_NS)).is_none(), "a probe is no answer");
    let again =
        offline.packet(&captured(&frame, NOW_NS)).expect("verified as it came, but not from the capture");
    // The time is reckoned in another way.
    assert_eq!(Probe { rtt: None, ..again }, Probe { rtt: None, ..row });
    let verdicts: Vec<_> = offline.verdicts().map(|row| (row.addr, row.port, row.verdict)).collect();
    assert_eq!(verdicts, [(verdict.addr, verdict.port, verdict.verdict)]);
}

fn check(answer: &Answer<'_>, row: &Probe, mirrored: bool) {
    assert_eq!((row.addr, row.port, row.kind), (answer.target.addr, answer.target.port, answer.kind));
    let tcp = row.answer != AnswerKind::Icmp;
    assert_eq!((row.options.is_some(), row.window.is_some()), (tcp, tcp));
    assert_eq!((row.quote.is_some(), row.icmp_type.is_some()), (!tcp, !tcp));
    assert!(row.options.as_ref().is_none_or(|text| text.len() <= 80 && text.len() % 2 == 0), "40 bytes");
    let fits = match row.answer {
        AnswerKind::Icmp => row.finding == Finding::Icmp,
        AnswerKind::Reset => matches!(row.finding, Finding::Reset | Finding::MptcpReset),
        AnswerKind::SynAck => {
            !matches!(row.finding, Finding::Icmp | Finding::Reset | Finding::MptcpReset | Finding::Silent)
        }
    };
    assert!(fits, "{:?} of {:?}", row.finding, row.answer);
    assert!(row.finding != Finding::V0 || row.mptcp_key.is_some() && answer.kind != Kind::V1);
    assert!(row.finding != Finding::V1 || row.mptcp_key.is_some() && answer.kind != Kind::V0);
    if mirrored && row.answer == AnswerKind::SynAck {
        assert_eq!((row.finding, row.canary_returned), (Finding::Mirrored, Some(true)));
    }
}

fn captured(data: &[u8], time_ns: i64) -> Packet<'_> {
    let wire_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
    Packet { time_ns, wire_len, link: LinkType::ETHERNET, interface: 0, file: 0, frame: 1, data }
}

/// Makes a frame that looks like an answer one to our probe of its sender: our address and port, and what it acknowledges or quotes.
/// Returns whether it now holds all options of the probe.
fn fit(frame: &mut [u8], probes: &Probes, kind: Kind, mirror: bool) -> Option<bool> {
    let ip = Ip::at(frame, 14)?;
    ip.put(frame, ip.dst, probes)?;
    if ip.protocol == protocol::TCP {
        let ports = half(frame, ip.payload)?;
        let target = Target { addr: ip.addr(frame, ip.src)?, port: ports };
        let cookie = probes.secret().cookie(&target, kind);
        put(frame, ip.payload + 2, &probes.ports().port(kind, &cookie).to_be_bytes())?;
        put(frame, ip.payload + 8, &cookie.seq.wrapping_add(1).to_be_bytes())?;
        if !mirror {
            return Some(false);
        }
        let mut probe = Frame::EMPTY;
        probes.write(&target, kind, (SENT_NS / 1000) as u32, &mut probe);
        // The probe's own IP header has no options.
        let options = probe.as_slice().get(if ip.v6 { 74 } else { 54 }..)?;
        let room = usize::from(*frame.get(ip.payload + 12)? >> 4) * 4;
        let area = frame.get_mut(ip.payload + 20..ip.payload + room)?;
        // What is left over is the end of the options.
        area.fill(0);
        area.get_mut(..options.len())?.copy_from_slice(options);
        // Nothing is read beyond the end of the IP packet.
        return Some(ip.end >= ip.payload + room);
    }
    let quoted = Ip::at(frame, ip.payload + 8)?;
    quoted.put(frame, quoted.src, probes)?;
    let target = Target { addr: quoted.addr(frame, quoted.dst)?, port: half(frame, quoted.payload + 2)? };
    let cookie = probes.secret().cookie(&target, kind);
    put(frame, quoted.payload, &probes.ports().port(kind, &cookie).to_be_bytes())?;
    put(frame, quoted.payload + 4, &cookie.seq.to_be_bytes())?;
    Some(false)
}

/// Where the fields of an IP packet without extension headers stand.
struct Ip {
    v6: bool,
    protocol: u8,
    src: usize,
    dst: usize,
    payload: usize,
    end: usize,
}

impl Ip {
    fn at(frame: &[u8], at: usize) -> Option<Self> {
        let first = *frame.get(at)?;
        Some(match first >> 4 {
            4 => Self {
                v6: false,
                protocol: *frame.get(at + 9)?,
                src: at + 12,
                dst: at + 16,
                payload: at + usize::from(first & 15) * 4,
                end: at + usize::from(half(frame, at + 2)?),
            },
            6 => Self {
                v6: true,
                protocol: *frame.get(at + 6)?,
                src: at + 8,
                dst: at + 24,
                payload: at + 40,
                end: at + 40 + usize::from(half(frame, at + 4)?),
            },
            _ => return None,
        })
    }

    fn addr(&self, frame: &[u8], at: usize) -> Option<IpAddr> {
        Some(if self.v6 {
            (*frame.get(at..)?.first_chunk::<16>()?).into()
        } else {
            (*frame.get(at..)?.first_chunk::<4>()?).into()
        })
    }

    /// Puts our address somewhere.
    fn put(&self, frame: &mut [u8], at: usize, probes: &Probes) -> Option<()> {
        let source = probes.source();
        if self.v6 { put(frame, at, &source.v6?.1.octets()) } else { put(frame, at, &source.v4?.1.octets()) }
    }
}

fn half(frame: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*frame.get(at..)?.first_chunk()?))
}

fn put(frame: &mut [u8], at: usize, bytes: &[u8]) -> Option<()> {
    frame.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
    Some(())
}
