//! What was found, in plain words: a sentence for each target, and the cells of the table of hops.

use crate::rows::{
    Asks, Behaviour, Category, ChangeKind, Confidence, Direction, Field, Finding, Hop, HopAnswer,
    Modification, QuoteKind, Traced,
};

/// The sentence that a reader needs of a target.
pub fn sentence(target: &Traced, modifications: &[Modification]) -> String {
    let mut text = match target.category {
        Category::True => {
            format!("The target itself supports {}, and nothing on the path touches it", versions(target))
        }
        Category::Plain => {
            "The target answers without Multipath TCP, and no box was seen to take it out".to_owned()
        }
        Category::Unresponsive => return unresponsive(target),
        Category::MiddleboxAffected => affected(target, modifications),
    };
    let others = beside(target, modifications);
    if !others.is_empty() {
        text += "; ";
        text += &others;
    }
    match target.confidence {
        Confidence::High => text += ".",
        Confidence::Medium => text += " (likely).",
        Confidence::Low => text += " (seen once only, or inferred).",
    }
    text
}

fn unresponsive(target: &Traced) -> String {
    let reset = |finding: Option<Finding>| matches!(finding, Some(Finding::Reset | Finding::MptcpReset));
    if [target.plain, target.v1, target.v0, target.both].into_iter().any(reset) {
        return "The target resets every connection, with Multipath TCP and without.".to_owned();
    }
    "The target does not answer, with Multipath TCP or without.".to_owned()
}

/// The versions that the target answers properly.
fn versions(target: &Traced) -> &'static str {
    let has = |wanted| [target.v1, target.v0, target.both, target.custom].contains(&Some(wanted));
    match (has(Finding::V1), has(Finding::V0)) {
        (true, true) => "Multipath TCP in versions 0 and 1",
        (false, true) => "Multipath TCP in version 0",
        _ => "Multipath TCP in version 1",
    }
}

/// Where a box is: "hop 4–5", "hop 4", "a box".
pub fn place(after: Option<u8>, before: Option<u8>) -> String {
    match (after, before) {
        (Some(0), Some(1)) => "before or at hop 1".to_owned(),
        (Some(0), Some(before)) => format!("up to hop {before}"),
        (Some(after), Some(before)) => format!("hop {after}–{before}"),
        (Some(after), None) => format!("behind hop {after}"),
        (None, Some(before)) => format!("up to hop {before}"),
        (None, None) => "a box on the path".to_owned(),
    }
}

fn affected(target: &Traced, modifications: &[Modification]) -> String {
    let back = target.direction == Some(Direction::Return);
    let place = if back {
        "a box on the way back".to_owned()
    } else {
        capital(&place(target.after_hop, target.before_hop))
    };
    let place = capital(&place);
    let direction = target.direction.unwrap_or(Direction::Forward);
    let of_option = |row: &&Modification| row.field == Field::Mptcp && row.direction == direction;
    let own = modifications.iter().filter(of_option).max_by_key(|row| row.confirmed);
    let kind = own.map(|row| row.kind);
    let only_data = own.is_some_and(|row| row.probe == Asks::Data)
        && !modifications.iter().any(|row| row.field == Field::Mptcp && row.probe != Asks::Data);
    let what = if only_data { "the option of Multipath TCP on data" } else { "the option of Multipath TCP" };
    match target.behaviour {
        Some(Behaviour::Strip) if back => {
            format!(
                "{place} takes the option of Multipath TCP out of the answer; what was asked arrived, and the server itself {}",
                supports(target)
            )
        }
        Some(Behaviour::Strip) => {
            let how = match kind {
                Some(ChangeKind::Padded) => format!("replaces {what} by padding"),
                _ => format!("takes {what} out"),
            };
            format!("{place} {how}{}", itself(target))
        }
        Some(Behaviour::Drop) => format!("{place} drops what asks for Multipath TCP; plain TCP passes"),
        Some(Behaviour::Reset) => format!("{place} resets what asks for Multipath TCP; plain TCP passes"),
        Some(Behaviour::Mirror) if back => {
            "What asks for Multipath TCP comes back as it was sent: nobody there supports it".to_owned()
        }
        Some(Behaviour::Mirror) => {
            format!("{place} answers with the options that it was sent: nobody there supports Multipath TCP")
        }
        Some(Behaviour::Proxy) => format!(
            "{place} answers in the target's place ({} hops away instead of {}): whatever it says of Multipath TCP is its own",
            number(target.syn_ack_hops),
            number(target.echo_hops.or(target.reset_hops))
        ),
        Some(Behaviour::Rewrite) => format!("{place} changes {what}{}", itself(target)),
        Some(Behaviour::Nat | Behaviour::PassThrough) | None => {
            format!("{place} interferes with Multipath TCP")
        }
    }
}

