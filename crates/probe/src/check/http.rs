//! As much of HTTP/1.1 (RFC 9112) as a download needs: a reader of answers that is fed bytes and never waits, and one of requests.

/// Most bytes of status line and headers.
const MOST_HEAD: usize = 64 << 10;
/// Most bytes of one line of the chunked coding.
const MOST_LINE: usize = 4 << 10;

/// Why bytes are no message of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// The first line is none of HTTP/1.
    #[error("the answer does not begin as one of HTTP/1 does")]
    NoHttp,
    /// Status line and headers are too long.
    #[error("headers of more than {MOST_HEAD} bytes")]
    LongHead,
    /// A header that says how long the body is cannot be read, or two contradict one another.
    #[error("the length of the body is unreadable")]
    BadLength,
    /// A line of the chunked coding cannot be read.
    #[error("the chunked coding is broken")]
    BadChunk,
    /// The connection ended before the message did.
    #[error("the connection ended before the answer did")]
    Cut,
}

/// The first line and the headers of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The first line.
    pub(crate) first: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head without the empty line that ends it. Bytes that are no UTF-8 are replaced.
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let first = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Self { first, headers }
    }

    /// The first header of this name, which is lower-case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The status code of an answer.
    fn status(&self) -> Option<u16> {
        let rest = self.first.strip_prefix("HTTP/1.")?;
        let code = rest.split(' ').nth(1)?;
        let status = code.parse().ok()?;
        (code.len() == 3 && (100..=999).contains(&status)).then_some(status)
    }

    /// Bytes of the body by Content-Length; `None` without one. The same length twice is one (RFC 9112, section 6.3).
    pub(crate) fn length(&self) -> Result<Option<u64>, BadMessage> {
        let mut length = None;
        for value in self.all("content-length").flat_map(|value| value.split(',')).map(str::trim) {
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            let number = value.parse::<u64>().ok().filter(|_| digits).ok_or(BadMessage::BadLength)?;
            if length.is_some_and(|known| known != number) {
                return Err(BadMessage::BadLength);
            }
            length = Some(number);
        }
        Ok(length)
    }

    fn is_chunked(&self) -> bool {
        self.all("transfer-encoding").any(|value| value.to_ascii_lowercase().contains("chunked"))
    }
}

/// Where in a message the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Head,
    /// So many bytes of the body are left.
    Body(u64),
    /// The body ends with the connection.
    ToTheEnd,
    /// In the line with a chunk's size.
    ChunkSize,
    /// So many bytes of the chunk are left.
    Chunk(u64),
    /// In the end of line after a chunk.
    ChunkEnd,
    /// In the lines after the last chunk.
    Trailer,
    Over,
}

/// One answer, fed byte by byte or in any pieces.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    at: At,
    /// The head, or a line, as far as it has come.
    line: Vec<u8>,
    status: Option<u16>,
    head: Head,
    body_bytes: u64,
    body: Vec<u8>,
    keep: usize,
}

