//! Arrow columns, as queries yield them, into the cells that every exporter takes.

use super::Error;
use crate::layout::{Form, Layout};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use subflow_rows::Value;

/// The layout of a result. A name that comes again gets a number, so that every row is a JSON object and a Parquet record.
pub(super) fn layout(schema: &Schema) -> Layout {
    let mut names: Vec<String> = Vec::new();
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{}_{number}", field.name());
            number += 1;
        }
        names.push(name);
    }
    let forms = schema.fields().iter().map(|field| form(field.data_type()));
    Layout::result(names.into_iter().zip(forms))
}

/// What a column of this type is written as: integers of all widths are one, durations are seconds, and what has no
/// counterpart in the tables is text.
pub(super) fn form(data_type: &DataType) -> Form {
    match data_type {
        DataType::Boolean => Form::Bool,
        data_type if data_type.is_integer() => Form::Int,
        data_type if data_type.is_numeric() => Form::Float,
        DataType::Duration(_) => Form::Float,
        DataType::Timestamp(..) => Form::Timestamp,
        DataType::Dictionary(_, values) => form(values),
        _ => Form::Text,
    }
}

/// The columns of one batch.
pub(super) struct Cells {
    columns: Vec<Column>,
    rows: usize,
}

enum Column {
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float64Array),
    Text(StringArray),
    /// Nanoseconds since 1970.
    Time(ArrayRef),
}

impl Cells {
    /// Reads a batch whose columns have the forms of this layout.
    pub(super) fn new(batch: &RecordBatch, layout: &Layout) -> Result<Self, Error> {
        let columns =
            batch.columns().iter().zip(&layout.fields).map(|(array, field)| column(array, field.form));
        let columns = columns.collect::<Result<_, _>>().map_err(|error| Error::Run(error.to_string()))?;
        Ok(Self { columns, rows: batch.num_rows() })
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The cells of one row.
    pub(super) fn row<'a>(&'a self, row: usize, cells: &mut Vec<Value<'a>>) {
        cells.clear();
        cells.extend(self.columns.iter().map(|column| column.value(row)));
    }
}

impl Column {
    fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Bool(array) if array.is_valid(row) => Value::Bool(array.value(row)),
            Self::Int(array) if array.is_valid(row) => Value::Int(array.value(row)),
            Self::Float(array) if array.is_valid(row) => Value::Float(array.value(row)),
            Self::Text(array) if array.is_valid(row) => Value::Text(array.value(row)),
            Self::Time(array) if array.is_valid(row) => {
                Value::Time(array.as_primitive::<TimestampNanosecondType>().value(row))
            }
            _ => Value::Null,
        }
    }
}

fn column(array: &ArrayRef, form: Form) -> Result<Column, ArrowError> {
    // What does not fit is an error: a null would say that it is not known.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |array: &ArrayRef, to: &DataType| cast_with_options(array, to, &options);
    Ok(match form {
        Form::Bool => Column::Bool(cast(array, &DataType::Boolean)?.as_boolean().clone()),
        Form::Int | Form::Nanoseconds => {
            Column::Int(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
        }
        Form::Float => Column::Float(match array.data_type() {
            DataType::Duration(unit) => {
                let scale = match unit {
                    TimeUnit::Second => 1.0,
                    TimeUnit::Millisecond => 1e3,
                    TimeUnit::Microsecond => 1e6,
                    TimeUnit::Nanosecond => 1e9,
                };
                let ticks = cast(array, &DataType::Int64)?;
                ticks.as_primitive::<Int64Type>().unary(|ticks| ticks as f64 / scale)
            }
            _ => cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone(),
        }),
        Form::Timestamp => {
            let zone = match array.data_type() {
                DataType::Timestamp(_, zone) => zone.clone(),
                _ => None,
            };
            Column::Time(cast(array, &DataType::Timestamp(TimeUnit::Nanosecond, zone))?)
        }
        Form::Text => Column::Text(match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
                cast(array, &DataType::Utf8)?.as_string::<i32>().clone()
            }
            _ => described(array)?,
        }),
    })
}

/// Dates, intervals, lists and other things in Arrow's own words.
fn described(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options)?;
    let text = |row| {
        if array.is_null(row) || array.data_type() == &DataType::Null {
            Ok(None)
        } else {
            formatter.value(row).try_to_string().map(Some)
        }
    };
    (0..array.len()).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{
        Date32Array, DurationMicrosecondArray, NullArray, TimestampMicrosecondArray, UInt64Array,
    };
    use arrow_schema::Field;
    use std::sync::Arc;

    fn values(arrays: Vec<(&str, ArrayRef)>) -> Result<Vec<String>, Error> {
        let fields: Vec<_> =
            arrays.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let schema = Schema::new(fields);
        let layout = layout(&schema);
        let arrays = arrays.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::new(schema), arrays).expect("a batch");
        let cells = Cells::new(&batch, &layout)?;
        let mut row = Vec::new();
        cells.row(0, &mut row);
        Ok(layout.fields.iter().zip(row).map(|(field, value)| format!("{} {value:?}", field.name)).collect())
    }

    #[test]
    fn every_type_has_a_form() {
        let shown = values(vec![
            ("rank", Arc::new(UInt64Array::from(vec![7]))),
            ("rank", Arc::new(Float64Array::from(vec![0.5]))),
            ("time", Arc::new(TimestampMicrosecondArray::from(vec![-1]).with_timezone("UTC"))),
            ("span", Arc::new(DurationMicrosecondArray::from(vec![1_500_000]))),
            ("day", Arc::new(Date32Array::from(vec![20_455]))),
            ("unknown", Arc::new(NullArray::new(1))),
        ]);
        assert_eq!(
            shown.expect("casts"),
            [
                "rank Int(7)",
                "rank_2 Float(0.5)",
                "time Time(-1000)",
                "span Float(1.5)",
                "day Text(\"2026-01-02\")",
                "unknown Null"
            ]
        );
    }

    #[test]
    fn numbers_that_do_not_fit_are_no_nulls() {
        assert!(values(vec![("n", Arc::new(UInt64Array::from(vec![u64::MAX])))]).is_err());
    }
}
