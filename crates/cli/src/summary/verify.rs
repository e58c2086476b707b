//! What verifications proved, on the terminal.

use super::sheet::Sheet;
use crate::text::{counted, grouped};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use subflow_probe::rows::{Conclusion, Verification};
use subflow_probe::verify::{self, Settings, Target};

/// Servers that are told one by one.
const ONE_BY_ONE: usize = 20;

/// Version, conclusion, and what it means in words.
type Told = (u8, Conclusion, String);

/// What rows say together, gathered as they come.
#[derive(Debug, Default)]
pub(crate) struct Proved {
    /// How many rows of each conclusion, of versions 0 and 1.
    counts: BTreeMap<Conclusion, [u64; 2]>,
    /// The first servers, with a sentence a version.
    told: BTreeMap<(IpAddr, u16), Vec<Told>>,
    /// Whether each server supports a version.
    supporting: BTreeMap<(IpAddr, u16), bool>,
}

impl Proved {
    /// Takes a row.
    pub(crate) fn add(&mut self, row: &Verification) {
        let count = self.counts.entry(row.conclusion).or_default();
        count[usize::from(row.version.min(1))] += 1;
        let server = (row.addr, row.port);
        *self.supporting.entry(server).or_default() |= row.conclusion.supports();
        if self.told.len() < ONE_BY_ONE || self.told.contains_key(&server) {
            self.told.entry(server).or_default().push((row.version, row.conclusion, verify::words(row)));
        }
    }

    /// Servers that there are rows of.
    pub(crate) fn servers(&self) -> u64 {
        self.supporting.len() as u64
    }

    /// Those of them that support a version.
    pub(crate) fn supporting(&self) -> u64 {
        self.supporting.values().filter(|supports| **supports).count() as u64
    }

    /// The report.
    pub(crate) fn report(&self) -> String {
        let mut text = String::new();
        if self.supporting.len() <= ONE_BY_ONE {
            for (&(addr, port), rows) in &self.told {
                text.push_str(&format!("{}\n", SocketAddr::new(addr, port)));
                let mut rows = rows.clone();
                rows.sort_by_key(|(version, ..)| u8::MAX - version);
                for (version, conclusion, words) in rows {
                    let name = conclusion.as_str().replace('_', " ");
                    text.push_str(&folded(&format!("  v{version}  {name:<20}"), &words));
                }
                text.push('\n');
            }
        }
        if self.supporting.len() > 1 {
            text.push_str(&self.table());
        }
        text.trim_end().to_owned() + "\n"
    }

    fn table(&self) -> String {
        let mut sheet = Sheet::new(&["conclusion", "meaning", "version 1", "version 0"], 2);
        for (conclusion, [v0, v1]) in &self.counts {
            let name = conclusion.as_str().to_owned();
            sheet.row([name, meaning(*conclusion).to_owned(), grouped(*v1), grouped(*v0)]);
        }
        let (servers, supporting) = (counted(self.servers(), "server"), grouped(self.supporting()));
        sheet.under(&format!("{servers}, {supporting} with Multipath TCP"))
    }
}

/// Words behind a head, broken so that lines stay within the page.
pub(super) fn folded(head: &str, words: &str) -> String {
    const WIDTH: usize = 100;
    let indent = head.chars().count();
    let (mut text, mut column) = (head.to_owned(), indent);
    for word in words.split(' ') {
        let length = word.chars().count() + 1;
        if column + length > WIDTH && column > indent {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        }
        text.push(' ');
        text.push_str(word);
        column += length;
    }
    text + "\n"
}

fn meaning(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::TrueSupport => "both keys and a second subflow are proved",
        Conclusion::RefusesJoins => "both keys are proved; takes no second subflow",
        Conclusion::Unproven => "acknowledges our data properly, and proves no key of its own",
        Conclusion::KeyRewritten => "a box changes a key in the handshake",
        Conclusion::StrippedInData => "a box takes the option out of packets behind the handshake",
        Conclusion::BlockedInData => "data with the option does not get through",
        Conclusion::Proxied => "something nearer answers in its place",
        Conclusion::FallsBack => "plain TCP works, Multipath TCP is given up",
        Conclusion::Mirrored => "returns what it is sent: no support",
        Conclusion::Malformed => "answers with options that no version allows",
        Conclusion::DroppedWithOption => "answers only SYNs without the option",
        Conclusion::ResetWithOption => "resets SYNs with the option",
        Conclusion::NoTcp => "answers SYNs, and nothing else",
        Conclusion::Closed => "resets every SYN",
        Conclusion::Unreachable => "cannot be reached",
        Conclusion::Filtered => "nothing answers",
    }
}

/// What would be verified.
pub(crate) fn dry_run(targets: &[Target], settings: &Settings) -> String {
    let mut text = "Dry run: nothing was sent\n".to_owned();
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<16}{value}\n"));
    line("servers", &grouped(targets.len() as u64));
    let of =
        |wanted: fn(&Target) -> bool| grouped(targets.iter().filter(|target| wanted(target)).count() as u64);
    line("version 1", &of(|target| target.versions.v1));
    line("version 0", &of(|target| target.versions.v0));
    match settings.rate {
        Some(rate) => line("rate", &format!("{} packets/s", grouped(rate.round() as u64))),
        None => line("rate", "as fast as it goes"),
    }
    line("contact", settings.contact.as_deref().unwrap_or("none (--contact)"));
    for (number, target) in targets.iter().take(5).enumerate() {
        let place = SocketAddr::new(target.addr, target.port).to_string();
        line(if number == 0 { "first servers" } else { "" }, &place);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_under_their_beginning() {
        let text = folded("  v1  true", &"word ".repeat(40));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("           word")), "{text}");
    }
}
