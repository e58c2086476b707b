//! The first pass: what the second needs to know before it rewrites the first packet.

use crate::{
    Error,
    audit::MappingId,
    book::Book,
    flows::{FlowKey, Flows},
    headers::link_after,
    output::Interface,
    run::{Phase, Watch},
    secret::Secret,
};
use subflow_analysis::{Analyzer, Options, rows::Tables};
use subflow_capture::{Input, Packet};
use subflow_wire::{Dissection, IpPacket, dissect, ip::protocol, keys::Version, mptcp::Mptcp, tcp::Tcp};

/// What the first pass found.
#[derive(Debug)]
pub(crate) struct Learnt {
    pub(crate) book: Book,
    pub(crate) tables: Tables,
    /// In order of first sight.
    pub(crate) interfaces: Vec<Interface>,
    /// Whether microseconds are too coarse for the times.
    pub(crate) fine: bool,
    /// Whether frames get other numbers: they stood in another order, or came from several files.
    pub(crate) renumbered: bool,
    pub(crate) packets: u64,
}

/// Reads the input to its end.
pub(crate) fn learn(mut input: Input, secret: Secret, watch: &mut Watch<'_>) -> Result<Learnt, Error> {
    let mut analyzer = Analyzer::new(Options::default(), Tables::default());
    let mut learner = Learner { book: Book::new(secret), flows: Flows::default() };
    let (mut interfaces, mut fine, mut renumbered, mut packets) = (Vec::new(), false, false, 0_u64);
    while let Some(packet) = input.next_packet() {
        packets += 1;
        analyzer.packet(&packet);
        learner.packet(&packet);
        let interface = (packet.file, packet.interface, link_after(packet.link));
        if !interfaces.contains(&interface) {
            interfaces.push(interface);
        }
        fine |= packet.time_ns % 1000 != 0;
        renumbered |= packet.frame != packets;
        watch.look(Phase::Learning, packets, &input)?;
    }
    analyzer.input_issues(&input);
    let mut tables = analyzer.finish();
    tables.sort();
    let mut book = learner.book;
    book.audit.close();
    book.learn_tables(&tables);
    Ok(Learnt { book, tables, interfaces, fine, renumbered, packets })
}

struct Learner {
    book: Book,
    flows: Flows,
}

impl Learner {
    fn packet(&mut self, packet: &Packet<'_>) {
        match dissect(packet.link, packet.data, packet.wire_len) {
            Dissection::Ip(ip) if ip.protocol == protocol::TCP => {
                if ip.is_later_fragment() {
                    self.book.fragments.add(&ip, packet.time_ns);
                } else if let Ok(tcp) = Tcp::parse(ip.payload) {
                    self.segment(&ip, &tcp);
                }
            }
            _ => {}
        }
    }

    fn segment(&mut self, ip: &IpPacket<'_>, tcp: &Tcp<'_>) {
        let (key, side) = FlowKey::of((ip.src, tcp.src_port()), (ip.dst, tcp.dst_port()));
        let len = ip.payload_len.saturating_sub(tcp.header_len() as u32);
        let Some(flow) = self.flows.see(key, side, tcp, len) else { return };
        let isn = flow.isn[side].filter(|_| !flow.fast_open);
        for option in tcp.options().mptcp() {
            match option {
                Mptcp::Capable(option) => {
                    for key in [option.sender_key, option.receiver_key].into_iter().flatten() {
                        self.book.learn_key(key, None);
                    }
                    if let [Some(one), Some(other)] = flow.keys {
                        self.book.learn_key(one, Some(other));
                    }
                    let version = Version::try_from(option.version).ok();
                    let first = option.data_len.zip(option.checksum).zip(option.sender_key.zip(version));
                    if let (Some(((len, checksum), (sender, version))), Some(isn)) = (first, isn) {
                        let dsn = sender.idsn(version).wrapping_add(1);
                        let id =
                            MappingId { flow: (key, side), dsn: dsn as u32, subflow_seq: 1, len, checksum };
                        self.book.audit.mapping(id, dsn, isn.wrapping_add(1), u32::from(len));
                    }
                }
                Mptcp::FastClose(option) => self.book.learn_key(option.key, None),
                Mptcp::Dss(dss) => {
                    let Some(mapping) = dss.mapping else { continue };
                    let (Some(checksum), Some(isn)) = (mapping.checksum, isn) else { continue };
                    let (keys, version) = self.book.own_keys(&flow);
                    let sender = keys[side].zip(version);
                    let Some(dsn) = self.flows.widen(sender, mapping.dsn) else { continue };
                    let (subflow_seq, len) = (mapping.subflow_seq, mapping.len);
                    let id =
                        MappingId { flow: (key, side), dsn: mapping.dsn.low(), subflow_seq, len, checksum };
                    let bytes = u32::from(dss.mapped_bytes());
                    self.book.audit.mapping(id, dsn, isn.wrapping_add(subflow_seq), bytes);
                }
                _ => {}
            }
        }
        self.book.audit.data((key, side), tcp.seq(), tcp.payload());
    }
}