/// What is known of the server behind a box.
fn itself(target: &Traced) -> String {
    let has = |wanted| [target.v1, target.v0, target.both, target.custom].contains(&Some(wanted));
    if has(Finding::V1) || has(Finding::V0) || target.join == Some(Finding::MptcpReset) {
        format!("; the server itself {}", supports(target))
    } else {
        String::new()
    }
}

fn supports(target: &Traced) -> String {
    let has = |wanted| [target.v1, target.v0, target.both, target.custom].contains(&Some(wanted));
    match (has(Finding::V1) || target.join == Some(Finding::MptcpReset), has(Finding::V0)) {
        (true, true) => "supports v0 and v1".to_owned(),
        (true, false) => "supports v1".to_owned(),
        (false, true) => "supports v0".to_owned(),
        (false, false) => "answered with it".to_owned(),
    }
}

/// What else is changed on the way.
fn beside(target: &Traced, modifications: &[Modification]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let rows = modifications
        .iter()
        .filter(|row| row.confirmed && row.direction == Direction::Forward && row.field != Field::Mptcp);
    for row in rows {
        let what = match (row.field, row.kind) {
            (Field::Mss, _) => "clamps the maximum segment size".to_owned(),
            (Field::Sequence, _) => "rewrites sequence numbers".to_owned(),
            (Field::SrcAddr | Field::DstAddr | Field::SrcPort | Field::DstPort, _) => {
                "translates addresses or ports".to_owned()
            }
            (Field::Checksum, ChangeKind::Changed) => {
                "translates addresses (the checksum shows it)".to_owned()
            }
            (Field::Checksum, _) => "breaks the checksum".to_owned(),
            (Field::OptionOrder, _) => "reorders the options".to_owned(),
            (field, ChangeKind::Padded | ChangeKind::Removed) => format!("takes out {}", name(field)),
            (field, ChangeKind::Added) => format!("adds {}", name(field)),
            (field, ChangeKind::Doubled) => format!("doubles {}", name(field)),
            (field, _) => format!("changes {}", name(field)),
        };
        let part = format!("{} {what}", place(row.after_hop, row.before_hop));
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    // A path with many changes has its table for them.
    let more = parts.len().saturating_sub(3);
    parts.truncate(3);
    if more > 0 {
        parts.push(format!("{more} more changes"));
    }
    if target.data_passed == Some(false) && target.category == Category::True {
        parts.push("the option does not survive on data".to_owned());
    }
    parts.join("; ")
}

/// A field as a reader calls it.
pub fn name(field: Field) -> &'static str {
    match field {
        Field::IpHeaderLength | Field::IpOptions => "IP options",
        Field::Dscp => "the DSCP",
        Field::IpEcn => "the ECN bits",
        Field::IpLength => "the packet's length",
        Field::IpId => "the IP identification",
        Field::IpFlags => "the IP flags",
        Field::FragmentOffset => "the fragment offset",
        Field::Ttl => "the hop limit",
        Field::Protocol => "the protocol",
        Field::SrcAddr => "the source address",
        Field::DstAddr => "the destination address",
        Field::FlowLabel => "the flow label",
        Field::SrcPort => "the source port",
        Field::DstPort => "the destination port",
        Field::Sequence => "the sequence number",
        Field::Acknowledgement => "the acknowledgement number",
        Field::TcpHeaderLength => "the TCP header's length",
        Field::Flags => "the TCP flags",
        Field::Window => "the window",
        Field::Checksum => "the checksum",
        Field::Urgent => "the urgent pointer",
        Field::Mss => "the maximum segment size",
        Field::WindowScale => "the window scale",
        Field::SackPermitted => "the SACK option",
        Field::Timestamps => "the timestamps",
        Field::Mptcp => "the Multipath TCP option",
        Field::FastOpen => "the Fast Open option",
        Field::OtherOption => "an option",
        Field::OptionOrder => "the order of the options",
        Field::Padding => "the padding of the options",
        Field::Payload => "the payload",
    }
}

