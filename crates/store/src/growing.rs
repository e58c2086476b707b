//! Tables that grow for hours: one file a table, complete to the last flush whenever the program ends.

use crate::csv::{self, plain_error};
use crate::directory::{FileFormat, Written, writer};
use crate::error::Error;
use crate::jsonl;
use crate::layout::{Form, Layout};
use crate::selection::Selection;
use crate::writer::TableWriter;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subflow_rows::{Row, Value};

const OTHER_COLUMNS: &str = "the rows so far have other columns";

/// Takes rows and appends each selected table to a file of its own, `DIR/targets.csv` and so on.
///
/// CSV and JSON lines grow under their names. A Parquet file cannot be read before it is closed, so its rows wait in
/// `DIR/_targets.csv.partial`, which readers of folders pass over, and become a Parquet file in [`GrowingSink::finish`].
/// So do those of a JSON array.
pub struct GrowingSink {
    tables: Vec<Table>,
}

impl GrowingSink {
    /// Makes the folder, if it is not there, and begins the files: anew, or at the end of what is there, of which a last line
    /// that was cut off is removed. To go on, all the files must be there.
    pub fn open(dir: &Path, format: FileFormat, selection: &Selection, go_on: bool) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|source| Error::Folder { path: dir.to_owned(), source })?;
        let table = |layout: &Layout| Table::open(dir, format, layout, go_on);
        Ok(Self { tables: selection.layouts().iter().map(table).collect::<Result<_, _>>()? })
    }

    /// Does what [`GrowingSink::finish`] of a complete scan did not get to do before the program was ended.
    pub fn complete(dir: &Path, format: FileFormat, selection: &Selection) -> Result<(), Error> {
        for layout in selection.layouts() {
            let (path, becomes) = files(dir, format, layout);
            if becomes.is_some() && path.exists() {
                Table::open(dir, format, layout, true)?.finish(true)?;
            }
        }
        Ok(())
    }

    /// Appends a row of any table.
    pub fn put<R: Row>(&mut self, row: &R) -> Result<(), Error> {
        match self.table(R::SCHEMA.table) {
            Some(table) => table.row(row.cells().as_ref()),
            None => Ok(()),
        }
    }

    /// Appends a row that the next call replaces: what is known so far of something that goes on.
    pub fn put_for_now<R: Row>(&mut self, row: &R) -> Result<(), Error> {
        match self.table(R::SCHEMA.table) {
            Some(table) => {
                let replaced = table.replace(row.cells().as_ref());
                replaced.map_err(|source| table.error(source))
            }
            None => Ok(()),
        }
    }

    fn table(&mut self, name: &str) -> Option<&mut Table> {
        self.tables.iter_mut().find(|table| table.layout.table == name)
    }

    /// Puts the rows so far on the disk.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.tables.iter_mut().try_for_each(Table::flush)
    }

    /// Ends the files. What waits to become Parquet or JSON does; unless it is `complete`, it is kept as well, to go on from there
    /// another time. Rows are counted of this sink alone in CSV and JSON lines, all of them in other formats.
    pub fn finish(mut self, complete: bool) -> Result<Vec<Written>, Error> {
        self.flush()?;
        self.tables.into_iter().map(|table| table.finish(complete)).collect()
    }
}

/// One table's file.
struct Table {
    format: FileFormat,
    layout: Layout,
    /// The file that grows.
    path: PathBuf,
    /// The file that it becomes at the end.
    becomes: Option<PathBuf>,
    file: Arc<File>,
    writer: Box<dyn TableWriter>,
    rows: u64,
    changed: bool,
    /// Where the row stands that is to be replaced.
    replaceable: Option<u64>,
}

