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
                "packets captured twice (mirror port, several interfaces, Wi-Fi repeats, both sides of a NAT) were left out"
                    .to_owned()
            }
            Self::Fragments => "IP datagrams of which fragments are missing".to_owned(),
            Self::TooManySubflows => "joins beyond the limit of a connection were counted as plain TCP".to_owned(),
            Self::TooManyEvents => "events and announcements beyond the limit of a connection".to_owned(),
        }
    }

    /// Whether the tables lack something because of it.
    const fn loses(self) -> bool {
        !matches!(self, Self::Copy)
    }
}

/// The issues table in the making.
#[derive(Debug, Default)]
pub(crate) struct IssueTable {
    rows: Vec<Issue>,
    counts: Vec<(Oddity, u64)>,
}

impl IssueTable {
    /// Counts something that could not be used.
    pub(crate) fn count(&mut self, oddity: Oddity, count: u64) {
        match self.counts.iter_mut().find(|entry| entry.0 == oddity) {
            Some(entry) => entry.1 += count,
            None if count > 0 => self.counts.push((oddity, count)),
            None => {}
        }
    }

    /// Adds a row as it is.
    pub(crate) fn add(&mut self, issue: Issue) {
        self.rows.push(issue);
    }

    /// Writes the rows.
    pub(crate) fn finish(self, sink: &mut impl Sink) {
        let counted = self.counts.into_iter().map(|(oddity, count)| Issue {
            file: String::new(),
            offset: None,
            reason: oddity.describe(),
            count,
            lost: oddity.loses(),
        });
        for issue in self.rows.into_iter().chain(counted) {
            sink.row(AnyRow::Issue(issue));
        }
    }
}
