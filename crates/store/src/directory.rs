//! Tables into a folder: one file a table.

use crate::error::Error;
use crate::layout::Layout;
use crate::rows::table_and_cells;
use crate::selection::Selection;
use crate::writer::TableWriter;
use crate::{csv, json, jsonl, parquet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subflow_analysis::rows::{AnyRow, Sink};
use subflow_rows::{Row, Value};

/// The formats that tables are stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Apache Parquet, compressed with zstd.
    Parquet,
    /// A JSON array of row objects.
    Json,
    /// JSON lines.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

impl FileFormat {
    /// The end of a file's name, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// A table that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub table: &'static str,
    /// Its file.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
}

/// Takes rows and writes each selected table to a file of its own, `DIR/connections.parquet` and so on; a table
/// without rows gets a file, too.
///
/// While they grow, files are called `_connections.parquet.partial`, a name that readers of folders pass over. All get
/// their final names in [`DirectorySink::finish`], after all were closed well: a crash leaves no half table under a
/// final name and spoils none that stood there. A sink that is dropped unfinished still closes its partial files, so
/// that they can be read.
///
/// [`Sink::row`] cannot fail, so the first failure is kept: from then on rows are dropped, [`DirectorySink::failure`]
/// tells, and [`DirectorySink::finish`] returns it.
pub struct DirectorySink {
    tables: Vec<Table>,
    failure: Option<Error>,
}

impl DirectorySink {
    /// Makes the folder, if it is not there, and starts the files.
    pub fn create(dir: &Path, format: FileFormat, selection: &Selection) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|source| Error::Folder { path: dir.to_owned(), source })?;
        let table = |layout: &Layout| Table::create(dir, format, layout);
        let tables = selection.layouts().iter().map(table).collect::<Result<_, _>>()?;
        Ok(Self { tables, failure: None })
    }

    /// Takes a row of any table, also of those that do not come from the analysis.
    pub fn put<R: Row>(&mut self, row: &R) {
        self.take(R::SCHEMA.table, row.cells().as_ref());
    }

    fn take(&mut self, name: &str, cells: &[Value<'_>]) {
        if self.failure.is_some() {
            return;
        }
        if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
            self.failure = table.row(cells).err();
        }
    }

    /// The first failure, after which no more rows are taken.
    pub fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Closes all files and gives them their final names.
    pub fn finish(mut self) -> Result<Vec<Written>, Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        for table in &mut self.tables {
            table.close()?;
        }
        let rename = |table: &Table| {
            fs::rename(&table.partial, &table.path).map_err(|source| table.error(source))?;
            Ok(Written { table: table.name, path: table.path.clone(), rows: table.rows })
        };
        self.tables.iter().map(rename).collect()
    }
}

impl Sink for DirectorySink {
    fn row(&mut self, row: AnyRow) {
        let (name, cells) = table_and_cells(&row);
        self.take(name, &cells);
    }
}

impl Drop for DirectorySink {
    fn drop(&mut self) {
        for table in &mut self.tables {
            // Whoever drops a sink unfinished has an error of its own to tell.
            let _ = table.close();
        }
    }
}

/// One table's file in the making.
struct Table {
    name: &'static str,
    path: PathBuf,
    partial: PathBuf,
    rows: u64,
    file: Arc<File>,
    /// None once it is closed.
    writer: Option<Box<dyn TableWriter>>,
}

impl Table {
    fn create(dir: &Path, format: FileFormat, layout: &Layout) -> Result<Self, Error> {
        let (name, extension) = (layout.table, format.extension());
        let path = dir.join(format!("{name}.{extension}"));
        let partial = dir.join(format!("_{name}.{extension}.partial"));
        let start = || -> io::Result<_> {
            let file = Arc::new(File::create(&partial)?);
            let out = BufWriter::with_capacity(1 << 16, Arc::clone(&file));
            Ok((file, writer(format, layout.clone(), out)?))
        };
        match start() {
            Ok((file, writer)) => Ok(Self { name, path, partial, rows: 0, file, writer: Some(writer) }),
            Err(source) => Err(Error::File { path: partial, source }),
        }
    }

