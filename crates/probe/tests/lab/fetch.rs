//! Downloads over TCP and over Multipath TCP in a namespace, by HTTP and HTTPS.

use std::io::Write;
use std::process::Command;

use crate::check::{Columns, rows};
use crate::support::{Lab, Process, await_line};

/// Bytes of `/file`.
const FILE: &str = "300000";

/// A server of HTTP at 8080 and 8090 (the latter without Multipath TCP) and, with a certificate, of HTTPS at 8443.
const SERVER: &str = "
import http.server, socket, ssl, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *rest): pass
    def do_GET(self):
        if self.path == '/moved':
            self.send_response(302)
            self.send_header('Location', '/file')
            self.send_header('Content-Length', '0')
            self.end_headers()
        elif self.path == '/loop':
            self.send_response(302)
            self.send_header('Location', '/loop')
            self.send_header('Content-Length', '0')
            self.end_headers()
        elif self.path == '/chunked':
            self.send_response(200)
            self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            for n in range(10): self.wfile.write(b'1f40\\r\\n' + b'x' * 8000 + b'\\r\\n')
            self.wfile.write(b'0\\r\\n\\r\\n')
        elif self.path == '/short':
            self.send_response(200)
            self.send_header('Content-Length', '5000')
            self.end_headers()
            self.wfile.write(b'x' * 100)
            self.close_connection = True
        else:
            self.send_response(200)
            self.send_header('Content-Length', '300000')
            self.end_headers()
            self.wfile.write(b'x' * 300000)
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    def handle_error(self, *rest): pass
    def __init__(self, port, protocol):
        http.server.HTTPServer.__init__(self, ('::', port), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, protocol)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server_bind()
        self.server_activate()
servers = [Server(8080, 262), Server(8090, 0)]
if len(sys.argv) > 2:
    server = Server(8443, 262)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    servers.append(server)
for server in servers: threading.Thread(target=server.serve_forever, daemon=True).start()
print('listening', flush=True)
sys.stdin.read()
";

