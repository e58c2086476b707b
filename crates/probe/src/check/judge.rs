//! From what was tried on a path to its row and verdict. Nothing here sends or waits.

use std::net::SocketAddr;

use subflow_rows::Time;

use super::compare::{changes, data_passage, handshake_passage, hops, is_same_syn, likely_hops};
use super::local::Local;
use super::report::{Report, hex};
use super::seen::Seen;
use super::talk::Tried;
use crate::rows::{Attempt, Check, CheckVerdict, Passage, Sight};

/// Everything that was tried on one path.
#[derive(Debug)]
pub(super) struct Tries<'a> {
    pub(super) time: Time,
    pub(super) local: &'a Local,
    pub(super) server: SocketAddr,
    /// With Multipath TCP, at least one.
    pub(super) mptcp: &'a [Tried],
    /// With plain TCP.
    pub(super) tcp: &'a [Tried],
}

/// The attempt that says most: a complete one, else one with a connection, else the last.
fn best(tries: &[Tried]) -> Option<&Tried> {
    tries
        .iter()
        .find(|tried| tried.at == Attempt::Complete)
        .or_else(|| tries.iter().find(|tried| tried.connected()))
        .or(tries.last())
}

/// What both ends say of the packets of one connection.
struct Compared<'a> {
    syn: Option<Passage>,
    syn_ack: Option<Passage>,
    data_c2s: Option<Passage>,
    data_s2c: Option<Passage>,
    sent: Option<&'a Seen>,
    arrived: Option<&'a Seen>,
    back_sent: Option<&'a Seen>,
    back_arrived: Option<&'a Seen>,
    /// Whether the server saw the SYN that we sent.
    same: Option<bool>,
}

impl<'a> Compared<'a> {
    fn of(tried: &'a Tried) -> Self {
        let flow = tried.flow.as_ref();
        let report = tried.report.as_ref();
        let sent = flow.map(|flow| &flow.syn);
        let arrived = report.and_then(|report| report.syn.as_ref());
        let back_sent = report.and_then(|report| report.syn_ack.as_ref());
        let back_arrived = flow.and_then(|flow| flow.syn_ack.as_ref());
        let same = sent.zip(arrived).and_then(|(sent, arrived)| is_same_syn(sent, arrived));
        // Where our packets were not seen, the system is known to have sent the option.
        let by_itself = !(tried.missing || tried.disabled || tried.gave_up);
        let asked = sent.map_or(by_itself, Seen::has_mptcp);
        let syn = handshake_passage(sent, arrived, None).or_else(|| by_system(asked, arrived, report));
        let syn_ack = handshake_passage(back_sent, back_arrived, sent)
            .or_else(|| (tried.negotiated == Some(true)).then_some(Passage::Kept));
        let data = flow.and_then(|flow| flow.data.as_ref());
        let data_back = flow.and_then(|flow| flow.data_back.as_ref());
        Self {
            syn: syn.or_else(|| (syn_ack == Some(Passage::Kept)).then_some(Passage::Kept)),
            syn_ack,
            data_c2s: data_passage(data, report.and_then(|report| report.data.as_ref())),
            data_s2c: data_passage(report.and_then(|report| report.data_back.as_ref()), data_back),
            sent,
            arrived,
            back_sent,
            back_arrived,
            same,
        }
    }
}

/// The passage of a SYN that certainly had the option of a system: MP_CAPABLE of version 1, 4 bytes.
fn by_system(asked: bool, arrived: Option<&Seen>, report: Option<&Report>) -> Option<Passage> {
    if !asked {
        return None;
    }
    let Some(arrived) = arrived else {
        // The server's system counts such SYNs.
        return match report?.counted_syn? {
            true => Some(Passage::Kept),
            false => Some(Passage::Removed),
        };
    };
    Some(match arrived.mptcp_bytes()[..] {
        [30, 4, 0x01, _] => Passage::Kept,
        [] if arrived.is_padded() => Passage::Padded,
        [] => Passage::Removed,
        _ => Passage::Altered,
    })
}

