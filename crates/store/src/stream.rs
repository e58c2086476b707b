//! Tables into one stream: a JSON document, JSON lines, or the CSV of one table.

use crate::error::Error;
use crate::layout::Layout;
use crate::rows::table_and_cells;
use crate::selection::Selection;
use crate::writer::TableWriter;
use crate::{csv, json, jsonl};
use std::io::{self, Read, Seek, Write};
use subflow_analysis::rows::{AnyRow, Sink};
use subflow_rows::{Row, Value};
use tempfile::SpooledTempFile;

/// Bytes of a table of the JSON document that are kept in memory; what exceeds them waits in an unnamed file.
const SPOOL_BYTES: usize = 4 << 20;

/// Takes rows and writes the selected tables to a stream.
///
/// [`Sink::row`] cannot fail, so the first failure is kept: from then on rows are dropped, [`StreamSink::failure`]
/// tells, and [`StreamSink::finish`] returns it.
pub struct StreamSink<W: Write> {
    form: Form<W>,
    failure: Option<Error>,
}

enum Form<W: Write> {
    Json { tables: Vec<(Layout, json::Writer<SpooledTempFile>)>, out: W },
    Jsonl { layouts: Vec<Layout>, line: String, out: W },
    Csv { table: &'static str, writer: Box<csv::Writer<W>> },
}

impl<W: Write> StreamSink<W> {
    /// One JSON object: a key for each table in order, each an array of row objects. Rows arrive in no order of
    /// tables, so each table is held back until the end.
    pub fn json(selection: &Selection, out: W) -> Result<Self, Error> {
        let table = |layout: &Layout| {
            let writer = json::Writer::new(layout.clone(), SpooledTempFile::new(SPOOL_BYTES))?;
            Ok((layout.clone(), writer))
        };
        let tables =
            selection.layouts().iter().map(table).collect::<Result<_, _>>().map_err(Error::Stream)?;
        Ok(Self { form: Form::Json { tables, out }, failure: None })
    }

    /// One row a line, in the order in which rows become final.
    pub fn jsonl(selection: &Selection, out: W) -> Self {
        let layouts = selection.layouts().to_vec();
        Self { form: Form::Jsonl { layouts, line: String::new(), out }, failure: None }
    }

    /// One table as CSV.
    pub fn csv(layout: Layout, out: W) -> Result<Self, Error> {
        let table = layout.table;
        let writer = Box::new(csv::Writer::new(layout, out).map_err(Error::Stream)?);
        Ok(Self { form: Form::Csv { table, writer }, failure: None })
    }

    /// Takes a row of any table, also of those that do not come from the analysis.
    pub fn put<R: Row>(&mut self, row: &R) {
        if self.failure.is_none() {
            self.failure = self.form.row(R::SCHEMA.table, row.cells().as_ref()).err().map(Error::Stream);
        }
    }

    /// The first failure, after which no more rows are taken.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Lets the stream's reader have all rows so far; a JSON document holds them back. A failure is kept.
    pub fn flush(&mut self) -> Result<(), &Error> {
        if self.failure.is_none() {
            let flushed = match &mut self.form {
                Form::Jsonl { out, .. } => out.flush(),
                Form::Csv { writer, .. } => writer.flush(),
                Form::Json { .. } => Ok(()),
            };
            self.failure = flushed.err().map(Error::Stream);
        }
        self.failure.as_ref().map_or(Ok(()), Err)
    }

