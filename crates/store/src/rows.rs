//! Cells of the rows that the analysis yields.

use subflow_analysis::rows::AnyRow;
use subflow_rows::{Row, Value};

/// The table that a row belongs to, and its cells.
pub(crate) fn table_and_cells(row: &AnyRow) -> (&'static str, Vec<Value<'_>>) {
    fn of<R: Row>(row: &R) -> (&'static str, Vec<Value<'_>>) {
        (R::SCHEMA.table, row.cells().as_ref().to_vec())
    }
    match row {
        AnyRow::Traffic(row) => of(row),
        AnyRow::Connection(row) => of(&**row),
        AnyRow::Subflow(row) => of(&**row),
        AnyRow::Announcement(row) => of(row),
        AnyRow::Reinjection(row) => of(row),
        AnyRow::Stall(row) => of(row),
        AnyRow::Series(row) => of(&**row),
        AnyRow::Event(row) => of(row),
        AnyRow::Host(row) => of(row),
        AnyRow::Issue(row) => of(row),
        AnyRow::Packet(row) => of(&**row),
        AnyRow::Carriage(row) => of(row),
        AnyRow::Sample(row) => of(row),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Rows for tests: a table with a column of every kind, and rows of real tables.

    use std::io;
    use std::net::IpAddr;
    use subflow_analysis::rows::{AnyRow, Direction, Event, EventKind, Issue};
    use subflow_rows::{Hex32, Time, table};

    table! {
        /// One row per sample | with a bar.
        pub struct Sample: "samples" {
            /// Its number.
            pub sample_id: u64,
            /// When it
            /// began.
            pub start: Time,
            /// How fast.
            pub rate: Option<f64> => "bit/s",
            /// What it is called.
            pub name: String,
            /// Where it lives.
            pub addr: Option<IpAddr>,
            /// Its key.
            pub key: Option<Hex32>,
            /// Whether it is.
            pub good: Option<bool>,
            /// When it was seen.
            pub seen: Option<Time>,
        }
    }

    /// A row in which everything is known, with characters that every text format must escape.
    pub(crate) fn full() -> Sample {
        Sample {
            sample_id: 1,
            start: Time(1_767_323_045_000_000_006),
            rate: Some(0.1),
            name: "a \"b\", c\nd".to_owned(),
            addr: Some(IpAddr::from([192, 0, 2, 1])),
            key: Some(Hex32(0xabc)),
            good: Some(true),
            seen: Some(Time(-1)),
        }
    }

    /// A row in which nothing is known that need not be.
    pub(crate) fn empty() -> Sample {
        Sample {
            sample_id: 2,
            start: Time(0),
            rate: None,
            name: String::new(),
            addr: None,
            key: None,
            good: None,
            seen: None,
        }
    }

    pub(crate) fn event(connection_id: u64) -> AnyRow {
        AnyRow::Event(Event {
            connection_id,
            subflow_id: 1,
            time: Time(1_767_323_045_000_000_006),
            frame: 42,
            direction: Direction::C2s,
            kind: EventKind::MpPrio,
            detail: "backup".to_owned(),
            finding: None,
            rule: Some("RFC 8684, section 3.3.8"),
        })
    }

    pub(crate) fn issue(count: u64) -> AnyRow {
        AnyRow::Issue(Issue {
            file: "a.pcap".to_owned(),
            offset: None,
            reason: "cut".to_owned(),
            count,
            lost: true,
        })
    }

    /// Refuses every byte, as a pipe does whose reader went away.
    pub(crate) struct ClosedPipe;

    impl io::Write for ClosedPipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
