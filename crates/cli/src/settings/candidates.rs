//! Whose servers are looked at one by one: what is named, what lists hold, and what a scan left over.

use super::Talk;
use super::scan::gateway;
use crate::args::{CandidateArgs, NetworkArgs};
use crate::console;
use crate::failure::Failure;
use crate::text::counted;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use subflow_probe::network;
use subflow_probe::targets::{List, Ports, Ranges};
use subflow_store::records::{self, Record, RecordError};

/// Bad lines of lists that are told word by word unless more is asked for.
const TOLD: usize = 5;
/// Addresses of a list that are looked at one by one, at most.
const MOST: u64 = 10_000_000;
/// What the verdicts of a scan begin with that leave nothing to be looked at: nobody answers there.
const DEAD: [&str; 5] = ["closed", "filtered", "unreachable", "open", "no_tcp"];

/// An address and a port, with what is known of it from before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) addr: IpAddr,
    pub(crate) port: u16,
    /// Whether it answered version 1, as far as is known.
    pub(crate) v1: bool,
    /// Whether it answered version 0.
    pub(crate) v0: bool,
    /// Whether it only returned what it was sent.
    pub(crate) mirrored: bool,
    /// The verdict of a scan.
    pub(crate) verdict: Option<String>,
    /// The conclusions of a verification, version by version.
    pub(crate) conclusions: Vec<String>,
}

impl Candidate {
    fn new(addr: IpAddr, port: u16) -> Self {
        Self { addr, port, v1: false, v0: false, mirrored: false, verdict: None, conclusions: Vec::new() }
    }

    /// Whether somebody answers there.
    pub(crate) fn is_alive(&self) -> bool {
        self.verdict.iter().chain(&self.conclusions).any(|said| !DEAD.contains(&said.as_str()))
            || (self.verdict.is_none() && self.conclusions.is_empty())
    }
}

/// Candidates, each once, in the order in which they were named.
#[derive(Debug, Default)]
struct Gathered {
    all: Vec<Candidate>,
    places: BTreeMap<(IpAddr, u16), usize>,
}

impl Gathered {
    fn at(&mut self, addr: IpAddr, port: u16) -> &mut Candidate {
        let place = *self.places.entry((addr, port)).or_insert_with(|| {
            self.all.push(Candidate::new(addr, port));
            self.all.len() - 1
        });
        &mut self.all[place]
    }
}

/// Everything that the arguments name, but for what must not be probed.
pub(crate) fn candidates(args: &CandidateArgs, strict: bool, talk: Talk) -> Result<Vec<Candidate>, Failure> {
    let ports: Ports = args.ports.parse()?;
    let mut gathered = Gathered::default();
    for text in &args.targets {
        for (addr, port) in named(text, &ports)? {
            gathered.at(addr, port);
        }
    }
    let mut lists = List::default();
    for path in &args.lists {
        lists.add_file(path, strict)?;
    }
    tell_bad_lines(&lists, talk);
    for addr in addresses(&lists)? {
        for port in all(&ports) {
            gathered.at(addr, port);
        }
    }
    for path in &args.from {
        stored(path, &mut gathered)?;
    }
    let mut never = List::default();
    for path in &args.opt_out {
        never.add_file(path, strict)?;
    }
    tell_bad_lines(&never, talk);
    let (v4, v6) = (Ranges::union(never.v4), Ranges::union(never.v6));
    gathered.all.retain(|candidate| match candidate.addr {
        IpAddr::V4(addr) => !v4.contains(addr.into()),
        IpAddr::V6(addr) => !v6.contains(addr.into()),
    });
    Ok(gathered.all)
}

/// The way to them, where it is told.
pub(crate) fn network(args: &NetworkArgs) -> Result<network::Options, Failure> {
    Ok(network::Options {
        interface: args.interface.clone(),
        sources: args.source_ip.clone(),
        gateway_mac: gateway(args.gateway_mac.as_deref())?,
        ports: None,
    })
}

fn all(ports: &Ports) -> impl Iterator<Item = u16> {
    (0..ports.len()).filter_map(|number| ports.at(number))
}

