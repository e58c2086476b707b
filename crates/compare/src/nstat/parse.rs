//! The kernel's counters as its tools print them.

use std::collections::BTreeMap;
use subflow_rows::names;

names! {
    /// An end of the connections.
    pub enum Host {
        /// The end that opens connections.
        Client => "client",
        /// The end that they are opened to.
        Server => "server",
    }
}

/// What all MPTCP counters begin with.
const PREFIX: &str = "MPTcpExt";

/// The MPTCP counters of one host, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    values: BTreeMap<String, u64>,
}

/// A file that holds no MPTCP counters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A line whose second word is no number.
    #[error("line {line}: counter {name} has no number")]
    Number {
        /// Line number, from 1.
        line: usize,
        /// The counter.
        name: String,
    },
    /// A line of values that does not fit the line of names before it.
    #[error("line {line}: {names} names, but {values} values")]
    Columns {
        /// Line number, from 1.
        line: usize,
        /// Names.
        names: usize,
        /// Values.
        values: usize,
    },
    /// JSON that is none.
    #[error("not valid JSON: {0}")]
    Json(String),
    /// Nothing of MPTCP in it.
    #[error("no counter that begins with MPTcpExt in it")]
    Nothing,
}

impl Counters {
    /// A counter; 0 when it is not listed, as `nstat` leaves out zeros.
    pub fn get(&self, name: &str) -> u64 {
        self.values.get(name).copied().unwrap_or_default()
    }

    /// All counters by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.values.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// What was counted since `before`; a counter that fell (the host was started anew) counts from zero.
    pub fn since(&self, before: &Self) -> Self {
        let delta = |(name, value): (&String, &u64)| {
            let before = before.get(name);
            (name.clone(), value.checked_sub(before).unwrap_or(*value))
        };
        Self { values: self.values.iter().map(delta).collect() }
    }

    fn add(&mut self, name: &str, value: u64) {
        if name.starts_with(PREFIX) {
            self.values.insert(name.to_owned(), value);
        }
    }
}

/// Reads counters: the text of `nstat`, `nstat -j`, `/proc/net/netstat` (the difference of two copies in one file, as
/// packetdrill's tests store them), or a JSON object with `counters` of `client` and `server`. Each set comes with its host
/// where the file tells.
pub fn parse(text: &str) -> Result<Vec<(Option<Host>, Counters)>, ParseError> {
    let sets = if text.trim_start().starts_with('{') { json(text)? } else { vec![(None, lines(text)?)] };
    if sets.iter().all(|(_, counters)| counters.values.is_empty()) {
        return Err(ParseError::Nothing);
    }
    Ok(sets)
}

fn json(text: &str) -> Result<Vec<(Option<Host>, Counters)>, ParseError> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| ParseError::Json(error.to_string()))?;
    let of = |object: &serde_json::Value| {
        let mut counters = Counters::default();
        for (name, value) in object.as_object().into_iter().flatten() {
            if let Some(value) = value.as_u64() {
                counters.add(name, value);
            }
        }
        counters
    };
    let hosts = value.get("counters").unwrap_or(&value);
    let named: Vec<_> = Host::ALL
        .iter()
        .filter_map(|host| hosts.get(host.as_str()).map(|object| (Some(*host), of(object))))
        .collect();
    if !named.is_empty() {
        return Ok(named);
    }
    Ok(vec![(None, of(hosts.get("kernel").unwrap_or(hosts)))])
}

fn lines(text: &str) -> Result<Counters, ParseError> {
    let mut counters = Counters::default();
    // Of /proc/net/netstat: the names of the group, and what an earlier copy counted.
    let mut names: Option<(usize, Vec<&str>)> = None;
    let mut before: Option<Counters> = None;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if let Some(rest) = line.strip_prefix("MPTcpExt:") {
            let words: Vec<_> = rest.split_whitespace().collect();
            match names.take() {
                None => names = Some((number, words)),
                Some((_, names)) if names.len() == words.len() => {
                    let mut copy = Counters::default();
                    for (name, word) in names.iter().zip(words) {
                        let value = word
                            .parse()
                            .map_err(|_| ParseError::Number { line: number, name: (*name).to_owned() })?;
                        copy.add(&format!("{PREFIX}{name}"), value);
                    }
                    counters = match &before {
                        None => copy.clone(),
                        Some(before) => copy.since(before),
                    };
                    before.get_or_insert(copy);
                }
                Some((_, names)) => {
                    return Err(ParseError::Columns {
                        line: number,
                        names: names.len(),
                        values: words.len(),
                    });
                }
            }
        } else if line.starts_with(PREFIX) {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap_or_default();
            let value = words.next().and_then(|word| word.parse().ok());
            counters
                .add(name, value.ok_or_else(|| ParseError::Number { line: number, name: name.to_owned() })?);
        }
    }
    Ok(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Counters {
        let mut sets = parse(text).expect("counters");
        assert_eq!(sets.len(), 1);
        sets.remove(0).1
    }

    #[test]
    fn every_form_gives_the_same() {
        let text = "#kernel\nIpInReceives                    15435              0.0\n\
                    MPTcpExtMPCapableSYNTX          3                  0.0\nMPTcpExtAddAddr                 0                  0.0\n";
        let json = r#"{"kernel":{"IpInReceives":15435,"MPTcpExtMPCapableSYNTX":3,"MPTcpExtAddAddr":0}}"#;
        let proc = "TcpExt: SyncookiesSent\nTcpExt: 9\nMPTcpExt: MPCapableSYNTX AddAddr\nMPTcpExt: 3 0\n";
        for form in [text, json, proc] {
            let counters = one(form);
            assert_eq!((counters.get("MPTcpExtMPCapableSYNTX"), counters.iter().count()), (3, 2), "{form}");
        }
    }

    #[test]
    fn two_copies_in_one_file_are_before_and_after() {
        let counters = one("MPTcpExt: A B\nMPTcpExt: 1 5\nMPTcpExt: A B\nMPTcpExt: 4 5\n");
        assert_eq!((counters.get("MPTcpExtA"), counters.get("MPTcpExtB")), (3, 0));
    }

    #[test]
    fn hosts_are_told_where_the_file_tells() {
        let sets =
            parse(r#"{"counters":{"client":{"MPTcpExtA":1},"server":{"MPTcpExtB":2}}}"#).expect("two sets");
        assert_eq!(
            sets.iter().map(|set| set.0).collect::<Vec<_>>(),
            [Some(Host::Client), Some(Host::Server)]
        );
    }

    #[test]
    fn a_counter_since_before() {
        let (before, after) = (one("MPTcpExtA 5\nMPTcpExtB 9\n"), one("MPTcpExtA 7\nMPTcpExtB 2\n"));
        let since = after.since(&before);
        assert_eq!((since.get("MPTcpExtA"), since.get("MPTcpExtB")), (2, 2));
    }

    #[test]
    fn what_is_no_counters_is_told() {
        assert_eq!(parse("hello"), Err(ParseError::Nothing));
        assert_eq!(parse("{}"), Err(ParseError::Nothing));
        assert!(matches!(parse("{"), Err(ParseError::Json(_))));
        assert_eq!(parse("MPTcpExtA x"), Err(ParseError::Number { line: 1, name: "MPTcpExtA".to_owned() }));
        assert_eq!(
            parse("MPTcpExt: A B\nMPTcpExt: 1"),
            Err(ParseError::Columns { line: 2, names: 2, values: 1 })
        );
    }
}
