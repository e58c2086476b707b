//! Scenarios from a few words, for the common cases: a fabric, a phone.
//!
//! They yield text in the format of scenario files, so that it can be shown, kept and changed.

use super::error::{Error, suggestion};
use std::fmt::Write;

/// A fabric and what is compared on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fabric {
    /// What is compared: `ecmp`, `flowbender`, `plb`, `cflb`, `spray`, `least-loaded`, `mptcp` or `mptcp:SUBFLOWS`.
    pub schemes: Vec<String>,
    /// Ports of a switch of the fat-tree.
    pub k: u32,
    /// How many times more the hosts of an edge switch can send than its links upwards carry.
    pub oversubscription: u32,
    /// Rate of the links: `10 Gb/s`.
    pub rate: String,
    /// `permutation`, `incast`, `web-search` or `data-mining`.
    pub traffic: String,
    /// Simulated time; for flows that arrive at a load, how long they do.
    pub time: String,
    /// When a link between the first pod and the core fails; with a second time after a comma, when it is repaired.
    pub fail: Option<String>,
    /// Loads of flows that arrive; empty: 40 %.
    pub loads: Vec<f64>,
    /// Seeds; empty: 1.
    pub seeds: Vec<u64>,
}

/// A phone with WiFi and a cellular interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Phone {
    /// What is compared: `tcp`, `mptcp`, or `mptcp:SCHEDULER`.
    pub schemes: Vec<String>,
    /// Rate, delay one way and perhaps loss of WiFi, as `20 Mb/s,10 ms,0.0005`.
    pub wifi: String,
    /// The same of the cellular network.
    pub cellular: String,
    /// When the phone leaves the reach of its WiFi, and after a comma when it is back.
    pub leave: Option<String>,
    /// What is sent to the phone, as `20 MB`; none: as much as there is time for.
    pub size: Option<String>,
    /// Simulated time.
    pub time: String,
    /// Version of Multipath TCP, 0 or 1.
    pub mptcp_version: u8,
    /// Whether packets are captured, at phone and server.
    pub capture: bool,
    /// Seeds; empty: 1.
    pub seeds: Vec<u64>,
}

const BALANCES: [&str; 7] = ["ecmp", "flowbender", "plb", "cflb", "spray", "least-loaded", "mptcp"];
const TRAFFIC: [&str; 4] = ["permutation", "incast", "web-search", "data-mining"];
const SCHEDULERS: [&str; 3] = ["lowest-rtt", "round-robin", "redundant"];

fn wrong(key: &str, reason: String) -> Error {
    Error { file: "short form".to_owned(), line: None, key: key.to_owned(), reason }
}

fn unknown(key: &str, word: &str, known: &[&str]) -> Error {
    wrong(key, format!("{word:?} is unknown{}", suggestion(word, known)))
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.trim().chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => _ = write!(quoted, "\\u{:04X}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn seeds(seeds: &[u64]) -> String {
    if seeds.is_empty() { "seeds = [1]".to_owned() } else { format!("seeds = {seeds:?}") }
}

/// Words and what follows them after a colon.
fn split(word: &str) -> (&str, Option<&str>) {
    word.split_once(':').map_or((word, None), |(word, detail)| (word, Some(detail)))
}

/// One or two times, with a comma between.
fn times(key: &str, text: &str) -> Result<(String, Option<String>), Error> {
    let mut parts = text.split(',');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(first), second, None) => Ok((quoted(first), second.map(quoted))),
        _ => Err(wrong(key, format!("{text:?} is not one time, or two with a comma between"))),
    }
}

fn failure(key: &str, text: &str, nodes: [&str; 2]) -> Result<String, Error> {
    let (at, repair) = times(key, text)?;
    let repair = repair.map_or(String::new(), |repair| format!("repair = {repair}\n"));
    let [a, b] = nodes;
    Ok(format!("\n[[failure]]\nbetween = [\"{a}\", \"{b}\"]\nat = {at}\n{repair}"))
}

