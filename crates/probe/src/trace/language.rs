//! A small language for the options of a probe: `mss=1460,sackok,ts,nop,ws=7,mpcapable=v1`, or all of them in hexadecimal.

use std::str::FromStr;

use subflow_wire::Key;
use subflow_wire::mptcp::{Capable, Join, Mptcp};
use subflow_wire::tcp::{MAX_OPTION_BYTES, TcpOption, kind};

use crate::answers::OptionBytes;
use crate::probes::CANARY_KIND;
use crate::rows::Asks;

/// Flags of MP_CAPABLE in version 0: checksums, and HMAC-SHA1 (RFC 6824, section 3.1).
const V0_FLAGS: u8 = Capable::CHECKSUM_REQUIRED | Capable::HMAC;

/// An option as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Mss(u16),
    SackOk,
    Timestamps,
    WindowScale(u8),
    Nop,
    End,
    Capable(u8),
    Join,
    Canary,
    Raw(Vec<u8>),
}

/// Why a text is no list of options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("options: {place}: {reason}")]
pub struct BadOptions {
    /// Which part of the text.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The options of a probe. What only we can know of them (timestamp, key, token) is filled in for each flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    items: Vec<Item>,
}

/// What is filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Timestamp.
    pub clock: u32,
    /// Key of version 0; token and random number of MP_JOIN.
    pub key: u64,
    /// What the canary holds.
    pub canary: [u8; 2],
}

impl OptionSpec {
    /// The options of a kind of probe, as a usual stack has them: those of plain TCP, then what is asked.
    pub fn of(asks: Asks, v6: bool) -> Self {
        let mut items = vec![
            Item::Mss(if v6 { 1440 } else { 1460 }),
            Item::SackOk,
            Item::Timestamps,
            Item::Nop,
            Item::WindowScale(7),
        ];
        match asks {
            Asks::V1 | Asks::Data => items.push(Item::Capable(1)),
            Asks::V0 => items.push(Item::Capable(0)),
            Asks::Both => items.extend([Item::Capable(1), Item::Capable(0)]),
            Asks::Join => items.push(Item::Join),
            Asks::Canary => items.push(Item::Canary),
            Asks::Plain | Asks::Custom => {}
        }
        Self { items }
    }

    /// Whether an option of Multipath TCP is among them.
    pub fn has_mptcp(&self) -> bool {
        self.items.iter().any(|item| match item {
            Item::Capable(_) | Item::Join => true,
            Item::Raw(bytes) => subflow_wire::tcp::Options::new(bytes)
                .any(|option| option.kind() == subflow_wire::mptcp::KIND),
            _ => false,
        })
    }

    /// The bytes, padded to whole words.
    pub fn render(&self, values: &Values) -> OptionBytes {
        let mut bytes = [0; 256];
        let mut at = 0;
        for item in &self.items {
            let rest = bytes.get_mut(at..).unwrap_or_default();
            // Nothing is longer than what was checked when it was read.
            at += item.option(values).emit(rest).unwrap_or(0);
        }
        OptionBytes::new(bytes.get(..at.next_multiple_of(4)).unwrap_or(&[]))
    }

    fn len(&self) -> usize {
        self.items.iter().map(|item| item.option(&Values::default()).len()).sum::<usize>().next_multiple_of(4)
    }
}

impl Item {
    fn option<'a>(&'a self, values: &'a Values) -> TcpOption<'a> {
        match self {
            Self::Mss(size) => TcpOption::MaxSegmentSize(*size),
            Self::SackOk => TcpOption::SackPermitted,
            Self::Timestamps => TcpOption::Timestamps { value: values.clock, echo: 0 },
            Self::WindowScale(shift) => TcpOption::WindowScale(*shift),
            Self::Nop => TcpOption::Nop,
            Self::End => TcpOption::End,
            Self::Capable(version) => TcpOption::Mptcp(Mptcp::Capable(Capable {
                version: *version,
                flags: if *version == 0 { V0_FLAGS } else { Capable::HMAC },
                sender_key: (*version == 0).then_some(Key(values.key)),
                receiver_key: None,
                data_len: None,
                checksum: None,
            })),
            Self::Join => TcpOption::Mptcp(Mptcp::Join(Join::Syn {
                backup: false,
                address_id: 1,
                token: (values.key >> 32) as u32,
                nonce: values.key as u32,
                reserved: 0,
            })),
            Self::Canary => TcpOption::Unknown { kind: CANARY_KIND, data: &values.canary },
            Self::Raw(bytes) => TcpOption::Malformed { kind: kind::END, bytes, reason: "" },
        }
    }
}

impl FromStr for OptionSpec {
    type Err = BadOptions;

    fn from_str(text: &str) -> Result<Self, BadOptions> {
        let trimmed = text.trim();
        let hexadecimal = trimmed.len() >= 4 && trimmed.bytes().all(|byte| byte.is_ascii_hexdigit());
        let items = if hexadecimal {
            vec![Item::Raw(hex(trimmed).map_err(|reason| bad("the whole text", reason))?)]
        } else {
            let parts = trimmed.split(',').map(str::trim).enumerate();
            parts
                .map(|(at, part)| {
                    item(part).map_err(|reason| bad(&format!("'{part}' (number {})", at + 1), reason))
                })
                .collect::<Result<_, _>>()?
        };
        let spec = Self { items };
        if spec.len() > MAX_OPTION_BYTES {
            let reason =
                format!("{} bytes with padding, and a header has room for {MAX_OPTION_BYTES}", spec.len());
            return Err(bad("the whole list", reason));
        }
        Ok(spec)
    }
}

