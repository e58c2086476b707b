//! Ports as text: `80,443,8000-8010`.

use std::fmt;
use std::str::FromStr;

/// Ports in order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports(Vec<u16>);

impl Ports {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The port of a number below [`len`](Self::len).
    #[inline]
    pub fn at(&self, number: usize) -> Option<u16> {
        self.0.get(number).copied()
    }

    /// The number of a port.
    #[inline]
    pub fn number_of(&self, port: u16) -> Option<usize> {
        self.0.binary_search(&port).ok()
    }
}

impl FromIterator<u16> for Ports {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        let mut ports: Vec<u16> = ports.into_iter().collect();
        ports.sort_unstable();
        ports.dedup();
        Self(ports)
    }
}

impl FromStr for Ports {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || crate::Error::BadPorts { text: text.to_owned() };
        let mut ports = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.trim().split_once('-').unwrap_or((part.trim(), part.trim()));
            let first: u16 = first.parse().map_err(|_| bad())?;
            let last: u16 = last.parse().map_err(|_| bad())?;
            if first == 0 || first > last {
                return Err(bad());
            }
            ports.extend(first..=last);
        }
        Ok(ports.into_iter().collect())
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, run) in self.0.chunk_by(|a, b| a + 1 == *b).enumerate() {
            let comma = if k > 0 { "," } else { "" };
            match run {
                [one] => write!(f, "{comma}{one}")?,
                [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let ports: Ports = "443, 80,8000-8002,80".parse().unwrap();
        assert_eq!(ports.to_string(), "80,443,8000-8002");
        assert_eq!(
            (ports.len(), ports.at(1), ports.number_of(8001), ports.number_of(81)),
            (5, Some(443), Some(3), None)
        );
        let all: Ports = "1-65535".parse().unwrap();
        assert_eq!((all.len(), all.to_string().as_str()), (65_535, "1-65535"));
        for bad in ["", "0", "80,", "5-4", "65536", "http"] {
            assert!(bad.parse::<Ports>().is_err(), "{bad}");
        }
    }
}
