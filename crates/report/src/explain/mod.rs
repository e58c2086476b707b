//! Why each thing was counted as it was: claims in plain words, each with the frames that prove it and the rule.
//!
//! Everything is said from the tables of a detailed analysis ([`Options::detail`](subflow_analysis::Options::detail)); nothing is
//! measured a second time. One file a subject.

mod announcements;
mod claim;
mod closes;
mod conformance;
mod contents;
mod fallback;
mod handover;
mod joins;
mod middlebox;
mod reinjections;
mod render;
mod retransmissions;
mod unused;
mod view;
mod words;

pub use claim::{Claim, Subject};
pub use conformance::table as findings_table;
pub use contents::contents;
pub use render::{json, jsonl, text};

use subflow_analysis::rows::Tables;
use view::View;

/// What is to be explained.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// These subjects; empty means all.
    pub subjects: Vec<Subject>,
    /// Every reinjection and retransmission by itself instead of runs of them.
    pub all: bool,
}

impl Request {
    fn wants(&self, subject: Subject) -> bool {
        self.subjects.is_empty() || self.subjects.contains(&subject)
    }
}

/// The claims about a connection, subject by subject, in order of time within each; empty when there is no such connection.
pub fn explain(tables: &Tables, connection_id: u64, request: &Request) -> Vec<Claim> {
    let Some(view) = View::of(tables, connection_id) else { return Vec::new() };
    let mut claims = Vec::new();
    for &subject in Subject::ALL.iter().filter(|&&subject| request.wants(subject)) {
        match subject {
            Subject::Middlebox => middlebox::claims(&view, &mut claims),
            Subject::Fallback => fallback::claims(&view, &mut claims),
            Subject::Joins => joins::claims(&view, &mut claims),
            Subject::Handover => handover::claims(&view, &mut claims),
            Subject::Reinjections => reinjections::claims(&view, request.all, &mut claims),
            Subject::Retransmissions => retransmissions::claims(&view, request.all, &mut claims),
            Subject::Announcements => announcements::claims(&view, &mut claims),
            Subject::Unused => unused::claims(&view, &mut claims),
            Subject::Closes => closes::claims(&view, &mut claims),
            Subject::Conformance => conformance::claims(&view, &mut claims),
        }
    }
    claims
}
