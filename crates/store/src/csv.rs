//! CSV as RFC 4180 has it, with a header line and lines that end in a bare newline.

use crate::layout::Layout;
use crate::writer::{TableWriter, plain};
use std::io::{self, Read, Write};
use subflow_rows::{ReadRow, Value};

/// One table as CSV.
///
/// Rows are put together here, not by the crate that reads them back: all but text needs no look for what must be quoted, and a
/// scan writes a million rows a second.
pub struct Writer<W: Write> {
    layout: Layout,
    out: W,
    line: String,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    pub fn new(layout: Layout, out: W) -> io::Result<Self> {
        let mut writer = Self::appending(layout, out);
        writer.line = header(&writer.layout);
        writer.end_line()?;
        Ok(writer)
    }

    /// Goes on where the header and some rows stand already.
    pub(crate) fn appending(layout: Layout, out: W) -> Self {
        Self { layout, out, line: String::new() }
    }

    fn end_line(&mut self) -> io::Result<()> {
        // A line with nothing on it would be no row.
        self.line.push_str(if self.line.is_empty() { "\"\"\n" } else { "\n" });
        self.out.write_all(self.line.as_bytes())
    }
}

impl<W: Write> TableWriter for Writer<W> {
    fn row(&mut self, cells: &[Value<'_>]) -> io::Result<()> {
        self.line.clear();
        for (index, (_, value)) in self.layout.values(cells).enumerate() {
            if index > 0 {
                self.line.push(',');
            }
            match value {
                Value::Text(words) => push_text(words, &mut self.line),
                value => plain(value, &mut self.line),
            }
        }
        self.end_line()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The first line of a table, without its end.
pub(crate) fn header(layout: &Layout) -> String {
    let mut line = String::new();
    for (index, field) in layout.fields.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        push_text(&field.name, &mut line);
    }
    line
}

/// Appends text, in quotes where RFC 4180 asks for them.
fn push_text(words: &str, line: &mut String) {
    if !words.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return line.push_str(words);
    }
    line.push('"');
    for (index, part) in words.split('"').enumerate() {
        if index > 0 {
            line.push_str("\"\"");
        }
        line.push_str(part);
    }
    line.push('"');
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
    use crate::rows::testing;
    use subflow_rows::Row;

    fn written(rows: &[testing::Sample]) -> String {
        let mut out = Vec::new();
        let mut writer = Writer::new(Layout::new(&testing::Sample::SCHEMA), &mut out).expect("starts");
        for row in rows {
            writer.row(row.cells().as_ref()).expect("takes a row");
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

    /// As the crate that reads tables back would write them.
    #[test]
    fn text_is_quoted_as_others_do() {
        let texts = ["", "a", ",", "\"", "a\"", "\"\"", "a\rb", "\n", " a ", "ü,é", "'", ";", "a\tb"];
        for (first, second) in texts.iter().flat_map(|first| texts.iter().map(move |second| (first, second)))
        {
            let column = |name: &str| (name.to_owned(), crate::layout::Form::Text);
            let (mut one, mut two) = (Vec::new(), Vec::new());
            let mut writer =
                Writer::new(Layout::result([column("x")].into_iter()), &mut one).expect("starts");
            writer.row(&[Value::Text(first)]).expect("takes a row");
            let mut writer = Writer::new(Layout::result([column("x,"), column("y")].into_iter()), &mut two)
                .expect("starts");
            writer.row(&[Value::Text(first), Value::Text(second)]).expect("takes a row");
            let expected = |rows: &[&[&str]]| {
                let mut writer = csv::Writer::from_writer(Vec::new());
                rows.iter().for_each(|row| writer.write_record(*row).expect("takes a row"));
                writer.into_inner().expect("written")
            };
            assert_eq!(one, expected(&[&["x"], &[first]]), "{first:?}");
            assert_eq!(two, expected(&[&["x,", "y"], &[first, second]]), "{first:?} {second:?}");
        }
    }

    #[test]
    fn no_rows_are_a_header() {
        assert_eq!(written(&[]).lines().count(), 1);
    }
}
