//! JSON lines: one row a line, with the table's name first, so that many tables can share one stream.

use crate::json::members;
use crate::layout::Layout;
use crate::writer::TableWriter;
use std::io::{self, Write};
use subflow_rows::Value;

/// One table as JSON lines.
#[derive(Debug)]
pub struct Writer<W> {
    layout: Layout,
    out: W,
    line: String,
}

impl<W: Write> Writer<W> {
    /// A writer of this table's lines.
    pub fn new(layout: Layout, out: W) -> Self {
        Self { layout, out, line: String::new() }
    }
}

impl<W: Write> TableWriter for Writer<W> {
    fn row(&mut self, cells: &[Value<'_>]) -> io::Result<()> {
        self.line.clear();
        line(&self.layout, cells, &mut self.line);
        self.out.write_all(self.line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Appends a row's line.
pub(crate) fn line(layout: &Layout, cells: &[Value<'_>], line: &mut String) {
    line.push('{');
    // The result of a query is no table of the dictionary.
    if !layout.table.is_empty() {
        line.push_str("\"table\":\"");
        line.push_str(layout.table);
        line.push_str("\",");
    }
    members(layout, cells, line);
    line.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing;
    use subflow_rows::Row;

    #[test]
    fn golden() {
        let mut out = Vec::new();
        let mut writer = Writer::new(Layout::new(&testing::Sample::SCHEMA), &mut out);
        writer.row(&testing::full().cells()).expect("takes a row");
        writer.row(&testing::empty().cells()).expect("takes a row");
        writer.finish().expect("finishes");
        let text = String::from_utf8(out).expect("UTF-8");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].starts_with(r#"{"table":"samples","sample_id":1,"start":"2026-01-02T03"#),
            "{}",
            lines[0]
        );
        for line in lines {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(value["table"], "samples");
        }
    }
}
