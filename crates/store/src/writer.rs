//! What every file format can do with a table, and the text of one cell.

use crate::time::Rfc3339;
use std::fmt::{self, Write as _};
use std::io;
use subflow_rows::{Value, push_addr, push_hex, push_int};

/// Takes the rows of one table, one at a time.
pub trait TableWriter {
    /// Appends a row: its cells in the order of the table's schema.
    fn row(&mut self, cells: &[Value<'_>]) -> io::Result<()>;

    /// Hands on the rows so far where the format allows it; more may follow.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes what is still held back and whatever closes the file. No row may follow.
    fn finish(&mut self) -> io::Result<()>;
}

/// Appends the plain text of a cell: nothing for null, the shortest digits that read back as the same number, times
/// as RFC 3339.
pub(crate) fn plain(value: Value<'_>, text: &mut String) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => text.push_str(if flag { "true" } else { "false" }),
        Value::Int(number) => push_int(number, text),
        Value::Float(number) if number.is_finite() => push(format_args!("{number:?}"), text),
        Value::Float(_) => {}
        Value::Text(words) => text.push_str(words),
        Value::Addr(addr) => push_addr(addr, text),
        Value::Hex { value, digits } => push_hex(value, digits, text),
        Value::Time(ns) => push(format_args!("{}", Rfc3339(ns)), text),
    }
}

fn push(words: fmt::Arguments<'_>, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(words);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value<'_>) -> String {
        let mut text = String::new();
        plain(value, &mut text);
        text
    }

    #[test]
    fn numbers_read_back_as_the_same() {
        for number in [0.0, 1.0, 0.1, 1e-7, 1e300, f64::MIN_POSITIVE, 123_456.789, -2.5] {
            assert_eq!(text(Value::Float(number)).parse(), Ok(number));
        }
        assert_eq!(text(Value::Float(0.1)), "0.1");
        assert_eq!(text(Value::Float(f64::NAN)), "");
        assert_eq!(text(Value::Int(i64::MIN)), "-9223372036854775808");
    }

    #[test]
    fn hexadecimal_numbers_keep_their_leading_zeros() {
        assert_eq!(text(Value::Hex { value: 0xabc, digits: 8 }), "00000abc");
        assert_eq!(text(Value::Hex { value: u64::MAX, digits: 16 }), "ffffffffffffffff");
    }
}