    fn row(&mut self, cells: &[Value<'_>]) -> Result<(), Error> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let result = writer.row(cells);
        self.rows += 1;
        result.map_err(|source| self.error(source))
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        // On the disk before the new name is: a power cut must not leave an empty file under it.
        writer.finish().and_then(|()| self.file.sync_all()).map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> Error {
        Error::File { path: self.path.clone(), source }
    }
}

pub(crate) fn writer<W>(format: FileFormat, layout: Layout, out: W) -> io::Result<Box<dyn TableWriter>>
where
    W: Write + Send + 'static,
{
    Ok(match format {
        FileFormat::Parquet => Box::new(parquet::Writer::new(layout, out)?),
        FileFormat::Json => Box::new(json::Writer::new(layout, out)?),
        FileFormat::Jsonl => Box::new(jsonl::Writer::new(layout, out)),
        FileFormat::Csv => Box::new(csv::Writer::new(layout, out)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::{event, issue};
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use subflow_analysis::rows::SCHEMAS;

    const FORMATS: [FileFormat; 4] =
        [FileFormat::Parquet, FileFormat::Json, FileFormat::Jsonl, FileFormat::Csv];

    fn names(dir: &Path) -> Vec<String> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
        };
        let mut names: Vec<_> =
            fs::read_dir(dir).expect("a folder").map(|e| entry(e).expect("an entry")).collect();
        names.sort();
        names
    }

    #[test]
    fn every_table_gets_a_file_in_every_format() {
        for format in FORMATS {
            let dir = tempfile::tempdir().expect("a folder");
            let dir = dir.path().join("new/folder");
            let mut sink = DirectorySink::create(&dir, format, &Selection::all(&SCHEMAS)).expect("starts");
            [event(1), issue(1), event(2)].into_iter().for_each(|row| sink.row(row));
            let written = sink.finish().expect("finishes");
            let tables: Vec<_> = written.iter().map(|written| (written.table, written.rows)).collect();
            assert_eq!(tables[7], ("events", 2));
            assert_eq!(tables[8], ("hosts", 0));
            let mut expected: Vec<_> =
                SCHEMAS.iter().map(|schema| format!("{}.{}", schema.table, format.extension())).collect();
            expected.sort();
            assert_eq!(names(&dir), expected);
            assert!(written.iter().all(|written| written.path.is_file()));
        }
    }

    #[test]
    fn text_files_hold_the_rows() {
        let read = |format: FileFormat| {
            let dir = tempfile::tempdir().expect("a folder");
            let fields = ["issues.file".to_owned(), "issues.count".to_owned()];
            let selection = Selection::new(&SCHEMAS, &[], &fields, "connections").expect("exists");
            let mut sink = DirectorySink::create(dir.path(), format, &selection).expect("starts");
            [issue(1), event(1), issue(2)].into_iter().for_each(|row| sink.row(row));
            let written = sink.finish().expect("finishes");
            fs::read_to_string(&written[0].path).expect("a file")
        };
        assert_eq!(read(FileFormat::Csv), "file,count\na.pcap,1\na.pcap,2\n");
        assert_eq!(
            read(FileFormat::Json),
            "[\n{\"file\":\"a.pcap\",\"count\":1},\n{\"file\":\"a.pcap\",\"count\":2}\n]\n"
        );
        assert_eq!(
            read(FileFormat::Jsonl),
            "{\"table\":\"issues\",\"file\":\"a.pcap\",\"count\":1}\n\
             {\"table\":\"issues\",\"file\":\"a.pcap\",\"count\":2}\n"
        );
    }

    #[test]
    fn an_unfinished_sink_leaves_readable_partial_files_and_spoils_nothing() {
        for format in FORMATS {
            let dir = tempfile::tempdir().expect("a folder");
            let finished = dir.path().join(format!("events.{}", format.extension()));
            fs::write(&finished, "from an earlier run").expect("writes");
            let mut sink =
                DirectorySink::create(dir.path(), format, &Selection::all(&SCHEMAS)).expect("starts");
            sink.row(event(7));
            drop(sink);
            assert_eq!(fs::read_to_string(&finished).expect("still there"), "from an earlier run");
            let partial = dir.path().join(format!("_events.{}.partial", format.extension()));
            if format == FileFormat::Parquet {
                let file = File::open(partial).expect("a partial file");
                let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
                assert_eq!(reader.metadata().file_metadata().num_rows(), 1);
            } else {
                assert!(fs::read_to_string(partial).expect("a partial file").contains("mp_prio"));
            }
        }
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("taken");
        fs::write(&path, "").expect("writes");
        let error = DirectorySink::create(&path, FileFormat::Csv, &Selection::all(&SCHEMAS)).err();
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.starts_with("cannot create folder ") && text.contains("taken"), "{text}");
    }

    #[test]
    fn a_full_disk_is_told_at_the_end_and_stops_the_rows() {
        // `/dev/full` refuses every write; a link to it stands where the partial file would be made.
        let full = Path::new("/dev/full");
        if !full.exists() {
            eprintln!("skipped: /dev/full is missing");
            return;
        }
        let dir = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(full, dir.path().join("_events.jsonl.partial")).expect("links");
        let mut sink =
            DirectorySink::create(dir.path(), FileFormat::Jsonl, &Selection::all(&SCHEMAS)).expect("starts");
        (0..10_000).for_each(|id| sink.row(event(id)));
        assert!(sink.failure().is_some());
        let error = sink.finish().unwrap_err();
        assert!(error.to_string().contains("events.jsonl"), "{error}");
        assert!(!dir.path().join("events.jsonl").exists());
    }
}
