//! The cold header record: every field of a segment as it stands on the wire.
//!
//! The network moves 32-byte packets and asks for nothing more. Where more is needed (control packets, SACK blocks, middleboxes,
//! captures), a packet names a [`Header`] in a [`Headers`] slab. Numbers in it are the absolute ones of the wire, options are the
//! bytes of the wire in their order, so that what an endpoint reads, what a middlebox changes and what a capture shows are one thing.
//!
//! Payload bytes are not stored: they follow from the data sequence numbers ([`Payload`], `image::payload`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use subflow_wire::Full;
use subflow_wire::mptcp::Mptcp;
use subflow_wire::tcp::{Flags, MAX_OPTION_BYTES, Options, SackBlocks, TcpOption, kind};

/// `Packet::header` of a packet that has no record.
pub const NO_HEADER: u32 = u32::MAX;

/// [`Header::serial`] of a segment that the truth does not follow.
pub const NO_SERIAL: u32 = u32::MAX;

/// Which data-level bytes a segment carries, and what a middlebox did to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// The byte stream: twice the connection, plus 1 from server to client. See [`Payload::stream`].
    pub stream: u32,
    /// Absolute data sequence number of the first byte; of the DATA_FIN when there is no byte. A plain TCP connection, and one that
    /// fell back, counts on as if it still had mappings.
    pub dsn: u64,
    /// Bytes.
    pub len: u16,
    /// Bytes from `changed_at` on that a middlebox changed on the path (each is inverted); 0 for none.
    pub changed: u16,
    /// Where the changed bytes begin, from the segment's first byte.
    pub changed_at: u16,
}

impl Payload {
    /// The number of one direction of a connection, as [`Payload::stream`] holds it.
    pub const fn stream(connection: u32, server_to_client: bool) -> u32 {
        connection << 1 | server_to_client as u32
    }
}

/// One segment as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Address of the sender.
    pub src: IpAddr,
    /// Address of the receiver.
    pub dst: IpAddr,
    /// Port of the sender.
    pub src_port: u16,
    /// Port of the receiver.
    pub dst_port: u16,
    /// Sequence number of the first byte, or of the SYN.
    pub seq: u32,
    /// Acknowledgement number; counts only with the ACK flag.
    pub ack: u32,
    /// Flags.
    pub flags: Flags,
    /// Receive window as it stands in the header, not scaled.
    pub window: u16,
    /// Time to live or hop limit.
    pub hop_limit: u8,
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// IPv4 identification.
    pub identification: u16,
    /// Number that the truth gave this transmission, or [`NO_SERIAL`].
    pub serial: u32,
    /// The options in their order, padding included. A checksum in DSS or MP_CAPABLE is a place holder (0): the image fills in what
    /// fits the bytes that the sender meant.
    pub options: OptionBytes,
    /// What it carries.
    pub payload: Payload,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            src: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            dst: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            src_port: 0,
            dst_port: 0,
            seq: 0,
            ack: 0,
            flags: Flags(0),
            window: 0,
            hop_limit: 64,
            traffic_class: 0,
            identification: 0,
            serial: NO_SERIAL,
            options: OptionBytes::new(),
            payload: Payload::default(),
        }
    }
}

impl Header {
    /// A segment without options and payload.
    pub fn new(src: SocketAddr, dst: SocketAddr, seq: u32, ack: u32, flags: Flags, window: u16) -> Self {
        let mut header = Self { seq, ack, flags, window, ..Self::default() };
        (header.src, header.src_port) = (src.ip(), src.port());
        (header.dst, header.dst_port) = (dst.ip(), dst.port());
        header
    }

    /// Walks the options.
    #[inline]
    pub fn options(&self) -> Options<'_> {
        Options::new(self.options.as_bytes())
    }

    /// The Multipath TCP options in their order.
    #[inline]
    pub fn mptcp(&self) -> impl Iterator<Item = Mptcp<'_>> {
        self.options().mptcp()
    }

    /// The timestamps: value and echo.
    pub fn timestamps(&self) -> Option<(u32, u32)> {
        self.options().find_map(|option| match option {
            TcpOption::Timestamps { value, echo } => Some((value, echo)),
            _ => None,
        })
    }

    /// The SACK blocks: left edge, right edge (excluded).
    pub fn sack(&self) -> Option<SackBlocks<'_>> {
        self.options().find_map(|option| match option {
            TcpOption::Sack(blocks) => Some(blocks),
            _ => None,
        })
    }

    /// Sequence numbers that the segment takes: payload, and one each for SYN and FIN.
    pub fn sequence_len(&self) -> u32 {
        u32::from(self.payload.len) + u32::from(self.flags.syn()) + u32::from(self.flags.fin())
    }

    /// Bytes from the IP header onward, as they stand on the wire.
    pub fn wire_len(&self) -> u32 {
        let ip = if self.src.is_ipv4() { 20 } else { 40 };
        ip + 20 + self.options.padded_len() as u32 + u32::from(self.payload.len)
    }
}

