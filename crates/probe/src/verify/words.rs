//! Conclusions in plain sentences.

use crate::rows::{AnswerStep, Conclusion, GivenUp, JoinStep, PlainStep, Verification};

/// What a row says, in one sentence for people, with the evidence in a second one where there is some.
pub fn words(row: &Verification) -> String {
    let version = row.version;
    let main = match row.conclusion {
        Conclusion::TrueSupport => format!("The server truly supports Multipath TCP version {version}."),
        Conclusion::RefusesJoins => {
            format!("The server supports Multipath TCP version {version}, but takes no second subflow.")
        }
        Conclusion::Unproven => format!(
            "The server acknowledges data as Multipath TCP version {version} does, but nothing proved that the key it showed is its own."
        ),
        Conclusion::KeyRewritten => {
            "A box on the way changed a key of the handshake: the connection's numbers fit other keys.".to_owned()
        }
        Conclusion::StrippedInData => {
            "The handshake has the option, but a box on the way takes it out of the packets after it.".to_owned()
        }
        Conclusion::BlockedInData => {
            "Data with the option does not get through, while plain TCP does: a box on the way blocks it.".to_owned()
        }
        Conclusion::Proxied => proxied(row),
        Conclusion::FallsBack => falls_back(row),
        Conclusion::Mirrored => {
            "Something returns our own option: that is no support for Multipath TCP.".to_owned()
        }
        Conclusion::Malformed => {
            format!("The answer breaks the rules of Multipath TCP version {version}: that is no support.")
        }
        Conclusion::DroppedWithOption => format!(
            "A box drops SYNs that carry the option of version {version}; plain TCP to the same port works."
        ),
        Conclusion::ResetWithOption => format!(
            "SYNs that carry the option of version {version} are reset; plain TCP to the same port works."
        ),
        Conclusion::NoTcp => "SYNs are answered, but no data is: there is no working TCP server.".to_owned(),
        Conclusion::Closed => "The port is closed.".to_owned(),
        Conclusion::Unreachable if row.packets_sent == 0 => "There is no way to the address from here.".to_owned(),
        Conclusion::Unreachable => "The network says that the target cannot be reached.".to_owned(),
        Conclusion::Filtered => "Nothing answers, with the option or without it.".to_owned(),
    };
    let evidence = evidence(row);
    if evidence.is_empty() { main } else { format!("{main} {evidence}") }
}

fn proxied(row: &Verification) -> String {
    let far = [row.reset_hops, row.echo_hops].into_iter().flatten().max();
    match (row.synack_hops, far) {
        (Some(near), Some(far)) => format!(
            "A proxy answers in the target's place: its SYN/ACK comes from {near} {}, the target is {far} away.",
            if near == 1 { "hop" } else { "hops" }
        ),
        _ => "A proxy answers in the target's place.".to_owned(),
    }
}

fn falls_back(row: &Verification) -> String {
    let version = row.version;
    match row.fallback {
        Some(GivenUp::SynAckPadded) => format!(
            "The connection falls back to plain TCP: a box on the way back pads over the option of the SYN/ACK (version {version})."
        ),
        Some(GivenUp::FirstData) => {
            "The connection falls back to plain TCP at the server's first data, which has no mapping.".to_owned()
        }
        Some(GivenUp::Fail) => {
            "The connection falls back to plain TCP: the server says by MP_FAIL that data arrived changed.".to_owned()
        }
        Some(GivenUp::Infinite) => {
            "The connection falls back to plain TCP: the server sends the infinite mapping.".to_owned()
        }
        Some(GivenUp::SynAck) | None => {
            format!("The connection falls back to plain TCP: the SYN/ACK has no option of version {version}.")
        }
    }
}

/// What the conclusion rests on, where a sentence helps.
fn evidence(row: &Verification) -> String {
    let join = match row.join {
        Some(JoinStep::Forbidden) => "It says so itself (flag C).",
        Some(JoinStep::Silent) => "Nothing answered the second subflow.",
        Some(JoinStep::Icmp) => "An ICMP error answered the second subflow.",
        Some(JoinStep::Reset) => "The second subflow was reset.",
        Some(JoinStep::NoOption) => "The second subflow was answered without the option.",
        Some(JoinStep::Malformed) => "The second subflow was answered with another form of the option.",
        Some(JoinStep::Unconfirmed) => "The second subflow's HMAC was right, but ours was never acknowledged.",
        Some(JoinStep::Dropped) => "The second subflow's HMAC was right, but ours was answered by a reset.",
        _ => "",
    };
    match row.conclusion {
        Conclusion::TrueSupport => {
            let data = match row.answer {
                Some(AnswerStep::Mapped) => "DATA_ACK and data sequence number fit the keys",
                _ => "The DATA_ACK fits the key",
            };
            let join = match row.join {
                Some(JoinStep::Carried) => "a second subflow was opened by HMAC and carried data",
                _ => "a second subflow was opened by HMAC",
            };
            format!("{data}; {join}.")
        }
        Conclusion::RefusesJoins | Conclusion::Unproven => {
            let reason = match row.join_reset_reason.filter(|_| row.join == Some(JoinStep::Reset)) {
                Some(reason) => {
                    let words = subflow_wire::mptcp::TcpRst { flags: 0, reason }.reason_text();
                    return format!("{} Its reason: {words}.", join);
                }
                None => join,
            };
            reason.to_owned()
        }
        Conclusion::KeyRewritten => {
            let mut wrong = Vec::new();
            if row.data == Some(crate::rows::DataStep::OtherKey) {
                wrong.push("DATA_ACK");
            }
            if row.answer == Some(AnswerStep::OtherKey) {
                wrong.push("data sequence number");
            }
            if row.hmac_ok == Some(false) {
                wrong.push("HMAC");
            }
            format!("What does not fit: {}.", wrong.join(", "))
        }
        Conclusion::DroppedWithOption | Conclusion::ResetWithOption | Conclusion::BlockedInData => {
            match row.plain {
                Some(PlainStep::Answered) => "The same request over plain TCP was answered.".to_owned(),
                _ => String::new(),
            }
        }
        Conclusion::Proxied if row.data == Some(crate::rows::DataStep::Acknowledged) => {
            "The proxy itself speaks Multipath TCP; whether the target does cannot be seen from here.".to_owned()
        }
        Conclusion::Proxied => "Whether the target speaks Multipath TCP cannot be seen from here.".to_owned(),
        _ => String::new(),
    }
}