    /// Writes what was held back.
    pub fn finish(self) -> Result<(), Error> {
        match self.failure {
            Some(failure) => Err(failure),
            None => self.form.finish().map_err(Error::Stream),
        }
    }
}

impl<W: Write> Sink for StreamSink<W> {
    fn row(&mut self, row: AnyRow) {
        if self.failure.is_none() {
            let (table, cells) = table_and_cells(&row);
            self.failure = self.form.row(table, &cells).err().map(Error::Stream);
        }
    }
}

impl<W: Write> Form<W> {
    fn row(&mut self, table: &str, cells: &[Value<'_>]) -> io::Result<()> {
        match self {
            Self::Json { tables, .. } => match tables.iter_mut().find(|(layout, _)| layout.table == table) {
                Some((_, writer)) => writer.row(cells),
                None => Ok(()),
            },
            Self::Jsonl { layouts, line, out } => match layouts.iter().find(|layout| layout.table == table) {
                Some(layout) => {
                    line.clear();
                    jsonl::line(layout, cells, line);
                    out.write_all(line.as_bytes())
                }
                None => Ok(()),
            },
            Self::Csv { table: wanted, writer } if *wanted == table => writer.row(cells),
            Self::Csv { .. } => Ok(()),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Json { tables, out } => finish_document(tables, out),
            Self::Jsonl { mut out, .. } => out.flush(),
            Self::Csv { mut writer, .. } => writer.finish(),
        }
    }
}

fn finish_document<W: Write>(
    tables: Vec<(Layout, json::Writer<SpooledTempFile>)>,
    mut out: W,
) -> io::Result<()> {
    let mut text = Vec::with_capacity(1 << 16);
    for (index, (layout, mut writer)) in tables.into_iter().enumerate() {
        writer.finish()?;
        let spool = writer.get_mut();
        let length = spool.stream_position()?;
        spool.rewind()?;
        write!(out, "{}\"{}\": ", if index == 0 { "{\n" } else { ",\n" }, layout.table)?;
        // All but the newline that ends the array, in pieces.
        let mut left = length.saturating_sub(1);
        while left > 0 {
            text.clear();
            let piece = spool.take(left.min(1 << 16)).read_to_end(&mut text)?;
            if piece == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            out.write_all(&text)?;
            left = left.saturating_sub(u64::try_from(piece).unwrap_or(u64::MAX));
        }
    }
    out.write_all(b"\n}\n")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::{ClosedPipe, event, issue};
    use std::io::BufWriter;
    use subflow_analysis::rows::SCHEMAS;

    fn selection(tables: &[&str], fields: &[&str]) -> Selection {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Selection::new(&SCHEMAS, &owned(tables), &owned(fields), "connections").expect("exists")
    }

    #[test]
    fn a_json_document_has_every_table_in_order() {
        let mut out = Vec::new();
        let mut sink = StreamSink::json(&Selection::all(&SCHEMAS), &mut out).expect("starts");
        for row in [event(1), issue(3), event(2)] {
            sink.row(row);
        }
        sink.finish().expect("finishes");
        let text = String::from_utf8(out).expect("UTF-8");
        let places: Vec<_> =
            SCHEMAS.iter().map(|schema| text.find(&format!("\n\"{}\": [", schema.table))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["events"][1]["connection_id"], 2);
        assert_eq!(value["issues"][0]["count"], 3);
        assert_eq!(value["hosts"], serde_json::json!([]));
    }

    #[test]
    fn json_golden() {
        let mut out = Vec::new();
        let selection = selection(&["issues", "hosts"], &["issues.reason", "issues.count", "hosts.addr"]);
        let mut sink = StreamSink::json(&selection, &mut out).expect("starts");
        sink.row(issue(1));
        sink.row(event(1));
        sink.row(issue(2));
        sink.finish().expect("finishes");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "{\n\"hosts\": [],\n\"issues\": [\n{\"reason\":\"cut\",\"count\":1},\n{\"reason\":\"cut\",\"count\":2}\n]\n}\n"
        );
    }

    #[test]
    fn tables_larger_than_memory_come_out_whole() {
        let rows = 60_000;
        let mut out = Vec::new();
        let mut sink = StreamSink::json(&selection(&["events"], &[]), &mut out).expect("starts");
        (0..rows).for_each(|id| sink.row(event(id)));
        sink.finish().expect("finishes");
        assert!(out.len() > SPOOL_BYTES, "{} bytes do not leave the memory", out.len());
        let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        let ids =
            value["events"].as_array().expect("an array").iter().map(|row| row["connection_id"].as_u64());
        assert!(ids.eq((0..rows).map(Some)));
    }

    #[test]
    fn json_lines_keep_the_order_of_rows() {
        let mut out = Vec::new();
        let mut sink =
            StreamSink::jsonl(&selection(&["events", "issues"], &["connection_id", "count"]), &mut out);
        [event(5), issue(1), event(4)].into_iter().for_each(|row| sink.row(row));
        sink.finish().expect("finishes");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "{\"table\":\"events\",\"connection_id\":5}\n\
             {\"table\":\"issues\",\"count\":1}\n\
             {\"table\":\"events\",\"connection_id\":4}\n"
        );
    }

    #[test]
    fn csv_takes_one_table_only() {
        let mut out = Vec::new();
        let layout = selection(&["issues"], &["file", "count"]).layouts()[0].clone();
        let mut sink = StreamSink::csv(layout, &mut out).expect("starts");
        [event(5), issue(1)].into_iter().for_each(|row| sink.row(row));
        sink.finish().expect("finishes");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "file,count\na.pcap,1\n");
    }

    #[test]
    fn a_closed_pipe_is_told_apart() {
        let mut sink = StreamSink::jsonl(&Selection::all(&SCHEMAS), ClosedPipe);
        sink.row(event(1));
        assert!(sink.failure().is_some_and(Error::is_closed_pipe));
        assert!(sink.finish().unwrap_err().is_closed_pipe());

        let layout = Selection::all(&SCHEMAS).layouts()[7].clone();
        let told = StreamSink::csv(layout.clone(), ClosedPipe).err().expect("the header is not taken");
        assert!(told.is_closed_pipe());
        let held_back = BufWriter::new(ClosedPipe);
        let mut sink = StreamSink::csv(layout, held_back).expect("starts");
        sink.row(event(1));
        assert!(sink.finish().unwrap_err().is_closed_pipe());

        let sink = StreamSink::json(&Selection::all(&SCHEMAS), ClosedPipe).expect("starts");
        assert!(sink.finish().unwrap_err().is_closed_pipe());
    }
}
