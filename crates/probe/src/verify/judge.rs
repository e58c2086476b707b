//! From what the steps gave to a conclusion.

use crate::rows::{AnswerStep, Conclusion, DataStep, GivenUp, JoinStep, PlainStep, SynStep, Verification};

/// What the steps of a row prove together; `conclusion` and `fallback` of the row are not looked at.
///
/// "True support" takes three proofs that nobody can give who does not hold both keys: a DATA_ACK made from ours (or the
/// HMAC), a data sequence number made from theirs (or the HMAC), and a second subflow whose HMAC is right and that was confirmed.
/// Whatever is mirrored, malformed or fits other keys outweighs every proof.
pub fn conclude(row: &Verification) -> (Conclusion, Option<GivenUp>) {
    let is_open = matches!(
        row.plain,
        Some(PlainStep::Mute | PlainStep::Dropped | PlainStep::Acknowledged | PlainStep::Answered)
    );
    let works = matches!(row.plain, Some(PlainStep::Acknowledged | PlainStep::Answered));
    let alone = |conclusion| (conclusion, None);
    let given_up = match (row.syn, row.data, row.answer) {
        (SynStep::NoOption, ..) => Some(GivenUp::SynAck),
        (SynStep::Padded, ..) => Some(GivenUp::SynAckPadded),
        (_, Some(DataStep::Fail), _) => Some(GivenUp::Fail),
        (_, Some(DataStep::Infinite), _) => Some(GivenUp::Infinite),
        (_, Some(DataStep::Acknowledged), Some(AnswerStep::Unmapped)) => Some(GivenUp::FirstData),
        _ => None,
    };
    match row.syn {
        SynStep::Silent | SynStep::Icmp if is_open => alone(Conclusion::DroppedWithOption),
        SynStep::Reset if is_open => alone(Conclusion::ResetWithOption),
        SynStep::Icmp => alone(Conclusion::Unreachable),
        SynStep::Silent if row.plain == Some(PlainStep::Icmp) => alone(Conclusion::Unreachable),
        SynStep::Silent if row.plain == Some(PlainStep::Reset) => alone(Conclusion::Closed),
        SynStep::Silent => alone(Conclusion::Filtered),
        SynStep::Reset => alone(Conclusion::Closed),
        SynStep::Mirrored => alone(Conclusion::Mirrored),
        SynStep::Malformed => alone(Conclusion::Malformed),
        SynStep::NoOption | SynStep::Padded => match row.data {
            Some(DataStep::NoSignal) if row.proxied == Some(true) => alone(Conclusion::Proxied),
            Some(DataStep::NoSignal) => (Conclusion::FallsBack, given_up),
            Some(DataStep::Mirrored) => alone(Conclusion::Mirrored),
            _ => alone(Conclusion::NoTcp),
        },
        SynStep::Capable => {
            if row.join == Some(JoinStep::Mirrored) {
                return alone(Conclusion::Mirrored);
            }
            match row.data {
                Some(DataStep::Mirrored) => alone(Conclusion::Mirrored),
                Some(DataStep::BadAck) => alone(Conclusion::Malformed),
                Some(DataStep::OtherKey) => alone(Conclusion::KeyRewritten),
                _ if row.hmac_ok == Some(false) => alone(Conclusion::KeyRewritten),
                _ if row.answer == Some(AnswerStep::OtherKey) => alone(Conclusion::KeyRewritten),
                Some(DataStep::Fail | DataStep::Infinite) => (Conclusion::FallsBack, given_up),
                Some(DataStep::NoSignal) => alone(Conclusion::StrippedInData),
                Some(DataStep::Unacknowledged) => alone(Conclusion::Unproven),
                Some(DataStep::Acknowledged) => acknowledged(row, given_up),
                Some(DataStep::Silent | DataStep::Reset) | None if works => alone(Conclusion::BlockedInData),
                Some(DataStep::Silent | DataStep::Reset) | None => alone(Conclusion::NoTcp),
            }
        }
    }
}

/// Our data was acknowledged as our key demands, and nothing speaks against it.
fn acknowledged(row: &Verification, given_up: Option<GivenUp>) -> (Conclusion, Option<GivenUp>) {
    if given_up.is_some() {
        return (Conclusion::FallsBack, given_up);
    }
    let server_key = row.answer == Some(AnswerStep::Mapped) || row.hmac_ok == Some(true);
    let joined = matches!(row.join, Some(JoinStep::Confirmed | JoinStep::Carried));
    let conclusion = match (server_key, row.proxied, joined && row.hmac_ok == Some(true)) {
        (false, ..) => Conclusion::Unproven,
        (true, Some(true), _) => Conclusion::Proxied,
        (true, _, true) => Conclusion::TrueSupport,
        (true, _, false) => Conclusion::RefusesJoins,
    };
    (conclusion, None)
}
