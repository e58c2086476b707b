//! JSON: an array of row objects, one row a line.

use crate::layout::Layout;
use crate::writer::{TableWriter, plain};
use std::io::{self, Write};
use subflow_rows::Value;

/// One table as a JSON array.
#[derive(Debug)]
pub struct Writer<W> {
    layout: Layout,
    out: W,
    line: String,
    rows: u64,
}

impl<W: Write> Writer<W> {
    /// Starts the array.
    pub fn new(layout: Layout, mut out: W) -> io::Result<Self> {
        out.write_all(b"[")?;
        Ok(Self { layout, out, line: String::new(), rows: 0 })
    }

    /// What it writes to.
    pub(crate) fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }
}

impl<W: Write> TableWriter for Writer<W> {
    fn row(&mut self, cells: &[Value<'_>]) -> io::Result<()> {
        self.line.clear();
        self.line.push_str(if self.rows == 0 { "\n{" } else { ",\n{" });
        members(&self.layout, cells, &mut self.line);
        self.line.push('}');
        self.rows += 1;
        self.out.write_all(self.line.as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(if self.rows == 0 { b"]\n" } else { b"\n]\n" })?;
        self.out.flush()
    }
}

/// Appends `"name":value` for every column, separated by commas.
pub(crate) fn members(layout: &Layout, cells: &[Value<'_>], line: &mut String) {
    for (index, (field, value)) in layout.values(cells).enumerate() {
        if index > 0 {
            line.push(',');
        }
        line.push('"');
        line.push_str(&field.name);
        line.push_str("\":");
        member(value, line);
    }
}

fn member(value: Value<'_>, line: &mut String) {
    match value {
        Value::Null => line.push_str("null"),
        Value::Float(number) if !number.is_finite() => line.push_str("null"),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => plain(value, line),
        Value::Text(words) => quoted(words, line),
        // Nothing in these needs escaping.
        Value::Addr(_) | Value::Hex { .. } | Value::Time(_) => {
            line.push('"');
            plain(value, line);
            line.push('"');
        }
    }
}

/// Appends a JSON string.
fn quoted(words: &str, line: &mut String) {
    if words.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        line.push('"');
        line.push_str(words);
        line.push('"');
    } else {
        line.push_str(&serde_json::Value::from(words).to_string());
    }
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
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn golden() {
        assert_eq!(
            written(&[testing::full(), testing::empty()]),
            concat!(
                "[\n",
                r#"{"sample_id":1,"start":"2026-01-02T03:04:05.000000006Z","start_ns":1767323045000000006,"rate":0.1,"#,
                r#""name":"a \"b\", c\nd","addr":"192.0.2.1","key":"00000abc","good":true,"#,
                r#""seen":"1969-12-31T23:59:59.999999999Z","seen_ns":-1},"#,
                "\n",
                r#"{"sample_id":2,"start":"1970-01-01T00:00:00.000000000Z","start_ns":0,"rate":null,"#,
                r#""name":"","addr":null,"key":null,"good":null,"seen":null,"seen_ns":null}"#,
                "\n]\n",
            )
        );
    }

    #[test]
    fn reads_back() {
        let value: serde_json::Value =
            serde_json::from_str(&written(&[testing::full(), testing::empty()])).expect("JSON");
        assert_eq!(value[0]["name"], "a \"b\", c\nd");
        assert_eq!(value[0]["start_ns"], 1_767_323_045_000_000_006_i64);
        assert_eq!(value[0]["rate"], 0.1);
        assert!(value[1]["rate"].is_null());
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        assert_eq!(written(&[]), "[]\n");
    }

    #[test]
    fn every_control_character_is_escaped() {
        for byte in 0..0x20_u8 {
            let words = format!("a{}b", char::from(byte));
            let mut line = String::new();
            quoted(&words, &mut line);
            assert_eq!(serde_json::from_str::<String>(&line).expect("a JSON string"), words);
        }
    }
}
