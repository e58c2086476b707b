//! What a kernel tells of a stream, read from the structures it fills.

/// What a stream asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Plain TCP.
    Tcp,
    /// Multipath TCP.
    Mptcp,
}

/// What the kernel knows of a connection of Multipath TCP (struct mptcp_info, linux/mptcp.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MptcpInfo {
    /// Subflows beside the first.
    pub extra_subflows: u8,
    /// The connection has fallen back to plain TCP.
    pub fallback: bool,
    /// The other end's key has come.
    pub remote_key: bool,
    /// Token by which the other end joins subflows.
    pub token: u32,
    /// Data sequence number of the next byte to be sent.
    pub write_seq: u64,
    /// Data sequence number of the next byte that is expected.
    pub receive_next: u64,
    /// Whether data carries checksums; `None` when the kernel does not say.
    pub checksum: Option<bool>,
    /// Bytes received at the level of the connection; `None` when the kernel does not say.
    pub received: Option<u64>,
    /// Subflows at this moment, the first included; `None` when the kernel does not say.
    pub subflows: Option<u8>,
}

/// What the kernel knows of a TCP connection (struct tcp_info, linux/tcp.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// Both ends use timestamps.
    pub timestamps: bool,
    /// Both ends use SACK.
    pub sack: bool,
    /// Both ends scale windows.
    pub window_scale: bool,
    /// Largest segment that is sent, in bytes.
    pub send_mss: u32,
    /// Smoothed round-trip time in microseconds.
    pub rtt_micros: u32,
    /// Segments sent again in the connection's whole life; `None` when the kernel does not say.
    pub retransmits: Option<u32>,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl MptcpInfo {
    /// Reads the structure, as much of it as this kernel has; `None` for less than the oldest had.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let flags = u32_at(bytes, 8)?;
        Some(Self {
            extra_subflows: *bytes.first()?,
            fallback: flags & 1 != 0,
            remote_key: flags & 2 != 0,
            token: u32_at(bytes, 12)?,
            write_seq: u64_at(bytes, 16)?,
            receive_next: u64_at(bytes, 32)?,
            checksum: bytes.get(42).map(|&value| value != 0),
            received: u64_at(bytes, 64),
            subflows: bytes.get(80).copied(),
        })
    }
}

impl TcpInfo {
    /// Reads the structure, as much of it as this kernel has; `None` for less than any kernel in use has.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let options = *bytes.get(5)?;
        Some(Self {
            timestamps: options & 1 != 0,
            sack: options & 2 != 0,
            window_scale: options & 4 != 0,
            send_mss: u32_at(bytes, 16)?,
            rtt_micros: u32_at(bytes, 68)?,
            retransmits: u32_at(bytes, 100),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_where_linux_has_them_and_short_structures_are_read_as_far_as_they_go() {
        let mut bytes = [0_u8; 96];
        bytes[0] = 2;
        bytes[8..12].copy_from_slice(&3_u32.to_ne_bytes());
        bytes[12..16].copy_from_slice(&0xaabb_ccdd_u32.to_ne_bytes());
        bytes[16..24].copy_from_slice(&7_u64.to_ne_bytes());
        bytes[32..40].copy_from_slice(&9_u64.to_ne_bytes());
        bytes[42] = 1;
        bytes[64..72].copy_from_slice(&5_000_000_000_u64.to_ne_bytes());
        bytes[80] = 3;
        let info = MptcpInfo::read(&bytes).unwrap();
        assert!(info.fallback && info.remote_key);
        assert_eq!((info.extra_subflows, info.token, info.subflows), (2, 0xaabb_ccdd, Some(3)));
        assert_eq!((info.write_seq, info.receive_next), (7, 9));
        assert_eq!((info.checksum, info.received), (Some(true), Some(5_000_000_000)));
        let old = MptcpInfo::read(&bytes[..43]).unwrap();
        assert_eq!((old.checksum, old.received, old.subflows), (Some(true), None, None));
        assert_eq!(MptcpInfo::read(&bytes[..10]), None);

        let mut bytes = [0_u8; 104];
        bytes[5] = 5;
        bytes[16..20].copy_from_slice(&1448_u32.to_ne_bytes());
        bytes[68..72].copy_from_slice(&250_u32.to_ne_bytes());
        bytes[100..104].copy_from_slice(&9_u32.to_ne_bytes());
        let info = TcpInfo::read(&bytes).unwrap();
        assert!(info.timestamps && !info.sack && info.window_scale);
        assert_eq!((info.send_mss, info.rtt_micros, info.retransmits), (1448, 250, Some(9)));
        assert_eq!(TcpInfo::read(&bytes[..72]).unwrap().retransmits, None);
        assert_eq!(TcpInfo::read(&bytes[..70]), None);
    }
}
