//! Stored rows by the names of their columns, for programs that go on where another one ended: a few columns of a table, whatever
//! the format, whatever else stands beside them.

use crate::csv::plain_error;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why rows cannot be read.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder without the table.
    #[error("{} holds no table `{table}`", .dir.display())]
    NoTable {
        /// The folder.
        dir: PathBuf,
        /// The table.
        table: String,
    },
    /// A column is missing.
    #[error("{}: no rows of table `{table}`: there is no column `{column}`", .path.display())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A line that is none of the format.
    #[error("{}, line {line}: {reason}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// The cells of some columns as text; `None` where there is nothing.
pub type Record = Vec<Option<String>>;

/// The format of a file, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Parquet,
    Jsonl,
    Csv,
}

/// Reads the `columns` of a table from a file, or from the file of that table in a folder: Parquet, JSON lines (of which lines of other
/// tables are passed over) or CSV, told by the first bytes. Columns behind the first `needed` may be missing.
pub fn read(path: &Path, table: &str, columns: &[&str], needed: usize) -> Result<Vec<Record>, RecordError> {
    let path = if path.is_dir() { of_table(path, table)? } else { path.to_owned() };
    let open = || File::open(&path).map_err(|source| RecordError::File { path: path.clone(), source });
    let mut input = BufReader::new(open()?);
    let wanted = Wanted { path: &path, table, columns, needed };
    match format(input.fill_buf().map_err(|source| wanted.failed(source))?) {
        Format::Parquet => wanted.parquet(open()?),
        Format::Jsonl => wanted.jsonl(input),
        Format::Csv => wanted.csv(input),
    }
}

/// The same from a stream of JSON lines or CSV; `name` stands for it in errors.
pub fn read_stream(
    input: impl Read,
    name: &str,
    table: &str,
    columns: &[&str],
    needed: usize,
) -> Result<Vec<Record>, RecordError> {
    let mut input = BufReader::new(input);
    let wanted = Wanted { path: Path::new(name), table, columns, needed };
    match format(input.fill_buf().map_err(|source| wanted.failed(source))?) {
        Format::Parquet => Err(wanted.failed(io::Error::new(
            io::ErrorKind::InvalidInput,
            "Parquet cannot be read from a stream: name the file",
        ))),
        Format::Jsonl => wanted.jsonl(input),
        Format::Csv => wanted.csv(input),
    }
}

fn format(begin: &[u8]) -> Format {
    match begin {
        [b'P', b'A', b'R', b'1', ..] => Format::Parquet,
        [b'{', ..] => Format::Jsonl,
        _ => Format::Csv,
    }
}

/// The file of a table in a folder.
fn of_table(dir: &Path, table: &str) -> Result<PathBuf, RecordError> {
    let files = ["parquet", "jsonl", "csv"].map(|extension| dir.join(table).with_extension(extension));
    let found = files.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| RecordError::NoTable { dir: dir.to_owned(), table: table.to_owned() })
}

/// What is read, and from where.
struct Wanted<'a> {
    path: &'a Path,
    table: &'a str,
    columns: &'a [&'a str],
    needed: usize,
}

