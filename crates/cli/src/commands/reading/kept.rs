//! Rows in memory, the many rows of detail only for connections that somebody wants to look at.

use subflow_analysis::rows::{AnyRow, Sink, Tables};

/// Whose details are kept.
#[derive(Clone, Copy, Debug, Default)]
enum Details {
    /// Nobody's yet.
    #[default]
    None,
    /// Everybody's: the connections were asked for.
    All,
    /// Those of this connection, the only one so far.
    Of(u64),
    /// None: there are several connections, and somebody will have to choose.
    Several,
}

/// Keeps all rows; details of the connections that were asked for, or else as long as there is one connection.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) tables: Tables,
    details: Details,
}

impl Kept {
    /// What is to be kept when connections were asked for, or none were.
    pub(super) fn new(asked: bool) -> Self {
        let details = if asked { Details::All } else { Details::None };
        Self { details, ..Self::default() }
    }
}

impl Sink for Kept {
    fn row(&mut self, row: AnyRow) {
        let id = match &row {
            AnyRow::Packet(row) => row.connection_id,
            AnyRow::Carriage(row) => row.connection_id,
            AnyRow::Sample(row) => row.connection_id,
            _ => return self.tables.row(row),
        };
        match self.details {
            Details::None => self.details = Details::Of(id),
            Details::Of(kept) if kept != id => {
                self.details = Details::Several;
                (self.tables.packets, self.tables.carriages, self.tables.samples) = Default::default();
            }
            _ => {}
        }
        if matches!(self.details, Details::Of(_) | Details::All) {
            self.tables.row(row);
        }
    }
}
