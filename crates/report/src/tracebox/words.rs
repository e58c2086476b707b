//! Names of fields, answers and verdicts for people.

use subflow_probe::rows::{
    Asks, Behaviour, Category, ChangeKind, Direction, Field, Finding, Hop, HopAnswer, Modification, QuoteKind,
};
use subflow_probe::trace::Concluded;

/// The sentence that says what follows for a target.
pub fn sentence(rows: &Concluded) -> String {
    subflow_probe::trace::words::sentence(&rows.target, &rows.modifications)
}

/// What a probe asks, in few letters: what stands over a column.
pub fn asks(asks: Asks) -> &'static str {
    match asks {
        Asks::V1 => "v1",
        Asks::V0 => "v0",
        Asks::Both => "v1+v0",
        Asks::Join => "join",
        Asks::Canary => "canary",
        Asks::Plain => "plain",
        Asks::Data => "data",
        Asks::Custom => "custom",
    }
}

/// What a probe asks, in a phrase.
pub fn asks_in_full(asks: Asks) -> &'static str {
    match asks {
        Asks::V1 => "SYN with Multipath TCP of version 1",
        Asks::V0 => "SYN with Multipath TCP of version 0",
        Asks::Both => "SYN with both versions",
        Asks::Join => "SYN that wants to join a connection that nobody has",
        Asks::Canary => "SYN with an option that nobody knows",
        Asks::Plain => "SYN of plain TCP: the control run",
        Asks::Data => "data on an open connection",
        Asks::Custom => "SYN with the options that were asked for",
    }
}

/// A category, in a word or two.
pub fn category(category: Category) -> &'static str {
    match category {
        Category::True => "true support",
        Category::MiddleboxAffected => "middlebox",
        Category::Plain => "plain TCP",
        Category::Unresponsive => "unresponsive",
    }
}

/// What a category means.
pub fn category_meaning(category: Category) -> &'static str {
    match category {
        Category::True => "the target itself answers with Multipath TCP",
        Category::MiddleboxAffected => "a box on the way changes, answers or drops the option",
        Category::Plain => "the target itself answers without the option",
        Category::Unresponsive => "the target opens no connection, with or without the option",
    }
}

/// A behaviour, in a word or two.
pub fn behaviour(behaviour: Option<Behaviour>) -> &'static str {
    match behaviour {
        Some(Behaviour::PassThrough) => "passes all",
        Some(Behaviour::Strip) => "strips",
        Some(Behaviour::Drop) => "drops",
        Some(Behaviour::Reset) => "resets",
        Some(Behaviour::Mirror) => "mirrors",
        Some(Behaviour::Proxy) => "proxies",
        Some(Behaviour::Rewrite) => "rewrites",
        Some(Behaviour::Nat) => "translates",
        None => "unknown",
    }
}

/// What a behaviour means.
pub fn behaviour_meaning(behaviour: Option<Behaviour>) -> &'static str {
    match behaviour {
        Some(Behaviour::PassThrough) => "nothing was seen to change on the way",
        Some(Behaviour::Strip) => "the option is taken out or padded over",
        Some(Behaviour::Drop) => "nothing with the option passes",
        Some(Behaviour::Reset) => "who asks with the option is sent a reset",
        Some(Behaviour::Mirror) => "options come back as they were sent",
        Some(Behaviour::Proxy) => "a box answers in the target's place",
        Some(Behaviour::Rewrite) => "fields are given other values",
        Some(Behaviour::Nat) => "addresses or ports are translated",
        None => "it cannot be told",
    }
}

/// A field, as people call it.
pub fn field(field: Field) -> &'static str {
    match field {
        Field::IpHeaderLength => "length of the IP header",
        Field::Dscp => "DSCP",
        Field::IpEcn => "ECN bits",
        Field::IpLength => "length of the packet",
        Field::IpId => "IP identification",
        Field::IpFlags => "IP flags",
        Field::FragmentOffset => "fragment offset",
        Field::Ttl => "time to live",
        Field::Protocol => "protocol",
        Field::SrcAddr => "source address",
        Field::DstAddr => "destination address",
        Field::IpOptions => "IP options",
        Field::FlowLabel => "flow label",
        Field::SrcPort => "source port",
        Field::DstPort => "destination port",
        Field::Sequence => "sequence number",
        Field::Acknowledgement => "acknowledgement number",
        Field::TcpHeaderLength => "length of the TCP header",
        Field::Flags => "TCP flags",
        Field::Window => "window",
        Field::Checksum => "checksum",
        Field::Urgent => "urgent pointer",
        Field::Mss => "MSS",
        Field::WindowScale => "window scale",
        Field::SackPermitted => "SACK option",
        Field::Timestamps => "timestamps",
        Field::Mptcp => "MPTCP option",
        Field::FastOpen => "Fast Open option",
        Field::OtherOption => "option",
        Field::OptionOrder => "order of options",
        Field::Padding => "padding",
        Field::Payload => "data",
    }
}

