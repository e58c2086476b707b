//! The page that a scanning host shows to those who look up where the probes come from: who scans, why, and how to be left out.
//!
//! Durumeric, Wustrow and Halderman ask for it ("ZMap: Fast Internet-wide Scanning and its Security Applications", USENIX
//! Security 2013, section 5). The server is made for nothing else: one page, no files, few connections at a time, each for seconds.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Connections that are served at the same time; more are closed at once.
const AT_ONCE: usize = 16;
/// How long a connection may take altogether.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest head of a request.
const LONGEST_HEAD: usize = 8192;
/// How often a listener looks for connections, and whether it is to end.
const TICK: Duration = Duration::from_millis(100);

/// What the page says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Whom to ask: a name, an address, a URL.
    pub contact: String,
    /// Why there is a scan; without it the page says what the probes are, which is all that is known.
    pub purpose: Option<String>,
    /// Where to write to be left out, when that is not the contact.
    pub opt_out: Option<String>,
}

impl About {
    /// What is said, with its headings.
    fn parts(&self) -> [(&'static str, &str); 4] {
        let purpose = self.purpose.as_deref().unwrap_or(
            "A measurement of how widely Multipath TCP (RFC 8684) is supported, and where it is blocked on the way.",
        );
        [
            ("Why you see packets from here", purpose),
            (
                "What is sent",
                "A few TCP SYNs to each address and port, most of them with an option of Multipath TCP, at a limited rate. \
                 Connections are not used: what a SYN/ACK opens is reset. Nothing is logged in to, and nothing on your side \
                 is changed.",
            ),
            ("Who is responsible", &self.contact),
            ("How to be left out", self.opt_out.as_deref().unwrap_or(&self.contact)),
        ]
    }

    /// The page as HTML.
    pub fn html(&self) -> String {
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{TITLE}</title>\n</head>\n\
             <body>\n<h1>{TITLE}</h1>\n"
        );
        for (k, (heading, text)) in self.parts().into_iter().enumerate() {
            let lead = if k == 3 { LEFT_OUT } else { "" };
            // Writing into a string does not fail.
            let _ = write!(page, "<h2>{heading}</h2>\n<p>{lead}{}</p>\n", linked(text));
        }
        page.push_str("</body>\n</html>\n");
        page
    }

    /// The page as plain text.
    pub fn text(&self) -> String {
        let mut page = format!("{TITLE}\n");
        for (k, (heading, text)) in self.parts().into_iter().enumerate() {
            let lead = if k == 3 { LEFT_OUT } else { "" };
            let _ = write!(page, "\n{heading}\n{lead}{}\n", printable(text));
        }
        page
    }
}

const TITLE: &str = "This host scans the Internet for Multipath TCP";
const LEFT_OUT: &str = "Write, with the addresses or prefixes that are not to be probed, to: ";

/// Text without control characters, which would do something in a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter }).collect()
}

/// Text as it may stand in HTML, outside of tags and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>\n"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// Escaped text in which a word that is plainly a web or mail address is a link.
fn linked(text: &str) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let safe = |more: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        let mail = word.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !host.contains('@') && safe("@._+-")
        });
        let web = (word.starts_with("https://") || word.starts_with("http://")) && safe(":/._+-~%?=&#");
        let scheme = if mail { "mailto:" } else { "" };
        let shown = escaped(word);
        if mail || web {
            let _ = write!(out, "<a href=\"{scheme}{shown}\">{shown}</a>");
        } else {
            out.push_str(&shown);
        }
        out.push_str(&escaped(&piece[word.len()..]));
    }
    out
}

/// The two forms of the page, and what is counted.
#[derive(Debug)]
struct Shared {
    html: String,
    text: String,
    over: AtomicBool,
    serving: AtomicUsize,
}

/// Serves the page until it is dropped.
#[derive(Debug)]
pub struct AboutServer {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    threads: Vec<JoinHandle<()>>,
}

