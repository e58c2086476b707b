//! What a verification asks the server for, in two parts: the first proves the first subflow, the second is held back until there is
//! a second subflow, so that the server neither answers nor ends the connection before.

use std::net::IpAddr;

/// Longest part of a request in bytes: fits the smallest segment that every host takes (RFC 9293, section 3.7.1), with options.
pub(super) const MAX_LEN: usize = 496;

/// What is sent to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET / HTTP/1.1` with the target's address, or a name, as the host.
    Http {
        /// Name of the host; the target's address when `None`.
        host: Option<String>,
    },
    /// A TLS ClientHello of versions 1.2 and 1.3, in one record.
    Tls {
        /// Name of the server (SNI); none when `None`.
        host: Option<String>,
    },
    /// These bytes, sent in two halves.
    Bytes(Vec<u8>),
}

/// A request ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    bytes: Vec<u8>,
    first: usize,
}

impl Parts {
    pub(super) fn first(&self) -> &[u8] {
        self.bytes.get(..self.first).unwrap_or(&[])
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.first..).unwrap_or(&[])
    }
}

impl Request {
    /// The bytes for a target. `seed` makes the random fields of a ClientHello.
    pub(super) fn parts(&self, addr: IpAddr, port: u16, agent: &str, seed: [u64; 4]) -> Parts {
        match self {
            Self::Http { host } => http(addr, port, host.as_deref(), agent),
            Self::Tls { host } => {
                let bytes = hello(host.as_deref(), seed);
                Parts { first: 5, bytes }
            }
            Self::Bytes(bytes) => Parts { first: bytes.len() / 2, bytes: bytes.clone() },
        }
    }

    /// Whether both parts fit into a segment each, and none is empty.
    pub(super) fn fits(&self, agent: &str) -> bool {
        let longest = IpAddr::from([0xffff_u16; 8]);
        let parts = self.parts(longest, u16::MAX, agent, [0; 4]);
        [parts.first(), parts.rest()].iter().all(|part| (1..=MAX_LEN).contains(&part.len()))
    }
}