impl Table {
    fn open(dir: &Path, format: FileFormat, layout: &Layout, go_on: bool) -> Result<Self, Error> {
        let (path, becomes) = files(dir, format, layout);
        let begin = || -> io::Result<_> {
            let file = OpenOptions::new().read(true).append(true).create(!go_on).open(&path)?;
            // Devices have no length.
            if file.metadata()?.is_file() {
                file.set_len(if go_on { whole_lines(&file)? } else { 0 })?;
            }
            let empty = file.metadata()?.len() == 0;
            let file = Arc::new(file);
            let out = BufWriter::with_capacity(1 << 16, Arc::clone(&file));
            let writer: Box<dyn TableWriter> = match format {
                FileFormat::Jsonl => Box::new(jsonl::Writer::new(layout.clone(), out)),
                _ if empty => Box::new(csv::Writer::new(layout.clone(), out)?),
                _ => {
                    same_columns(&file, layout)?;
                    Box::new(csv::Writer::appending(layout.clone(), out))
                }
            };
            Ok((file, writer))
        };
        match begin() {
            Ok((file, writer)) => Ok(Self {
                format,
                layout: layout.clone(),
                path,
                becomes,
                file,
                writer,
                rows: 0,
                changed: true,
                replaceable: None,
            }),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    fn row(&mut self, cells: &[Value<'_>]) -> Result<(), Error> {
        self.rows += 1;
        self.changed = true;
        self.writer.row(cells).map_err(|source| self.error(source))
    }

    fn replace(&mut self, cells: &[Value<'_>]) -> io::Result<()> {
        self.writer.flush()?;
        match self.replaceable {
            Some(begin) => self.file.set_len(begin)?,
            None => {
                self.replaceable = Some(self.file.metadata()?.len());
                self.rows += 1;
            }
        }
        self.changed = true;
        self.writer.row(cells)
    }

    fn flush(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        let device = |error: &io::Error| error.kind() == io::ErrorKind::InvalidInput;
        let synced = self.writer.flush().and_then(|()| match self.file.sync_data() {
            // Devices and pipes have nothing to put on a disk.
            Err(error) if device(&error) => Ok(()),
            result => result,
        });
        synced.map_err(|source| self.error(source))
    }

    fn finish(self, complete: bool) -> Result<Written, Error> {
        let table = self.layout.table;
        let Some(last) = &self.becomes else {
            return Ok(Written { table, path: self.path.clone(), rows: self.rows });
        };
        let partial = last.with_file_name(format!("_{table}.{}.partial", self.format.extension()));
        let rows = convert(self.format, &self.layout, &self.path, &partial)
            .and_then(|rows| fs::rename(&partial, last).map(|()| rows))
            .map_err(|source| Error::File { path: last.clone(), source })?;
        if complete {
            fs::remove_file(&self.path).map_err(|source| self.error(source))?;
        }
        Ok(Written { table, path: last.clone(), rows })
    }

    fn error(&self, source: io::Error) -> Error {
        Error::File { path: self.path.clone(), source }
    }
}

/// The file of a table that grows, and the one that it becomes if that is another.
fn files(dir: &Path, format: FileFormat, layout: &Layout) -> (PathBuf, Option<PathBuf>) {
    let last = dir.join(format!("{}.{}", layout.table, format.extension()));
    match format {
        FileFormat::Csv | FileFormat::Jsonl => (last, None),
        FileFormat::Parquet | FileFormat::Json => {
            (dir.join(format!("_{}.csv.partial", layout.table)), Some(last))
        }
    }
}

/// Fails where the first line names other columns: rows of both would stand in one file.
fn same_columns(mut file: &File, layout: &Layout) -> io::Result<()> {
    let wanted = csv::header(layout) + "\n";
    let mut header = vec![0; wanted.len()];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut header) {
        Ok(()) if header == wanted.as_bytes() => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, OTHER_COLUMNS)),
    }
}

/// Length up to the end of the last whole line.
fn whole_lines(mut file: &File) -> io::Result<u64> {
    const PIECE: u64 = 1 << 16;
    let mut end = file.metadata()?.len();
    let mut piece = Vec::new();
    while end > 0 {
        let begin = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(begin))?;
        piece.clear();
        file.take(end - begin).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|&byte| byte == b'\n') {
            return Ok(begin + u64::try_from(at).unwrap_or(0) + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// Rows as CSV, read row by row, become another file; yields how many.
fn convert(format: FileFormat, layout: &Layout, from: &Path, to: &Path) -> io::Result<u64> {
    let mut csv = ::csv::Reader::from_path(from).map_err(plain_error)?;
    let names = layout.fields.iter().map(|field| &*field.name);
    if !csv.headers().map_err(plain_error)?.iter().eq(names) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, OTHER_COLUMNS));
    }
    let file = Arc::new(File::create(to)?);
    let mut writer = writer(format, layout.clone(), BufWriter::new(Arc::clone(&file)))?;
    let width = layout.fields.iter().map(|field| field.source + 1).max().unwrap_or(0);
    let (mut record, mut rows) = (::csv::StringRecord::new(), 0);
    while csv.read_record(&mut record).map_err(plain_error)? {
        let mut row = vec![Value::Null; width];
        for (field, text) in layout.fields.iter().zip(&record) {
            if field.form != Form::Timestamp
                && let Some(cell) = row.get_mut(field.source)
            {
                *cell = value(field.form, field.nullable, text).ok_or_else(|| {
                    let what = format!("row {}: '{text}' is no {}", rows + 1, field.name);
                    io::Error::new(io::ErrorKind::InvalidData, what)
                })?;
            }
        }
        writer.row(&row)?;
        rows += 1;
    }
    writer.finish()?;
    file.sync_all()?;
    Ok(rows)
}

