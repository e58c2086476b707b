//! GTP-U, user data of mobile networks (3GPP TS 29.281).

use crate::bytes::u8_at;
use crate::dissect::{Next, Step};

const HEADER_LEN: usize = 8;
const VERSION_1_GTP: u8 = 0x30;
const EXTENSION: u8 = 0x04;
const OPTIONAL_FIELDS: u8 = 0x07;
const USER_DATA: u8 = 255;
const MAX_EXTENSIONS: usize = 8;

/// Reads the header at `at`; nothing when it is not user data of version 1.
pub(crate) fn enter(frame: &[u8], at: usize, wire_end: usize) -> Option<Step> {
    let flags = u8_at(frame, at)?;
    if flags & 0xf0 != VERSION_1_GTP || u8_at(frame, at + 1)? != USER_DATA {
        return None;
    }
    let mut inside = at + HEADER_LEN;
    if flags & OPTIONAL_FIELDS != 0 {
        inside += 4;
    }
    if flags & EXTENSION != 0 {
        let mut kind = u8_at(frame, inside - 1)?;
        for _ in 0..MAX_EXTENSIONS {
            if kind == 0 {
                break;
            }
            let len = usize::from(u8_at(frame, inside)?) * 4;
            if len == 0 {
                return None;
            }
            inside += len;
            kind = u8_at(frame, inside - 1)?;
        }
    }
    // User data is not always IP.
    matches!(u8_at(frame, inside)? >> 4, 4 | 6).then(|| Step::new(Next::Ip, inside, wire_end))
}
