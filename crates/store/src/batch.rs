//! Rows into Arrow batches: column builders that fill up row by row.

use crate::layout::{Field, Form, Layout};
use crate::writer::plain;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;
use subflow_rows::Value;

/// The rows of one table that wait to become a batch.
pub(crate) struct Batcher {
    layout: Layout,
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    text: String,
}

impl Batcher {
    /// No rows yet.
    pub(crate) fn new(layout: Layout) -> Self {
        let schema = Arc::new(schema(&layout));
        let columns = layout.fields.iter().map(Column::new).collect();
        Self { layout, schema, columns, rows: 0, text: String::new() }
    }

    /// The schema of every batch.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Rows that wait.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Takes a row: its cells in the order of the table's schema.
    pub(crate) fn append(&mut self, cells: &[Value<'_>]) {
        for ((_, value), column) in self.layout.values(cells).zip(&mut self.columns) {
            column.append(value, &mut self.text);
        }
        self.rows += 1;
    }

    /// The rows that waited; none when there were none.
    pub(crate) fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.rows == 0 {
            return Ok(None);
        }
        self.rows = 0;
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map(Some)
    }
}

/// The Arrow schema of a table's columns.
pub(crate) fn schema(layout: &Layout) -> Schema {
    let field = |field: &Field| {
        let data_type = match field.form {
            Form::Bool => DataType::Boolean,
            Form::Int | Form::Nanoseconds => DataType::Int64,
            Form::Float => DataType::Float64,
            Form::Text => DataType::Utf8,
            Form::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        };
        arrow_schema::Field::new(&*field.name, data_type, field.nullable)
    };
    Schema::new(layout.fields.iter().map(field).collect::<Vec<_>>())
}

/// One column being filled.
enum Column {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Column {
    fn new(field: &Field) -> Self {
        match field.form {
            Form::Bool => Self::Bool(BooleanBuilder::new()),
            Form::Int | Form::Nanoseconds => Self::Int(Int64Builder::new()),
            Form::Float => Self::Float(Float64Builder::new()),
            Form::Text => Self::Text(StringBuilder::new()),
            Form::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        }
    }

    /// Appends a cell; one of another kind than the column's counts as null.
    fn append(&mut self, value: Value<'_>, text: &mut String) {
        match (self, value) {
            (Self::Bool(column), Value::Bool(flag)) => column.append_value(flag),
            (Self::Bool(column), _) => column.append_null(),
            (Self::Int(column), Value::Int(number)) => column.append_value(number),
            (Self::Int(column), _) => column.append_null(),
            (Self::Float(column), Value::Float(number)) => column.append_value(number),
            (Self::Float(column), _) => column.append_null(),
            (Self::Text(column), Value::Text(words)) => column.append_value(words),
            (Self::Text(column), Value::Addr(_) | Value::Hex { .. }) => {
                text.clear();
                plain(value, text);
                column.append_value(&*text);
            }
            (Self::Text(column), _) => column.append_null(),
            // Rounded towards the past, so that times before 1970 keep their order, too.
            (Self::Timestamp(column), Value::Time(ns)) => column.append_value(ns.div_euclid(1000)),
            (Self::Timestamp(column), _) => column.append_null(),
        }
    }

    /// The column's rows so far; it is empty again afterwards.
    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(column) => Arc::new(column.finish()),
            Self::Int(column) => Arc::new(column.finish()),
            Self::Float(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.finish()),
        }
    }
}