/// What a cell of a CSV file holds.
fn value(form: Form, nullable: bool, text: &str) -> Option<Value<'_>> {
    Some(match form {
        _ if nullable && text.is_empty() => Value::Null,
        Form::Bool => Value::Bool(text.parse().ok()?),
        Form::Int => Value::Int(text.parse().ok()?),
        // Numbers that are none are written as nothing.
        Form::Float if text.is_empty() => Value::Float(f64::NAN),
        Form::Float => Value::Float(text.parse().ok()?),
        Form::Text => Value::Text(text),
        Form::Timestamp | Form::Nanoseconds => Value::Time(text.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parquet;
    use crate::rows::testing::{Sample, empty, full};

    fn open(dir: &Path, format: FileFormat, go_on: bool) -> GrowingSink {
        GrowingSink::open(dir, format, &Selection::all(&[Sample::SCHEMA]), go_on).expect("opens")
    }

    fn read(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).expect("a file")
    }

    #[test]
    fn what_was_flushed_is_there_and_a_cut_line_goes() {
        for (format, name, header) in
            [(FileFormat::Csv, "samples.csv", 1), (FileFormat::Jsonl, "samples.jsonl", 0)]
        {
            let dir = tempfile::tempdir().expect("a folder");
            let mut sink = open(dir.path(), format, false);
            sink.put(&empty()).expect("takes a row");
            sink.put(&empty()).expect("takes a row");
            sink.flush().expect("flushes");
            let before = read(dir.path(), name);
            assert_eq!(before.lines().count(), 2 + header);
            // The rest never gets to the disk.
            std::mem::forget(sink);
            fs::write(dir.path().join(name), before.clone() + "3,1970-01").expect("writes");
            let mut sink = open(dir.path(), format, true);
            sink.put(&empty()).expect("takes a row");
            let written = sink.finish(true).expect("finishes");
            assert_eq!((written[0].rows, written[0].path.clone()), (1, dir.path().join(name)));
            let after = read(dir.path(), name);
            assert!(after.starts_with(&before));
            assert_eq!(after.lines().count(), 3 + header);
            // Rows of other columns are not put beneath these. JSON lines name theirs.
            if format == FileFormat::Csv {
                let fewer = ["addr", "good"].map(str::to_owned);
                let other = Selection::new(&[Sample::SCHEMA], &[], &fewer, "samples").expect("columns");
                let error = GrowingSink::open(dir.path(), format, &other, true).err().expect("refused");
                assert!(error.to_string().contains("the rows so far have other columns"), "{error}");
                assert_eq!(read(dir.path(), name), after);
            }
            // Anew.
            open(dir.path(), format, false).finish(true).expect("finishes");
            assert_eq!(read(dir.path(), name).lines().count(), header);
        }
    }

    #[test]
    fn a_row_for_now_is_replaced() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut sink = open(dir.path(), FileFormat::Csv, false);
        sink.put(&empty()).expect("takes a row");
        sink.put_for_now(&full()).expect("takes a row");
        sink.flush().expect("flushes");
        assert!(read(dir.path(), "samples.csv").contains("00000abc"));
        sink.put_for_now(&empty()).expect("takes a row");
        let rows = sink.finish(true).expect("finishes")[0].rows;
        let text = read(dir.path(), "samples.csv");
        assert_eq!((rows, text.lines().count(), text.contains("00000abc")), (2, 3, false));
    }

    #[test]
    fn parquet_waits_as_text() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut sink = open(dir.path(), FileFormat::Parquet, false);
        sink.put(&full()).expect("takes a row");
        assert_eq!(sink.finish(false).expect("finishes")[0].rows, 1);
        assert!(dir.path().join("samples.parquet").is_file());
        let mut sink = open(dir.path(), FileFormat::Parquet, true);
        sink.put(&empty()).expect("takes a row");
        assert_eq!(sink.finish(true).expect("finishes")[0].rows, 2);
        let grown = fs::read(dir.path().join("samples.parquet")).expect("a file");
        assert!(!dir.path().join("_samples.csv.partial").exists());
        // What is complete has nothing to go on with, and loses nothing by trying.
        let selection = Selection::all(&[Sample::SCHEMA]);
        assert!(GrowingSink::open(dir.path(), FileFormat::Parquet, &selection, true).is_err());
        GrowingSink::complete(dir.path(), FileFormat::Parquet, &selection).expect("completes");
        // The same bytes as from rows that took no detour.
        let mut direct = Vec::new();
        let mut writer = parquet::Writer::new(Layout::new(&Sample::SCHEMA), &mut direct).expect("starts");
        writer.row(&full().cells()).expect("takes a row");
        writer.row(&empty().cells()).expect("takes a row");
        writer.finish().expect("finishes");
        drop(writer);
        assert!(grown == direct);
    }

    #[test]
    fn a_full_disk_is_told_at_once() {
        let full_disk = Path::new("/dev/full");
        if !full_disk.exists() {
            eprintln!("skipped: /dev/full is missing");
            return;
        }
        let dir = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(full_disk, dir.path().join("samples.csv")).expect("links");
        let mut sink = open(dir.path(), FileFormat::Csv, false);
        let error = sink.flush().unwrap_err().to_string();
        assert!(error.contains("samples.csv") && error.contains("space"), "{error}");
    }
}