/// `ADDR`, `ADDR:PORT`, `[V6]:PORT`, `NAME` or `NAME:PORT`; names are looked up, and stand for all their addresses.
pub(crate) fn named(text: &str, ports: &Ports) -> Result<Vec<(IpAddr, u16)>, Failure> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(addr) = bare.parse::<IpAddr>() {
        return Ok(all(ports).map(|port| (addr, port)).collect());
    }
    if let Ok(place) = text.parse::<std::net::SocketAddr>() {
        return Ok(vec![(place.ip(), place.port())]);
    }
    let wrong = |reason: &str| {
        Failure::usage(format!("'{text}': {reason}"))
            .hint("targets are addresses or names, with a port as 192.0.2.1:443, [2001:db8::1]:443 or example.org:443; many of them come from --list or --from")
    };
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => {
            (name, Some(port.parse::<u16>().map_err(|_| wrong("no port after the colon"))?))
        }
        None => (text, None),
    };
    if name.is_empty() || name.contains(['/', ':', ' ']) {
        return Err(wrong("neither address nor name"));
    }
    let found =
        (name, 0).to_socket_addrs().map_err(|error| wrong(&format!("the name is not known: {error}")))?;
    let mut addrs: Vec<IpAddr> = found.map(|place| place.ip()).collect();
    addrs.sort_unstable();
    addrs.dedup();
    let each = |addr: IpAddr| -> Vec<(IpAddr, u16)> {
        match port {
            Some(port) => vec![(addr, port)],
            None => all(ports).map(|port| (addr, port)).collect(),
        }
    };
    Ok(addrs.into_iter().flat_map(each).collect())
}

/// The addresses of a list, one by one.
fn addresses(list: &List) -> Result<Vec<IpAddr>, Failure> {
    let (v4, v6) = (Ranges::union(list.v4.clone()), Ranges::union(list.v6.clone()));
    let size = v4.size().zip(v6.size()).and_then(|(v4, v6)| v4.checked_add(v6));
    if size.is_none_or(|size| size > u128::from(MOST)) {
        return Err(Failure::usage("the lists hold too many addresses to look at them one by one")
            .hint("find out first which of them answer, with subflow scan -o DIR, and give --from DIR"));
    }
    let v4 =
        v4.as_slice().iter().flat_map(|&(first, last)| (first..=last).map(|addr| IpAddr::V4(addr.into())));
    let v6 =
        v6.as_slice().iter().flat_map(|&(first, last)| (first..=last).map(|addr| IpAddr::V6(addr.into())));
    Ok(v4.chain(v6).collect())
}

/// Tells which lines of lists cannot be read: the first ones word by word, all of them when more is asked for.
pub(crate) fn tell_bad_lines(list: &List, talk: Talk) {
    if talk.quiet || list.bad_lines == 0 {
        return;
    }
    let told = if talk.verbose { list.bad.len() } else { TOLD };
    list.bad.iter().take(told).for_each(console::warning);
    let lines = counted(list.bad_lines, "line");
    console::warning(format!(
        "{lines} of the lists cannot be read and are passed over (--strict refuses them)"
    ));
}

/// Columns of table `targets` of a scan: the first three are needed.
const OF_SCAN: [&str; 6] = ["addr", "port", "verdict", "v1", "v0", "both"];
/// Columns of table `verifications`.
const OF_VERIFY: [&str; 4] = ["addr", "port", "version", "conclusion"];

/// What a scan or a verification left: a file of either, the folder of one or both, or standard input.
fn stored(path: &Path, gathered: &mut Gathered) -> Result<(), Failure> {
    type Reading<'a> = Box<dyn Fn(&str, &[&str]) -> Result<Vec<Record>, RecordError> + 'a>;
    let bytes;
    let read: Reading<'_> = if path == Path::new("-") {
        let mut text = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut text)
            .map_err(|error| Failure::failed(format!("standard input cannot be read: {error}")))?;
        bytes = text;
        Box::new(|table, columns| {
            records::read_stream(bytes.as_slice(), "standard input", table, columns, needed(columns))
        })
    } else {
        Box::new(|table, columns| records::read(path, table, columns, needed(columns)))
    };
    let (scan, verify) = (read("targets", &OF_SCAN), read("verifications", &OF_VERIFY));
    match (scan, verify) {
        (Err(RecordError::File { .. } | RecordError::Line { .. }), Err(error)) => {
            return Err(Failure::failed(error));
        }
        (Err(error), Err(_)) => {
            return Err(Failure::usage(error)
                .hint("--from takes what subflow scan or subflow verify wrote: a folder, Parquet, JSON lines or CSV"));
        }
        (scan, verify) => {
            let bad = || Failure::failed(format!("{}: a row has no address, or no port", path.display()));
            for row in scan.unwrap_or_default() {
                of_scan(&row, gathered).ok_or_else(bad)?;
            }
            for row in verify.unwrap_or_default() {
                of_verify(&row, gathered).ok_or_else(bad)?;
            }
        }
    }
    Ok(())
}

/// How many of the columns must be there.
fn needed(columns: &[&str]) -> usize {
    if columns == OF_SCAN { 3 } else { columns.len() }
}

fn of_scan(row: &Record, gathered: &mut Gathered) -> Option<()> {
    let [addr, port, verdict, v1, v0, both] = row.as_slice() else { return None };
    let candidate = gathered.at(addr.as_deref()?.parse().ok()?, port.as_deref()?.parse().ok()?);
    let answered =
        |version: &str| [v1, v0, both].into_iter().any(|finding| finding.as_deref() == Some(version));
    let verdict = verdict.as_deref()?;
    candidate.v1 |= answered("v1") || matches!(verdict, "supports_v1" | "supports_both");
    candidate.v0 |= answered("v0") || matches!(verdict, "supports_v0" | "supports_both");
    candidate.mirrored |= verdict == "mirrored";
    candidate.verdict = Some(verdict.to_owned());
    Some(())
}

