//! What could not be used: counted by kind while packets pass, put into words at the end.

use crate::rows::{AnyRow, Issue, Sink};
use subflow_wire::LinkType;

/// A kind of packet (or of other things) that could not be used as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// No reader for this link type.
    UnknownLink(LinkType),
    /// A header that contradicts itself: which, and how.
    Damaged(&'static str, &'static str),
    /// Too short for a TCP header even on the wire.
    Stump,
    /// The snap length cut the TCP header.
    HeaderCut,
    /// The snap length cut the TCP options.
    OptionsCut,
    /// A TCP data offset beyond the end of the packet.
    OffsetBeyond,
    /// A TCP data offset below 5.
    BadOffset,
    /// Captured twice.
    Copy,
    /// Captured at another point, too.
    FarCopy,
    /// Captured on both sides of a NAT.
    NatCopy,
    /// IP fragments whose rest is missing.
    Fragments,
    /// Events and announcements beyond the limit of a connection.
    TooManyEvents,
    /// Joins beyond the limit of a connection.
    TooManySubflows,
}

impl Oddity {
    fn describe(self) -> String {
        match self {
            Self::UnknownLink(link) => {
                format!("link type {} is not supported; its packets were skipped", link.0)
            }
            Self::Damaged(layer, reason) => format!("damaged {layer} header: {reason}"),
            Self::Stump => "packet too short for a TCP header".to_owned(),
            Self::HeaderCut => "TCP header cut by the snap length".to_owned(),
            Self::OptionsCut => "TCP options cut by the snap length".to_owned(),
            Self::OffsetBeyond => "TCP header with a data offset beyond its packet".to_owned(),
            Self::BadOffset => "TCP header with a data offset below 5".to_owned(),
            Self::Copy => {
                "packets captured twice (mirror port, several interfaces, Wi-Fi repeats) were left out"
                    .to_owned()
            }
            Self::FarCopy => "packets of another capture point that this input also holds (both ends of a path?) were left \
                out; `subflow compare` holds two ends against each other"
                .to_owned(),
            Self::NatCopy => "packets captured on both sides of a NAT; one side was left out".to_owned(),
            Self::Fragments => "IP datagrams of which fragments are missing".to_owned(),
            Self::TooManySubflows => {
                "joins beyond the limit of a connection were counted as plain TCP".to_owned()
            }
            Self::TooManyEvents => "events and announcements beyond the limit of a connection".to_owned(),
        }
    }

    /// Whether the tables lack something because of it.
    const fn loses(self) -> bool {
        !matches!(self, Self::Copy | Self::FarCopy | Self::NatCopy)
    }
}

/// How often something was odd in one file.
#[derive(Clone, Copy, Debug)]
struct Tally {
    oddity: Oddity,
    /// Number of the file, and the first frame; `None` for what concerns no one file.
    place: Option<(u32, u64)>,
    count: u64,
}

/// The issues table in the making.
#[derive(Debug, Default)]
pub(crate) struct IssueTable {
    rows: Vec<Issue>,
    tallies: Vec<Tally>,
    /// Which of `tallies` was counted last: the same thing often comes in trains.
    last: usize,
    /// File and frame of the packet that is being looked at.
    here: (u32, u64),
    files: Vec<String>,
}

impl IssueTable {
    /// The next packet comes from here.
    pub(crate) fn at(&mut self, file: u32, frame: u64) {
        self.here = (file, frame);
    }

    /// Counts something odd about the packet that is being looked at.
    pub(crate) fn count(&mut self, oddity: Oddity) {
        self.tally(oddity, Some(self.here), 1);
    }

    /// Counts something odd that concerns no one file.
    pub(crate) fn count_all(&mut self, oddity: Oddity, count: u64) {
        if count > 0 {
            self.tally(oddity, None, count);
        }
    }

    fn tally(&mut self, oddity: Oddity, place: Option<(u32, u64)>, count: u64) {
        let file = |place: Option<(u32, u64)>| place.map(|place| place.0);
        let same = |tally: &Tally| tally.oddity == oddity && file(tally.place) == file(place);
        if !self.tallies.get(self.last).is_some_and(same) {
            self.last = self.tallies.iter().position(same).unwrap_or_else(|| {
                self.tallies.push(Tally { oddity, place, count: 0 });
                self.tallies.len() - 1
            });
        }
        if let Some(tally) = self.tallies.get_mut(self.last) {
            tally.count += count;
        }
    }

    /// Adds a row as it is.
    pub(crate) fn add(&mut self, issue: Issue) {
        self.rows.push(issue);
    }

    /// What the files are called, in the order of their numbers.
    pub(crate) fn name_files(&mut self, names: impl Iterator<Item = String>) {
        self.files = names.collect();
    }

    /// Writes the rows.
    pub(crate) fn finish(self, sink: &mut impl Sink) {
        let name = |(file, _): (u32, u64)| self.files.get(file as usize).cloned();
        let counted = self.tallies.iter().map(|tally| Issue {
            file: tally.place.and_then(name).unwrap_or_default(),
            offset: None,
            reason: match tally.place {
                Some((_, frame)) => format!("{}; first in frame {frame}", tally.oddity.describe()),
                None => tally.oddity.describe(),
            },
            count: tally.count,
            lost: tally.oddity.loses(),
        });
        for issue in self.rows.into_iter().chain(counted) {
            sink.row(AnyRow::Issue(issue));
        }
    }
}