/// The row of a path.
pub(super) fn judge(tries: &Tries<'_>) -> Check {
    let none = Tried::default();
    let mptcp = best(tries.mptcp).unwrap_or(&none);
    let tcp = best(tries.tcp).unwrap_or(&none);
    let compared = Compared::of(mptcp);
    let report = mptcp.report.as_ref();
    let reset = tries.mptcp.iter().chain(tries.tcp).find_map(|tried| tried.flow.as_ref()?.reset.as_ref());
    let end_to_end = match report {
        Some(report) if mptcp.negotiated == Some(true) && report.mptcp => mptcp.same_numbers,
        // The server never had the connection of Multipath TCP that we have.
        Some(_) if mptcp.kept == Some(true) => Some(false),
        _ => compared.same,
    };
    let failed = [mptcp, tcp].into_iter().filter(|tried| tried.at != Attempt::Complete);
    let both = |one: Option<&Seen>, other: Option<&Seen>| Some(changes(one?, other?));
    let options = |seen: Option<&Seen>| seen.map(|seen| hex(&seen.options));
    Check {
        time: tries.time,
        local_addr: tries.local.addr,
        interface: tries.local.interface.clone(),
        server_addr: tries.server.ip(),
        port: tries.server.port(),
        verdict: verdict(tries, mptcp, &compared, end_to_end),
        mptcp: mptcp.at,
        tcp: tcp.at,
        mptcp_tries: tries.mptcp.len() as u32,
        tcp_tries: tries.tcp.len() as u32,
        mptcp_connect: mptcp.connect,
        tcp_connect: tcp.connect,
        negotiated: mptcp.negotiated,
        kept: mptcp.kept,
        subflows: mptcp.subflows.map(u32::from),
        join: mptcp.join,
        end_to_end,
        syn: compared.syn,
        syn_ack: compared.syn_ack,
        data_c2s: compared.data_c2s,
        data_s2c: compared.data_s2c,
        local_sight: if mptcp.flow.is_some() { Sight::Packets } else { Sight::System },
        server_sight: report.map(|report| report.sight),
        server_mptcp: report.map(|report| report.listens_mptcp),
        seen_addr: report.map(|report| report.peer.ip()),
        seen_port: report.map(|report| report.peer.port()),
        nat: report
            .zip(mptcp.local)
            .map(|(report, local)| report.peer != local || report.local != tries.server),
        local_port: mptcp.local.map(|local| local.port()),
        syn_sent: options(compared.sent),
        syn_arrived: options(compared.arrived),
        syn_ack_sent: options(compared.back_sent),
        syn_ack_arrived: options(compared.back_arrived),
        mss_sent: compared.sent.and_then(Seen::mss),
        mss_arrived: compared.arrived.and_then(Seen::mss),
        mss_back_sent: compared.back_sent.and_then(Seen::mss),
        mss_back_arrived: compared.back_arrived.and_then(Seen::mss),
        syn_changes: both(compared.sent, compared.arrived),
        syn_ack_changes: both(compared.back_sent, compared.back_arrived),
        hops: compared.sent.zip(compared.arrived).and_then(|(sent, arrived)| hops(sent, arrived)),
        hops_back: compared.back_sent.zip(compared.back_arrived).and_then(|(sent, got)| hops(sent, got)),
        reset_hops: reset.map(|seen| likely_hops(seen.ttl)),
        error: failed.filter_map(|tried| tried.error.clone()).next(),
    }
}

