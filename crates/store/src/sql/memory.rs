//! Rows of the analysis in memory, as columns.

use crate::batch::{Batcher, schema};
use crate::layout::Layout;
use crate::rows::table_and_cells;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::sync::Arc;
use subflow_analysis::rows::{AnyRow, Sink};
use subflow_rows::Schema;

/// Rows of a batch: large enough that a query spends its time in columns, small enough to grow by.
const BATCH_ROWS: usize = 8192;

/// A [`Sink`] that keeps the rows of the wanted tables in memory, to be given to [`Session::load`](super::Session::load).
///
/// Columns take a fraction of the memory that row structs do. Rows of other tables are dropped.
pub struct MemorySink {
    tables: Vec<Table>,
}

/// One table in memory.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) batches: Vec<RecordBatch>,
    pub(super) schema: SchemaRef,
    rows: Batcher,
}

impl MemorySink {
    /// Keeps these tables.
    pub fn new(schemas: &[Schema]) -> Self {
        let table = |wanted: &Schema| {
            let layout = Layout::new(wanted);
            Table {
                name: wanted.table,
                batches: Vec::new(),
                schema: Arc::new(schema(&layout)),
                rows: Batcher::new(layout),
            }
        };
        Self { tables: schemas.iter().map(table).collect() }
    }

    /// The tables, whole.
    pub(super) fn into_tables(mut self) -> Vec<Table> {
        self.tables.iter_mut().for_each(Table::flush);
        self.tables
    }
}

impl Table {
    fn flush(&mut self) {
        // The builders make what the schema says: a batch that does not fit it cannot come about.
        if let Ok(Some(batch)) = self.rows.take() {
            self.batches.push(batch);
        }
    }
}

impl Sink for MemorySink {
    fn row(&mut self, row: AnyRow) {
        let (name, cells) = table_and_cells(&row);
        if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
            table.rows.append(&cells);
            if table.rows.len() >= BATCH_ROWS {
                table.flush();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::{event, issue};
    use subflow_analysis::rows::{Event, SCHEMAS};
    use subflow_rows::Row;

    #[test]
    fn rows_become_batches_of_bounded_size() {
        let mut sink = MemorySink::new(&[Event::SCHEMA]);
        (0..20_000).for_each(|id| sink.row(event(id)));
        sink.row(issue(1));
        let tables = sink.into_tables();
        assert_eq!(tables.len(), 1);
        let rows: Vec<_> = tables[0].batches.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(rows, [8192, 8192, 3616]);
    }

    #[test]
    fn tables_without_rows_have_their_schema() {
        let tables = MemorySink::new(&SCHEMAS).into_tables();
        assert_eq!(tables.len(), SCHEMAS.len());
        assert!(tables.iter().all(|table| table.batches.is_empty() && !table.schema.fields().is_empty()));
    }
}
