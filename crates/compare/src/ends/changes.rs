//! What boxes changed in the packets between two captures.

use super::flows::option_of;
use super::record::{End, Record};
use super::settle::Shift;
use crate::rows::{Change, Side};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use subflow_wire::mptcp::subtype;
use subflow_wire::tcp::{Flags, Options, TcpOption};

/// A field that was not the same.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) packets: u64,
    pub(crate) frame_a: u64,
    pub(crate) frame_b: u64,
}

/// What was found in one direction of one subflow.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) found: BTreeMap<(&'static str, Change), Entry>,
    /// Matched packets that have the field.
    have: BTreeMap<&'static str, u64>,
    packets: u64,
}

/// A packet at the sender's end and at the receiver's, with its source and destination there.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) sent: &'a Record,
    pub(crate) sent_ends: [End; 2],
    pub(crate) came: &'a Record,
    pub(crate) came_ends: [End; 2],
    /// The capture at the sender's end.
    pub(crate) sender: Side,
}

impl Changes {
    /// Matched packets that have the field.
    pub(crate) fn of_packets(&self, field: &str) -> u64 {
        self.have.get(field).copied().unwrap_or(self.packets)
    }

    /// Compares a matched packet.
    pub(crate) fn compare(&mut self, sight: Sight<'_>, shift: Shift) {
        self.packets += 1;
        let Sight { sent, came, .. } = sight;
        let [(src, src_port), (dst, dst_port)] = sight.sent_ends;
        let [(src2, src_port2), (dst2, dst_port2)] = sight.came_ends;
        self.value(sight, "src_addr", src, src2);
        self.value(sight, "src_port", src_port, src_port2);
        self.value(sight, "dst_addr", dst, dst2);
        self.value(sight, "dst_port", dst_port, dst_port2);
        self.value(sight, "seq", sent.seq, came.seq);
        if sent.has(Flags::ACK) && came.has(Flags::ACK) {
            self.value(sight, "ack", sent.ack, came.ack);
        }
        if sent.flags != came.flags {
            self.note(sight, "flags", Change::Changed, || {
                (Some(format!("{:#05x}", sent.flags)), Some(format!("{:#05x}", came.flags)))
            });
        }
        self.value(sight, "window", sent.window, came.window);
        self.value(sight, "urgent", sent.urgent, came.urgent);
        self.value(sight, "ttl", sent.hop_limit, came.hop_limit);
        self.value(sight, "dscp", sent.traffic_class >> 2, came.traffic_class >> 2);
        self.value(sight, "ecn", sent.traffic_class & 3, came.traffic_class & 3);
        self.value(sight, "identification", sent.identification, came.identification);
        if sent.len > 0 {
            *self.have.entry("payload").or_default() += 1;
            let head = matches!((sent.head, came.head), (Some(one), Some(other)) if one != other);
            let whole = sent.captured == came.captured && sent.whole != came.whole;
            if sent.len == came.len && (head || whole) {
                self.note(sight, "payload", Change::Changed, || (None, None));
            }
        }
        if !sent.options_cut && !came.options_cut {
            self.options(sight, shift);
        }
    }

    /// Notes a packet whose bytes came in others.
    pub(crate) fn resegmented(&mut self, sight: Sight<'_>) {
        self.packets += 1;
        *self.have.entry("payload").or_default() += 1;
        let (sent, came) = (sight.sent.len, sight.came.len);
        let change = if came > sent { Change::Merged } else { Change::Split };
        self.note(sight, "payload", change, || (Some(format!("{sent} B")), Some(format!("{came} B"))));
    }

    fn value<T: PartialEq + ToString + Copy>(
        &mut self,
        sight: Sight<'_>,
        field: &'static str,
        before: T,
        after: T,
    ) {
        if before != after {
            self.note(sight, field, Change::Changed, || (Some(before.to_string()), Some(after.to_string())));
        }
    }

    fn note(
        &mut self,
        sight: Sight<'_>,
        field: &'static str,
        change: Change,
        texts: impl FnOnce() -> (Option<String>, Option<String>),
    ) {
        let (frame_a, frame_b) = match sight.sender {
            Side::A => (sight.sent.frame, sight.came.frame),
            Side::B => (sight.came.frame, sight.sent.frame),
        };
        let entry = self.found.entry((field, change)).or_insert_with(|| {
            let (before, after) = texts();
            Entry { before, after, packets: 0, frame_a, frame_b }
        });
        entry.packets += 1;
    }