fn lab() -> Option<(Lab, Process, bool)> {
    let lab = Lab::new(2)?;
    if !std::path::Path::new("/proc/sys/net/mptcp").exists() {
        let _ = writeln!(std::io::stderr(), "skipped: this kernel has no Multipath TCP");
        return None;
    }
    lab.link('a', 'b');
    for (namespace, end, v4, v6) in
        [('a', "tob", "10.79.0.1/24", "fd79::1/64"), ('b', "toa", "10.79.0.2/24", "fd79::2/64")]
    {
        lab.ip(namespace, &format!("addr add {v4} dev {end}"));
        lab.ip(namespace, &format!("-6 addr add {v6} dev {end} nodad"));
    }
    let (key, certificate) = (lab.file("key.pem"), lab.file("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=lab",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:10.79.0.2,IP:fd79::2",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .is_ok_and(|output| output.status.success());
    if !made {
        let _ = writeln!(std::io::stderr(), "skipped: no downloads by HTTPS (openssl is needed)");
    }
    let files = [certificate.display().to_string(), key.display().to_string()];
    let mut arguments = vec!["-c", SERVER];
    if made {
        arguments.extend(files.iter().map(String::as_str));
    }
    let mut server = lab.start('b', "python3", &arguments);
    await_line(&mut server, "listening");
    Some((lab, server, made))
}

fn fetch(lab: &Lab, arguments: &str) -> Vec<Columns> {
    let _ = std::fs::remove_file(lab.file("fetches.tsv"));
    lab.complete('a', &format!("check fetch={arguments} out={}", lab.folder.path().display()));
    rows(lab, "fetches.tsv")
}

fn number(row: &Columns, name: &str) -> f64 {
    row[name].parse().unwrap_or_else(|_| panic!("{name} of {row:?}"))
}

/// Makes sure of what every complete row must have.
fn sound(rows: &[Columns], pairs: usize, bytes: &str) {
    assert_eq!(rows.len(), 2 * pairs);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(
            (row["outcome"].as_str(), row["status"].as_str(), row["bytes"].as_str()),
            ("complete", "200", bytes),
            "{row:?}"
        );
        let (connect, first, complete) =
            (number(row, "connect"), number(row, "first_byte"), number(row, "complete"));
        assert!(0.0 < connect && connect < first && first <= complete, "{row:?}");
        // In alternation: TCP first, then Multipath TCP first.
        let (pair, second) = (at / 2, at % 2 == 1);
        assert_eq!(row["pair"], pair.to_string());
        assert_eq!(row["first"], (!second).to_string());
        assert_eq!(row["mptcp"], ((pair % 2 == 1) != second).to_string());
    }
}

#[test]
fn fetch_compares_downloads_in_alternation() {
    let Some((lab, _server, tls)) = lab() else { return };
    for host in ["10.79.0.2", "[fd79::2]"] {
        let all = fetch(&lab, &format!("http://{host}:8080/file pairs=3"));
        sound(&all, 3, FILE);
        for row in &all {
            assert_eq!(row["tls"], "-");
            if row["mptcp"] == "true" {
                assert_eq!(
                    (row["negotiated"].as_str(), row["subflows"].as_str(), row["syn_ack"].as_str()),
                    ("kept", "1", "kept")
                );
                // The head of the answer is data, too.
                assert!(number(row, "mptcp_received") > 300_000.0);
            } else {
                assert_eq!(
                    (row["negotiated"].as_str(), row["subflows"].as_str(), row["syn_ack"].as_str()),
                    ("-", "-", "-")
                );
            }
            assert!(row["syn_ack_options"].len() > 20 && number(row, "throughput") > 0.0, "{row:?}");
        }
        if tls {
            let certificate = lab.file("cert.pem");
            let all = fetch(&lab, &format!("https://{host}:8443/file pairs=2 ca={}", certificate.display()));
            sound(&all, 2, FILE);
            assert!(all.iter().all(|row| number(row, "tls") > 0.0));
            assert!(all.iter().filter(|row| row["mptcp"] == "true").all(|row| row["negotiated"] == "kept"));
        }
    }
}

#[test]
fn fetch_reads_what_servers_send() {
    let Some((lab, _server, tls)) = lab() else { return };
    sound(&fetch(&lab, "http://10.79.0.2:8080/chunked pairs=1"), 1, "80000");
    let moved = fetch(&lab, "http://10.79.0.2:8080/moved pairs=1");
    sound(&moved, 1, FILE);
    assert_eq!(moved[0]["url"], "http://10.79.0.2:8080/file");
    let lost = fetch(&lab, "http://10.79.0.2:8080/loop pairs=1");
    assert_eq!(lost[0]["status"], "302");
    let short = fetch(&lab, "http://10.79.0.2:8080/short pairs=1");
    assert!(
        short.iter().all(|row| row["outcome"] == "broken" && row["bytes"] == "100" && row["complete"] == "-")
    );
    let enough = fetch(&lab, "http://10.79.0.2:8080/file pairs=1 max=100000");
    assert!(enough.iter().all(|row| row["outcome"] == "enough" && number(row, "bytes") >= 100_000.0));
    let closed = fetch(&lab, "http://10.79.0.2:81/ pairs=1");
    assert!(closed.iter().all(|row| row["outcome"] == "no_connection" && row["error"] != "-"));
    let plain = fetch(&lab, "http://10.79.0.2:8090/file pairs=1");
    sound(&plain, 1, FILE);
    assert_eq!(plain[1]["negotiated"], "refused");
    if tls {
        // Nobody vouches for this certificate: in files of others, or in none.
        let other = fetch(&lab, "https://10.79.0.2:8443/file pairs=1 insecure");
        sound(&other, 1, FILE);
        let no_tls = fetch(&lab, "https://10.79.0.2:8080/file pairs=1 insecure");
        assert!(no_tls.iter().all(|row| row["outcome"] == "no_tls"), "{no_tls:?}");
    }
    lab.set('a', "net.mptcp.enabled=0");
    let without = fetch(&lab, "http://10.79.0.2:8080/file pairs=1");
    assert_eq!(
        (without[0]["outcome"].as_str(), without[1]["outcome"].as_str()),
        ("complete", "no_connection")
    );
    assert_eq!(without[1]["negotiated"], "not_sent");
}

#[test]
fn fetch_says_what_a_box_costs() {
    let Some((lab, _server, _)) = lab() else { return };
    let rules = "table inet box {\n chain input {\n type filter hook input priority 0; policy accept;\n\
        tcp dport 8080 tcp flags & (syn|ack) == syn tcp option mptcp exists drop\n }\n}\n";
    if !lab.nft('b', rules) {
        return;
    }
    let rows = fetch(&lab, "http://10.79.0.2:8080/file pairs=1");
    sound(&rows, 1, FILE);
    // Linux leaves the option out after three SYNs in vain.
    assert!(number(&rows[0], "connect") < 1.0 && number(&rows[1], "connect") > 2.0, "{rows:?}");
    assert_eq!(rows[1]["negotiated"], "dropped");
}
