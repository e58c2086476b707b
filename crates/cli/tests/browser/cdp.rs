//! A headless Chromium, driven over the DevTools protocol.

use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tungstenite::{Message, WebSocket};

/// Nothing here takes longer than this, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser process with a profile of its own.
pub(crate) struct Browser {
    process: Child,
    port: u16,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts the browser; where there is none, says so past the test harness's capture of output.
    pub(crate) fn start() -> Option<Self> {
        let program = std::env::var_os("SUBFLOW_CHROMIUM").map(PathBuf::from);
        let names = ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from);
        let profile = tempfile::tempdir().expect("a folder");
        let spawn = |program: &PathBuf| {
            let mut command = Command::new(program);
            command
                .args([
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-extensions",
                ])
                .args(["--remote-debugging-port=0", "about:blank"])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().ok()
        };
        let Some(mut process) = program.iter().chain(&names).find_map(spawn) else {
            // Nothing can be done where standard error is closed.
            let _ = writeln!(
                io::stderr(),
                "skipped: pages in a browser, as there is no chromium (SUBFLOW_CHROMIUM names it)"
            );
            return None;
        };
        let file = profile.path().join("DevToolsActivePort");
        let begin = Instant::now();
        loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some(port) = text.split_once('\n').and_then(|(port, _)| port.parse().ok()) {
                return Some(Self { process, port, _profile: profile });
            }
            if begin.elapsed() > PATIENCE {
                let _ = process.kill();
                panic!("chromium does not say its port");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Opens a file in a tab of this size and with this preference for colours, and waits until it is loaded.
    pub(crate) fn open(&self, page: &Path, width: u32, scheme: &str) -> Tab {
        let tab: Value = serde_json::from_str(&self.http("PUT", "/json/new?about:blank")).expect("JSON");
        let address = tab["webSocketDebuggerUrl"].as_str().expect("an address");
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let (socket, _) = tungstenite::client(address, stream).expect("a socket");
        let mut tab = Tab { socket, next: 0, events: Vec::new() };
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            tab.call(domain, json!({}));
        }
        let size = json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500 });
        tab.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        tab.call("Emulation.setEmulatedMedia", features);
        let file = std::fs::canonicalize(page).expect("a page");
        tab.call("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
        tab.wait_for("Page.loadEventFired");
        tab
    }

    fn http(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            .expect("sends");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        // The server may keep the connection open: the length in the head says when the answer is whole.
        loop {
            let read = stream.read(&mut piece).expect("reads");
            answer.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
                });
                if read == 0 || length.is_some_and(|length| body.len() >= length) {
                    return body.to_owned();
                }
            }
            assert!(read > 0, "an answer");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Gone already, or going now: either will do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An open page.
pub(crate) struct Tab {
    socket: WebSocket<TcpStream>,
    next: u64,
    events: Vec<Value>,
}

impl Tab {
    /// Calls a method of the protocol and returns its result.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let call = json!({ "id": id, "method": method, "params": params }).to_string();
        self.socket.send(Message::text(call)).expect("sends");
        loop {
            let message = self.read();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// The value of a JavaScript expression, a promise's when it is one.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What went wrong in the page so far: exceptions, messages of the console, and requests for anything but files
    /// and data in the page.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // A last call: what happened before it has come by then.
        self.eval("0");
        let text = |value: &Value| value.to_string();
        let events = self.events.iter().filter_map(|event| match event["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(format!("exception: {}", text(&event["params"]))),
            "Runtime.consoleAPICalled" => Some(format!("console: {}", text(&event["params"]["args"]))),
            "Log.entryAdded" => Some(format!("log: {}", text(&event["params"]["entry"]))),
            "Network.requestWillBeSent" => {
                let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                let own = url.starts_with("file:") || url.starts_with("data:") || url.starts_with("blob:");
                (!own).then(|| format!("request: {url}"))
            }
            _ => None,
        });
        events.collect()
    }

    /// How often something other than the page itself was asked for.
    pub(crate) fn files_asked_for(&self) -> usize {
        let asked = |event: &&Value| {
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            event["method"] == "Network.requestWillBeSent" && url.starts_with("file:")
        };
        self.events.iter().filter(asked).count()
    }

    fn wait_for(&mut self, method: &str) {
        while !self.events.iter().any(|event| event["method"] == method) {
            let message = self.read();
            self.events.push(message);
        }
    }

    fn read(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().expect("the browser answers") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    }
}