fn of_verify(row: &Record, gathered: &mut Gathered) -> Option<()> {
    let [addr, port, version, conclusion] = row.as_slice() else { return None };
    let candidate = gathered.at(addr.as_deref()?.parse().ok()?, port.as_deref()?.parse().ok()?);
    let conclusion = conclusion.as_deref()?;
    if conclusion == "mirrored" {
        candidate.mirrored = true;
    } else if !DEAD.contains(&conclusion) && conclusion != "falls_back" {
        candidate.v1 |= version.as_deref() == Some("1");
        candidate.v0 |= version.as_deref() == Some("0");
    }
    candidate.conclusions.push(conclusion.to_owned());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const QUIET: Talk = Talk { quiet: true, verbose: false, progress: false };

    fn args(from: &[PathBuf]) -> CandidateArgs {
        CandidateArgs { from: from.to_vec(), ports: "80,443".to_owned(), ..CandidateArgs::default() }
    }

    #[test]
    fn targets_as_they_are_typed() {
        let ports: Ports = "80,443".parse().expect("ports");
        let of = |text: &str| {
            let found = named(text, &ports).map_err(|failure| failure.to_string())?;
            Ok::<_, String>(found.iter().map(|(addr, port)| format!("{addr} {port}")).collect::<Vec<_>>())
        };
        assert_eq!(of("192.0.2.1"), Ok(vec!["192.0.2.1 80".into(), "192.0.2.1 443".into()]));
        assert_eq!(of("192.0.2.1:8080"), Ok(vec!["192.0.2.1 8080".into()]));
        assert_eq!(of("2001:db8::1"), Ok(vec!["2001:db8::1 80".into(), "2001:db8::1 443".into()]));
        assert_eq!(of("[2001:db8::1]:99"), Ok(vec!["2001:db8::1 99".into()]));
        assert_eq!(of("[2001:db8::1]").map(|all| all.len()), Ok(2));
        assert!(of("localhost:7").is_ok_and(|all| all.contains(&"127.0.0.1 7".to_owned())));
        assert!(of("192.0.2.0/24").is_err_and(|error| error.contains("neither address nor name")));
        assert!(of("example.org:http").is_err_and(|error| error.contains("no port")));
        assert!(of("").is_err());
    }

    #[test]
    fn what_a_scan_and_a_verification_left() {
        let dir = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("writes");
        put(
            "targets.csv",
            "addr,port,verdict,v1,v0\n192.0.2.1,80,supports_v1,v1,no_option\n192.0.2.2,80,mirrored,mirrored,\n\
             192.0.2.3,80,filtered,,\n2001:db8::4,443,dropped_with_option,,\n",
        );
        put(
            "verifications.jsonl",
            "{\"addr\":\"192.0.2.1\",\"port\":80,\"version\":1,\"conclusion\":\"proxied\"}\n",
        );
        let found = candidates(&args(&[dir.path().to_owned()]), false, QUIET).expect("reads");
        let said: Vec<_> = found
            .iter()
            .map(|c| (c.addr.to_string(), c.v1, c.v0, c.mirrored, c.is_alive(), c.conclusions.len()))
            .collect();
        assert_eq!(
            said,
            [
                ("192.0.2.1".to_owned(), true, false, false, true, 1),
                ("192.0.2.2".to_owned(), false, false, true, true, 0),
                ("192.0.2.3".to_owned(), false, false, false, false, 0),
                ("2001:db8::4".to_owned(), false, false, false, true, 0),
            ]
        );
        put("no.txt", "192.0.2.0/31\n2001:db8::/32\n");
        let opted =
            CandidateArgs { opt_out: vec![dir.path().join("no.txt")], ..args(&[dir.path().to_owned()]) };
        assert_eq!(candidates(&opted, false, QUIET).expect("reads").len(), 2);
        let error = candidates(&args(&[dir.path().join("no.txt")]), false, QUIET).unwrap_err();
        assert!(error.to_string().contains("there is no column `addr`"), "{error}");
    }

    #[test]
    fn lists_are_taken_address_by_address() {
        let dir = tempfile::tempdir().expect("a folder");
        let list = dir.path().join("list.txt");
        std::fs::write(&list, "192.0.2.0/30\n2001:db8::1\n").expect("writes");
        let few = CandidateArgs { lists: vec![list.clone()], ..args(&[]) };
        assert_eq!(candidates(&few, true, QUIET).expect("reads").len(), 10);
        std::fs::write(&list, "::/0\n").expect("writes");
        assert!(
            candidates(&few, true, QUIET).unwrap_err().next_step().unwrap_or_default().contains("--from")
        );
    }
}
