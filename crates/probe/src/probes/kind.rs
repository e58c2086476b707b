//! What a probe asks.

use std::fmt;
use std::str::FromStr;

use subflow_rows::names;

names! {
    /// What a probe asks.
    pub enum Kind {
        /// MP_CAPABLE of version 1, 4 bytes (RFC 8684, section 3.1).
        V1 => "v1",
        /// MP_CAPABLE of version 0, 12 bytes with a key (RFC 6824, section 3.1).
        V0 => "v0",
        /// Both in one SYN, version 1 first.
        Both => "both",
        /// Neither: a SYN of plain TCP.
        Plain => "plain",
        /// MP_JOIN with a token that nobody has (RFC 8684, section 3.2): servers with MPTCP reset it and say why.
        Join => "join",
    }
}

impl Kind {
    /// Whether it asks for MP_CAPABLE, so that a server's answer to it decides.
    pub const fn asks(self) -> bool {
        matches!(self, Self::V1 | Self::V0 | Self::Both)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(u8);

impl Kinds {
    /// None.
    pub const NONE: Self = Self(0);
    /// Those that ask for MP_CAPABLE.
    pub const ASKING: Self = Self(1 << Kind::V1 as u8 | 1 << Kind::V0 as u8 | 1 << Kind::Both as u8);

    /// A set of one.
    pub const fn only(kind: Kind) -> Self {
        Self(1 << kind as u8)
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a kind is in it.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// How many.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, in order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |&kind| self.has(kind))
    }

    /// As the bits of a byte.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

impl FromStr for Kinds {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut kinds = Self::NONE;
        for name in text.split(',') {
            let kind = Kind::ALL.iter().find(|kind| kind.as_str() == name.trim());
            kinds =
                kinds.with(*kind.ok_or_else(|| crate::Error::NoSuchKind { name: name.trim().to_owned() })?);
        }
        Ok(kinds)
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, kind) in self.iter().enumerate() {
            if k > 0 {
                f.write_str(",")?;
            }
            f.write_str(kind.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_as_text() {
        let kinds: Kinds = "plain, v1,join".parse().unwrap();
        assert_eq!((kinds.to_string().as_str(), kinds.len()), ("v1,plain,join", 3));
        assert_eq!(kinds.and(Kinds::ASKING), Kinds::only(Kind::V1));
        assert_eq!(kinds.without(Kinds::ASKING).to_string(), "plain,join");
        assert!("v2".parse::<Kinds>().is_err() && "".parse::<Kinds>().is_err());
    }
}