impl Answer {
    /// A reader that keeps so many bytes of the body.
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            at: At::Head,
            line: Vec::new(),
            status: None,
            head: Head::default(),
            body_bytes: 0,
            body: Vec::new(),
            keep,
        }
    }

    /// The status code, once the head has come.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    /// The head, empty before it has come.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Bytes of the body so far, without framing.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The first bytes of the body.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the answer is complete.
    pub(crate) fn is_over(&self) -> bool {
        self.at == At::Over
    }

    /// Says that the connection has ended.
    pub(crate) fn ended(&mut self) -> Result<(), BadMessage> {
        match self.at {
            At::Over => Ok(()),
            At::ToTheEnd => {
                self.at = At::Over;
                Ok(())
            }
            _ => Err(BadMessage::Cut),
        }
    }

    /// Takes bytes; what comes after the answer is passed over.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), BadMessage> {
        while !bytes.is_empty() {
            match self.at {
                At::Over => return Ok(()),
                At::Head => bytes = self.feed_head(bytes)?,
                At::Body(left) => {
                    let (taken, rest) = split(bytes, left);
                    self.take(taken);
                    let left = left - taken.len() as u64;
                    self.at = if left == 0 { At::Over } else { At::Body(left) };
                    bytes = rest;
                }
                At::ToTheEnd => {
                    self.take(bytes);
                    return Ok(());
                }
                At::Chunk(left) => {
                    let (taken, rest) = split(bytes, left);
                    self.take(taken);
                    let left = left - taken.len() as u64;
                    self.at = if left == 0 { At::ChunkEnd } else { At::Chunk(left) };
                    bytes = rest;
                }
                At::ChunkSize | At::ChunkEnd | At::Trailer => bytes = self.feed_line(bytes)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.body_bytes += bytes.len() as u64;
        let room = self.keep.saturating_sub(self.body.len()).min(bytes.len());
        self.body.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], BadMessage> {
        let known = self.line.len();
        let room = MOST_HEAD.saturating_sub(known).min(bytes.len());
        let (taken, rest) = bytes.split_at(room);
        self.line.extend_from_slice(taken);
        if !could_be_http(&self.line) {
            return Err(BadMessage::NoHttp);
        }
        let Some(end) = end_of_head(&self.line, known.saturating_sub(3)) else {
            return if rest.is_empty() { Ok(rest) } else { Err(BadMessage::LongHead) };
        };
        let head = Head::parse(self.line.get(..end).unwrap_or_default());
        // What of these bytes was beyond the head.
        let left = bytes.get(end.saturating_sub(known)..).unwrap_or_default();
        self.line.clear();
        let status = head.status().ok_or(BadMessage::NoHttp)?;
        if (100..200).contains(&status) && status != 101 {
            // Only a word in between (RFC 9110, section 15.2).
            return Ok(left);
        }
        self.status = Some(status);
        self.at = if matches!(status, 101 | 204 | 304) {
            At::Over
        } else if head.is_chunked() {
            At::ChunkSize
        } else {
            match head.length()? {
                Some(0) => At::Over,
                Some(length) => At::Body(length),
                None => At::ToTheEnd,
            }
        };
        self.head = head;
        Ok(left)
    }

    fn feed_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], BadMessage> {
        let (taken, rest, whole) = match bytes.iter().position(|&byte| byte == b'\n') {
            Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default(), true),
            None => (bytes, &bytes[bytes.len()..], false),
        };
        if self.line.len() + taken.len() > MOST_LINE {
            return Err(BadMessage::BadChunk);
        }
        self.line.extend_from_slice(taken);
        if !whole {
            return Ok(rest);
        }
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        self.at = match self.at {
            At::ChunkEnd if line.is_empty() => At::ChunkSize,
            At::ChunkEnd => return Err(BadMessage::BadChunk),
            At::Trailer if line.is_empty() => At::Over,
            At::Trailer => At::Trailer,
            _ => match chunk_size(line).ok_or(BadMessage::BadChunk)? {
                0 => At::Trailer,
                size => At::Chunk(size),
            },
        };
        Ok(rest)
    }
}

/// The first `most` bytes, and the rest.
fn split(bytes: &[u8], most: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len()))
}

fn could_be_http(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"HTTP/1.";
    bytes.iter().zip(BEGIN).all(|(a, b)| a == b)
}

/// Where the head ends, its empty line included, looking from a place on.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let newline = |at: usize| bytes.get(at) == Some(&b'\n');
    (from..bytes.len()).find_map(|at| {
        if !newline(at) {
            return None;
        }
        if newline(at + 1) {
            return Some(at + 2);
        }
        (bytes.get(at + 1) == Some(&b'\r') && newline(at + 2)).then_some(at + 3)
    })
}

/// The size of a chunk, without what may stand behind it (RFC 9112, section 7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.split(';').next()?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| digits)
}

/// A request as far as the server of a check needs it: first line, and the bytes of the body that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    bytes: Vec<u8>,
}

/// Most bytes of a request's head.
const MOST_REQUEST: usize = 8 << 10;