impl AboutServer {
    /// Listens on each of these addresses, port 80 of those that probes come from as a rule (which needs the right to
    /// listen there: root, or CAP_NET_BIND_SERVICE). An error names the address that cannot be had.
    pub fn start(about: &About, addresses: &[SocketAddr]) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            html: about.html(),
            text: about.text(),
            over: AtomicBool::new(false),
            serving: AtomicUsize::new(0),
        });
        let listen = |&addr: &SocketAddr| {
            let listener = TcpListener::bind(addr).and_then(|listener| {
                // So that it can look whether it is to end.
                listener.set_nonblocking(true)?;
                Ok((listener.local_addr()?, listener))
            });
            listener
                .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {addr}: {error}")))
        };
        let listeners: Vec<_> = addresses.iter().map(listen).collect::<io::Result<_>>()?;
        let addresses = listeners.iter().map(|(addr, _)| *addr).collect();
        let threads = listeners
            .into_iter()
            .map(|(_, listener)| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || accept(&listener, &shared))
            })
            .collect();
        Ok(Self { shared, addresses, threads })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for AboutServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // One that broke down has told so already.
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.over.load(Ordering::Relaxed) {
        // Whatever is wrong with one connection, or with the number of open files, is hoped to be over by the next look.
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(TICK);
            continue;
        };
        if shared.serving.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
            shared.serving.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let own = Arc::clone(shared);
        let begun = thread::Builder::new().name("about".to_owned()).stack_size(128 << 10).spawn(move || {
            let _ = serve(stream, &own);
            own.serving.fetch_sub(1, Ordering::Relaxed);
        });
        if begun.is_err() {
            shared.serving.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Reads one request, answers it, and closes the connection.
fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    // On some systems connections take over what the listener is set to.
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (mut head, mut len) = ([0; LONGEST_HEAD], 0);
    let response = loop {
        // A zero would mean to wait for ever.
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        if Instant::now() >= end || shared.over.load(Ordering::Relaxed) {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left.min(TICK)))?;
        let room = head.get_mut(len..).unwrap_or_default();
        if room.is_empty() {
            break error("431 Request Header Fields Too Large");
        }
        match stream.read(room) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(more) => len += more,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
        let head = head.get(..len).unwrap_or_default();
        if head.windows(4).any(|bytes| bytes == b"\r\n\r\n") || head.windows(2).any(|bytes| bytes == b"\n\n")
        {
            break respond(head, &shared.html, &shared.text);
        }
    };
    stream.write_all(response.as_bytes())?;
    stream.shutdown(Shutdown::Write)
}

/// The response to the head of a request: the page, whatever it is asked by, as plain text for who wants no HTML.
fn respond(head: &[u8], html: &str, text: &str) -> String {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return error("400 Bad Request");
    };
    if !version.starts_with("HTTP/1.") || !path.starts_with('/') {
        return error("400 Bad Request");
    }
    if method != "GET" && method != "HEAD" {
        return error("405 Method Not Allowed\r\nAllow: GET, HEAD");
    }
    let accepts = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("accept").then(|| value.to_ascii_lowercase())
    });
    let plain = path.ends_with(".txt")
        || accepts.is_some_and(|value| value.contains("text/plain") && !value.contains("text/html"));
    let (kind, page) = if plain { ("plain", text) } else { ("html", html) };
    let body = if method == "HEAD" { "" } else { page };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/{kind}; charset=utf-8\r\n{}\r\n{HEADERS}\r\n{body}",
        length(page)
    )
}

/// A response without a page.
fn error(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{}\r\n{HEADERS}\r\n", length(""))
}

fn length(page: &str) -> String {
    format!("Content-Length: {}", page.len())
}

