//! A box that terminates TCP: it answers the client's SYN itself, opens a connection of its own to the server, and splices the two.
//!
//! It knows no options but the MSS, so neither end gets Multipath TCP, SACK, timestamps or window scaling. After both handshakes it
//! only translates sequence numbers, and losses are repaired by the ends; data that comes before the server has answered waits in the
//! box, and when it is repeated, so is the SYN.

use subflow_wire::tcp::{Flags, TcpOption};

use super::{Action, Flow, Sent, Table, Way};
use crate::header::{Header, OptionBytes};

/// Segments that wait for the server at most, a flow; more are lost.
const MOST_WAITING: usize = 64;
/// The window that the box advertises in its SYN/ACK.
const WINDOW: u16 = u16::MAX;

#[derive(Clone, Debug)]
struct Spliced {
    /// Initial sequence number of the client, of the box towards the client, of the server (once it has answered).
    client: u32,
    own: u32,
    server: Option<u32>,
    /// The SYN that went to the server.
    syn: Header,
    waiting: Vec<Header>,
}

/// Terminates TCP.
#[derive(Clone, Debug)]
pub struct Proxy {
    seed: u32,
    mss: u16,
    flows: Table<Flow, Spliced>,
}

impl Proxy {
    /// A box that tells this MSS, with initial sequence numbers of this seed.
    pub fn new(mss: u16, seed: u32) -> Self {
        Self { seed, mss, flows: Table::default() }
    }

    pub(super) fn pass(&mut self, way: Way, header: &mut Header, sent: &mut Sent) -> Action {
        let flow = Flow::of(way, header);
        match (way, header.flags.syn(), header.flags.ack()) {
            (Way::Out, true, false) => self.open(flow, header, sent),
            (Way::In, true, true) => self.opened(flow, header, sent),
            (Way::Out, ..) => self.outward(flow, header, sent),
            (Way::In, ..) => self.inward(flow, header),
        }
    }

    /// The client's SYN: it goes on without its options, and is answered here.
    fn open(&mut self, flow: Flow, header: &mut Header, sent: &mut Sent) -> Action {
        let own = (self.flows.len() as u32 + 1).wrapping_mul(0x9e37_79b1).wrapping_add(self.seed);
        plain(header);
        let new = || Spliced { client: header.seq, own, server: None, syn: *header, waiting: Vec::new() };
        let spliced = self.flows.entry(flow).or_insert_with(new);
        let mut answer = reply(header, spliced.own, spliced.client.wrapping_add(1), Flags::SYN | Flags::ACK);
        answer.options = OptionBytes::syn(self.mss, false, None, None);
        answer.window = WINDOW;
        sent.push((Way::In, answer));
        Action::Forward
    }

    /// The server's SYN/ACK ends here; it is acknowledged, and what waited goes out.
    fn opened(&mut self, flow: Flow, header: &Header, sent: &mut Sent) -> Action {
        let Some(spliced) = self.flows.get_mut(&flow) else { return Action::Forward };
        spliced.server = Some(header.seq);
        let ack = reply(header, spliced.client.wrapping_add(1), header.seq.wrapping_add(1), Flags::ACK);
        sent.push((Way::Out, ack));
        for mut waiting in std::mem::take(&mut spliced.waiting) {
            spliced.outward(&mut waiting);
            sent.push((Way::Out, waiting));
        }
        Action::Consume
    }

    fn outward(&mut self, flow: Flow, header: &mut Header, sent: &mut Sent) -> Action {
        let Some(spliced) = self.flows.get_mut(&flow) else { return Action::Forward };
        if spliced.server.is_some() {
            spliced.outward(header);
            return Action::Forward;
        }
        // An ACK alone has told the box what it wanted to know.
        if header.sequence_len() == 0 && !header.flags.rst() {
            return Action::Consume;
        }
        // The client has waited for so long that it repeats itself: the SYN was lost, or what answered it.
        if spliced.waiting.iter().any(|waiting| waiting.seq == header.seq) {
            sent.push((Way::Out, spliced.syn));
            return Action::Consume;
        }
        if spliced.waiting.len() == MOST_WAITING {
            return Action::Drop;
        }
        spliced.waiting.push(*header);
        Action::Consume
    }

    fn inward(&mut self, flow: Flow, header: &mut Header) -> Action {
        let Some(spliced) = self.flows.get(&flow) else { return Action::Forward };
        if let Some(server) = spliced.server {
            header.seq = header.seq.wrapping_sub(server).wrapping_add(spliced.own);
        }
        plain(header);
        Action::Forward
    }
}

impl Spliced {
    /// Numbers of the server in place of those that the client knows.
    fn outward(&self, header: &mut Header) {
        if let Some(server) = self.server.filter(|_| header.flags.ack()) {
            header.ack = header.ack.wrapping_sub(self.own).wrapping_add(server);
        }
        plain(header);
    }
}

/// Takes away all options but the MSS.
fn plain(header: &mut Header) {
    header.options.retain(false, |option| matches!(option, TcpOption::MaxSegmentSize(_)));
    if !header.flags.syn() {
        header.options.clear();
    }
}

/// A segment back to where this one came from.
fn reply(to: &Header, seq: u32, ack: u32, flags: Flags) -> Header {
    let mut answer = Header { seq, ack, flags, window: to.window, ..Header::default() };
    (answer.src, answer.src_port) = (to.dst, to.dst_port);
    (answer.dst, answer.dst_port) = (to.src, to.src_port);
    answer.payload.stream = to.payload.stream ^ 1;
    answer
}
