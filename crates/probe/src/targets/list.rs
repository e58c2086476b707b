//! Lists of addresses, prefixes and ranges: one a line, `#` begins a comment, what follows the address is passed over.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::ranges::{Range, low_bits};
use crate::Error;

/// A line of a list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}: '{text}'")]
pub struct BadLine {
    /// Name of the list.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// The line, cut to 60 characters.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Bad lines that are kept word by word; more are only counted.
const KEPT: usize = 100;

/// Ranges of both families, and what was read to get them.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Ranges of IPv4 addresses as they stand in the list.
    pub v4: Vec<Range<u32>>,
    /// Ranges of IPv6 addresses as they stand in the list.
    pub v6: Vec<Range<u128>>,
    /// The first bad lines.
    pub bad: Vec<BadLine>,
    /// How many bad lines there are.
    pub bad_lines: u64,
    /// Name and SHA-256 of each file read, in hexadecimal.
    pub digests: Vec<(String, String)>,
}

impl List {
    /// Reads one entry: an address, a prefix or a range `first-last`.
    pub fn add(&mut self, text: &str) -> Result<(), &'static str> {
        match parse(text)? {
            Entry::V4(range) => self.v4.push(range),
            Entry::V6(range) => self.v6.push(range),
        }
        Ok(())
    }

    /// Reads a file. Bad lines are kept and passed over; with `strict` the first of them is an error.
    pub fn add_file(&mut self, path: &Path, strict: bool) -> Result<(), Error> {
        let unreadable = |source| Error::List { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        self.add_reader(&path.display().to_string(), file, strict).map_err(|error| match error {
            ReadError::Io(source) => unreadable(source),
            ReadError::Bad(line) => Error::BadLine(line),
        })
    }

    /// Reads from anywhere.
    fn add_reader(&mut self, name: &str, reader: impl Read, strict: bool) -> Result<(), ReadError> {
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        let (mut digest, mut line, mut number) = (Sha256::new(), Vec::new(), 0);
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(ReadError::Io)? == 0 {
                break;
            }
            digest.update(&line);
            number += 1;
            let text = String::from_utf8_lossy(&line);
            let entry = text.split('#').next().unwrap_or_default();
            // Lists of other tools have further columns after a comma or blanks.
            let Some(entry) = entry.split([',', ' ', '\t', '\r', '\n']).find(|part| !part.is_empty()) else {
                continue;
            };
            if let Err(reason) = self.add(entry) {
                let text = text.trim().chars().take(60).collect();
                let bad = BadLine { file: name.to_owned(), line: number, text, reason };
                if strict {
                    return Err(ReadError::Bad(bad));
                }
                self.bad_lines += 1;
                if self.bad.len() < KEPT {
                    self.bad.push(bad);
                }
            }
        }
        self.digests.push((name.to_owned(), hex(&digest.finalize())));
        Ok(())
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// What it names and what could not be read, added to another list's.
    pub(super) fn report(&mut self, into: &mut List) {
        into.bad.append(&mut self.bad);
        into.bad.truncate(KEPT);
        into.bad_lines += self.bad_lines;
        into.digests.append(&mut self.digests);
    }
}

#[derive(Debug)]
enum ReadError {
    Io(std::io::Error),
    Bad(BadLine),
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    V4(Range<u32>),
    V6(Range<u128>),
}

fn parse(text: &str) -> Result<Entry, &'static str> {
    if let Some((address, len)) = text.split_once('/') {
        let len: u32 = len.parse().map_err(|_| "not a prefix length")?;
        return match (address.parse(), len) {
            (Ok(IpAddr::V4(address)), 0..=32) => {
                let host = u32::MAX.checked_shr(len).unwrap_or(0);
                Ok(Entry::V4((u32::from(address) & !host, u32::from(address) | host)))
            }
            (Ok(IpAddr::V6(address)), 0..=128) => {
                let host = low_bits(128 - len);
                Ok(Entry::V6((u128::from(address) & !host, u128::from(address) | host)))
            }
            (Ok(_), _) => Err("prefix longer than an address"),
            (Err(_), _) => Err("not an address"),
        };
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(IpAddr::V4(first)), Ok(IpAddr::V4(last))) if first <= last => {
            Ok(Entry::V4((u32::from(first), u32::from(last))))
        }
        (Ok(IpAddr::V6(first)), Ok(IpAddr::V6(last))) if first <= last => {
            Ok(Entry::V6((u128::from(first), u128::from(last))))
        }
        (Ok(IpAddr::V4(_)), Ok(IpAddr::V4(_))) | (Ok(IpAddr::V6(_)), Ok(IpAddr::V6(_))) => {
            Err("range ends before it begins")
        }
        (Ok(_), Ok(_)) => Err("range from one address family to the other"),
        _ => Err("neither address, prefix nor range"),
    }
}

/// Bytes as hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = vec![0; 2 * bytes.len()];
    for (pair, &byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    // Digits are ASCII.
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds() {
        let text = "# a list\n192.0.2.7\n\n 10.0.0.77/8 # host bits do not matter\r\n198.51.100.5-198.51.100.9,extra\n\
                    2001:db8::/32\t7\n2001:db8::1\n0.0.0.0/0\n::/0\n::1-::2";
        let mut list = List::default();
        list.add_reader("a", text.as_bytes(), true).unwrap();
        assert_eq!(
            list.v4,
            [
                (0xc000_0207, 0xc000_0207),
                (0x0a00_0000, 0x0aff_ffff),
                (0xc633_6405, 0xc633_6409),
                (0, u32::MAX)
            ]
        );
        let site = 0x2001_0db8_u128 << 96;
        assert_eq!(list.v6, [(site, site | low_bits(96)), (site + 1, site + 1), (0, u128::MAX), (1, 2)]);
    }

    #[test]
    fn bad_lines_are_named_and_the_rest_is_kept() {
        let text =
            "1.2.3.4\n1.2.3.4/33\nhello world\n1.2.3.9-1.2.3.4\n::1-1.2.3.4\n1.2.3/8\n1.2.3.4/x\n5.6.7.8\n";
        let mut list = List::default();
        list.add_reader("b.txt", text.as_bytes(), false).unwrap();
        assert_eq!((list.v4.len(), list.bad_lines), (2, 6));
        let told: Vec<_> = list.bad.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "b.txt:2: prefix longer than an address: '1.2.3.4/33'",
                "b.txt:3: neither address, prefix nor range: 'hello world'",
                "b.txt:4: range ends before it begins: '1.2.3.9-1.2.3.4'",
                "b.txt:5: range from one address family to the other: '::1-1.2.3.4'",
                "b.txt:6: not an address: '1.2.3/8'",
                "b.txt:7: not a prefix length: '1.2.3.4/x'",
            ]
        );
        let error = List::default().add_reader("b.txt", text.as_bytes(), true).unwrap_err();
        assert!(matches!(error, ReadError::Bad(BadLine { line: 2, .. })));
    }

    #[test]
    fn the_digest_is_that_of_the_file() {
        let mut list = List::default();
        list.add_reader("c", &b"abc"[..], false).unwrap();
        let (name, digest) = &list.digests[0];
        assert_eq!(name, "c");
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let missing = List::default().add_file(Path::new("/nonexistent/list"), false).unwrap_err();
        assert!(missing.to_string().starts_with("/nonexistent/list: "), "{missing}");
    }
}