impl Fabric {
    /// The scenario as text that [`Scenario::parse`](super::Scenario::parse) reads.
    ///
    /// # Errors
    /// A word that is unknown, with the nearest that is known. Numbers and units are for `parse` to check.
    pub fn text(&self) -> Result<String, Error> {
        let arriving = match self.traffic.as_str() {
            "permutation" | "incast" => false,
            "web-search" | "data-mining" => true,
            other => return Err(unknown("traffic", other, &TRAFFIC)),
        };
        let time = quoted(&self.time);
        let mut text = format!(
            "# A fat-tree, with marks as DCTCP wants them. Flows of one seed are the same for every scheme.\n\
             name = \"fabric\"\nduration = {}\n{}\n",
            if arriving { "\"2 s\"" } else { &time },
            seeds(&self.seeds)
        );
        if self.fail.is_some() {
            // Routing never learns of it: what is compared is how flows help themselves.
            text += "sample = \"1 ms\"\ndetection = \"1000 s\"\n";
        }
        text += &format!(
            "\n[topology]\nkind = \"fat-tree\"\nk = {}\noversubscription = {}\nrate = {}\ndelay = \"1 us\"\n\
             buffer = \"400 packets\"\nmark = \"65 packets\"\n\n[workload]\n",
            self.k,
            self.oversubscription,
            quoted(&self.rate)
        );
        match self.traffic.as_str() {
            "permutation" => text += "kind = \"permutation\"\nbytes = \"endless\"\nspread = \"1 ms\"\n",
            "incast" => {
                let hosts =
                    self.k.saturating_mul(self.k) / 2 * (self.k / 2).saturating_mul(self.oversubscription);
                let senders = hosts.saturating_sub(1).clamp(1, 40);
                text += &format!("kind = \"incast\"\nsenders = {senders}\nbytes = \"64 KiB\"\n");
            }
            sizes => {
                let loads =
                    if self.loads.is_empty() { "[0.4]".to_owned() } else { format!("{:?}", self.loads) };
                text += &format!(
                    "kind = \"poisson\"\nload = {loads}\nload_of = \"fabric\"\nsizes = \"{sizes}\"\narrive = {time}\n"
                );
            }
        }
        text += "\n[transport]\ncongestion = \"dctcp\"\nmin_rto = \"10 ms\"\n";
        if let Some(fail) = &self.fail {
            text += &failure("fail", fail, ["agg0.0", "core0"])?;
        }
        let schemes: &[String] = if self.schemes.is_empty() { &["ecmp".to_owned()] } else { &self.schemes };
        for scheme in schemes {
            text += &format!("\n[[scheme]]\nname = {}\n", quoted(scheme));
            text += &match split(scheme) {
                ("mptcp", detail) => {
                    let subflows = match detail.map(str::parse::<u16>) {
                        None => 8,
                        Some(Ok(subflows)) if (1..=64).contains(&subflows) => subflows,
                        Some(_) => {
                            return Err(wrong(
                                "scheme",
                                format!("{scheme:?} has no number of subflows from 1 to 64"),
                            ));
                        }
                    };
                    format!(
                        "balance.kind = \"ecmp\"\ntransport = {{ congestion = \"lia\", ecn = true }}\nmptcp.subflows = {subflows}\n"
                    )
                }
                // Packets that overtake one another are no losses.
                ("spray", None) => "balance.kind = \"spray\"\ntransport.detection = \"rack\"\n".to_owned(),
                (word, None) if BALANCES.contains(&word) => format!("balance.kind = \"{word}\"\n"),
                _ => return Err(unknown("scheme", scheme, &BALANCES)),
            };
        }
        Ok(text)
    }
}