fn verdict(
    tries: &Tries<'_>,
    mptcp: &Tried,
    compared: &Compared<'_>,
    end_to_end: Option<bool>,
) -> CheckVerdict {
    let tcp_connected = tries.tcp.iter().any(Tried::connected);
    let tcp_complete = tries.tcp.iter().any(|tried| tried.at == Attempt::Complete);
    let connected = mptcp.connected();
    let all_reset = tries.mptcp.iter().chain(tries.tcp).all(|tried| tried.at == Attempt::Reset);
    if !connected && !tcp_connected {
        let plainly_reset = !tries.tcp.is_empty() && tries.tcp.iter().all(|tried| tried.at == Attempt::Reset);
        return match all_reset || (mptcp.missing && plainly_reset) {
            true => CheckVerdict::Closed,
            false => CheckVerdict::Unreachable,
        };
    }
    // Packets tell what this system sent; without them, what it counts.
    let (unsent, gave_up) = match &mptcp.flow {
        Some(flow) if flow.first_syn.has_mptcp() => (false, !flow.syn.has_mptcp()),
        Some(_) => (true, false),
        None => (mptcp.disabled, mptcp.gave_up),
    };
    if unsent || mptcp.missing {
        return CheckVerdict::NotSent;
    }
    if !connected {
        return if mptcp.at == Attempt::Reset { CheckVerdict::Reset } else { CheckVerdict::Dropped };
    }
    if gave_up {
        return CheckVerdict::Dropped;
    }
    if mptcp.at != Attempt::Complete && tcp_complete {
        return CheckVerdict::Stalled;
    }
    if mptcp.negotiated == Some(true) {
        agreed(mptcp, compared, end_to_end)
    } else {
        refused(mptcp, compared)
    }
}

/// The system says that Multipath TCP was agreed upon.
fn agreed(mptcp: &Tried, compared: &Compared<'_>, end_to_end: Option<bool>) -> CheckVerdict {
    let altered = [compared.syn, compared.syn_ack].contains(&Some(Passage::Altered));
    match mptcp.kept {
        _ if end_to_end == Some(false) => CheckVerdict::Proxied,
        // What was changed may be of no account: what works, works.
        _ if altered && !(mptcp.kept == Some(true) && end_to_end == Some(true)) => CheckVerdict::Altered,
        None => CheckVerdict::HandshakeOnly,
        Some(true) => CheckVerdict::Works,
        Some(false) => {
            let kept = |passage| passage == Some(Passage::Kept);
            // Both ends' data kept the option, and still it is gone: no box that takes it out.
            if kept(compared.data_c2s) && kept(compared.data_s2c) {
                CheckVerdict::FellBack
            } else {
                CheckVerdict::StrippedData
            }
        }
    }
}

/// The SYN/ACK came without the option, or with one that the system did not take.
fn refused(mptcp: &Tried, compared: &Compared<'_>) -> CheckVerdict {
    let report = mptcp.report.as_ref();
    if compared.same == Some(false) {
        return CheckVerdict::Proxied;
    }
    match (compared.syn, compared.syn_ack) {
        // Who returns our option may well have taken it out of the SYN.
        (_, Some(Passage::Mirrored)) => CheckVerdict::Mirrored,
        (Some(Passage::Padded | Passage::Removed), _) => CheckVerdict::StrippedSyn,
        (Some(Passage::Altered), _) | (_, Some(Passage::Altered)) => CheckVerdict::Altered,
        (_, Some(Passage::Padded | Passage::Removed)) => CheckVerdict::StrippedSynAck,
        _ if report.is_some_and(|report| !report.listens_mptcp) => CheckVerdict::ServerWithout,
        // The SYN arrived with the option at a system that answers it.
        (Some(Passage::Kept), None) if report.is_some_and(|report| report.counted_syn == Some(true)) => {
            CheckVerdict::StrippedSynAck
        }
        _ => CheckVerdict::FellBack,
    }
}

#[cfg(test)]
mod tests {
    use subflow_wire::tcp::Flags;

    use super::*;
    use crate::check::flows::Flow;
    use crate::check::report::tests::report;
    use crate::check::seen::tests::{SYN_OPTIONS, packet};

    const CLIENT: &str = "10.0.0.1:4000";
    const SERVER: &str = "10.0.0.2:80";
    const ANSWER: [u8; 12] = [30, 12, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8];
    const DSS: [u8; 8] = [30, 8, 0x20, 1, 0, 0, 0, 1];

    fn syn(options: &[u8]) -> Seen {
        Seen::read(&packet(CLIENT, SERVER, Flags::SYN, 7, options, b"")).unwrap()
    }

    fn syn_ack(options: &[u8]) -> Option<Seen> {
        Seen::read(&packet(SERVER, CLIENT, Flags::SYN | Flags::ACK, 9, options, b""))
    }

