//! The packets of a block. Its bytes come from the kernel, yet every offset in them is checked.

use std::marker::PhantomData;
use std::mem::offset_of;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{TP_STATUS_KERNEL, TP_STATUS_VLAN_TPID_VALID, TP_STATUS_VLAN_VALID};
use libc::{sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket3_hdr};

use crate::{Frame, Vlan};

const BLOCK_HEADER: usize = offset_of!(tpacket_block_desc, hdr);
/// Where the status of a block stands.
pub(crate) const BLOCK_STATUS: usize = BLOCK_HEADER + offset_of!(tpacket_hdr_v1, block_status);
const BLOCK_PACKETS: usize = BLOCK_HEADER + offset_of!(tpacket_hdr_v1, num_pkts);
const BLOCK_FIRST: usize = BLOCK_HEADER + offset_of!(tpacket_hdr_v1, offset_to_first_pkt);
const VARIANT: usize = offset_of!(tpacket3_hdr, hv1);
/// The sender's address follows the header.
const ADDRESS: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// A tag without a type is one of IEEE 802.1Q.
const DOT1Q: u16 = 0x8100;

/// Packets that the kernel has handed over; they go back to it when this is dropped.
#[derive(Debug)]
pub struct Block<'a> {
    start: NonNull<u8>,
    len: usize,
    ring: PhantomData<&'a mut [u8]>,
}

impl Block<'_> {
    /// # Safety
    /// `len` bytes from `start` on, aligned as a block, must be readable and stay unchanged by others until this is
    /// dropped; the status among them must be a place for atomic access.
    pub(crate) unsafe fn new(start: NonNull<u8>, len: usize) -> Self {
        Self { start, len, ring: PhantomData }
    }

    /// The packets, in the order in which they came.
    pub fn frames(&self) -> Frames<'_> {
        // SAFETY: as `new` demands.
        let bytes = unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) };
        Frames::of(bytes)
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        // SAFETY: the place lies inside the block.
        let status = unsafe { self.start.add(BLOCK_STATUS) }.cast::<u32>();
        // SAFETY: aligned and valid, as `new` demands; no slice of the block is alive any more.
        let status = unsafe { AtomicU32::from_ptr(status.as_ptr()) };
        status.store(TP_STATUS_KERNEL, Ordering::Release);
    }
}

/// The packets of a block, one by one.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    left: u32,
    at: usize,
}