/// `rate,delay[,loss]` as an inline table.
fn radio(key: &str, text: &str, packets: u32) -> Result<String, Error> {
    let parts: Vec<&str> = text.split(',').collect();
    let (rate, delay, loss) = match parts[..] {
        [rate, delay] => (rate, delay, None),
        [rate, delay, loss] => (rate, delay, Some(loss)),
        _ => {
            return Err(wrong(
                key,
                format!("{text:?} is not rate and delay, as \"20 Mb/s,10 ms\", and perhaps loss"),
            ));
        }
    };
    let loss = match loss.map(|loss| (loss, loss.trim().parse::<f64>())) {
        None => String::new(),
        Some((_, Ok(loss))) if (0.0..=1.0).contains(&loss) => format!(", loss = {loss:?}"),
        Some((loss, _)) => return Err(wrong(key, format!("loss {loss:?} is not a number from 0 to 1"))),
    };
    Ok(format!(
        "{{ rate = {}, delay = {}, buffer = \"{packets} packets\"{loss} }}",
        quoted(rate),
        quoted(delay)
    ))
}

impl Phone {
    /// The scenario as text that [`Scenario::parse`](super::Scenario::parse) reads.
    ///
    /// # Errors
    /// A word that is unknown, with the nearest that is known. Numbers and units are for `parse` to check.
    pub fn text(&self) -> Result<String, Error> {
        let mut text = format!(
            "# A phone that loads from a server, with handshakes and options as on the wire.\n\
             name = \"phone\"\nduration = {}\n{}\nsample = \"100 ms\"\n\n[topology]\nkind = \"phone\"\nwifi = {}\ncellular = {}\n",
            quoted(&self.time),
            seeds(&self.seeds),
            radio("wifi", &self.wifi, 64)?,
            radio("cellular", &self.cellular, 128)?
        );
        let bytes = self.size.as_deref().map_or("\"endless\"".to_owned(), quoted);
        text += &format!(
            "\n[workload]\nkind = \"flows\"\n\n[[workload.flow]]\nfrom = \"server\"\nto = \"phone\"\nbytes = {bytes}\n"
        );
        if let Some(leave) = &self.leave {
            text += &failure("leave", leave, ["phone", "access-point"])?;
        }
        if self.capture {
            for host in ["phone", "server"] {
                text += &format!("\n[[capture]]\nhost = \"{host}\"\nfile = \"{host}.pcapng\"\n");
            }
        }
        text += "\n[transport]\npreset = \"internet\"\n";
        let schemes: &[String] = if self.schemes.is_empty() { &["mptcp".to_owned()] } else { &self.schemes };
        for scheme in schemes {
            text += &format!("\n[[scheme]]\nname = {}\n", quoted(scheme));
            let scheduler = match split(scheme) {
                ("tcp", None) => {
                    text += "transport.congestion = \"cubic\"\n";
                    continue;
                }
                ("mptcp", None) => "lowest-rtt",
                ("mptcp", Some(scheduler)) if SCHEDULERS.contains(&scheduler) => scheduler,
                ("mptcp", Some(scheduler)) => return Err(unknown("scheme", scheduler, &SCHEDULERS)),
                _ => return Err(unknown("scheme", scheme, &["tcp", "mptcp"])),
            };
            text += &format!(
                "transport.congestion = \"lia\"\nmptcp = {{ subflows = 2, version = {}, scheduler = \"{scheduler}\" }}\n",
                self.mptcp_version
            );
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Scenario, Topology, Workload};
    use crate::time::Duration;

    fn fabric() -> Fabric {
        Fabric {
            schemes: BALANCES.iter().map(|&name| name.to_owned()).chain(["mptcp:3".to_owned()]).collect(),
            k: 4,
            oversubscription: 2,
            rate: "10 Gb/s".to_owned(),
            traffic: "web-search".to_owned(),
            time: "20 ms".to_owned(),
            fail: Some("5 ms,9 ms".to_owned()),
            loads: vec![],
            seeds: vec![4, 5],
        }
    }

    fn phone() -> Phone {
        Phone {
            schemes: ["tcp", "mptcp", "mptcp:redundant"].map(str::to_owned).to_vec(),
            wifi: "20 Mb/s,10 ms,0.0005".to_owned(),
            cellular: "8 Mb/s, 35 ms".to_owned(),
            leave: Some("5 s".to_owned()),
            size: Some("20 MB".to_owned()),
            time: "30 s".to_owned(),
            mptcp_version: 0,
            capture: true,
            seeds: vec![],
        }
    }

    fn parse(text: &str) -> Scenario {
        Scenario::parse(text, "short", &mut |_| Err(std::io::ErrorKind::NotFound.into()))
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn a_fabric() {
        let it = parse(&fabric().text().unwrap());
        assert_eq!(it.schemes.len(), 8);
        assert_eq!((it.loads.as_slice(), it.seeds.as_slice()), (&[0.4][..], &[4, 5][..]));
        assert_eq!(it.schemes[7].transport.multipath.as_ref().map(|it| it.subflows), Some(3));
        assert!(it.failures[0].repair.is_some());
        for traffic in TRAFFIC {
            let it = parse(&Fabric { traffic: traffic.to_owned(), ..fabric() }.text().unwrap());
            match &it.workload {
                Workload::Poisson { arrive, .. } => assert_eq!(*arrive, Duration::from_millis(20)),
                Workload::Incast { senders, .. } => assert_eq!(*senders, 31),
                _ => assert_eq!(it.duration, Duration::from_millis(20)),
            }
        }
    }

    #[test]
    fn a_phone() {
        let it = parse(&phone().text().unwrap());
        let Topology::Phone(network) = &it.topology else { panic!("no phone") };
        assert_eq!((network.wifi.0.rate.bps(), network.wifi.1.loss), (20_000_000, 0.0005));
        assert_eq!((it.captures.len(), it.failures.len()), (2, 1));
        let versions: Vec<_> =
            it.schemes.iter().map(|it| it.wire.as_ref().map(|wire| wire.version)).collect();
        assert_eq!(versions, [None, Some(0), Some(0)]);
        assert!(it.schemes.iter().all(|scheme| scheme.handshake));
    }

    #[test]
    fn words_that_are_unknown() {
        let fabric = |change: &dyn Fn(&mut Fabric)| {
            let mut it = fabric();
            change(&mut it);
            it.text().unwrap_err().to_string()
        };
        assert_eq!(
            fabric(&|it| it.schemes = vec!["flowblender".to_owned()]),
            "short form: scheme: \"flowblender\" is unknown; did you mean \"flowbender\"?"
        );
        assert_eq!(
            fabric(&|it| it.schemes = vec!["mptcp:99".to_owned()]),
            "short form: scheme: \"mptcp:99\" has no number of subflows from 1 to 64"
        );
        assert_eq!(
            fabric(&|it| it.traffic = "websearch".to_owned()),
            "short form: traffic: \"websearch\" is unknown; did you mean \"web-search\"?"
        );
        assert_eq!(
            fabric(&|it| it.fail = Some("1,2,3".to_owned())),
            "short form: fail: \"1,2,3\" is not one time, or two with a comma between"
        );
        let phone = |change: &dyn Fn(&mut Phone)| {
            let mut it = phone();
            change(&mut it);
            it.text().unwrap_err().to_string()
        };
        assert_eq!(
            phone(&|it| it.wifi = "fast".to_owned()),
            "short form: wifi: \"fast\" is not rate and delay, as \"20 Mb/s,10 ms\", and perhaps loss"
        );
        assert_eq!(
            phone(&|it| it.cellular = "1 Mb/s,1 ms,2".to_owned()),
            "short form: cellular: loss \"2\" is not a number from 0 to 1"
        );
        assert_eq!(
            phone(&|it| it.schemes = vec!["mptcp:redundent".to_owned()]),
            "short form: scheme: \"redundent\" is unknown; did you mean \"redundant\"?"
        );
    }

    /// What stands between quotes stays there.
    #[test]
    fn words_are_no_toml() {
        let it = Fabric { rate: "1\"\nname = \"x".to_owned(), ..fabric() };
        let text = it.text().unwrap();
        assert!(text.contains(r#"rate = "1\"\u000Aname = \"x""#), "{text}");
    }
}