    fn options(&mut self, sight: Sight<'_>, shift: Shift) {
        let (sent, came) = (sight.sent, sight.came);
        let mut names: Vec<&'static str> = Vec::with_capacity(8);
        for bytes in [sent.option_bytes(), came.option_bytes()] {
            for name in Options::new(bytes).filter_map(|option| name(&option)) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        for &field in &names {
            *self.have.entry(field).or_default() += 1;
        }
        if sent.option_bytes() == came.option_bytes() && shift.ack == 0 {
            return;
        }
        // SACK blocks are numbers of the other direction, as ACKs are. They are compared as A numbers them.
        let (shift_sent, shift_came) = match sight.sender {
            Side::A => (0, shift.ack),
            Side::B => (shift.ack, 0),
        };
        for field in names {
            let (before, after) = (values(sent, field, shift_sent), values(came, field, shift_came));
            if before == after {
                continue;
            }
            let change = match (before.is_empty(), after.is_empty()) {
                (false, true) => Change::Removed,
                (true, false) => Change::Added,
                _ => Change::Changed,
            };
            let some = |text: String| (!text.is_empty()).then_some(text);
            self.note(sight, field, change, || (some(before), some(after)));
        }
    }
}

/// The name of an option; nothing for padding.
fn name(option: &TcpOption<'_>) -> Option<&'static str> {
    Some(match option {
        TcpOption::End | TcpOption::Nop => return None,
        TcpOption::MaxSegmentSize(_) => "MSS",
        TcpOption::WindowScale(_) => "window_scale",
        TcpOption::SackPermitted => "SACK_permitted",
        TcpOption::Sack(_) => "SACK",
        TcpOption::Timestamps { .. } => "timestamps",
        TcpOption::FastOpen(_) | TcpOption::FastOpenExperimental(_) => "fast_open",
        TcpOption::Mptcp(option) => match option.subtype() {
            Some(subtype::MP_CAPABLE) => "MP_CAPABLE",
            Some(subtype::MP_JOIN) => "MP_JOIN",
            Some(subtype::DSS) => "DSS",
            Some(subtype::ADD_ADDR) => "ADD_ADDR",
            Some(subtype::REMOVE_ADDR) => "REMOVE_ADDR",
            Some(subtype::MP_PRIO) => "MP_PRIO",
            Some(subtype::MP_FAIL) => "MP_FAIL",
            Some(subtype::MP_FASTCLOSE) => "MP_FASTCLOSE",
            Some(subtype::MP_TCPRST) => "MP_TCPRST",
            _ => "MPTCP",
        },
        TcpOption::Unknown { .. } => "unknown option",
        TcpOption::Malformed { .. } => "malformed option",
    })
}

/// All values of the options of this name in a packet, as text.
fn values(record: &Record, field: &str, shift: u32) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _: Option<()> = option_of(record, |option| {
        if name(&option) != Some(field) {
            return None;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        let _ = match option {
            TcpOption::MaxSegmentSize(bytes) => write!(text, "{bytes}"),
            TcpOption::WindowScale(scale) => write!(text, "{scale}"),
            TcpOption::Timestamps { value, echo } => write!(text, "{value}/{echo}"),
            TcpOption::Sack(blocks) => {
                let mut blocks =
                    blocks.map(|(low, high)| (low.wrapping_sub(shift), high.wrapping_sub(shift)));
                blocks.try_for_each(|(low, high)| write!(text, "{low}-{high} "))
            }
            TcpOption::SackPermitted => write!(text, "yes"),
            TcpOption::FastOpen(bytes) | TcpOption::FastOpenExperimental(bytes) => hex(&mut text, bytes),
            TcpOption::Unknown { kind, data } => {
                let _ = write!(text, "{kind}: ");
                hex(&mut text, data)
            }
            TcpOption::Malformed { bytes, .. } => hex(&mut text, bytes),
            TcpOption::Mptcp(option) => {
                let mut bytes = [0; 40];
                let len = option.emit(&mut bytes).unwrap_or_default();
                hex(&mut text, bytes.get(..len).unwrap_or_default())
            }
            TcpOption::End | TcpOption::Nop => Ok(()),
        };
        None
    });
    text.truncate(text.trim_end().len());
    text
}

fn hex(text: &mut String, bytes: &[u8]) -> std::fmt::Result {
    bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))
}
