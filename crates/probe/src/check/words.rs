//! What the rows of a check say, in sentences.

use std::fmt::Write;

use super::run::needs_server;
use crate::rows::{Check, CheckVerdict, JoinResult, Passage, Sight};

/// One line for a path: from where to where, and what was found.
pub fn line(row: &Check) -> String {
    let interface = row.interface.as_ref().map_or(String::new(), |name| format!(" ({name})"));
    format!("From {}{interface} to port {}: {}", row.local_addr, row.port, found(row))
}

/// What was found on a path, in a sentence.
pub fn found(row: &Check) -> &'static str {
    let padded = |passage| passage == Some(Passage::Padded);
    match row.verdict {
        CheckVerdict::Works => "Multipath TCP works.",
        CheckVerdict::HandshakeOnly => {
            "Multipath TCP was agreed upon; no data came to tell whether it lasts."
        }
        CheckVerdict::StrippedSyn if padded(row.syn) => {
            "a box removes the option from the SYN and writes padding in its place."
        }
        CheckVerdict::StrippedSyn => "a box removes the option from the SYN.",
        CheckVerdict::StrippedSynAck if padded(row.syn_ack) => {
            "a box removes the option from the server's answer and writes padding in its place."
        }
        CheckVerdict::StrippedSynAck => "a box removes the option from the server's answer.",
        CheckVerdict::StrippedData => {
            "a box lets the option through in the handshake and removes it from the packets that follow."
        }
        CheckVerdict::Dropped => "a box drops SYNs with the option; those without it are answered.",
        CheckVerdict::Reset => "a box resets connections that ask for Multipath TCP; others are made.",
        CheckVerdict::Stalled => {
            "connections of Multipath TCP are made, and no data gets through; with plain TCP it does."
        }
        CheckVerdict::Mirrored => "a box returns our own option as if the server had sent it.",
        CheckVerdict::Altered => "a box changes the option.",
        CheckVerdict::Proxied => "a host between ends the connection and makes another one to the server.",
        CheckVerdict::FellBack => {
            "the connection fell back to plain TCP, and where the option got lost is not known."
        }
        CheckVerdict::ServerWithout => {
            "the server's system does not speak Multipath TCP, so that the path cannot be judged."
        }
        CheckVerdict::NotSent => {
            "this system did not ask for Multipath TCP, so that the path cannot be judged."
        }
        CheckVerdict::Closed => {
            "connections are reset, with the option or without: nothing listens there, or a firewall refuses."
        }
        CheckVerdict::Unreachable => "no connection could be made, with the option or without.",
    }
}

/// What a verdict means for the user.
pub fn meaning(verdict: CheckVerdict) -> &'static str {
    match verdict {
        CheckVerdict::Works => "Applications that use Multipath TCP get it on this path.",
        CheckVerdict::HandshakeOnly => "Boxes that spoil only packets with data are not ruled out.",
        CheckVerdict::StrippedSyn | CheckVerdict::StrippedSynAck | CheckVerdict::Mirrored => {
            "Connections work as plain TCP: no second path, no handover. Nothing else is lost."
        }
        CheckVerdict::StrippedData => {
            "Connections fall back to plain TCP after their first data: no second path, no handover."
        }
        CheckVerdict::Dropped => {
            "Every connection that asks for Multipath TCP waits for seconds before it goes on as plain TCP."
        }
        CheckVerdict::Reset => {
            "Applications that ask for Multipath TCP get no connection here, unless they try again without."
        }
        CheckVerdict::Stalled => "Applications that ask for Multipath TCP hang on this path.",
        CheckVerdict::Altered => {
            "Second subflows cannot be joined, as both ends hold different keys or settings."
        }
        CheckVerdict::Proxied => {
            "What Multipath TCP there is ends at the host between: the server gains nothing by it, nor does a second path beyond."
        }
        CheckVerdict::FellBack => "Connections work as plain TCP.",
        CheckVerdict::ServerWithout => {
            "Switch it on there (net.mptcp.enabled=1), or check against another server."
        }
        CheckVerdict::NotSent => {
            "Linux 5.6 or later with net.mptcp.enabled=1 is needed. Since Linux 6.12 it leaves the option out for a while (net.mptcp.blackhole_timeout) \
             after connections that only worked without."
        }
        CheckVerdict::Closed => "Is serve-check running there, on this port?",
        CheckVerdict::Unreachable => "Is the server up, and is this port open on the way?",
    }
}