impl Request {
    /// Takes bytes and returns the head with the number of bytes of the body, once the head is complete. What was fed of the body is
    /// subtracted from that number.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Option<(Head, u64)>, BadMessage> {
        let from = self.bytes.len().saturating_sub(3);
        self.bytes.extend_from_slice(bytes);
        let Some(end) = end_of_head(&self.bytes, from) else {
            return if self.bytes.len() > MOST_REQUEST { Err(BadMessage::LongHead) } else { Ok(None) };
        };
        let head = Head::parse(self.bytes.get(..end).unwrap_or_default());
        let length = head.length()?.unwrap_or(0);
        let left = length.saturating_sub((self.bytes.len() - end) as u64);
        self.bytes.clear();
        Ok(Some((head, left)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds an answer in pieces of every size, which must not matter.
    fn read(text: &str) -> Result<Answer, BadMessage> {
        let in_pieces = |size| {
            let mut answer = Answer::new(1 << 10);
            for piece in text.as_bytes().chunks(size) {
                answer.feed(piece)?;
            }
            answer.ended()?;
            Ok(answer)
        };
        let seen = |result: &Result<Answer, BadMessage>| match result {
            Ok(answer) => Ok((answer.status, answer.body.clone(), answer.body_bytes)),
            Err(error) => Err(*error),
        };
        let first = in_pieces(1);
        for size in 2..=text.len() {
            assert_eq!(seen(&in_pieces(size)), seen(&first), "{text:?} by {size}");
        }
        first
    }

    #[test]
    fn a_body_ends_by_length_by_chunks_or_with_the_connection() {
        for (text, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\nhello and more", 200, "hello"),
            ("HTTP/1.0 404 Not Found\n\nhello", 404, "hello"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n",
                200,
                "hello",
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, ""),
        ] {
            let answer = read(text).unwrap();
            assert_eq!((answer.status(), answer.body()), (Some(status), body.as_bytes()), "{text:?}");
            assert!(answer.is_over());
        }
        let answer = read("HTTP/1.1 301 Moved\r\nLOCATION:  /there \r\nContent-Length: 0\r\n\r\n").unwrap();
        assert_eq!(answer.head().get("location"), Some("/there"));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (text, error) in [
            ("", BadMessage::Cut),
            ("SSH-2.0-OpenSSH\r\n", BadMessage::NoHttp),
            ("HTTP/2 200\r\n\r\n", BadMessage::NoHttp),
            ("HTTP/1.1 xx OK\r\n\r\n", BadMessage::NoHttp),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", BadMessage::Cut),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhell", BadMessage::BadLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhell", BadMessage::BadLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nhel\r\n", BadMessage::BadChunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n", BadMessage::BadChunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n", BadMessage::Cut),
        ] {
            assert_eq!(read(text).unwrap_err(), error, "{text:?}");
        }
        let mut answer = Answer::new(0);
        answer.feed(b"HTTP/1.1 200 OK\r\n").unwrap();
        assert_eq!(answer.feed(&[b'x'; MOST_HEAD]), Err(BadMessage::LongHead));
    }

    #[test]
    fn no_more_of_the_body_is_kept_than_asked_for() {
        let mut answer = Answer::new(3);
        answer.feed(b"HTTP/1.1 200 OK\r\n\r\nhello").unwrap();
        assert_eq!((answer.body(), answer.body_bytes()), (&b"hel"[..], 5));
    }

    #[test]
    fn a_request_and_what_follows_it() {
        let text = b"POST /subflow-check/1?nonce=7 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
        for size in 1..=text.len() {
            let mut request = Request::default();
            let mut body = 0_i64;
            let mut found = None;
            for piece in text.chunks(size) {
                match &found {
                    None => found = request.feed(piece).unwrap(),
                    Some(_) => body += piece.len() as i64,
                }
            }
            let (head, left) = found.expect("a head");
            assert_eq!(head.first, "POST /subflow-check/1?nonce=7 HTTP/1.1");
            assert_eq!(left as i64 - body, 7);
        }
        let mut request = Request::default();
        assert_eq!(request.feed(&[b'x'; MOST_REQUEST + 1]), Err(BadMessage::LongHead));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6)) {
            let (mut answer, mut request) = (Answer::new(10), Request::default());
            for piece in &pieces {
                if answer.feed(piece).is_err() {
                    break;
                }
            }
            let _ = answer.ended();
            for piece in &pieces {
                if request.feed(piece).is_err() {
                    break;
                }
            }
        }

        #[test]
        fn no_damage_panics(at in 0_usize..120, byte in any::<u8>(), size in 1_usize..50) {
            let mut text = *b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n";
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            let mut answer = Answer::new(10);
            for piece in text.chunks(size) {
                if answer.feed(piece).is_err() {
                    break;
                }
            }
            let _ = answer.ended();
        }
    }
}