fn http(addr: IpAddr, port: u16, host: Option<&str>, agent: &str) -> Parts {
    let host = match (host, addr) {
        (Some(host), _) => host.to_owned(),
        (None, IpAddr::V4(addr)) => addr.to_string(),
        (None, IpAddr::V6(addr)) => format!("[{addr}]"),
    };
    let port = if port == 80 { String::new() } else { format!(":{port}") };
    let first = format!("GET / HTTP/1.1\r\nHost: {host}{port}\r\n");
    let rest = format!("User-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    Parts { first: first.len(), bytes: [first, rest].concat().into_bytes() }
}

/// A ClientHello (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2) that servers of versions 1.2 and 1.3 answer.
fn hello(host: Option<&str>, seed: [u64; 4]) -> Vec<u8> {
    let random: Vec<u8> = seed.iter().flat_map(|word| word.to_be_bytes()).collect();
    // Any 32 bytes are a public key of X25519.
    let share: Vec<u8> = seed.iter().flat_map(|word| (!word).to_le_bytes()).collect();
    let mut extensions = Vec::new();
    let mut extension = |number: u16, data: &[u8]| {
        extensions.extend(number.to_be_bytes());
        extensions.extend((data.len() as u16).to_be_bytes());
        extensions.extend(data);
    };
    if let Some(host) = host {
        let name = [&[0][..], &(host.len() as u16).to_be_bytes(), host.as_bytes()].concat();
        extension(0, &[&(name.len() as u16).to_be_bytes()[..], &name].concat());
    }
    // Groups x25519, secp256r1, secp384r1; uncompressed points.
    extension(10, &[0, 6, 0, 0x1d, 0, 0x17, 0, 0x18]);
    extension(11, &[1, 0]);
    // ECDSA and RSA, PSS and PKCS 1, with SHA-256 and SHA-384.
    extension(13, &[0, 12, 4, 3, 5, 3, 8, 4, 8, 5, 4, 1, 5, 1]);
    // Versions 1.3 and 1.2.
    extension(43, &[4, 3, 4, 3, 3]);
    extension(51, &[&[0, 36, 0, 0x1d, 0, 32][..], &share].concat());
    let mut body = vec![3, 3];
    body.extend(&random);
    body.push(0);
    // AES-128 and AES-256 in GCM and ChaCha20 of version 1.3; of version 1.2 with ECDHE, and RSA for old servers.
    let suites: [u16; 9] = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0x009c, 0x002f];
    body.extend(((suites.len() * 2) as u16).to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend(((body.len() + 4) as u16).to_be_bytes());
    record.extend([1, 0]);
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

/// What an answer begins with, in words.
pub(super) fn describe(head: &[u8]) -> Option<String> {
    match *head {
        [] => None,
        [22, 3, ..] => Some("TLS handshake".to_owned()),
        [21, 3, _, _, _, _, alert, ..] => Some(format!("TLS alert {alert}")),
        _ => {
            let line = head.split(|&byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or(&[]);
            let printable = |&byte: &u8| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' };
            Some(line.iter().map(printable).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_names_host_and_sender() {
        let request = Request::Http { host: None };
        let parts =
            request.parts("192.0.2.7".parse().unwrap(), 8080, "subflow (+mailto:me@example.net)", [0; 4]);
        assert_eq!(parts.first(), b"GET / HTTP/1.1\r\nHost: 192.0.2.7:8080\r\n");
        assert_eq!(
            parts.rest(),
            b"User-Agent: subflow (+mailto:me@example.net)\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        let v6 = request.parts("2001:db8::1".parse().unwrap(), 80, "a", [0; 4]);
        assert_eq!(v6.first(), b"GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n");
        let named = Request::Http { host: Some("example.net".to_owned()) };
        assert_eq!(
            named.parts([192, 0, 2, 7].into(), 80, "a", [0; 4]).first(),
            b"GET / HTTP/1.1\r\nHost: example.net\r\n"
        );
    }

    #[test]
    fn a_hello_says_its_own_lengths() {
        for host in [None, Some("example.net")] {
            let bytes = hello(host, [1, 2, 3, 4]);
            let word = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
            assert_eq!(bytes[..3], [22, 3, 1]);
            assert_eq!(word(3), bytes.len() - 5);
            assert_eq!((bytes[5], bytes[6]), (1, 0));
            assert_eq!(word(7), bytes.len() - 9);
            // Version, random, no session; suites; compression; then the extensions up to the end.
            let suites_at = 9 + 2 + 32 + 1;
            let extensions_at = suites_at + 2 + word(suites_at) + 2;
            assert_eq!(word(extensions_at), bytes.len() - extensions_at - 2);
            let mut at = extensions_at + 2;
            let mut numbers = Vec::new();
            while at < bytes.len() {
                numbers.push(word(at));
                at += 4 + word(at + 2);
            }
            assert_eq!(at, bytes.len());
            let rest = [10, 11, 13, 43, 51];
            assert_eq!(numbers, [if host.is_some() { &[0][..] } else { &[] }, &rest].concat());
        }
    }

    #[test]
    fn what_fits() {
        assert!(Request::Http { host: None }.fits("subflow"));
        assert!(Request::Tls { host: Some("a".repeat(200)) }.fits(""));
        assert!(!Request::Http { host: None }.fits(&"x".repeat(MAX_LEN)));
        assert!(!Request::Bytes(vec![1]).fits(""));
        assert!(Request::Bytes(vec![1; 2 * MAX_LEN]).fits(""));
        assert!(!Request::Bytes(vec![1; 2 * MAX_LEN + 1]).fits(""));
    }

    #[test]
    fn answers_in_words() {
        assert_eq!(describe(b""), None);
        assert_eq!(describe(b"HTTP/1.1 200 OK\r\nServer: x").as_deref(), Some("HTTP/1.1 200 OK"));
        assert_eq!(describe(b"SSH-2.0-x\x00\xff").as_deref(), Some("SSH-2.0-x.."));
        assert_eq!(describe(&[22, 3, 3, 0, 90, 2]).as_deref(), Some("TLS handshake"));
        assert_eq!(describe(&[21, 3, 3, 0, 2, 2, 40]).as_deref(), Some("TLS alert 40"));
    }
}