/// The headings of the table of hops.
pub const HEADINGS: [&str; 6] = ["hop", "address", "rtt", "answer", "quote", "changed"];

/// The cells of one hop, in the order of [`HEADINGS`].
pub fn cells(hop: &Hop) -> [String; 6] {
    let answer = match hop.answer {
        HopAnswer::TimeExceeded => "router".to_owned(),
        HopAnswer::Unreachable => format!("unreachable ({}/{})", text(hop.icmp_type), text(hop.icmp_code)),
        HopAnswer::SynAck => "SYN/ACK".to_owned(),
        HopAnswer::Reset => "reset".to_owned(),
        HopAnswer::Ack => "ACK".to_owned(),
        HopAnswer::Silent => "silent".to_owned(),
    };
    let quote = match (hop.quote, hop.quote_bytes) {
        (Some(QuoteKind::Full), _) => "whole".to_owned(),
        (Some(QuoteKind::Headers), _) => "headers".to_owned(),
        (Some(_), Some(bytes)) => format!("{bytes} bytes"),
        _ => String::new(),
    };
    let mut changed = match (hop.changes, &hop.changed, hop.finding) {
        (_, Some(changed), _) => changed.clone(),
        (Some(_), None, _) => match hop.quote {
            Some(QuoteKind::Full | QuoteKind::Headers) => "nothing".to_owned(),
            _ => "nothing that is quoted".to_owned(),
        },
        (None, _, Some(finding)) => found(finding).to_owned(),
        (None, _, None) => String::new(),
    };
    if let Some(labels) = &hop.mpls {
        changed += &format!(" [MPLS {labels}]");
    }
    [
        hop.hop.to_string(),
        hop.from_addr.map_or_else(|| "*".to_owned(), |addr| addr.to_string()),
        hop.rtt.map_or_else(String::new, |rtt| format!("{:.1} ms", rtt * 1e3)),
        answer,
        quote,
        changed,
    ]
}

/// What an answer of the target says.
pub fn found(finding: Finding) -> &'static str {
    match finding {
        Finding::Silent => "",
        Finding::Icmp => "cannot be reached",
        Finding::Reset => "refused",
        Finding::MptcpReset => "refused by a speaker of Multipath TCP",
        Finding::NoOption => "answered without the option",
        Finding::Stripped => "answered, with padding where the option was",
        Finding::Malformed => "answered with an option that makes no sense",
        Finding::Mirrored => "what was sent came back",
        Finding::V0 => "answered with version 0",
        Finding::V1 => "answered with version 1",
    }
}

