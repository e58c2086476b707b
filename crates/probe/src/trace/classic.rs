//! A path as the JSON of the tool tracebox has it, for scripts that read that.
//!
//! One object: `addr`, `name`, `max_hops` and `Hops`, each with `hop`, `from` (`*` for a silent one), `delay` in microseconds, and the
//! lists `Modifications`, `Additions` and `Deletions`, with `ICMPExtensions` where there are any. Fields bear the names that tracebox has
//! for them. As there, the time to live and the checksum of the IPv4 header stand among the modifications, though every
//! router changes them.

use std::fmt::Write;

use super::change::{Change, Value};
use super::record::{Run, Seen, Step, Trace};
use crate::rows::{Asks, ChangeKind, Field, HopAnswer};
use subflow_wire::mptcp::Mptcp;
use subflow_wire::tcp::{Options, TcpOption, kind};

/// One path as JSON, without a line break: the first run that asks this. `None` when none did. With `verbose`, modifications have the
/// values that were sent and seen.
pub fn json(trace: &Trace, asks: Asks, max_hops: u8, verbose: bool) -> Option<String> {
    let run = trace.asking(asks).next()?;
    let mut out = String::new();
    let addr = trace.target.addr;
    // Writing into a string does not fail.
    let _ =
        write!(out, "{{ \"addr\": \"{addr}\", \"name\": \"{addr}\", \"max_hops\": {max_hops}, \"Hops\": [ ");
    let end = run.nearest(HopAnswer::SynAck).or(run.nearest(HopAnswer::Reset)).unwrap_or(u8::MAX);
    for (at, (number, step)) in run.probed().filter(|(number, _)| *number <= end).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        hop(run, number, step, verbose, &mut out);
    }
    out.push_str(" ] }");
    Some(out)
}

fn hop(run: &Run, number: u8, step: &Step, verbose: bool, out: &mut String) {
    let Some(seen) = step.seen.first() else {
        let _ = write!(out, "{{ \"hop\": {number}, \"from\": \"*\" }}");
        return;
    };
    let delay = seen.time_ns.map_or(0, |time| (time - seen.sent_ns) / 1000);
    let _ = write!(out, "{{ \"hop\": {number}, \"from\": \"{}\", \"delay\": {delay}", seen.from);
    let entries = entries(run, seen);
    for (list, name) in [
        (List::Modifications, "Modifications"),
        (List::Additions, "Additions"),
        (List::Deletions, "Deletions"),
    ] {
        let _ = write!(out, ", \"{name}\": [ ");
        for (at, entry) in entries.iter().filter(|entry| entry.list == list).enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let _ = match (verbose, &entry.values, list) {
                (true, (Some(sent), Some(got)), List::Modifications) => write!(
                    out,
                    "{comma}{{ \"{}\": {{ \"Expected\": \"{sent}\", \"Received\": \"{got}\" }} }}",
                    entry.name
                ),
                (true, (Some(info), _) | (None, Some(info)), _) => {
                    write!(out, "{comma}{{ \"{}\": {{ \"Info\": \"{info}\" }} }}", entry.name)
                }
                _ => write!(out, "{comma}\"{}\"", entry.name),
            };
        }
        out.push_str(" ]");
    }
    if let Some(quote) = seen.quote.as_ref().filter(|quote| quote.extended) {
        let names = if quote.mpls.is_empty() { "\"ICMPExtension\"" } else { "\"ICMPExtensionMPLS\"" };
        let _ = write!(out, ", \"ICMPExtensions\": [ {names} ]");
    }
    out.push_str(" }");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Modifications,
    Additions,
    Deletions,
}

struct Entry {
    list: List,
    name: String,
    /// As sent and as seen; one of them for what was added or taken away.
    values: (Option<String>, Option<String>),
}

fn entries(run: &Run, seen: &Seen) -> Vec<Entry> {
    let Some(comparison) = seen.quote.as_ref().map(|quote| &quote.comparison) else { return Vec::new() };
    let v4 = run.src_addr.is_ipv4();
    let mut entries: Vec<Entry> = comparison.changes.iter().filter_map(|change| entry(change, v4)).collect();
    let number = |at: usize| seen.sent.get(at).copied();
    if let Some(ttl) = number(if v4 { 8 } else { 7 }).filter(|&ttl| ttl > comparison.quoted_ttl) {
        let name = if v4 { "IP::TTL" } else { "IPv6::HopLimit" };
        let values = (Some(ttl.to_string()), Some(comparison.quoted_ttl.to_string()));
        entries.push(Entry { list: List::Modifications, name: name.to_owned(), values });
    }
    let sent = seen.sent.get(10..12).map(|sum| u16::from_be_bytes([sum[0], sum[1]]));
    if let (true, Some(sent), Some(got)) = (v4, sent, comparison.ip_checksum)
        && sent != got
    {
        let values = (Some(format!("{sent:#x}")), Some(format!("{got:#x}")));
        entries.push(Entry { list: List::Modifications, name: "IP::CheckSum".to_owned(), values });
    }
    entries
}

