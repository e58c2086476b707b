//! Conclusions in plain sentences.

use crate::rows::{AnswerStep, Conclusion, DataStep, GivenUp, JoinStep, PlainStep, Verification};

/// What a row says in sentences for people: the conclusion, then what it rests on and what else is worth knowing.
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
        Conclusion::KeyRewritten if fits_but_hmac(row) => {
            "Whoever answers the second subflow does not hold the keys of the first: a box changed one, or stands in for the server.".to_owned()
        }
        Conclusion::KeyRewritten => {
            "A box on the way changed a key of the handshake: the connection's numbers fit other keys."
                .to_owned()
        }
        Conclusion::StrippedInData => {
            "The handshake has the option, but a box on the way takes it out of the packets after it."
                .to_owned()
        }
        Conclusion::BlockedInData => {
            "Data with the option does not get through, while plain TCP does: a box on the way blocks it."
                .to_owned()
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
        Conclusion::Unreachable if row.packets_sent == 0 => {
            "There is no way to the address from here.".to_owned()
        }
        Conclusion::Unreachable => "The network says that the target cannot be reached.".to_owned(),
        Conclusion::Filtered => "Nothing answers, with the option or without it.".to_owned(),
    };
    let mut sentences = vec![main, evidence(row)];
    if row.checksum_ok == Some(false) {
        sentences.push("A DSS checksum of its data was wrong: a box changed the data.".to_owned());
    }
    if row.conclusion.supports() && row.proxied.is_none() && row.synack_hops.is_some() {
        sentences.push(
            "Nothing but its SYN/ACK answered, so a proxy in its place cannot be ruled out.".to_owned(),
        );
    }
    if let Some(announced) = &row.announced {
        let wrong = if row.announced_ok == Some(false) { " with a wrong HMAC" } else { "" };
        sentences.push(format!("It announces{wrong} {announced} (address number=address)."));
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(" ")
}

/// Nothing contradicts the keys but the HMAC.
fn fits_but_hmac(row: &Verification) -> bool {
    row.data == Some(DataStep::Acknowledged) && row.answer != Some(AnswerStep::OtherKey)
}

fn proxied(row: &Verification) -> String {
    let far = [row.reset_hops, row.echo_hops].into_iter().flatten().max();
    match (row.synack_hops, far) {
        (Some(near), Some(far)) => format!(
            "A proxy answers in the target's place: its SYN/ACK comes from {} away, and the target is {} away.",
            hops(near),
            hops(far)
        ),
        _ => "A proxy answers in the target's place.".to_owned(),
    }
}

fn hops(count: u8) -> String {
    format!("{count} {}", if count == 1 { "hop" } else { "hops" })
}

fn falls_back(row: &Verification) -> String {
    let version = row.version;
    match row.fallback {
        Some(GivenUp::SynAckPadded) => format!(
            "The connection falls back to plain TCP: a box on the way back pads over the option of the SYN/ACK (version {version})."
        ),
        Some(GivenUp::FirstData) => {
            "The connection falls back to plain TCP at the server's first data, which has no mapping."
                .to_owned()
        }
        Some(GivenUp::Fail) => {
            "The connection falls back to plain TCP: the server says by MP_FAIL that data arrived changed."
                .to_owned()
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
        Some(JoinStep::Unconfirmed) => {
            "The second subflow's HMAC was right, but ours was never acknowledged."
        }
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
            match row.join_reset_reason.filter(|_| row.join == Some(JoinStep::Reset)) {
                Some(reason) => {
                    let reason = subflow_wire::mptcp::TcpRst { flags: 0, reason }.reason_text();
                    format!("{join} Its reason: {reason}.")
                }
                None => join.to_owned(),
            }
        }
        Conclusion::KeyRewritten => {
            let mut wrong = Vec::new();
            if row.data == Some(DataStep::OtherKey) {
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
        Conclusion::Proxied if row.data == Some(DataStep::Acknowledged) => {
            "The proxy itself speaks Multipath TCP; whether the target does cannot be seen from here."
                .to_owned()
        }
        Conclusion::Proxied => "Whether the target speaks Multipath TCP cannot be seen from here.".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::SynStep;
    use subflow_rows::{Hex32, Hex64, Time};

    fn row(conclusion: Conclusion) -> Verification {
        let addr = [192, 0, 2, 7].into();
        Verification {
            time: Time(0),
            addr,
            port: 80,
            version: 1,
            conclusion,
            fallback: None,
            syn: SynStep::Capable,
            data: Some(DataStep::Acknowledged),
            answer: Some(AnswerStep::Mapped),
            join: Some(JoinStep::Carried),
            plain: None,
            proxied: Some(false),
            synack_hops: Some(5),
            reset_hops: Some(9),
            echo_hops: None,
            src_addr: addr,
            src_port: 1,
            join_first: false,
            join_src_port: None,
            flags: None,
            checksum: None,
            client_key: Hex64(0),
            server_key: None,
            client_token: Hex32(0),
            server_token: None,
            data_ack_expected: None,
            data_ack_seen: None,
            dsn_expected: None,
            dsn_seen: None,
            checksum_ok: None,
            hmac_expected: None,
            hmac_seen: None,
            hmac_ok: None,
            reset_reason: None,
            join_reset_reason: None,
            announced: None,
            announced_ok: None,
            sent_bytes: 0,
            received_bytes: 0,
            response: None,
            rtt: None,
            data_rtt: None,
            join_rtt: None,
            ttl: None,
            mss: None,
            window: None,
            options: None,
            icmp_type: None,
            icmp_code: None,
            icmp_from: None,
            packets_sent: 9,
            packets_again: 0,
            packets_received: 9,
            duration: 0.0,
        }
    }

    #[test]
    fn every_conclusion_has_a_sentence_of_its_own() {
        let mut sentences: Vec<String> =
            Conclusion::ALL.iter().map(|&conclusion| words(&row(conclusion))).collect();
        assert!(sentences.iter().all(|words| words.ends_with('.') && !words.contains("..")), "{sentences:?}");
        sentences.sort();
        sentences.dedup();
        assert_eq!(sentences.len(), Conclusion::ALL.len());
    }

    #[test]
    fn evidence_in_words() {
        let refusal = Verification {
            join: Some(JoinStep::Reset),
            join_reset_reason: Some(3),
            ..row(Conclusion::RefusesJoins)
        };
        assert_eq!(
            words(&refusal),
            "The server supports Multipath TCP version 1, but takes no second subflow. The second subflow was reset. \
             Its reason: administratively prohibited."
        );
        assert_eq!(
            words(&row(Conclusion::Proxied)),
            "A proxy answers in the target's place: its SYN/ACK comes from 5 hops away, and the target is 9 hops away. \
             The proxy itself speaks Multipath TCP; whether the target does cannot be seen from here."
        );
        let alone = Verification {
            proxied: None,
            announced: Some("2=203.0.113.9".to_owned()),
            ..row(Conclusion::TrueSupport)
        };
        let alone = words(&alone);
        assert!(
            alone.contains("cannot be ruled out") && alone.contains("It announces 2=203.0.113.9"),
            "{alone}"
        );
        let hmac = Verification {
            join: Some(JoinStep::WrongHmac),
            hmac_ok: Some(false),
            ..row(Conclusion::KeyRewritten)
        };
        assert!(words(&hmac).starts_with("Whoever answers the second subflow"));
        let both = Verification { answer: Some(AnswerStep::OtherKey), ..hmac };
        assert!(words(&both).ends_with("What does not fit: data sequence number, HMAC."));
    }
}