fn text(number: Option<u8>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn number(hops: Option<u8>) -> String {
    hops.map_or_else(|| "more".to_owned(), |hops| hops.to_string())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Target;
    use crate::trace::{Trace, conclude};

    fn target() -> Traced {
        let target = Target { addr: "198.51.100.9".parse().unwrap(), port: 443 };
        conclude(&Trace::new(target, 0)).target
    }

    fn change(field: Field, kind: ChangeKind, direction: Direction, probe: Asks) -> Modification {
        let target = target();
        Modification {
            time: target.time,
            addr: target.addr,
            port: target.port,
            flow: 0,
            probe,
            direction,
            field,
            kind,
            option_kind: None,
            sent: None,
            seen: None,
            after_hop: Some(4),
            before_hop: Some(5),
            after_addr: None,
            before_addr: None,
            times: 2,
            confirmed: true,
            checksum_fits: None,
            reason: String::new(),
        }
    }

    fn affected(behaviour: Behaviour, direction: Direction) -> Traced {
        Traced {
            category: Category::MiddleboxAffected,
            behaviour: Some(behaviour),
            direction: Some(direction),
            after_hop: Some(4),
            before_hop: Some(5),
            confidence: Confidence::High,
            v1: Some(Finding::NoOption),
            ..target()
        }
    }

    #[test]
    fn a_sentence_for_each_verdict() {
        let (forward, back) = (Direction::Forward, Direction::Return);
        let padded = change(Field::Mptcp, ChangeKind::Padded, forward, Asks::V0);
        let strip = Traced { v1: Some(Finding::V1), ..affected(Behaviour::Strip, forward) };
        assert_eq!(
            sentence(&strip, std::slice::from_ref(&padded)),
            "Hop 4–5 replaces the option of Multipath TCP by padding; the server itself supports v1."
        );
        let data = change(Field::Mptcp, ChangeKind::Padded, forward, Asks::Data);
        assert_eq!(
            sentence(&strip, &[data]),
            "Hop 4–5 replaces the option of Multipath TCP on data by padding; the server itself supports v1."
        );
        assert_eq!(
            sentence(&affected(Behaviour::Drop, forward), &[]),
            "Hop 4–5 drops what asks for Multipath TCP; plain TCP passes."
        );
        assert_eq!(
            sentence(&Traced { join: Some(Finding::MptcpReset), ..affected(Behaviour::Strip, back) }, &[]),
            "A box on the way back takes the option of Multipath TCP out of the answer; what was asked arrived, and the server itself supports v1."
        );
        let proxy =
            Traced { syn_ack_hops: Some(5), echo_hops: Some(9), ..affected(Behaviour::Proxy, forward) };
        assert_eq!(
            sentence(&proxy, &[]),
            "Hop 4–5 answers in the target's place (5 hops away instead of 9): whatever it says of Multipath TCP is its own."
        );
        let clean = Traced {
            category: Category::True,
            v1: Some(Finding::V1),
            confidence: Confidence::High,
            ..target()
        };
        assert_eq!(
            sentence(&clean, &[]),
            "The target itself supports Multipath TCP in version 1, and nothing on the path touches it."
        );
        let clamp = change(Field::Mss, ChangeKind::Changed, forward, Asks::V1);
        assert_eq!(
            sentence(&Traced { confidence: Confidence::Medium, ..clean }, &[clamp]),
            "The target itself supports Multipath TCP in version 1, and nothing on the path touches it; hop 4–5 clamps the maximum segment size (likely)."
        );
        assert_eq!(sentence(&target(), &[]), "The target does not answer, with Multipath TCP or without.");
    }

    #[test]
    fn places() {
        assert_eq!(place(Some(0), Some(1)), "before or at hop 1");
        assert_eq!(place(Some(0), Some(3)), "up to hop 3");
        assert_eq!(place(Some(3), None), "behind hop 3");
        assert_eq!(place(None, None), "a box on the path");
    }

    #[test]
    fn every_field_has_a_name_and_every_finding_words() {
        assert!(Field::ALL.iter().all(|&field| !name(field).is_empty()));
        assert!(Finding::ALL.iter().all(|&finding| finding == Finding::Silent || !found(finding).is_empty()));
    }
}
