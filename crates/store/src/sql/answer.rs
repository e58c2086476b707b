//! What a statement yields, and how it is written.

use super::cells::{self, Cells};
use super::error::run;
use super::grid::Grid;
use super::{Error, Session};
use crate::layout::Layout;
use crate::writer::TableWriter;
use crate::{csv, json, jsonl, parquet};
use arrow_array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use std::future::poll_fn;
use std::io::Write;
use std::task::Poll;
use tokio::runtime::Runtime;

/// What a statement yields.
pub enum Answer<'a> {
    /// Rows.
    Rows(Rows<'a>),
    /// Words.
    Text(String),
    /// Nothing: a view or a setting was made.
    Done,
}

/// The forms of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Aligned columns for people; blocks of lines where they are wider than a terminal of `width` columns.
    Table {
        /// Columns of the terminal; none where there is no terminal.
        width: Option<usize>,
    },
    /// A JSON array of row objects.
    Json,
    /// JSON lines.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// Apache Parquet, compressed with zstd.
    Parquet,
}

/// The rows of an answer, computed as they are written.
pub struct Rows<'a> {
    runtime: &'a Runtime,
    layout: Layout,
    batches: Batches,
}

enum Batches {
    Stream(SendableRecordBatchStream),
    Ready(std::vec::IntoIter<RecordBatch>),
}

impl<'a> Rows<'a> {
    pub(super) fn of_stream(runtime: &'a Runtime, stream: SendableRecordBatchStream) -> Self {
        let layout = cells::layout(&stream.schema());
        Self { runtime, layout, batches: Batches::Stream(stream) }
    }

    pub(super) fn ready(session: &'a Session, batch: RecordBatch) -> Self {
        let layout = cells::layout(&batch.schema());
        Self { runtime: session.runtime(), layout, batches: Batches::Ready(vec![batch].into_iter()) }
    }

    /// Computes the rows and writes them; returns how many. `cancelled` is asked again and again meanwhile.
    ///
    /// # Errors
    /// The query failed or was cancelled, or the output takes no more.
    pub fn write<W>(self, form: Form, out: W, cancelled: &dyn Fn() -> bool) -> Result<u64, Error>
    where
        W: Write + Send,
    {
        let layout = self.layout.clone();
        match form {
            Form::Table { width } => self.pour(Grid::new(layout, out, width), cancelled),
            Form::Json => self.pour(json::Writer::new(layout, out)?, cancelled),
            Form::Jsonl => self.pour(jsonl::Writer::new(layout, out), cancelled),
            Form::Csv => self.pour(csv::Writer::new(layout, out)?, cancelled),
            Form::Parquet => self.pour(parquet::Writer::new(layout, out)?, cancelled),
        }
    }

    fn pour(mut self, mut writer: impl TableWriter, cancelled: &dyn Fn() -> bool) -> Result<u64, Error> {
        let mut rows = 0_u64;
        while let Some(batch) = self.next(cancelled)? {
            let columns = Cells::new(&batch, &self.layout)?;
            let mut cells = Vec::new();
            for row in 0..columns.rows() {
                columns.row(row, &mut cells);
                writer.row(&cells)?;
                rows += 1;
            }
        }
        writer.finish()?;
        Ok(rows)
    }

    fn next(&mut self, cancelled: &dyn Fn() -> bool) -> Result<Option<RecordBatch>, Error> {
        match &mut self.batches {
            Batches::Ready(batches) => Ok(batches.next()),
            Batches::Stream(stream) => self.runtime.block_on(poll_fn(|context| {
                // The engine gives way every few batches, however long a query takes.
                if cancelled() {
                    return Poll::Ready(Err(Error::Cancelled));
                }
                stream.as_mut().poll_next(context).map(|next| next.transpose().map_err(run))
            })),
        }
    }
}
