//! Parquet: rows become batches, and batches become row groups.
//!
//! What is written is what Spark, DuckDB, pandas and polars all read: no unsigned 64-bit columns, no timestamps of
//! nanoseconds, null exactly where the schema allows it.

use crate::batch::Batcher;
use crate::layout::{Form, Layout};
use crate::writer::TableWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use std::io::{self, Write};
use subflow_rows::Value;

/// Version of the tables' columns, in the file's metadata under [`VERSION_KEY`]. It rises when a column changes its
/// meaning or goes away; new columns do not raise it.
pub const SCHEMA_VERSION: &str = "1";
/// Metadata key of the schema version.
pub const VERSION_KEY: &str = "subflow.schema_version";
/// Metadata key of the table's name.
pub const TABLE_KEY: &str = "subflow.table";

/// Rows held as plain columns before they are encoded.
const BATCH_ROWS: usize = 256;
/// Rows of a row group: its compressed pages stay in memory until it is full.
const ROW_GROUP_ROWS: usize = 16384;
/// Rows of a page, the unit of compression: until then a column keeps its values as they are.
const PAGE_ROWS: usize = 1024;
/// Bytes of distinct values that a column keeps before it writes values plainly; they stay in memory as well.
const DICTIONARY_BYTES: usize = 32 * 1024;

/// One table as Parquet.
pub struct Writer<W: Write + Send> {
    rows: Batcher,
    file: ArrowWriter<W>,
}

impl<W: Write + Send> Writer<W> {
    /// Starts the file.
    pub fn new(layout: Layout, out: W) -> io::Result<Self> {
        let properties = properties(&layout);
        let rows = Batcher::new(layout);
        let file = ArrowWriter::try_new(out, rows.schema(), Some(properties)).map_err(plain_error)?;
        Ok(Self { rows, file })
    }

    fn write_batch(&mut self) -> io::Result<()> {
        match self.rows.take().map_err(io::Error::other)? {
            Some(batch) => self.file.write(&batch).map_err(plain_error),
            None => Ok(()),
        }
    }
}