    fn data(options: &[u8]) -> Option<Seen> {
        Seen::read(&packet(CLIENT, SERVER, Flags::ACK, 8, options, b"data"))
    }

    fn padded() -> [u8; 24] {
        let mut options = SYN_OPTIONS;
        options[20..].fill(1);
        options
    }

    /// An attempt in which all went well, seen by packets at both ends.
    fn good() -> Tried {
        let flow = Flow {
            syn_ack: syn_ack(&ANSWER),
            data: data(&DSS),
            data_back: data(&DSS),
            ..Flow::new(syn(&SYN_OPTIONS))
        };
        let told = Report {
            sight: Sight::Packets,
            peer: CLIENT.parse().unwrap(),
            local: SERVER.parse().unwrap(),
            syn: Some(syn(&SYN_OPTIONS)),
            syn_ack: syn_ack(&ANSWER),
            data: data(&DSS),
            data_back: data(&DSS),
            ..report()
        };
        Tried {
            at: Attempt::Complete,
            connect: Some(0.01),
            local: Some(CLIENT.parse().unwrap()),
            negotiated: Some(true),
            kept: Some(true),
            subflows: Some(1),
            same_numbers: Some(true),
            report: Some(told),
            flow: Some(flow),
            ..Tried::default()
        }
    }

    fn plain(at: Attempt) -> Tried {
        Tried { at, connect: Some(0.01), ..Tried::default() }
    }

    fn failed(at: Attempt) -> Tried {
        let flow = Some(Flow::new(syn(&SYN_OPTIONS)));
        Tried { at, flow, error: Some("no".to_owned()), ..Tried::default() }
    }

    fn row(mptcp: &[Tried], tcp: &[Tried]) -> Check {
        let local = Local { addr: [10, 0, 0, 1].into(), interface: None };
        judge(&Tries { time: Time(0), local: &local, server: SERVER.parse().unwrap(), mptcp, tcp })
    }

    fn told(mptcp: Tried) -> CheckVerdict {
        row(&[mptcp], &[plain(Attempt::Complete)]).verdict
    }

    /// The same attempt without packets at this end, or at either.
    fn blind(tried: &Tried, server: bool) -> Tried {
        let mut tried = Tried { flow: None, ..tried.clone() };
        if let (true, Some(report)) = (server, &mut tried.report) {
            report.sight = Sight::System;
            (report.syn, report.syn_ack, report.data, report.data_back) = (None, None, None, None);
        }
        tried
    }

    #[test]
    fn a_clean_path_works_and_says_so_in_every_column() {
        let row = row(&[good()], &[plain(Attempt::Complete)]);
        assert_eq!(row.verdict, CheckVerdict::Works);
        assert_eq!((row.syn, row.syn_ack), (Some(Passage::Kept), Some(Passage::Kept)));
        assert_eq!((row.data_c2s, row.data_s2c), (Some(Passage::Kept), Some(Passage::Kept)));
        assert_eq!((row.nat, row.end_to_end), (Some(false), Some(true)));
        assert_eq!((row.syn_changes.as_deref(), row.hops, row.hops_back), (Some(""), Some(0), Some(0)));
        assert_eq!((row.mss_sent, row.mss_arrived), (Some(1460), Some(1460)));
        assert_eq!((row.local_sight, row.server_sight), (Sight::Packets, Some(Sight::Packets)));
        assert_eq!(row.error, None);
        for server in [false, true] {
            assert_eq!(told(blind(&good(), server)), CheckVerdict::Works);
        }
        let silent = Tried { at: Attempt::Stalled, kept: None, report: None, ..good() };
        assert_eq!(
            super::tests::row(&[silent], &[plain(Attempt::Stalled)]).verdict,
            CheckVerdict::HandshakeOnly
        );
    }

    /// The handshake without the option.
    fn plain_answer(tried: &mut Tried) {
        (tried.negotiated, tried.kept, tried.subflows, tried.same_numbers) =
            (Some(false), Some(false), None, None);
        let report = tried.report.as_mut().unwrap();
        (report.mptcp, report.subflows, report.receive_next) = (false, None, None);
    }