/// A change, in a few words: `MPTCP option padded over`, `MSS 1460 → 1380`.
pub fn change(row: &Modification) -> String {
    let what = match (row.field, row.option_kind) {
        (Field::OtherOption, Some(kind)) => format!("option {kind}"),
        (name, _) => field(name).to_owned(),
    };
    let values = match (&row.sent, &row.seen) {
        // Keys and whole option lists say nothing to a reader and fill the line.
        (Some(sent), Some(seen)) if sent.len() + seen.len() <= MOST_VALUES => {
            Some(format!(" {sent} → {seen}"))
        }
        _ => None,
    };
    let done = match row.kind {
        ChangeKind::Changed => return what + values.as_deref().unwrap_or(" changed"),
        ChangeKind::Moved => " changed",
        ChangeKind::Padded => " padded over",
        ChangeKind::Removed => " taken out",
        ChangeKind::Added => " added",
        ChangeKind::Doubled => " doubled",
        ChangeKind::Broken => " wrong",
    };
    what + done
}

/// Letters of both values of a change that are shown.
const MOST_VALUES: usize = 36;

/// Whether a change touches what Multipath TCP is about.
pub fn matters(row: &Modification) -> bool {
    row.field == Field::Mptcp || row.kind == ChangeKind::Broken
}

/// Which way, where it is not the usual one.
pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "on the way to the target",
        Direction::Return => "on the way back",
    }
}

/// How much a router quotes.
pub fn quote(quote: QuoteKind) -> &'static str {
    match quote {
        QuoteKind::Full => "all",
        QuoteKind::Headers => "headers",
        QuoteKind::Partial => "part",
        QuoteKind::Minimal => "8 bytes",
        QuoteKind::Short => "less",
    }
}

/// Whether a quote shows options at all.
pub fn shows_options(quote: QuoteKind) -> bool {
    matches!(quote, QuoteKind::Full | QuoteKind::Headers)
}

/// What came back from a hop, in a few words; for quotes see the changes.
pub fn answer(row: &Hop) -> &'static str {
    match row.answer {
        HopAnswer::Silent => "no answer",
        HopAnswer::Unreachable => "cannot be reached",
        HopAnswer::Ack => "acknowledged",
        HopAnswer::Reset if row.finding == Some(Finding::MptcpReset) => "reset with MPTCP",
        HopAnswer::Reset => "reset",
        HopAnswer::SynAck => match row.finding {
            Some(Finding::V1) => "SYN/ACK with MPTCP v1",
            Some(Finding::V0) => "SYN/ACK with MPTCP v0",
            Some(Finding::Mirrored) => "SYN/ACK that mirrors",
            Some(Finding::Stripped) => "SYN/ACK, option padded",
            Some(Finding::Malformed) => "SYN/ACK, malformed option",
            Some(Finding::NoOption) if asks_mptcp(row.probe) => "SYN/ACK without MPTCP",
            _ => "SYN/ACK",
        },
        HopAnswer::TimeExceeded => match (row.quote, row.changes) {
            (_, Some(changes)) if changes > 0 => "changed",
            (Some(QuoteKind::Full | QuoteKind::Headers), _) => "as sent",
            _ => "quoted too little",
        },
    }
}

/// Whether a probe asks for Multipath TCP.
pub fn asks_mptcp(asks: Asks) -> bool {
    matches!(asks, Asks::V1 | Asks::V0 | Asks::Both | Asks::Join)
}

#[cfg(test)]
mod tests {
    use super::super::testing::modification;
    use super::*;

    #[test]
    fn changes_in_words() {
        let row = modification(Field::Mptcp, ChangeKind::Padded, 1, 2);
        assert_eq!(change(&row), "MPTCP option padded over");
        let mut row = modification(Field::Mss, ChangeKind::Changed, 1, 2);
        (row.sent, row.seen) = (Some("1460".to_owned()), Some("1380".to_owned()));
        assert_eq!(change(&row), "MSS 1460 → 1380");
        (row.field, row.option_kind) = (Field::OtherOption, Some(253));
        (row.sent, row.seen) = (Some("fd".repeat(20)), Some("fe".repeat(20)));
        assert_eq!(change(&row), "option 253 changed");
    }
}