impl<W: Write + Send> TableWriter for Writer<W> {
    fn row(&mut self, cells: &[Value<'_>]) -> io::Result<()> {
        self.rows.append(cells);
        if self.rows.len() >= BATCH_ROWS { self.write_batch() } else { Ok(()) }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write_batch()?;
        self.file.finish().map_err(plain_error)?;
        self.file.inner_mut().flush()
    }
}

fn properties(layout: &Layout) -> WriterProperties {
    let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut metadata = Vec::new();
    // The result of a query is no table of the dictionary.
    if !layout.table.is_empty() {
        metadata.extend([pair(VERSION_KEY, SCHEMA_VERSION), pair(TABLE_KEY, layout.table)]);
    }
    let mut properties = WriterProperties::builder();
    // Numbers and times hardly repeat: a dictionary of them would only fill memory, and zstd does as well without.
    for field in layout.fields.iter().filter(|field| field.form != Form::Text) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(&*field.name), false);
    }
    properties
        .set_created_by(concat!("subflow ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS / 4)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_key_value_metadata(Some(metadata))
        .build()
}

/// The input or output error inside a Parquet error, where there is one.
fn plain_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => {
            inner.downcast::<io::Error>().map_or_else(io::Error::other, |error| *error)
        }
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
    use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
    use parquet::basic::{ConvertedType, LogicalType, Type};
    use parquet::file::reader::ChunkReader;
    use std::fs::File;
    use subflow_rows::Row;

    fn written(rows: impl Iterator<Item = testing::Sample>) -> File {
        let file = tempfile::tempfile().expect("a temporary file");
        let mut writer =
            Writer::new(Layout::new(&testing::Sample::SCHEMA), file.try_clone().expect("a handle"))
                .expect("starts");
        rows.for_each(|row| writer.row(row.cells().as_ref()).expect("takes a row"));
        writer.finish().expect("finishes");
        file
    }

    fn bytes(file: &File) -> Vec<u8> {
        let length = usize::try_from(file.metadata().expect("metadata").len()).expect("small");
        file.get_bytes(0, length).expect("reads back").to_vec()
    }

    #[test]
    fn reads_back() {
        let file = written([testing::full(), testing::empty()].into_iter());
        let mut reader =
            ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("a reader");
        let batch = reader.next().expect("a batch").expect("decodes");
        let column = |name| batch.column_by_name(name).expect("a column");
        assert_eq!(batch.num_rows(), 2);
        assert_eq!(column("sample_id").as_primitive::<Int64Type>().values(), &[1, 2]);
        let start = column("start").as_primitive::<TimestampMicrosecondType>();
        assert_eq!(start.values(), &[1_767_323_045_000_000, 0]);
        assert_eq!(start.timezone(), Some("UTC"));
        assert_eq!(column("start_ns").as_primitive::<Int64Type>().values(), &[1_767_323_045_000_000_006, 0]);
        let rate = column("rate").as_primitive::<Float64Type>();
        assert!(rate.value(0) == 0.1 && rate.is_null(1));
        let text = |name| (column(name).as_string::<i32>().value(0), column(name).is_null(1));
        assert_eq!(text("name"), ("a \"b\", c\nd", false));
        assert_eq!(text("addr"), ("192.0.2.1", true));
        assert_eq!(text("key"), ("00000abc", true));
        let good = column("good").as_boolean();
        assert!(good.value(0) && good.is_null(1));
        // One nanosecond before 1970 lies in the microsecond before it.
        assert_eq!(column("seen").as_primitive::<TimestampMicrosecondType>().value(0), -1);
        assert_eq!(column("seen_ns").as_primitive::<Int64Type>().value(0), -1);
    }

    #[test]
    fn the_types_are_those_that_spark_reads() {
        // Read without the embedded Arrow schema: what other engines see.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(written([].into_iter()), options)
            .expect("Parquet");
        for column in reader.parquet_schema().columns() {
            let name = column.name();
            let expected = match name {
                "sample_id" | "start_ns" | "seen_ns" | "start" | "seen" => Type::INT64,
                "rate" => Type::DOUBLE,
                "good" => Type::BOOLEAN,
                _ => Type::BYTE_ARRAY,
            };
            assert_eq!(column.physical_type(), expected, "{name}");
            assert_ne!(column.converted_type(), ConvertedType::UINT_64, "{name}");
            if let "start" | "seen" = name {
                let micros = LogicalType::timestamp(true, parquet::basic::TimeUnit::MICROS);
                assert_eq!(column.logical_type_ref(), Some(&micros), "{name}");
            }
        }
        let nullable: Vec<_> = reader.schema().fields().iter().map(|field| field.is_nullable()).collect();
        assert_eq!(nullable, [false, false, false, true, false, true, true, true, true, true]);
    }

    #[test]
    fn the_file_says_what_it_is() {
        let reader = ParquetRecordBatchReaderBuilder::try_new(written([].into_iter())).expect("Parquet");
        let metadata = reader.metadata().file_metadata();
        let value = |key: &str| {
            let pairs = metadata.key_value_metadata()?;
            pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
        };
        assert_eq!(value(VERSION_KEY), Some("1"));
        assert_eq!(value(TABLE_KEY), Some("samples"));
        assert_eq!(metadata.created_by(), Some(concat!("subflow ", env!("CARGO_PKG_VERSION"))));
        assert_eq!(metadata.num_rows(), 0);
    }

    #[test]
    fn many_rows_become_row_groups() {
        let rows = 70_000_u64;
        let file = written((0..rows).map(|sample_id| testing::Sample { sample_id, ..testing::full() }));
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
        let groups: Vec<_> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
        assert_eq!(groups, [16_384, 16_384, 16_384, 16_384, 4_464]);
        let mut ids = Vec::new();
        for batch in reader.build().expect("a reader") {
            ids.extend_from_slice(batch.expect("decodes").column(0).as_primitive::<Int64Type>().values());
        }
        assert!(ids.into_iter().eq(0..70_000));
    }

    #[test]
    fn the_same_rows_are_the_same_bytes() {
        let rows = || (0..10_000).map(|sample_id| testing::Sample { sample_id, ..testing::full() });
        assert!(bytes(&written(rows())) == bytes(&written(rows())));
    }
}