    #[test]
    fn a_box_that_takes_the_option_out_of_the_syn() {
        for arrived in [&padded()[..], &SYN_OPTIONS[..20]] {
            let mut tried = good();
            plain_answer(&mut tried);
            tried.report.as_mut().unwrap().syn = Some(syn(arrived));
            tried.report.as_mut().unwrap().syn_ack = syn_ack(&[]);
            tried.flow.as_mut().unwrap().syn_ack = syn_ack(&[]);
            assert_eq!(told(tried.clone()), CheckVerdict::StrippedSyn);
            // This end knows what its system sends.
            assert_eq!(told(blind(&tried, false)), CheckVerdict::StrippedSyn);
            // A server of plain TCP that keeps the SYN, and one that only counts.
            let mut saved = blind(&tried, false);
            saved.report.as_mut().unwrap().listens_mptcp = false;
            assert_eq!(told(saved), CheckVerdict::StrippedSyn);
            let mut counted = blind(&tried, true);
            counted.report.as_mut().unwrap().counted_syn = Some(false);
            assert_eq!(told(counted.clone()), CheckVerdict::StrippedSyn);
            counted.flow = tried.flow.clone();
            assert_eq!(told(counted), CheckVerdict::StrippedSyn);
            assert_eq!(told(blind(&tried, true)), CheckVerdict::FellBack);
        }
    }

    #[test]
    fn a_box_that_takes_the_option_out_of_the_answer() {
        for arrived in [&[1_u8; 12][..], &[]] {
            let mut tried = good();
            plain_answer(&mut tried);
            tried.flow.as_mut().unwrap().syn_ack = syn_ack(arrived);
            assert_eq!(told(tried.clone()), CheckVerdict::StrippedSynAck);
            let mut counted = blind(&tried, true);
            counted.report.as_mut().unwrap().counted_syn = Some(true);
            assert_eq!(told(counted), CheckVerdict::StrippedSynAck);
        }
        let mut tried = good();
        plain_answer(&mut tried);
        tried.flow.as_mut().unwrap().syn_ack = syn_ack(&SYN_OPTIONS);
        assert_eq!(told(tried.clone()), CheckVerdict::Mirrored);
        tried.report.as_mut().unwrap().syn = Some(syn(&padded()));
        assert_eq!(told(tried), CheckVerdict::Mirrored);
    }

    #[test]
    fn a_box_that_takes_the_options_out_of_data() {
        let mut tried = good();
        tried.kept = Some(false);
        let report = tried.report.as_mut().unwrap();
        (report.mptcp, report.data, report.data_back) = (false, data(&[1; 8]), data(&[]));
        tried.flow.as_mut().unwrap().data_back = data(&[]);
        let row = row(&[tried.clone()], &[plain(Attempt::Complete)]);
        assert_eq!(row.verdict, CheckVerdict::StrippedData);
        assert_eq!((row.data_c2s, row.data_s2c), (Some(Passage::Padded), Some(Passage::NotSent)));
        assert_eq!(told(blind(&tried, true)), CheckVerdict::StrippedData);
    }

    #[test]
    fn silence_and_resets_count_only_beside_a_plain_connection() {
        let verdict = |mptcp: &[Attempt], tcp: &[Attempt]| {
            let mptcp: Vec<Tried> = mptcp.iter().map(|&at| failed(at)).collect();
            let tcp: Vec<Tried> = tcp.iter().map(|&at| plain(at)).collect();
            row(&mptcp, &tcp).verdict
        };
        use Attempt::{Complete, Reset, Stalled, TimedOut, Unreachable};
        assert_eq!(verdict(&[TimedOut, TimedOut], &[Complete, Complete]), CheckVerdict::Dropped);
        assert_eq!(verdict(&[Reset, Reset], &[Complete, Complete]), CheckVerdict::Reset);
        assert_eq!(verdict(&[Reset], &[Reset]), CheckVerdict::Closed);
        assert_eq!(verdict(&[TimedOut], &[TimedOut]), CheckVerdict::Unreachable);
        assert_eq!(verdict(&[Unreachable], &[Unreachable]), CheckVerdict::Unreachable);
        assert_eq!(verdict(&[Stalled, Stalled], &[Complete, Complete]), CheckVerdict::Stalled);
        // A SYN that got lost: the second attempt counts.
        assert_eq!(row(&[failed(TimedOut), good()], &[plain(Complete)]).verdict, CheckVerdict::Works);
    }

