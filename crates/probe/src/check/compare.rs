//! A packet as it left held against the same one as it arrived.

use super::seen::Seen;
use crate::rows::Passage;

/// What became of the option of Multipath TCP in a packet of the handshake.
///
/// `other` are the options of Multipath TCP that the receiver had sent itself: a box may return them.
pub fn handshake_passage(
    sent: Option<&Seen>,
    arrived: Option<&Seen>,
    other: Option<&Seen>,
) -> Option<Passage> {
    let arrived = arrived?;
    let came = arrived.mptcp_bytes();
    if sent.is_some_and(|sent| !sent.has_mptcp()) && came.is_empty() {
        return Some(Passage::NotSent);
    }
    if came.is_empty() {
        // Without the sender's word, only padding tells that there was something.
        return match (sent, arrived.is_padded()) {
            (Some(sent), true) if !sent.is_padded() => Some(Passage::Padded),
            (None, true) => Some(Passage::Padded),
            (Some(_), _) => Some(Passage::Removed),
            (None, false) => None,
        };
    }
    match sent {
        Some(sent) if sent.mptcp_bytes() == came => Some(Passage::Kept),
        _ if other.is_some_and(|other| other.mptcp_bytes() == came) => Some(Passage::Mirrored),
        Some(_) => Some(Passage::Altered),
        None => None,
    }
}

/// What became of the options of Multipath TCP in the first packet with data. Only whether there are any counts: a repeated packet may
/// acknowledge other data than the first one did.
pub fn data_passage(sent: Option<&Seen>, arrived: Option<&Seen>) -> Option<Passage> {
    let (sent, arrived) = (sent?, arrived?);
    Some(match (sent.has_mptcp(), arrived.has_mptcp()) {
        (_, true) => Passage::Kept,
        (false, false) => Passage::NotSent,
        (true, false) if arrived.is_padded() && !sent.is_padded() => Passage::Padded,
        (true, false) => Passage::Removed,
    })
}

/// What else was changed in a packet of the handshake, in words separated by blanks; addresses and ports are not looked at.
pub fn changes(sent: &Seen, arrived: &Seen) -> String {
    let mut words = Vec::new();
    let mut note = |changed: bool, word| {
        if changed {
            words.push(word);
        }
    };
    note(sent.mss() != arrived.mss(), "mss");
    note(sent.timestamp() != arrived.timestamp(), "timestamps");
    note(sent.sack() != arrived.sack(), "sack");
    note(sent.window_scale() != arrived.window_scale(), "window_scale");
    // The options that both have, in the order of each.
    let common = |one: &Seen, other: &Seen| -> Vec<u8> {
        let theirs: Vec<u8> = other.kinds().collect();
        one.kinds().filter(|kind| theirs.contains(kind)).collect()
    };
    note(common(sent, arrived) != common(arrived, sent), "order");
    let own: Vec<u8> = sent.kinds().collect();
    note(arrived.kinds().any(|kind| !own.contains(&kind)), "added");
    note(sent.window != arrived.window, "window");
    note(sent.seq != arrived.seq, "sequence");
    words.join(" ")
}

/// Whether the SYN that arrived is the one that was sent, not that of a host between: a firewall may renumber a connection or replace its
/// timestamps, but only another sender does both; null when only one of them can be compared, and differs.
pub fn is_same_syn(sent: &Seen, arrived: &Seen) -> Option<bool> {
    if sent.seq == arrived.seq {
        return Some(true);
    }
    match (sent.timestamp(), arrived.timestamp()) {
        (Some(sent), Some(arrived)) => Some(sent == arrived),
        _ => None,
    }
}

/// By how much the time to live fell.
pub fn hops(sent: &Seen, arrived: &Seen) -> Option<u8> {
    sent.ttl.checked_sub(arrived.ttl)
}

/// By how much the time to live has probably fallen since a host sent the packet, from the next of the values that systems begin with.
pub fn likely_hops(ttl: u8) -> u8 {
    let begin = [64_u8, 128, 255].into_iter().find(|&begin| begin >= ttl).unwrap_or(255);
    begin - ttl
}

#[cfg(test)]
mod tests {
    use subflow_wire::tcp::Flags;

    use super::*;
    use crate::check::seen::tests::{SYN_OPTIONS, packet};

    fn syn(options: &[u8], seq: u32) -> Seen {
        Seen::read(&packet("10.0.0.1:4000", "10.0.0.2:80", Flags::SYN, seq, options, b"")).unwrap()
    }