/// The options of a TCP header: at most 40 bytes, as they stand on the wire.
///
/// [`OptionBytes::syn`], [`OptionBytes::segment`], [`OptionBytes::sack`] and [`OptionBytes::mptcp`], called in this order, give
/// the order and padding of Linux (`tcp_options_write`, `mptcp_write_options`): NOPs to whole words, and Multipath TCP last.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OptionBytes {
    len: u8,
    bytes: [u8; MAX_OPTION_BYTES],
}

impl Default for OptionBytes {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for OptionBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(Options::new(self.as_bytes())).finish()
    }
}

impl OptionBytes {
    /// No options.
    pub const fn new() -> Self {
        Self { len: 0, bytes: [0; MAX_OPTION_BYTES] }
    }

    /// The bytes so far.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The bytes so far, to be changed in place.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..usize::from(self.len)).unwrap_or_default()
    }

    /// Bytes in the header: whole words.
    #[inline]
    pub fn padded_len(&self) -> usize {
        usize::from(self.len).next_multiple_of(4)
    }

    /// Bytes that are left.
    #[inline]
    pub fn room(&self) -> usize {
        MAX_OPTION_BYTES - usize::from(self.len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes all options away.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Appends one option as it is.
    ///
    /// # Errors
    /// There is no room; nothing was written.
    pub fn push(&mut self, option: &TcpOption<'_>) -> Result<(), Full> {
        let at = usize::from(self.len);
        let place = self.bytes.get_mut(at..).unwrap_or_default();
        let needed = option.len();
        if needed > place.len() {
            return Err(Full { needed, room: place.len() });
        }
        self.len += option.emit(place)? as u8;
        Ok(())
    }

    /// Appends bytes as they are.
    ///
    /// # Errors
    /// There is no room; nothing was written.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let at = usize::from(self.len);
        let full = Full { needed: bytes.len(), room: self.room() };
        self.bytes.get_mut(at..at + bytes.len()).ok_or(full)?.copy_from_slice(bytes);
        self.len += bytes.len() as u8;
        Ok(())
    }

    /// The options that every SYN and SYN/ACK of Linux carries: MSS, SACK permitted, timestamps, window scale.
    pub fn syn(
        mss: u16,
        sack_permitted: bool,
        timestamps: Option<(u32, u32)>,
        window_scale: Option<u8>,
    ) -> Self {
        let mut options = Self::new();
        options.fits(&TcpOption::MaxSegmentSize(mss));
        match timestamps {
            Some((value, echo)) => {
                if sack_permitted {
                    options.fits(&TcpOption::SackPermitted);
                } else {
                    options.nops(2);
                }
                options.fits(&TcpOption::Timestamps { value, echo });
            }
            None if sack_permitted => {
                options.nops(2);
                options.fits(&TcpOption::SackPermitted);
            }
            None => {}
        }
        if let Some(shift) = window_scale {
            options.nops(1);
            options.fits(&TcpOption::WindowScale(shift));
        }
        options
    }

    /// The options that every other segment carries: timestamps, where both ends have them.
    pub fn segment(timestamps: Option<(u32, u32)>) -> Self {
        let mut options = Self::new();
        if let Some((value, echo)) = timestamps {
            options.nops(2);
            options.fits(&TcpOption::Timestamps { value, echo });
        }
        options
    }

    /// Appends SACK blocks, as many as there is room for behind `reserved` bytes kept free for what comes after; returns how many.
    pub fn sack(&mut self, blocks: &[(u32, u32)], reserved: usize) -> usize {
        let room = self.room().saturating_sub(reserved + 4) / 8;
        let blocks = blocks.get(..blocks.len().min(room).min(4)).unwrap_or_default();
        if blocks.is_empty() {
            return 0;
        }
        let mut bytes = [0; 32];
        for (place, (left, right)) in bytes.chunks_exact_mut(8).zip(blocks) {
            place.copy_from_slice(&(u64::from(*left) << 32 | u64::from(*right)).to_be_bytes());
        }
        if let Some(list) = bytes.get(..blocks.len() * 8).and_then(SackBlocks::new) {
            self.nops(2);
            self.fits(&TcpOption::Sack(list));
        }
        blocks.len()
    }

    /// Appends a Multipath TCP option and NOPs to whole words.
    ///
    /// # Errors
    /// There is no room; nothing was written.
    pub fn mptcp(&mut self, option: &Mptcp<'_>) -> Result<(), Full> {
        let needed = option.len().next_multiple_of(4);
        if needed > self.room() {
            return Err(Full { needed, room: self.room() });
        }
        self.push(&TcpOption::Mptcp(*option))?;
        self.nops(needed - option.len());
        Ok(())
    }

    /// Keeps the options for which `keep` is true; in place of the others stand NOPs, or nothing (and the rest moves up, padded
    /// with NOPs to whole words). Returns how many went.
    pub fn retain(&mut self, nops: bool, mut keep: impl FnMut(&TcpOption<'_>) -> bool) -> usize {
        let (old, mut gone) = (*self, 0);
        self.clear();
        for option in Options::new(old.as_bytes()) {
            if keep(&option) {
                self.fits(&option);
            } else {
                gone += 1;
                if nops {
                    self.nops(option.len());
                }
            }
        }
        if gone == 0 {
            *self = old;
        } else if !nops {
            let padding = self.padded_len() - usize::from(self.len);
            self.nops(padding);
        }
        gone
    }

    /// Writes an option where there is room for it by construction; without room it is left out.
    fn fits(&mut self, option: &TcpOption<'_>) {
        let written = self.push(option);
        debug_assert!(written.is_ok(), "{option:?} {written:?}");
    }

    fn nops(&mut self, count: usize) {
        let at = usize::from(self.len);
        if let Some(place) = self.bytes.get_mut(at..at + count) {
            place.fill(kind::NOP);
            self.len += count as u8;
        }
    }
}

/// A slab of header records: freed places are used again, last freed first.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    records: Vec<Header>,
    free: Vec<u32>,
}

