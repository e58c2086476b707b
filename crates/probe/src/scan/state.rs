//! The state of a scan on disk: small, written whole and put in place at once, so that a killed scan goes on where it was.
//!
//! It holds the position below which every target is settled and its rows flushed. What a scan begins with after that
//! is probed again: at most what was probed in the cooldowns before it was killed.
//!
//! A power cut takes with it whatever is not yet on the disk, in any order. So rows are synced before the state that counts on them
//! ([`Sink::flush`](super::Sink::flush)), the state before it gets its name, and the folder, in which the name stands, last.

use std::fs::{self, File};
use std::io::{self, Write};
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

    /// Writes it: to a file beside it, to the disk, and then under its name. Whenever the power fails, the old state is there or the
    /// new one; when this returns it is the new one.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        put(&mut RealDisk, path, self.to_text().as_bytes())
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

/// What a disk does, step by step.
trait Disk {
    /// Makes a file with this content; until it is synced nobody knows how much of it a power cut leaves.
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the content of a file is on the disk.
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    /// Gives a file another name, which is on the disk when the folder is synced, and may be before.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Returns when the names in a folder are on the disk.
    fn sync_folder(&mut self, path: &Path) -> io::Result<()>;
}

/// Puts a file in the place of another at once, or not at all.
fn put(disk: &mut impl Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    disk.write(new, bytes)?;
    disk.sync(new)?;
    disk.rename(new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    disk.sync_folder(folder.unwrap_or(Path::new(".")))
}

/// The one of this machine.
struct RealDisk;

impl Disk for RealDisk {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        File::create(path)?.write_all(bytes)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_data()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        // Only Unix lets a folder be opened for it.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }
}

/// What must be the same for a scan to be resumed.
fn campaign(plan: &Plan, settings: &Settings) -> String {
    let (first, last) = settings.source_ports.range();
    format!("{} {} {} {first}-{last}", plan.digest(), settings.kinds, settings.canary)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

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

    /// A disk of which a power cut leaves what was synced, and of the rest what chance wants.
    #[derive(Clone, Default)]
    struct Model {
        /// Names and the numbers of their files, as the system shows them and as they are on the disk at least.
        names: BTreeMap<PathBuf, usize>,
        synced_names: BTreeMap<PathBuf, usize>,
        /// What files hold, and whether it is synced.
        files: Vec<(Vec<u8>, bool)>,
        /// Steps that are still made before the power fails.
        left: usize,
    }

    impl Model {
        fn step(&mut self) -> io::Result<()> {
            self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(())
        }

        /// Everything that may be read under a name after a power cut: file contents that are not synced may be cut anywhere.
        fn after_the_cut(&self, path: &Path) -> Vec<Vec<u8>> {
            let files = [&self.names, &self.synced_names].into_iter().filter_map(|names| names.get(path));
            files
                .flat_map(|&file| {
                    let (bytes, synced) = &self.files[file];
                    (if *synced { bytes.len() } else { 0 }..=bytes.len()).map(|len| bytes[..len].to_vec())
                })
                .collect()
        }
    }

    impl Disk for Model {
        fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
            self.names.insert(path.to_owned(), self.files.len());
            self.files.push((bytes.to_vec(), false));
            self.step()
        }

        fn sync(&mut self, path: &Path) -> io::Result<()> {
            self.step()?;
            self.files[self.names[path]].1 = true;
            Ok(())
        }

        fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
            self.step()?;
            let file = self.names.remove(from).unwrap();
            self.names.insert(to.to_owned(), file);
            Ok(())
        }

        fn sync_folder(&mut self, _path: &Path) -> io::Result<()> {
            self.step()?;
            self.synced_names.clone_from(&self.names);
            Ok(())
        }
    }

    #[test]
    fn whenever_the_power_fails_there_is_a_whole_state() {
        let path = Path::new("out/scan.state");
        let first = State::new(&plan(1), &Settings::default(), 5);
        let second = State { settled: 99, ..first.clone() };
        let mut disk = Model { left: usize::MAX, ..Model::default() };
        put(&mut disk, path, first.to_text().as_bytes()).unwrap();
        for steps in 0..=4 {
            let mut disk = Model { left: steps, ..disk.clone() };
            let done = put(&mut disk, path, second.to_text().as_bytes());
            assert_eq!(done.is_ok(), steps == 4);
            let found = disk.after_the_cut(path);
            assert!(!found.is_empty());
            for bytes in found {
                let state = State::parse(std::str::from_utf8(&bytes).unwrap());
                assert!(
                    state == Some(second.clone()) || steps < 4 && state == Some(first.clone()),
                    "{steps}"
                );
            }
        }
    }

    #[test]
    fn a_state_that_cannot_be_written_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let settings = Settings::default();
        let state = State::new(&plan(1), &settings, 5);
        state.write(&path).unwrap();
        // Where the new one is to be written there is a folder.
        fs::create_dir(folder.path().join("state.new")).unwrap();
        let error = State { settled: 7, ..state.clone() }.write(&path).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        assert_eq!(State::read(&path, &plan(1), &settings).unwrap(), state);
        // What a power cut left of a new one is in nobody's way.
        fs::remove_dir(folder.path().join("state.new")).unwrap();
        fs::write(folder.path().join("state.new"), "subflow sc").unwrap();
        State { settled: 7, ..state.clone() }.write(&path).unwrap();
        assert_eq!(State::read(&path, &plan(1), &settings).unwrap(), State { settled: 7, ..state });
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
