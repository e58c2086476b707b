//! The state of a scan on disk: small, written whole and put in place at once, so that a killed scan goes on where it was.
//!
//! It holds the position below which every target is settled and its rows flushed. What a scan begins with after that
//! is probed again: at most what was probed in the cooldowns before it was killed.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::settings::Settings;
use crate::Error;
use crate::targets::Plan;

const FIRST_LINE: &str = "subflow scan state 1";

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The seed of order and probes, to go on with the same one.
    pub seed: u64,
    /// The digest of the plan, the kinds of probe, the canary and the source ports.
    pub campaign: String,
    /// Every target below this position is settled.
    pub settled: u64,
    /// Beginning of the first run, in nanoseconds since the Unix epoch.
    pub started_ns: i64,
    /// How often it was resumed.
    pub resumed: u64,
}

impl State {
    /// The state before anything is sent.
    pub fn new(plan: &Plan, settings: &Settings, started_ns: i64) -> Self {
        Self { seed: plan.seed(), campaign: campaign(plan, settings), settled: 0, started_ns, resumed: 0 }
    }

    /// Reads the state of any campaign.
    pub fn peek(path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::State { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).ok_or_else(|| wrong("not the state of a scan".to_owned()))
    }

    /// Reads the state of the same campaign.
    pub fn read(path: &Path, plan: &Plan, settings: &Settings) -> Result<Self, Error> {
        let wrong = |reason: String| Error::State { path: path.to_owned(), reason };
        let state = Self::peek(path)?;
        if state.campaign != campaign(plan, settings) {
            return Err(wrong("the state of another scan: targets, order, kinds or ports differ".to_owned()));
        }
        if state.settled > plan.len() {
            return Err(wrong("more targets settled than there are".to_owned()));
        }
        Ok(state)
    }

    /// Writes it: to a file beside it, to the disk, and then under its name.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = Path::new(&name);
        let written = File::create(new).and_then(|mut file| {
            file.write_all(self.to_text().as_bytes())?;
            file.sync_data()
        });
        written
            .and_then(|()| fs::rename(new, path))
            .map_err(|error| Error::State { path: path.to_owned(), reason: error.to_string() })
    }

    fn to_text(&self) -> String {
        let Self { seed, campaign, settled, started_ns, resumed } = self;
        format!(
            "{FIRST_LINE}\nseed {seed}\ncampaign {campaign}\nsettled {settled}\nstarted_ns {started_ns}\nresumed {resumed}\nend\n"
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        // The first line, in two words of which one is the name.
        field("subflow").filter(|rest| FIRST_LINE.ends_with(rest))?;
        let state = Self {
            seed: field("seed")?.parse().ok()?,
            campaign: field("campaign")?.to_owned(),
            settled: field("settled")?.parse().ok()?,
            started_ns: field("started_ns")?.parse().ok()?,
            resumed: field("resumed")?.parse().ok()?,
        };
        (lines.next()? == "end").then_some(state)
    }
}

/// What must be the same for a scan to be resumed.
fn campaign(plan: &Plan, settings: &Settings) -> String {
    let (first, last) = settings.source_ports.range();
    format!("{} {} {} {first}-{last}", plan.digest(), settings.kinds, settings.canary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::{List, Wanted};

    fn plan(seed: u64) -> Plan {
        let mut targets = List::default();
        targets.add("10.0.0.0/24").unwrap();
        let ports = [80].into_iter().collect();
        Plan::new(Wanted { targets, ports, seed, special: true, shards: 1, ..Wanted::default() }).unwrap()
    }

    #[test]
    fn written_and_read_and_not_mistaken_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let settings = Settings::default();
        let state = State { settled: 77, resumed: 2, ..State::new(&plan(1), &settings, 123) };
        state.write(&path).unwrap();
        State { settled: 78, ..state.clone() }.write(&path).unwrap();
        assert_eq!(State::read(&path, &plan(1), &settings).unwrap(), State { settled: 78, ..state.clone() });
        let other = State::read(&path, &plan(2), &settings).unwrap_err().to_string();
        assert!(other.contains("the state of another scan"), "{other}");
        let canary = Settings { canary: true, ..Settings::default() };
        assert!(State::read(&path, &plan(1), &canary).is_err());
        State { settled: 257, ..state }.write(&path).unwrap();
        assert!(State::read(&path, &plan(1), &settings).is_err());
        assert!(State::read(&folder.path().join("none"), &plan(1), &settings).is_err());
    }

    #[test]
    fn a_cut_state_is_none() {
        let text = State::new(&plan(1), &Settings::default(), 5).to_text();
        assert!(State::parse(&text).is_some());
        for len in 0..text.len() - 1 {
            assert_eq!(State::parse(&text[..len]), None, "{len}");
        }
        assert_eq!(State::parse(&text.replace("state 1", "state 2")), None);
    }
}
