//! What every file format can do with a table, and the text of one cell.

use crate::time::Rfc3339;
use std::fmt::Write as _;
use std::io;
use subflow_rows::Value;

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
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Null => Ok(()),
        Value::Bool(flag) => write!(text, "{flag}"),
        Value::Int(number) => write!(text, "{number}"),
        Value::Float(number) if number.is_finite() => write!(text, "{number:?}"),
        Value::Float(_) => Ok(()),
        Value::Text(words) => write!(text, "{words}"),
        Value::Addr(addr) => write!(text, "{addr}"),
        Value::Hex { value, digits } => write!(text, "{value:0width$x}", width = usize::from(digits)),
        Value::Time(ns) => write!(text, "{}", Rfc3339(ns)),
    };
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