fn entry(change: &Change, v4: bool) -> Option<Entry> {
    let text = |value: Option<Value>| value.map(|value| value.to_string());
    let list = match change.kind {
        ChangeKind::Added | ChangeKind::Doubled => List::Additions,
        ChangeKind::Removed | ChangeKind::Padded => List::Deletions,
        ChangeKind::Changed | ChangeKind::Moved | ChangeKind::Broken => List::Modifications,
    };
    let name = if change.option.is_some() {
        let option = option_name(change.sent.or(change.seen), change.option.unwrap_or(0));
        if list == List::Modifications {
            format!("{option}{}", option_part(change.field))
        } else {
            option.to_owned()
        }
    } else {
        field_name(change.field, v4)?.to_owned()
    };
    Some(Entry { list, name, values: (text(change.sent), text(change.seen)) })
}

fn field_name(field: Field, v4: bool) -> Option<&'static str> {
    Some(match (field, v4) {
        (Field::IpHeaderLength | Field::IpOptions, true) => "IP::HeaderLength",
        (Field::Dscp, true) => "IP::DiffServicesCP",
        (Field::IpEcn, true) => "IP::ExpCongestionNot",
        (Field::Dscp | Field::IpEcn, false) => "IPv6::TrafficClass",
        (Field::IpLength, true) => "IP::TotalLength",
        (Field::IpLength, false) => "IPv6::PayloadLength",
        (Field::IpId, true) => "IP::Identification",
        (Field::IpFlags, true) => "IP::Flags",
        (Field::FragmentOffset, true) => "IP::FragmentOffset",
        (Field::Ttl, true) => "IP::TTL",
        (Field::Ttl, false) => "IPv6::HopLimit",
        (Field::Protocol, true) => "IP::Protocol",
        (Field::Protocol, false) => "IPv6::NextHeader",
        (Field::SrcAddr, true) => "IP::SourceIP",
        (Field::SrcAddr, false) => "IPv6::SourceIP",
        (Field::DstAddr, true) => "IP::DestinationIP",
        (Field::DstAddr, false) => "IPv6::DestinationIP",
        (Field::FlowLabel, false) => "IPv6::FlowLabel",
        (Field::SrcPort, _) => "TCP::SrcPort",
        (Field::DstPort, _) => "TCP::DstPort",
        (Field::Sequence, _) => "TCP::SeqNumber",
        (Field::Acknowledgement, _) => "TCP::AckNumber",
        (Field::TcpHeaderLength, _) => "TCP::DataOffset",
        (Field::Flags, _) => "TCP::Flags",
        (Field::Window, _) => "TCP::WindowsSize",
        (Field::Checksum, _) => "TCP::CheckSum",
        (Field::Urgent, _) => "TCP::UrgPointer",
        (Field::OptionOrder | Field::Padding, _) => "TCP::Options",
        (Field::Payload, _) => "RawLayer",
        _ => return None,
    })
}

fn option_name(value: Option<Value>, number: u8) -> &'static str {
    let mptcp = match &value {
        Some(Value::Option(bytes)) => match Options::new(bytes.as_slice()).next() {
            Some(TcpOption::Mptcp(Mptcp::Capable(_))) => "TCPOptionMPTCPCapable",
            Some(TcpOption::Mptcp(Mptcp::Join(_))) => "TCPOptionMPTCPJoin",
            _ => "TCPOptionMPTCP",
        },
        _ => "TCPOptionMPTCP",
    };
    match number {
        kind::MAX_SEGMENT_SIZE => "TCPOptionMaxSegSize",
        kind::WINDOW_SCALE => "TCPOptionWindowScale",
        kind::SACK_PERMITTED => "TCPOptionSACKPermitted",
        kind::TIMESTAMPS => "TCPOptionTimestamp",
        kind::FAST_OPEN => "TCPOptionFastOpen",
        kind::MPTCP => mptcp,
        _ => "TCPOption",
    }
}

fn option_part(field: Field) -> &'static str {
    match field {
        Field::Mss => "::MaxSegSize",
        Field::WindowScale => "::Shift",
        Field::Timestamps => "::Value",
        _ => "",
    }
}