/// What else is worth knowing of a path: translated addresses, changed fields, second subflows, hops.
pub fn details(row: &Check) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(true), Some(addr), Some(port)) = (row.nat, row.seen_addr, row.seen_port) {
        let translated = addr != row.local_addr || row.local_port.is_some_and(|own| own != port);
        lines.push(if translated {
            format!("Addresses are translated: the server sees {addr}, port {port}.")
        } else {
            "The server's address or port is translated.".to_owned()
        });
    }
    let directions = [
        ("the SYN", &row.syn_changes, row.mss_sent, row.mss_arrived),
        ("the SYN/ACK", &row.syn_ack_changes, row.mss_back_sent, row.mss_back_arrived),
    ];
    for (packet, changes, sent, arrived) in directions {
        for change in changes.iter().flat_map(|changes| changes.split(' ')).filter(|word| !word.is_empty()) {
            lines.push(changed(packet, change, sent, arrived));
        }
    }
    if let Some(join) = row.join {
        lines.push(joined(join).to_owned());
    }
    match (row.hops, row.hops_back) {
        (Some(there), Some(back)) if there == back => {
            lines.push(format!("{} between, each way.", routers(there)));
        }
        (Some(there), Some(back)) => {
            lines.push(format!("{} between on the way there, {back} on the way back.", routers(there)));
        }
        _ => {}
    }
    if let (CheckVerdict::Reset, Some(hops)) = (row.verdict, row.reset_hops) {
        lines.push(format!("The reset came from about {hops} hops away."));
    }
    if let Some(error) = &row.error {
        lines.push(format!("The system says: {error}."));
    }
    if needs_server(row) {
        lines.push(
            "With `subflow serve-check` on the server, a box could be told from a server without Multipath TCP."
                .to_owned(),
        );
    } else if row.server_sight == Some(Sight::System) && row.verdict == CheckVerdict::FellBack {
        lines.push("With CAP_NET_RAW at both ends, more could be told.".to_owned());
    }
    lines
}

fn routers(count: u8) -> String {
    match count {
        0 => "No routers".to_owned(),
        1 => "1 router".to_owned(),
        count => format!("{count} routers"),
    }
}

fn changed(packet: &str, change: &str, sent: Option<u16>, arrived: Option<u16>) -> String {
    let mut line = String::new();
    // Writing into a string does not fail.
    let _ = match (change, sent, arrived) {
        ("mss", Some(sent), Some(arrived)) => {
            write!(line, "The maximum segment size in {packet} is changed from {sent} to {arrived} bytes.")
        }
        ("mss", ..) => write!(line, "The maximum segment size in {packet} is removed or added."),
        ("timestamps", ..) => write!(line, "Timestamps in {packet} are removed or changed."),
        ("sack", ..) => write!(line, "SACK in {packet} is removed or added."),
        ("window_scale", ..) => write!(line, "The window scale in {packet} is removed or changed."),
        ("order", ..) => write!(line, "The options of {packet} are put in another order."),
        ("added", ..) => write!(line, "Options are added to {packet}."),
        ("window", ..) => write!(line, "The window in {packet} is changed."),
        ("sequence", ..) => write!(line, "The sequence number of {packet} is changed."),
        (other, ..) => write!(line, "{other} in {packet} is changed."),
    };
    line
}

/// What came of joining a second subflow, in a sentence.
pub fn joined(join: JoinResult) -> &'static str {
    match join {
        JoinResult::Joined => {
            "A second subflow can be joined: the server proves that it knows the connection."
        }
        JoinResult::WrongHmac => {
            "The answer to a second subflow has a wrong proof: a box changes keys or numbers."
        }
        JoinResult::NoOption => {
            "A second subflow is answered without the option: a box removes it, or answers itself."
        }
        JoinResult::Refused => "The server takes no second subflow, and says so.",
        JoinResult::Reset => "A second subflow is reset.",
        JoinResult::Silent => "A second subflow is not answered.",
    }
}

/// What a passage was, in words that follow the name of a packet.
pub fn passed(passage: Passage) -> &'static str {
    match passage {
        Passage::Kept => "arrived as it was sent",
        Passage::Padded => "was overwritten with padding",
        Passage::Removed => "was removed",
        Passage::Altered => "was changed",
        Passage::Mirrored => "was our own, returned",
        Passage::NotSent => "was not sent",
    }
}

/// What all paths together say: whether this host is affected, and on which paths.
pub fn conclusion(rows: &[Check]) -> Vec<String> {
    let count = |wanted: Option<bool>| rows.iter().filter(|row| row.verdict.affected() == wanted).count();
    let (bad, good, unknown) = (count(Some(true)), count(Some(false)), count(None));
    if rows.is_empty() {
        return vec!["Nothing was checked.".to_owned()];
    }
    let paths = |count: usize| if count == 1 { "1 path".to_owned() } else { format!("{count} paths") };
    let mut lines = vec![match (bad, good) {
        (0, 0) => "No path could be judged.".to_owned(),
        (0, _) => format!("Not affected: Multipath TCP works on {}.", paths(good)),
        (_, 0) => format!("Affected: Multipath TCP is kept from working on {}.", paths(bad)),
        (_, _) => format!(
            "Affected: Multipath TCP is kept from working on {}, and works on {}.",
            paths(bad),
            paths(good)
        ),
    }];
    if unknown > 0 && bad + good > 0 {
        lines.push(format!("{} could not be judged.", paths(unknown)));
    }
    let mut told: Vec<CheckVerdict> = Vec::new();
    for row in rows {
        if !told.contains(&row.verdict) {
            told.push(row.verdict);
        }
    }
    lines.extend(told.into_iter().filter(|&verdict| verdict != CheckVerdict::Works).map(|verdict| {
        let paths = rows.iter().filter(|row| row.verdict == verdict).count();
        let mark = if rows.len() == paths { String::new() } else { format!("{verdict} ({paths}): ") };
        format!("{mark}{}", meaning(verdict))
    }));
    lines
}