impl Headers {
    /// An empty slab.
    pub const fn new() -> Self {
        Self { records: Vec::new(), free: Vec::new() }
    }

    /// Keeps a record and returns its number.
    #[inline]
    pub fn insert(&mut self, header: Header) -> u32 {
        if let Some(id) = self.free.pop() {
            *self.get_mut(id) = header;
            return id;
        }
        self.records.push(header);
        (self.records.len() - 1) as u32
    }

    /// Gives the place of a record back; [`NO_HEADER`] is nothing to give back.
    #[inline]
    pub fn remove(&mut self, id: u32) {
        if id != NO_HEADER {
            debug_assert!((id as usize) < self.records.len(), "header {id} was never given out");
            self.free.push(id);
        }
    }

    /// The record of a packet that has one.
    ///
    /// # Panics
    /// The number was never given out (as [`NO_HEADER`]).
    #[inline]
    pub fn get(&self, id: u32) -> &Header {
        &self.records[id as usize]
    }

    /// The record, to be changed in place.
    ///
    /// # Panics
    /// As [`Headers::get`].
    #[inline]
    pub fn get_mut(&mut self, id: u32) -> &mut Header {
        &mut self.records[id as usize]
    }

    /// Records in use.
    pub fn live(&self) -> usize {
        self.records.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_wire::mptcp::{Capable, Dsn, Dss, Mapping, Prio};

    const CAPABLE: Capable = Capable {
        version: 1,
        flags: 1,
        sender_key: None,
        receiver_key: None,
        data_len: None,
        checksum: None,
    };

    #[test]
    fn a_syn_of_linux() {
        let mut options = OptionBytes::syn(1460, true, Some((0x0102_0304, 0)), Some(7));
        options.mptcp(&Mptcp::Capable(CAPABLE)).unwrap();
        let expected = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7, 30, 4, 0x01, 0x01];
        assert_eq!(options.as_bytes(), expected);
        assert_eq!((options.padded_len(), options.room()), (24, 16));
    }