fn bad(place: &str, reason: impl Into<String>) -> BadOptions {
    BadOptions { place: place.to_owned(), reason: reason.into() }
}

fn item(text: &str) -> Result<Item, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (text, None),
    };
    let number = |most: u32, what: &str| {
        let number = value.and_then(|value| value.parse::<u32>().ok()).filter(|&number| number <= most);
        number.ok_or_else(|| format!("{what} is a number from 0 to {most}, as in {name}={}", most.min(1460)))
    };
    let alone = |item: Item| match value {
        None => Ok(item),
        Some(_) => Err(format!("{name} takes no value")),
    };
    match name {
        "mss" => Ok(Item::Mss(number(65_535, "a maximum segment size")? as u16)),
        "ws" | "wscale" => Ok(Item::WindowScale(number(255, "a window scale")? as u8)),
        "sackok" | "sack" => alone(Item::SackOk),
        "ts" => alone(Item::Timestamps),
        "nop" => alone(Item::Nop),
        "eol" => alone(Item::End),
        "mpjoin" => alone(Item::Join),
        "canary" => alone(Item::Canary),
        "mpcapable" => {
            let version = value.unwrap_or("v1");
            let number = version.strip_prefix('v').unwrap_or(version).parse::<u8>().ok().filter(|&number| number < 16);
            number.map(Item::Capable).ok_or_else(|| "a version is v0, v1, or up to v15".to_owned())
        }
        "tfo" => {
            let cookie = hex(value.unwrap_or(""))?;
            let len = u8::try_from(cookie.len() + 2).map_err(|_| "a cookie has at most 16 bytes".to_owned())?;
            Ok(Item::Raw([&[kind::FAST_OPEN, len], &cookie[..]].concat()))
        }
        "raw" => {
            let bytes = hex(value.unwrap_or(""))?;
            if bytes.is_empty() { Err("raw needs bytes, as in raw=fd04abcd".to_owned()) } else { Ok(Item::Raw(bytes)) }
        }
        "" => Err("nothing stands here".to_owned()),
        _ => Err("options are mss=N, sackok, ts, ws=N, nop, eol, mpcapable=v0 or v1, mpjoin, canary, tfo, tfo=HEX, raw=HEX".to_owned()),
    }
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("bytes are pairs of hexadecimal digits".to_owned());
    }
    Ok(text
        .as_bytes()
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | nibble(*digit)))
        .collect())
}

fn nibble(digit: u8) -> u8 {
    (digit as char).to_digit(16).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        let values = Values { clock: 0x0a0b_0c0d, key: 0x1122_3344_5566_7788, canary: [9, 9] };
        text.parse::<OptionSpec>().unwrap().render(&values).as_slice().to_vec()
    }

    #[test]
    fn names_and_hexadecimal() {
        assert_eq!(
            bytes("mss=1460,sackok,ts,nop,ws=7,mpcapable=v1"),
            [2, 4, 5, 0xb4, 4, 2, 8, 10, 10, 11, 12, 13, 0, 0, 0, 0, 1, 3, 3, 7, 30, 4, 1, 1]
        );
        assert_eq!(bytes("mpcapable=v0"), [30, 12, 0, 0x81, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
        assert_eq!(bytes("mpjoin"), [30, 12, 0x10, 1, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
        assert_eq!(bytes("raw=fd04abcd, ws=7"), [0xfd, 4, 0xab, 0xcd, 3, 3, 7, 0]);
        assert_eq!(bytes("fd04ABCD"), [0xfd, 4, 0xab, 0xcd]);
        assert_eq!(bytes("tfo,eol"), [34, 2, 0, 0]);
        assert_eq!(bytes("canary"), [253, 4, 9, 9]);
        assert!("raw=1e040101".parse::<OptionSpec>().unwrap().has_mptcp());
        assert!(!"raw=fd04abcd,ts".parse::<OptionSpec>().unwrap().has_mptcp());
    }

    #[test]
    fn errors_say_what_and_where() {
        for (text, error) in [
            (
                "mss=99999",
                "options: 'mss=99999' (number 1): a maximum segment size is a number from 0 to 65535, as in mss=1460",
            ),
            ("ts,ws", "options: 'ws' (number 2): a window scale is a number from 0 to 255, as in ws=255"),
            ("ts,,ws=7", "options: '' (number 2): nothing stands here"),
            ("sackok=1", "options: 'sackok=1' (number 1): sackok takes no value"),
            ("mpcapable=v16", "options: 'mpcapable=v16' (number 1): a version is v0, v1, or up to v15"),
            ("raw=abc", "options: 'raw=abc' (number 1): bytes are pairs of hexadecimal digits"),
            (
                "ts,ts,ts,ts,ts",
                "options: the whole list: 52 bytes with padding, and a header has room for 40",
            ),
        ] {
            assert_eq!(text.parse::<OptionSpec>().unwrap_err().to_string(), error);
        }
        assert!("mtu=7".parse::<OptionSpec>().unwrap_err().reason.starts_with("options are mss=N"));
    }

    #[test]
    fn every_kind_of_probe_fits() {
        for &asks in Asks::ALL {
            let spec = OptionSpec::of(asks, false);
            assert!(spec.len() <= MAX_OPTION_BYTES, "{asks}");
            let mptcp = matches!(asks, Asks::V1 | Asks::V0 | Asks::Both | Asks::Join | Asks::Data);
            assert_eq!(spec.has_mptcp(), mptcp);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z0-9=,. ]{0,40}|\\PC{0,20}") {
            if let Ok(spec) = text.parse::<OptionSpec>() {
                prop_assert!(spec.render(&Values::default()).as_slice().len() <= 40);
            }
        }
    }
}