/// Headers of every response: nothing is kept, run or embedded.
const HEADERS: &str = "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
                       Content-Security-Policy: default-src 'none'\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About {
            contact: "Network <measurement> group & friends, noc@example.net".to_owned(),
            purpose: Some("A study, see https://example.net/study?a=1&b=2".to_owned()),
            opt_out: Some("\"><script>alert('x')</script>\x1b[31m".to_owned()),
        }
    }

    #[test]
    fn the_page_escapes_what_it_is_told() {
        let page = about().html();
        assert!(page.contains(
            "Network &lt;measurement&gt; group &amp; friends, <a href=\"mailto:noc@example.net\">"
        ));
        assert!(page.contains(
            "<a href=\"https://example.net/study?a=1&amp;b=2\">https://example.net/study?a=1&amp;b=2</a>"
        ));
        assert!(page.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; [31m"), "{page}");
        assert!(!page.contains("<script") && !page.contains('\x1b'));
        let text = about().text();
        assert!(
            text.contains("\nWho is responsible\nNetwork <measurement> group & friends, noc@example.net\n")
        );
        assert!(text.contains("https://example.net/study?a=1&b=2\n") && !text.contains('\x1b'));
    }

    #[test]
    fn what_is_not_told_has_a_substitute() {
        let about = About { contact: "noc@example.net".to_owned(), ..About::default() };
        let text = about.text();
        assert!(text.contains("Multipath TCP (RFC 8684)"));
        assert!(text.ends_with("to: noc@example.net\n"), "{text}");
        // Addresses with anything unusual in them are shown, not linked.
        for word in ["a@b", "@example.net", "javascript:x@example.net", "https://x\"onclick=", "a@b.c@d.e"] {
            assert!(!linked(word).contains("<a"), "{word}");
        }
        assert_eq!(linked("one\ntwo"), "one<br>\ntwo");
    }

    #[test]
    fn requests_and_their_responses() {
        let of = |head: &str| respond(head.as_bytes(), "<p>page</p>", "page");
        let page = of("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(page.starts_with(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 11\r\n"
        ));
        assert!(page.ends_with("\r\n\r\n<p>page</p>"));
        let head = of("HEAD /any/path HTTP/1.0\r\n\r\n");
        assert!(head.contains("Content-Length: 11\r\n") && head.ends_with("\r\n\r\n"));
        for plain in ["GET /about.txt HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\naccept: text/plain\r\n\r\n"] {
            assert!(of(plain).ends_with("\r\n\r\npage"), "{plain}");
        }
        assert!(of("GET / HTTP/1.1\r\nAccept: text/html, text/plain\r\n\r\n").contains("text/html;"));
        assert!(
            of("POST / HTTP/1.1\r\n\r\n")
                .starts_with("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n")
        );
        for bad in [
            "",
            "GET /\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET / x HTTP/1.1\r\n\r\n",
            "\u{1}\u{2}",
            "GET x HTTP/1.1\n\n",
        ] {
            assert!(of(bad).starts_with("HTTP/1.1 400 "), "{bad:?}");
        }
    }

    fn ask(addr: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        // Whoever sends more than is read is reset at the end.
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn the_server_serves_until_it_is_dropped() {
        let server = AboutServer::start(&about(), &["127.0.0.1:0".parse().unwrap()]).unwrap();
        let addr = server.addresses()[0];
        assert!(ask(addr, b"GET / HTTP/1.1\r\n\r\n").ends_with("</html>\n"));
        assert!(ask(addr, b"GET /x.txt HTTP/1.1\r\n\r\n").ends_with("\x20[31m\n"));
        let long = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'x'; LONGEST_HEAD - 19]].concat();
        assert_eq!(long.len(), LONGEST_HEAD);
        assert!(ask(addr, &long).starts_with("HTTP/1.1 431 "));
        // Somebody who says nothing keeps nobody from being served.
        let silent: Vec<_> = (0..AT_ONCE - 1).map(|_| TcpStream::connect(addr).unwrap()).collect();
        assert!(ask(addr, b"HEAD / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
        drop(server);
        assert!(TcpStream::connect(addr).is_err());
        drop(silent);
    }

    #[test]
    fn beyond_a_number_connections_are_closed() {
        let server = AboutServer::start(&about(), &["127.0.0.1:0".parse().unwrap()]).unwrap();
        let addr = server.addresses()[0];
        let mut silent: Vec<_> = (0..AT_ONCE + 4).map(|_| TcpStream::connect(addr).unwrap()).collect();
        // The first ones are waited for, the last ones end at once.
        let last = silent.last_mut().unwrap();
        last.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert_eq!(last.read(&mut [0; 1]).unwrap(), 0);
        let first = &mut silent[0];
        first.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        first.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    }

    #[test]
    fn an_address_that_cannot_be_had_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap();
        let error = AboutServer::start(&about(), &[addr]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on {addr}: ")), "{error}");
    }
}
