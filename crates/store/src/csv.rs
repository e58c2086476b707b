//! CSV as RFC 4180 has it, with a header line and lines that end in a bare newline.

use crate::layout::Layout;
use crate::writer::{TableWriter, plain};
use std::io::{self, Read, Write};
use subflow_rows::{ReadRow, Value};

/// One table as CSV.
pub struct Writer<W: Write> {
    layout: Layout,
    csv: csv::Writer<W>,
    cell: String,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    pub fn new(layout: Layout, out: W) -> io::Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(layout.fields.iter().map(|field| field.name.as_bytes())).map_err(plain_error)?;
        Ok(Self { layout, csv, cell: String::new() })
    }

    /// Goes on where the header and some rows stand already.
    pub(crate) fn appending(layout: Layout, out: W) -> Self {
        Self { layout, csv: csv::Writer::from_writer(out), cell: String::new() }
    }
}

impl<W: Write> TableWriter for Writer<W> {
    fn row(&mut self, cells: &[Value<'_>]) -> io::Result<()> {
        for (_, value) in self.layout.values(cells) {
            self.cell.clear();
            plain(value, &mut self.cell);
            self.csv.write_field(&self.cell).map_err(plain_error)?;
        }
        self.csv.write_record(None::<&[u8]>).map_err(plain_error)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

/// The error below the CSV writer's own: a closed pipe must stay recognisable.
pub(crate) fn plain_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// Reads a table back, as [`Writer`] wrote it with all its columns. The error names the line.
pub fn read<R: ReadRow>(input: impl Read) -> io::Result<Vec<R>> {
    let wrong = |line: u64, what: &str| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("line {line}: no row of table `{}`: {what}", R::SCHEMA.table),
        )
    };
    let mut csv = csv::Reader::from_reader(input);
    let names = R::SCHEMA.columns.iter().map(|column| column.name);
    if !csv.headers().map_err(plain_error)?.iter().eq(names) {
        return Err(wrong(1, "other columns"));
    }
    let mut rows = Vec::new();
    for record in csv.records() {
        let record = record.map_err(plain_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(R::from_texts(&mut record.iter()).ok_or_else(|| wrong(line, "a cell of another type"))?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{cells, testing};
    use subflow_rows::Row;

    fn written(rows: &[testing::Sample]) -> String {
        let mut out = Vec::new();
        let mut writer = Writer::new(Layout::new(&testing::Sample::SCHEMA), &mut out).expect("starts");
        for row in rows {
            writer.row(&cells(row)).expect("takes a row");
        }
        writer.finish().expect("finishes");
        drop(writer);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn golden() {
        assert_eq!(
            written(&[testing::full(), testing::empty()]),
            "sample_id,start,start_ns,rate,name,addr,key,good,seen,seen_ns\n\
             1,2026-01-02T03:04:05.000000006Z,1767323045000000006,0.1,\"a \"\"b\"\", c\nd\",192.0.2.1,00000abc,true,\
             1969-12-31T23:59:59.999999999Z,-1\n\
             2,1970-01-01T00:00:00.000000000Z,0,,,,,,,\n"
        );
    }

    #[test]
    fn reads_back() {
        let text = written(&[testing::full()]);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let record = reader.records().next().expect("a record").expect("well-formed");
        assert_eq!(&record[4], "a \"b\", c\nd");
        assert_eq!(record[3].parse(), Ok(0.1));
    }

    #[test]
    fn no_rows_are_a_header() {
        assert_eq!(written(&[]).lines().count(), 1);
    }
}