impl Wanted<'_> {
    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::File { path: self.path.to_owned(), source }
    }

    /// Where the columns stand among those of the file.
    fn places(&self, names: &[&str]) -> Result<Vec<Option<usize>>, RecordError> {
        let place = |(index, column): (usize, &&str)| match names.iter().position(|name| name == column) {
            None if index < self.needed => Err(self.no_column(column)),
            place => Ok(place),
        };
        self.columns.iter().enumerate().map(place).collect()
    }

    fn no_column(&self, column: &str) -> RecordError {
        let (path, table) = (self.path.to_owned(), self.table.to_owned());
        RecordError::NoColumn { path, table, column: column.to_owned() }
    }

    fn csv(&self, input: impl Read) -> Result<Vec<Record>, RecordError> {
        let mut csv = ::csv::Reader::from_reader(input);
        let failed = |error| self.failed(plain_error(error));
        let places = self.places(&csv.headers().map_err(failed)?.iter().collect::<Vec<_>>())?;
        let cells = |record: ::csv::StringRecord| {
            let cell = |place: &Option<usize>| record.get((*place)?).filter(|text| !text.is_empty());
            places.iter().map(|place| cell(place).map(str::to_owned)).collect()
        };
        csv.records().map(|record| record.map(cells).map_err(failed)).collect()
    }

    fn jsonl(&self, input: impl BufRead) -> Result<Vec<Record>, RecordError> {
        let mut rows = Vec::new();
        for (number, line) in (1..).zip(input.lines()) {
            let line = line.map_err(|source| self.failed(source))?;
            if line.trim().is_empty() {
                continue;
            }
            let reason = |error: serde_json::Error| RecordError::Line {
                path: self.path.to_owned(),
                line: number,
                reason: format!("no JSON object: {error}"),
            };
            let object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&line).map_err(reason)?;
            if object.get("table").is_some_and(|table| table != self.table) {
                continue;
            }
            let cell = |(index, column): (usize, &&str)| match object.get(*column) {
                None if index < self.needed => Err(self.no_column(column)),
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
                Some(other) => Ok(Some(other.to_string())),
            };
            rows.push(self.columns.iter().enumerate().map(cell).collect::<Result<_, _>>()?);
        }
        Ok(rows)
    }

    fn parquet(&self, file: File) -> Result<Vec<Record>, RecordError> {
        let other = |error: String| self.failed(io::Error::new(io::ErrorKind::InvalidData, error));
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| other(error.to_string()))?;
        let names: Vec<&str> = builder.schema().fields().iter().map(|field| field.name().as_str()).collect();
        let places = self.places(&names)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().flatten().copied());
        let batches = builder.with_projection(mask).build().map_err(|error| other(error.to_string()))?;
        let mut rows = Vec::new();
        for batch in batches {
            let batch = batch.map_err(|error| other(error.to_string()))?;
            for row in 0..batch.num_rows() {
                rows.push(self.columns.iter().map(|column| cell(&batch, column, row)).collect());
            }
        }
        Ok(rows)
    }
}

/// A cell of a batch as text; `None` for null, and for types that tables do not have.
fn cell(batch: &RecordBatch, column: &str, row: usize) -> Option<String> {
    let array = batch.column_by_name(column)?;
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::{Sample, empty, full};
    use crate::{DirectorySink, FileFormat, Selection};
    use subflow_rows::Row;

    fn text(record: &Record) -> Vec<&str> {
        record.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect()
    }

    #[test]
    fn the_same_from_every_format() {
        for format in [FileFormat::Parquet, FileFormat::Jsonl, FileFormat::Csv] {
            let dir = tempfile::tempdir().expect("a folder");
            let selection = Selection::all(&[Sample::SCHEMA]);
            let mut sink = DirectorySink::create(dir.path(), format, &selection).expect("begins");
            sink.put(&full());
            sink.put(&empty());
            sink.finish().expect("finishes");
            let columns = ["addr", "good", "sample_id", "rate", "later"];
            let rows = read(dir.path(), "samples", &columns, 3).expect("reads");
            assert_eq!(
                rows.iter().map(text).collect::<Vec<_>>(),
                [["192.0.2.1", "true", "1", "0.1", "-"], ["-", "-", "2", "-", "-"]],
                "{format:?}"
            );
            let error = read(dir.path(), "samples", &columns, 5).unwrap_err().to_string();
            assert!(error.contains("there is no column `later`"), "{error}");
        }
    }

    #[test]
    fn a_stream_of_several_tables() {
        let lines = "{\"table\":\"probes\",\"addr\":\"::1\"}\n\n{\"table\":\"targets\",\"addr\":\"::2\",\"port\":80}\n";
        let rows = read_stream(lines.as_bytes(), "standard input", "targets", &["addr", "port"], 2);
        assert_eq!(rows.expect("reads").iter().map(text).collect::<Vec<_>>(), [["::2", "80"]]);
        let bad = read_stream(&b"{\"addr\":1}\n{oops\n"[..], "standard input", "targets", &["addr"], 1);
        assert!(bad.unwrap_err().to_string().starts_with("standard input, line 2: no JSON object"));
        let none = read_stream(&b"addr,port\n"[..], "standard input", "targets", &["addr"], 1);
        assert_eq!(none.expect("reads"), Vec::<Record>::new());
        assert!(read_stream(&b"PAR1"[..], "standard input", "targets", &[], 0).is_err());
    }

    #[test]
    fn what_is_not_there_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let error = read(dir.path(), "targets", &[], 0).unwrap_err().to_string();
        assert!(error.contains("holds no table `targets`"), "{error}");
        let error = read(&dir.path().join("x.csv"), "targets", &[], 0).unwrap_err().to_string();
        assert!(error.contains("x.csv"), "{error}");
    }
}