    #[test]
    fn a_system_that_sent_no_option_says_nothing_about_the_path() {
        let missing = Tried { missing: true, ..failed(Attempt::Failed) };
        assert_eq!(
            row(std::slice::from_ref(&missing), &[plain(Attempt::Complete)]).verdict,
            CheckVerdict::NotSent
        );
        assert_eq!(row(&[missing], &[plain(Attempt::Reset)]).verdict, CheckVerdict::Closed);
        let mut tried = good();
        plain_answer(&mut tried);
        tried.flow = Some(Flow { syn_ack: syn_ack(&[]), ..Flow::new(syn(&SYN_OPTIONS[..20])) });
        assert_eq!(told(tried.clone()), CheckVerdict::NotSent);
        let disabled = Tried { disabled: true, ..blind(&tried, true) };
        assert_eq!(told(disabled), CheckVerdict::NotSent);
        // Linux leaves the option out of the fourth SYN.
        let mut gave_up = tried;
        gave_up.flow.as_mut().unwrap().first_syn = syn(&SYN_OPTIONS);
        assert_eq!(told(gave_up), CheckVerdict::Dropped);
    }

    #[test]
    fn a_host_between_is_told_by_numbers_that_do_not_agree() {
        // It speaks Multipath TCP to both sides.
        let mut tried = good();
        tried.same_numbers = Some(false);
        assert_eq!(told(tried.clone()), CheckVerdict::Proxied);
        assert_eq!(told(blind(&tried, true)), CheckVerdict::Proxied);
        // It speaks Multipath TCP to us alone.
        let mut tried = good();
        tried.same_numbers = None;
        tried.report.as_mut().unwrap().mptcp = false;
        assert_eq!(told(tried), CheckVerdict::Proxied);
        // It speaks plain TCP: another SYN arrived than was sent.
        let mut tried = good();
        plain_answer(&mut tried);
        let mut others = SYN_OPTIONS;
        others[11] = 77;
        let mut arrived = syn(&others[..20]);
        arrived.seq = 99;
        tried.report.as_mut().unwrap().syn = Some(arrived);
        assert_eq!(told(tried), CheckVerdict::Proxied);
    }

    #[test]
    fn what_the_server_has_or_not() {
        let mut tried = good();
        plain_answer(&mut tried);
        tried.report.as_mut().unwrap().listens_mptcp = false;
        tried.report.as_mut().unwrap().syn_ack = syn_ack(&[]);
        tried.flow.as_mut().unwrap().syn_ack = syn_ack(&[]);
        assert_eq!(told(tried.clone()), CheckVerdict::ServerWithout);
        tried.report = None;
        assert_eq!(told(tried), CheckVerdict::FellBack);
    }

    #[test]
    fn altered_options_and_translated_addresses() {
        let mut tried = good();
        let mut altered = ANSWER;
        altered[7] ^= 1;
        tried.flow.as_mut().unwrap().syn_ack = syn_ack(&altered);
        assert_eq!(told(tried.clone()), CheckVerdict::Works);
        tried.kept = Some(false);
        assert_eq!(told(tried.clone()), CheckVerdict::Altered);
        (tried.kept, tried.same_numbers) = (Some(true), None);
        assert_eq!(told(tried), CheckVerdict::Altered);
        let mut tried = good();
        tried.report.as_mut().unwrap().peer = "192.0.2.9:777".parse().unwrap();
        let row = row(&[tried], &[plain(Attempt::Complete)]);
        assert_eq!((row.verdict, row.nat, row.seen_port), (CheckVerdict::Works, Some(true), Some(777)));
    }
}