    /// MP_CAPABLE with a key, as a server of version 1 answers.
    const ANSWER: [u8; 12] = [30, 12, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn the_passages_of_a_syn() {
        let sent = syn(&SYN_OPTIONS, 7);
        let passage = |options: &[u8]| handshake_passage(Some(&sent), Some(&syn(options, 7)), None);
        assert_eq!(passage(&SYN_OPTIONS), Some(Passage::Kept));
        let mut padded = SYN_OPTIONS;
        padded[20..].fill(1);
        assert_eq!(passage(&padded), Some(Passage::Padded));
        assert_eq!(passage(&SYN_OPTIONS[..20]), Some(Passage::Removed));
        let mut altered = SYN_OPTIONS;
        altered[22] = 0;
        assert_eq!(passage(&altered), Some(Passage::Altered));
        let plain = syn(&SYN_OPTIONS[..20], 7);
        assert_eq!(handshake_passage(Some(&plain), Some(&plain), None), Some(Passage::NotSent));
        assert_eq!(handshake_passage(Some(&sent), None, None), None);
        // Without the sender's word.
        assert_eq!(handshake_passage(None, Some(&syn(&padded, 7)), None), Some(Passage::Padded));
        assert_eq!(handshake_passage(None, Some(&plain), None), None);
        assert_eq!(handshake_passage(None, Some(&sent), None), None);
    }

    #[test]
    fn a_mirror_is_told_with_and_without_the_word_of_the_server() {
        let ours = syn(&SYN_OPTIONS, 7);
        for sent in [None, Some(syn(&ANSWER, 9)), Some(syn(&[], 9))] {
            let passage = handshake_passage(sent.as_ref(), Some(&syn(&SYN_OPTIONS, 9)), Some(&ours));
            assert_eq!(passage, Some(Passage::Mirrored), "{sent:?}");
        }
    }

    #[test]
    fn the_passages_of_data() {
        let with = syn(&SYN_OPTIONS, 7);
        let without = syn(&SYN_OPTIONS[..20], 7);
        let mut options = SYN_OPTIONS;
        options[20..].fill(1);
        let padded = syn(&options, 7);
        let passage = |sent, arrived| data_passage(Some(sent), Some(arrived));
        assert_eq!(passage(&with, &with), Some(Passage::Kept));
        assert_eq!(passage(&with, &without), Some(Passage::Removed));
        assert_eq!(passage(&with, &padded), Some(Passage::Padded));
        assert_eq!(passage(&without, &without), Some(Passage::NotSent));
        assert_eq!(data_passage(None, Some(&with)), None);
    }

    #[test]
    fn other_changes_are_named() {
        let sent = syn(&SYN_OPTIONS, 7);
        assert_eq!(changes(&sent, &sent), "");
        let mut clamped = SYN_OPTIONS;
        clamped[3] = 0;
        assert_eq!(changes(&sent, &syn(&clamped, 7)), "mss");
        assert_eq!(changes(&sent, &syn(&[2, 4, 5, 0xb4], 8)), "timestamps sack window_scale sequence");
        let turned = [4, 2, 2, 4, 5, 0xb4, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7];
        assert_eq!(changes(&sent, &syn(&turned, 7)), "order");
        assert_eq!(changes(&syn(&SYN_OPTIONS[..4], 7), &syn(&[2, 4, 5, 0xb4, 4, 2, 1, 1], 7)), "sack added");
    }

    #[test]
    fn a_renumbered_connection_is_the_same_and_a_proxied_one_is_not() {
        let sent = syn(&SYN_OPTIONS, 7);
        assert_eq!(is_same_syn(&sent, &syn(&SYN_OPTIONS, 7)), Some(true));
        assert_eq!(is_same_syn(&sent, &syn(&SYN_OPTIONS, 8)), Some(true));
        let mut others = SYN_OPTIONS;
        others[11] = 77;
        assert_eq!(is_same_syn(&sent, &syn(&others, 8)), Some(false));
        assert_eq!(is_same_syn(&sent, &syn(&others, 7)), Some(true));
        assert_eq!(is_same_syn(&sent, &syn(&[], 8)), None);
    }

    #[test]
    fn hops_follow_from_the_time_to_live() {
        let (mut near, far) = (syn(&[], 1), syn(&[], 1));
        near.ttl = 61;
        assert_eq!((hops(&far, &near), hops(&near, &far)), (Some(3), None));
        assert_eq!([64, 63, 120, 250, 0].map(likely_hops), [0, 1, 8, 5, 64]);
    }
}