impl<'a> Frames<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let at = word(bytes, BLOCK_FIRST).unwrap_or(0) as usize;
        Self { bytes, left: word(bytes, BLOCK_PACKETS).unwrap_or(0), at }
    }

    fn frame(&self) -> Option<(Frame<'a>, usize)> {
        let head = self.bytes.get(self.at..)?;
        let field = |offset| word(head, offset);
        let status = field(offset_of!(tpacket3_hdr, tp_status))?;
        let start = usize::from(half(head, offset_of!(tpacket3_hdr, tp_mac))?);
        let kept = field(offset_of!(tpacket3_hdr, tp_snaplen))? as usize;
        let seconds = i64::from(field(offset_of!(tpacket3_hdr, tp_sec))?);
        let nanos = i64::from(field(offset_of!(tpacket3_hdr, tp_nsec))?);
        let vlan = if status & TP_STATUS_VLAN_VALID == 0 {
            None
        } else {
            let tci = field(VARIANT + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))? as u16;
            let tpid = half(head, VARIANT + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?;
            Some(Vlan { tpid: if status & TP_STATUS_VLAN_TPID_VALID == 0 { DOT1Q } else { tpid }, tci })
        };
        let address = head.get(ADDRESS..ADDRESS + size_of::<sockaddr_ll>())?;
        let bytes = address.get(offset_of!(sockaddr_ll, sll_addr)..)?.first_chunk::<8>()?;
        let frame = Frame {
            time_ns: seconds * 1_000_000_000 + nanos,
            wire_len: field(offset_of!(tpacket3_hdr, tp_len))?,
            data: head.get(start..start.checked_add(kept)?)?,
            vlan,
            interface: word(address, offset_of!(sockaddr_ll, sll_ifindex))?,
            hardware: half(address, offset_of!(sockaddr_ll, sll_hatype))?,
            protocol: u16::from_be(half(address, offset_of!(sockaddr_ll, sll_protocol))?),
            packet_type: *address.get(offset_of!(sockaddr_ll, sll_pkttype))?,
            address: (*bytes, (*address.get(offset_of!(sockaddr_ll, sll_halen))?).min(8)),
        };
        Some((frame, field(offset_of!(tpacket3_hdr, tp_next_offset))? as usize))
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        if self.left == 0 {
            return None;
        }
        let (frame, next) = self.frame()?;
        // The last packet points nowhere; one that points to itself would never end.
        self.left = if next == 0 { 0 } else { self.left - 1 };
        self.at = self.at.checked_add(next)?;
        Some(frame)
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A block as the kernel makes it: header of 48 bytes, then packets of `payloads`, aligned.
    fn block(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = vec![0; 48];
        bytes[BLOCK_PACKETS..][..4].copy_from_slice(&(payloads.len() as u32).to_ne_bytes());
        bytes[BLOCK_FIRST..][..4].copy_from_slice(&48_u32.to_ne_bytes());
        for (k, payload) in payloads.iter().enumerate() {
            let len = (82 + payload.len()).next_multiple_of(16);
            let mut packet = vec![0; len];
            let mut put = |at: usize, value: &[u8]| packet[at..at + value.len()].copy_from_slice(value);
            put(0, &(len as u32).to_ne_bytes());
            put(4, &(100 + k as u32).to_ne_bytes());
            put(8, &7_u32.to_ne_bytes());
            put(12, &(payload.len() as u32).to_ne_bytes());
            put(16, &1500_u32.to_ne_bytes());
            put(20, &(TP_STATUS_VLAN_VALID * k as u32).to_ne_bytes());
            put(24, &82_u16.to_ne_bytes());
            put(32, &42_u32.to_ne_bytes());
            put(48 + 2, &0x86dd_u16.to_be_bytes());
            put(48 + 4, &3_u32.to_ne_bytes());
            put(48 + 8, &1_u16.to_ne_bytes());
            put(48 + 10, &[4, 6]);
            put(48 + 12, &[2, 0, 0, 0, 0, 9, 0, 0]);
            put(82, payload);
            bytes.extend_from_slice(&packet);
        }
        bytes
    }

    #[test]
    fn packets_come_with_all_that_the_kernel_says() {
        let bytes = block(&[b"first", b"second, tagged"]);
        let frames: Vec<_> = Frames::of(&bytes).collect();
        let first = Frame {
            time_ns: 100_000_000_007,
            wire_len: 1500,
            data: b"first",
            vlan: None,
            interface: 3,
            hardware: 1,
            protocol: 0x86dd,
            packet_type: 4,
            address: ([2, 0, 0, 0, 0, 9, 0, 0], 6),
        };
        let vlan = Some(Vlan { tpid: DOT1Q, tci: 42 });
        assert_eq!(
            frames,
            [first, Frame { time_ns: 101_000_000_007, data: b"second, tagged", vlan, ..first }]
        );
        assert!(!first.is_sent_to_self());
        assert!(Frame { hardware: 772, ..first }.is_sent_to_self());
        assert!(!Frame { hardware: 772, packet_type: 0, ..first }.is_sent_to_self());
    }

    #[test]
    fn offsets_out_of_the_block_end_it() {
        let whole = block(&[b"first", b"second"]);
        for len in 0..whole.len() {
            let cut = Frames::of(&whole[..len]).count();
            assert!(cut <= 2);
        }
        for at in 48..48 + 26 {
            let mut bytes = whole.clone();
            bytes[at] = 0xff;
            assert!(Frames::of(&bytes).count() <= 2);
        }
    }

    proptest! {
        #[test]
        fn whatever_a_block_holds_frames_lie_within_and_end(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            first in 0_u32..120,
            packets in any::<u32>(),
        ) {
            let mut bytes = bytes;
            if let Some(place) = bytes.get_mut(BLOCK_FIRST..BLOCK_FIRST + 4) {
                place.copy_from_slice(&first.to_ne_bytes());
            }
            if let Some(place) = bytes.get_mut(BLOCK_PACKETS..BLOCK_PACKETS + 4) {
                place.copy_from_slice(&packets.to_ne_bytes());
            }
            let range = bytes.as_ptr_range();
            let mut count = 0;
            for frame in Frames::of(&bytes) {
                count += 1;
                let data = frame.data.as_ptr_range();
                prop_assert!(range.start <= data.start && data.end <= range.end);
                prop_assert!(count <= bytes.len());
            }
        }
    }
}
