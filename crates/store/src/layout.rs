//! The columns of a table as they are written: times stand twice, and a selection may leave columns out.

use std::borrow::Cow;
use subflow_rows::{Kind, Schema, Value};

/// What a written column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// A double.
    Float,
    /// UTF-8 text.
    Text,
    /// A moment in UTC: a timestamp of microseconds in Parquet, RFC 3339 text with nanoseconds elsewhere.
    Timestamp,
    /// The same moment as an integer: nanoseconds since 1970-01-01 UTC.
    Nanoseconds,
}

impl Form {
    /// The name that stands in the data dictionary.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int | Self::Nanoseconds => "int",
            Self::Float => "float",
            Self::Text => "text",
            Self::Timestamp => "time",
        }
    }
}

/// One written column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it holds.
    pub form: Form,
    /// Whether it can be null.
    pub nullable: bool,
    /// The unit of measurement; empty for names, counts and flags.
    pub unit: &'static str,
    /// What it means.
    pub doc: Cow<'static, str>,
    /// Index of the cell in the row that it is taken from.
    pub(crate) source: usize,
}

impl Field {
    /// What this column shows of a cell.
    fn show<'a>(&self, value: Value<'a>) -> Value<'a> {
        match (self.form, value) {
            (Form::Nanoseconds, Value::Time(ns)) => Value::Int(ns),
            // A column that promises a number in every row keeps NaN rather than break that promise in Parquet.
            (Form::Float, Value::Float(number)) if self.nullable && !number.is_finite() => Value::Null,
            (_, value) => value,
        }
    }
}

/// A table's written columns in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The table's name; empty for the result of a query.
    pub table: &'static str,
    /// The columns.
    pub fields: Vec<Field>,
}

impl Layout {
    /// All columns of a table.
    pub fn new(schema: &Schema) -> Self {
        let mut fields = Vec::with_capacity(schema.columns.len() + 2);
        for (source, column) in schema.columns.iter().enumerate() {
            let field = |form| Field {
                name: Cow::Borrowed(column.name),
                form,
                nullable: column.nullable,
                unit: column.unit,
                doc: Cow::Borrowed(column.doc.trim()),
                source,
            };
            match column.kind {
                Kind::Bool => fields.push(field(Form::Bool)),
                Kind::Int => fields.push(field(Form::Int)),
                Kind::Float => fields.push(field(Form::Float)),
                Kind::Text => fields.push(field(Form::Text)),
                Kind::Time => {
                    fields.push(field(Form::Timestamp));
                    fields.push(Field {
                        name: Cow::Owned(format!("{}_ns", column.name)),
                        unit: "ns",
                        doc: Cow::Owned(format!("`{}` as nanoseconds since 1970-01-01 UTC.", column.name)),
                        ..field(Form::Nanoseconds)
                    });
                }
            }
        }
        Self { table: schema.table, fields }
    }

    /// The columns of a query's result, which is no table: each shows the cell of its place.
    pub(crate) fn result(columns: impl Iterator<Item = (String, Form)>) -> Self {
        let field = |(source, (name, form)): (usize, (String, Form))| Field {
            name: Cow::Owned(name),
            form,
            nullable: true,
            unit: "",
            doc: Cow::Borrowed(""),
            source,
        };
        Self { table: "", fields: columns.enumerate().map(field).collect() }
    }

    /// The column of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The written columns with what they show of a row's cells.
    pub fn values<'a>(&'a self, cells: &'a [Value<'a>]) -> impl Iterator<Item = (&'a Field, Value<'a>)> {
        self.fields.iter().map(|field| {
            let cell = cells.get(field.source).copied().unwrap_or(Value::Null);
            (field, field.show(cell))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::Sample;
    use subflow_rows::Row;

    #[test]
    fn times_stand_twice() {
        let layout = Layout::new(&Sample::SCHEMA);
        let names: Vec<_> = layout.fields.iter().map(|field| &*field.name).collect();
        assert_eq!(
            names,
            ["sample_id", "start", "start_ns", "rate", "name", "addr", "key", "good", "seen", "seen_ns"]
        );
        assert_eq!(layout.field("start").map(|field| field.form), Some(Form::Timestamp));
        assert_eq!(
            layout.field("start_ns").map(|field| (field.form, field.unit)),
            Some((Form::Nanoseconds, "ns"))
        );
    }

    #[test]
    fn numbers_that_are_none_become_null_where_null_is_allowed() {
        let layout = Layout::new(&Sample::SCHEMA);
        let rate = layout.field("rate").expect("a column");
        let shown = |number| rate.show(Value::Float(number));
        assert_eq!(shown(f64::NAN), Value::Null);
        assert_eq!(shown(f64::INFINITY), Value::Null);
        assert_eq!(shown(0.5), Value::Float(0.5));
    }

    #[test]
    fn a_row_that_is_too_short_shows_nulls() {
        let layout = Layout::new(&Sample::SCHEMA);
        assert!(layout.values(&[]).all(|(_, value)| value == Value::Null));
    }
}