    #[test]
    fn a_syn_without_timestamps_or_sack() {
        let sack = OptionBytes::syn(536, true, None, None);
        assert_eq!(sack.as_bytes(), [2, 4, 0x02, 0x18, 1, 1, 4, 2]);
        let plain = OptionBytes::syn(536, false, Some((1, 2)), None);
        assert_eq!(plain.as_bytes(), [2, 4, 0x02, 0x18, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    }

    #[test]
    fn a_data_segment_of_linux() {
        let mut options = OptionBytes::segment(Some((5, 6)));
        let mapping = Mapping { dsn: Dsn::Long(9), subflow_seq: 1, len: 1000, checksum: None };
        let dss = Dss { data_ack: Some(Dsn::Short(7)), mapping: Some(mapping), data_fin: false, reserved: 0 };
        options.mptcp(&Mptcp::Dss(dss)).unwrap();
        assert_eq!(options.as_bytes()[..4], [1, 1, 8, 10]);
        assert_eq!(options.as_bytes()[12..16], [30, 22, 0x20, 0x0d]);
        assert_eq!(options.as_bytes()[34..], [1, 1]);
        let prio = Mptcp::Prio(Prio { backup: true, address_id: None, reserved: 0 });
        options.mptcp(&prio).unwrap();
        assert_eq!(options.mptcp(&prio), Err(Full { needed: 4, room: 0 }));
        assert_eq!(options.as_bytes()[36..], [30, 3, 0x51, 1]);
    }

    #[test]
    fn sack_blocks_leave_room_for_what_follows() {
        let mut options = OptionBytes::segment(Some((1, 1)));
        assert_eq!(options.sack(&[(1, 2), (3, 4), (5, 6), (7, 8)], 12), 1);
        assert_eq!(options.as_bytes()[12..], [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
        let mut alone = OptionBytes::new();
        assert_eq!(alone.sack(&[(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)], 0), 4);
        assert_eq!(alone.room(), 4);
        assert_eq!(options.sack(&[(1, 2)], 5), 0);
        assert_eq!(options.sack(&[(1, 2)], 4), 1);
    }

    #[test]
    fn a_box_takes_options_away() {
        let mut options = OptionBytes::syn(1460, true, Some((1, 0)), Some(7));
        options.mptcp(&Mptcp::Capable(CAPABLE)).unwrap();
        let before = options;
        assert_eq!(options.retain(true, |_| true), 0);
        assert_eq!(options, before);
        let keep = |option: &TcpOption<'_>| !matches!(option, TcpOption::Mptcp(_));
        assert_eq!(options.retain(true, keep), 1);
        assert_eq!(options.as_bytes()[16..], [1, 3, 3, 7, 1, 1, 1, 1]);
        let mut shrunk = before;
        assert_eq!(shrunk.retain(false, keep), 1);
        assert_eq!(shrunk.as_bytes(), &before.as_bytes()[..20]);
        let mut scaled = before;
        assert_eq!(scaled.retain(false, |option| !matches!(option, TcpOption::WindowScale(_))), 1);
        assert_eq!(scaled.as_bytes()[16..], [1, 30, 4, 0x01, 0x01, 1, 1, 1]);
    }

    #[test]
    fn places_are_used_again() {
        let mut headers = Headers::new();
        let a = headers.insert(Header { seq: 1, ..Header::default() });
        let b = headers.insert(Header { seq: 2, ..Header::default() });
        assert_eq!(headers.live(), 2);
        headers.remove(a);
        headers.remove(NO_HEADER);
        assert_eq!(headers.insert(Header { seq: 3, ..Header::default() }), a);
        assert_eq!(headers.get(a).seq, 3);
        headers.get_mut(b).seq = 4;
        assert_eq!((headers.get(b).seq, headers.live()), (4, 2));
    }

    #[test]
    fn lengths_count_what_the_wire_counts() {
        let ends = (SocketAddr::from(([10, 0, 0, 1], 5)), SocketAddr::from(([10, 0, 0, 2], 80)));
        let mut header = Header::new(ends.0, ends.1, 1, 2, Flags::FIN | Flags::ACK, 3);
        header.payload.len = 100;
        header.options = OptionBytes::segment(Some((1, 1)));
        assert_eq!((header.sequence_len(), header.wire_len()), (101, 20 + 20 + 12 + 100));
        assert_eq!(header.timestamps(), Some((1, 1)));
        assert!(header.sack().is_none() && header.mptcp().next().is_none());
        assert_eq!(Payload::stream(3, true), 7);
        assert!(size_of::<Header>() <= 136, "{}", size_of::<Header>());
    }
}
