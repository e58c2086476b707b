//! Who watches a run: captures, truth, anything that wants to see every segment with its header.
//!
//! An observer is a type parameter of the world; `()` is nobody and costs nothing. A pair of observers is an observer.

use subflow_rows::names;
use subflow_wire::Key;
use subflow_wire::keys::Version;

use crate::header::Header;
use crate::net::{LinkId, Why};
use crate::time::Time;

names! {
    /// One end of a connection: the client sends the initial SYN.
    pub enum End {
        /// The end that opened the connection.
        Client => "client",
        /// The other end.
        Server => "server",
    }
}

impl End {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// 0 for the client and what it sends, 1 for the server.
    pub const fn index(self) -> usize {
        self as usize
    }
}

names! {
    /// How far the handshake of a subflow came.
    pub enum Handshake {
        /// It completed, as far as this end knows: its opener has sent the third ACK, the other end has received it and taken it.
        Established => "established",
        /// Nothing answered the SYN.
        SynLost => "syn_lost",
        /// A reset answered the SYN.
        Refused => "refused",
        /// A reset came after the SYN/ACK, before the third ACK was taken.
        Reset => "reset",
        /// The SYN/ACK was sent, its confirmation did not come.
        Unconfirmed => "unconfirmed",
        /// A join was answered without MP_JOIN.
        Stripped => "stripped",
    }
}

names! {
    /// Where a connection fell back to plain TCP (RFC 8684, section 3.7), as the end knows that did it.
    pub enum Fallback {
        /// The client gave up MP_CAPABLE and sent a SYN without it.
        Syn => "syn",
        /// The SYN carried MP_CAPABLE, the SYN/ACK did not.
        SynAck => "synack",
        /// The SYN/ACK returned the client's own option.
        Mirror => "mirror",
        /// The third ACK or the first data came without options.
        FirstData => "first_data",
        /// A DSS checksum failed.
        Checksum => "checksum",
        /// Options went missing later on. For the sender of data that means: what it had sent with options was acknowledged without.
        Later => "later",
    }
}

names! {
    /// How a connection ended.
    pub enum Close {
        /// DATA_FIN in both directions.
        DataFin => "data_fin",
        /// MP_FASTCLOSE.
        FastClose => "fastclose",
        /// Its last subflow was reset.
        Reset => "reset",
        /// FINs of a connection that had fallen back.
        Fin => "fin",
        /// Given up after silence.
        Timeout => "timeout",
    }
}

/// What an end knows and no single packet shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The end knows this key, its own or the other end's, and the version that both speak: data sequence numbers follow.
    Key {
        /// Whose key.
        of: End,
        /// The key.
        key: Key,
        /// The version under which it is hashed.
        version: Version,
    },
    /// The handshake of a subflow came this far at this end; a later fact about the same subflow replaces it.
    Handshake {
        /// The subflow, as in [`Sight::subflow`].
        subflow: u32,
        /// How far.
        state: Handshake,
    },
    /// The end fell back.
    Fallback {
        /// The subflow on which it noticed.
        subflow: u32,
        /// Where.
        kind: Fallback,
    },
    /// The retransmission timer of a subflow expired at this end.
    TimedOut {
        /// The subflow.
        subflow: u32,
    },
    /// A subflow was reset or given up.
    Lost {
        /// The subflow.
        subflow: u32,
    },
    /// The end considers the connection as ended.
    Closed(Close),
}

/// Where and when something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When.
    pub now: Time,
    /// The connection.
    pub connection: u32,
    /// The subflow, numbered over all connections of the run.
    pub subflow: u32,
    /// The end that sends or receives.
    pub end: End,
}

/// Watches a run.
pub trait Observer {
    /// False when nothing is to be called.
    const ACTIVE: bool = true;

    /// An end hands a segment to its interface. The number of the transmission ([`Header::serial`]) may be written.
    fn sent(&mut self, at: Sight, header: &mut Header) {
        let _ = (at, header);
    }

    /// A segment has come to an end, marks of the network included.
    fn arrived(&mut self, at: Sight, header: &Header) {
        let _ = (at, header);
    }

    /// A segment entered a link's queue.
    fn entered(&mut self, now: Time, link: LinkId, header: &Header) {
        let _ = (now, link, header);
    }

    /// A segment came out of a link at its far end.
    fn left(&mut self, now: Time, link: LinkId, header: &Header) {
        let _ = (now, link, header);
    }

    /// A segment was lost on a link; `at.end` is the end that had sent it.
    fn lost(&mut self, at: Sight, link: LinkId, header: &Header, why: Why) {
        let _ = (at, link, header, why);
    }

    /// An end of a connection tells what it knows.
    fn fact(&mut self, now: Time, connection: u32, end: End, fact: Fact) {
        let _ = (now, connection, end, fact);
    }
}

/// Nobody watches.
impl Observer for () {
    const ACTIVE: bool = false;
}

/// Both watch, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    const ACTIVE: bool = A::ACTIVE || B::ACTIVE;

    fn sent(&mut self, at: Sight, header: &mut Header) {
        self.0.sent(at, header);
        self.1.sent(at, header);
    }

    fn arrived(&mut self, at: Sight, header: &Header) {
        self.0.arrived(at, header);
        self.1.arrived(at, header);
    }

    fn entered(&mut self, now: Time, link: LinkId, header: &Header) {
        self.0.entered(now, link, header);
        self.1.entered(now, link, header);
    }

    fn left(&mut self, now: Time, link: LinkId, header: &Header) {
        self.0.left(now, link, header);
        self.1.left(now, link, header);
    }

    fn lost(&mut self, at: Sight, link: LinkId, header: &Header, why: Why) {
        self.0.lost(at, link, header, why);
        self.1.lost(at, link, header, why);
    }

    fn fact(&mut self, now: Time, connection: u32, end: End, fact: Fact) {
        self.0.fact(now, connection, end, fact);
        self.1.fact(now, connection, end, fact);
    }
}
