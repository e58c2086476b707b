//! What the rows of a check say, in sentences.

use std::fmt::Write;

use super::run::{Outcome, needs_server};
use super::serve::{Served, Server};
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
    let options = [(row.syn, "the SYN"), (row.syn_ack, "the SYN/ACK")];
    for (_, packet) in options.iter().filter(|(passage, _)| *passage == Some(Passage::Altered)) {
        lines.push(format!("The option in {packet} is changed."));
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

/// What is worth knowing of a check as a whole: where there was no way, why packets were not watched, that it was stopped.
pub fn remarks(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> =
        outcome.no_way.iter().map(|addr| format!("There is no way to {addr} from here.")).collect();
    lines.extend(outcome.without_packets.as_ref().map(without_packets));
    if outcome.stopped {
        lines.push("Stopped: not every path was checked.".to_owned());
    }
    lines
}

/// Why less can be told than could be.
pub fn without_packets(error: &subflow_netio::Error) -> String {
    format!("Packets are not watched, so that less can be told: {error}.")
}

/// What a server does from now on.
pub fn listening(server: &Server) -> Vec<String> {
    let at: Vec<String> = server.addresses().iter().map(ToString::to_string).collect();
    let mut lines = vec![if server.is_mptcp() {
        format!("Listening with Multipath TCP at {}.", at.join(", "))
    } else {
        format!(
            "Listening with plain TCP at {}: this system does not speak Multipath TCP, or it is switched off.",
            at.join(", ")
        )
    }];
    lines.extend(server.without_packets().map(without_packets));
    lines
}

/// One connection that a server has served.
pub fn served(served: &Served) -> String {
    let Served { peer, port, mptcp, reports } = served;
    let protocol = if *mptcp { "Multipath TCP" } else { "TCP" };
    let what = match reports {
        0 => "no question for us".to_owned(),
        1 => "1 report".to_owned(),
        count => format!("{count} reports"),
    };
    format!("{peer} at port {port} by {protocol}: {what}.")
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
        let count = rows.iter().filter(|row| row.verdict == verdict).count();
        let mark =
            if rows.len() == count { String::new() } else { format!("{verdict} ({}): ", paths(count)) };
        format!("{mark}{}", meaning(verdict))
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Attempt;
    use subflow_rows::Time;

    fn row(port: u16, verdict: CheckVerdict) -> Check {
        Check {
            time: Time(0),
            local_addr: [192, 168, 1, 5].into(),
            interface: Some("wlan0".to_owned()),
            server_addr: [192, 0, 2, 1].into(),
            port,
            verdict,
            mptcp: Attempt::Complete,
            tcp: Attempt::Complete,
            mptcp_tries: 1,
            tcp_tries: 1,
            mptcp_connect: Some(0.01),
            tcp_connect: Some(0.01),
            negotiated: Some(true),
            kept: Some(true),
            subflows: Some(1),
            join: None,
            end_to_end: None,
            syn: None,
            syn_ack: None,
            data_c2s: None,
            data_s2c: None,
            local_sight: Sight::System,
            server_sight: Some(Sight::System),
            server_mptcp: Some(true),
            seen_addr: Some([192, 168, 1, 5].into()),
            seen_port: Some(4000),
            nat: Some(false),
            local_port: Some(4000),
            syn_sent: None,
            syn_arrived: None,
            syn_ack_sent: None,
            syn_ack_arrived: None,
            mss_sent: None,
            mss_arrived: None,
            mss_back_sent: None,
            mss_back_arrived: None,
            syn_changes: None,
            syn_ack_changes: None,
            hops: None,
            hops_back: None,
            reset_hops: None,
            error: None,
        }
    }

    #[test]
    fn lines_of_a_table() {
        let works = row(443, CheckVerdict::Works);
        assert_eq!(line(&works), "From 192.168.1.5 (wlan0) to port 443: Multipath TCP works.");
        assert!(details(&works).is_empty());
        let mut stripped = row(80, CheckVerdict::StrippedSyn);
        assert_eq!(
            line(&stripped),
            "From 192.168.1.5 (wlan0) to port 80: a box removes the option from the SYN."
        );
        stripped.syn = Some(Passage::Padded);
        assert!(found(&stripped).ends_with("padding in its place."));
    }

    #[test]
    fn every_verdict_passage_and_result_has_words() {
        for &verdict in CheckVerdict::ALL {
            let text = found(&row(80, verdict));
            assert!(text.ends_with('.') && meaning(verdict).ends_with(['.', '?']), "{verdict}");
        }
        assert!(Passage::ALL.iter().all(|&passage| !passed(passage).is_empty()));
        assert!(JoinResult::ALL.iter().all(|&join| joined(join).ends_with('.')));
    }

    #[test]
    fn details_name_what_was_changed() {
        let mut row = row(80, CheckVerdict::Works);
        (row.nat, row.seen_addr, row.seen_port) = (Some(true), Some([203, 0, 113, 7].into()), Some(777));
        (row.syn_changes, row.mss_sent, row.mss_arrived) =
            (Some("mss sack".to_owned()), Some(1460), Some(1200));
        (row.hops, row.hops_back, row.join) = (Some(1), Some(3), Some(JoinResult::Joined));
        assert_eq!(
            details(&row),
            [
                "Addresses are translated: the server sees 203.0.113.7, port 777.",
                "The maximum segment size in the SYN is changed from 1460 to 1200 bytes.",
                "SACK in the SYN is removed or added.",
                "A second subflow can be joined: the server proves that it knows the connection.",
                "1 router between on the way there, 3 on the way back.",
            ]
        );
        row.seen_addr = Some(row.local_addr);
        row.seen_port = row.local_port;
        assert_eq!(details(&row)[0], "The server's address or port is translated.");
    }

    #[test]
    fn the_conclusion_counts_paths() {
        let [good, bad, unknown] = [CheckVerdict::Works, CheckVerdict::Dropped, CheckVerdict::Closed]
            .map(|verdict| row(80, verdict));
        assert_eq!(conclusion(&[]), ["Nothing was checked."]);
        assert_eq!(conclusion(std::slice::from_ref(&good)), ["Not affected: Multipath TCP works on 1 path."]);
        assert_eq!(conclusion(std::slice::from_ref(&unknown))[0], "No path could be judged.");
        let lines = conclusion(&[bad.clone(), bad.clone()]);
        assert_eq!(lines[0], "Affected: Multipath TCP is kept from working on 2 paths.");
        assert_eq!(lines[1], meaning(CheckVerdict::Dropped));
        let lines = conclusion(&[good, bad, unknown]);
        assert_eq!(lines[0], "Affected: Multipath TCP is kept from working on 1 path, and works on 1 path.");
        assert_eq!(lines[1], "1 path could not be judged.");
        assert_eq!(lines[2], format!("dropped (1 path): {}", meaning(CheckVerdict::Dropped)));
    }
}
