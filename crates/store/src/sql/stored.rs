//! Tables that lie in Parquet files: one table over all files that hold it, with the keys of hive-partitioned folders
//! (`DIR/table/key=value/….parquet`) as columns.
//!
//! Nothing is read before a query asks for it: DataFusion's reader gets the columns that a query uses and its filters, so
//! files, row groups and pages that cannot match are skipped by their statistics, and rows are filtered while they are
//! decoded.

use super::Error;
use super::inputs::StoredFile;
use crate::parquet::{SCHEMA_VERSION, TABLE_KEY, VERSION_KEY};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, ScalarValue, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::listing::helpers::{expr_applicable_for_cols, filter_partitioned_file};
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::{ObjectMeta, path::Path as StorePath};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Component, Path};
use std::sync::Arc;

/// Column that tells the folder where tables of several folders are queried as one.
pub(super) const SOURCE: &str = "source";

/// One table in its files.
#[derive(Debug)]
pub(super) struct Stored {
    schema: TableSchema,
    files: Vec<PartitionedFile>,
    /// Rows of all files.
    pub(super) rows: u64,
}

/// A file whose footer was read.
struct Part {
    file: StoredFile,
    size: u64,
    modified: std::time::SystemTime,
    rows: u64,
    schema: SchemaRef,
    keys: Vec<(String, String)>,
}

/// Tables by name.
pub(super) type Named = Vec<(String, Stored)>;

/// All tables in these files, and what a careful reader of results should know.
pub(super) fn tables(files: &[StoredFile]) -> Result<(Named, Vec<String>), Error> {
    let mut notes = Vec::new();
    let mut parts: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    let mut newer = 0_usize;
    for file in files {
        let (name, part, version) = part(file)?;
        newer += usize::from(version.is_some_and(|version| version > SCHEMA_VERSION.parse().unwrap_or(0)));
        parts.entry(name).or_default().push(part);
    }
    if newer > 0 {
        notes.push(format!(
            "{newer} of {} files were written by a newer version, whose columns may mean something else",
            files.len()
        ));
    }
    let mut roots: Vec<&Path> = files.iter().map(|file| file.root.as_path()).collect();
    roots.sort();
    roots.dedup();
    if roots.len() > 1 {
        notes.push(format!(
            "tables of {} folders are one: connection numbers repeat, so join and group by `{SOURCE}` as well",
            roots.len()
        ));
    }
    let several = roots.len() > 1;
    let table = |(name, parts): (String, Vec<Part>)| {
        let table = Stored::new(&name, parts, several)?;
        Ok((name, table))
    };
    Ok((parts.into_iter().map(table).collect::<Result<_, Error>>()?, notes))
}

/// Reads a footer: the table's name, the file, and the version of the columns.
fn part(file: &StoredFile) -> Result<(String, Part, Option<u32>), Error> {
    let unreadable = |reason: String| Error::Parquet { path: file.path.clone(), reason };
    let opened = File::open(&file.path).map_err(|error| unreadable(error.to_string()))?;
    let about = opened.metadata().map_err(|error| unreadable(error.to_string()))?;
    let metadata = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new())
        .map_err(|error| unreadable(error.to_string()))?;
    let footer = metadata.metadata().file_metadata();
    let value = |key: &str| {
        let pairs = footer.key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.clone()
    };
    let (keys, folders) = place(file);
    let name = value(TABLE_KEY)
        .or_else(|| folders.last().cloned())
        .or_else(|| file.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .unwrap_or_default();
    let part = Part {
        file: file.clone(),
        size: about.len(),
        modified: about.modified().unwrap_or(std::time::UNIX_EPOCH),
        rows: u64::try_from(footer.num_rows()).unwrap_or(0),
        // Without what other programs noted beside the columns, which need not agree from file to file.
        schema: Arc::new(Schema::new(metadata.schema().fields().clone())),
        keys,
    };
    Ok((name, part, value(VERSION_KEY).and_then(|version| version.parse().ok())))
}

/// The folders between the root and a file: `key=value` pairs, and the others.
fn place(file: &StoredFile) -> (Vec<(String, String)>, Vec<String>) {
    let (mut keys, mut folders) = (Vec::new(), Vec::new());
    let folder = file.path.strip_prefix(&file.root).ok().and_then(Path::parent).unwrap_or(Path::new(""));
    for component in folder.components() {
        if let Component::Normal(name) = component {
            let name = name.to_string_lossy();
            match name.split_once('=') {
                Some((key, value)) if !key.is_empty() => keys.push((key.to_owned(), unescaped(value))),
                _ => folders.push(name.into_owned()),
            }
        }
    }
    (keys, folders)
}

/// Undoes the `%3A` of hive's folder names.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What Spark and DuckDB write for a key that is null.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

impl Stored {
    fn new(name: &str, parts: Vec<Part>, several: bool) -> Result<Self, Error> {
        let file_schema = merged(name, &parts)?;
        let mut keys: Vec<String> = Vec::new();
        for (key, _) in parts.iter().flat_map(|part| &part.keys) {
            // A column of the files goes before a folder's name for it: the files are what was written.
            if !keys.contains(key) && file_schema.field_with_name(key).is_err() {
                keys.push(key.clone());
            }
        }
        let kinds: Vec<_> = keys.iter().map(|key| kind(key, &parts)).collect();
        let mut fields: Vec<FieldRef> = Vec::new();
        if several && file_schema.field_with_name(SOURCE).is_err() {
            fields.push(Arc::new(Field::new(SOURCE, DataType::Utf8, false)));
        }
        let has_source = !fields.is_empty();
        fields
            .extend(keys.iter().zip(&kinds).map(|(key, kind)| Arc::new(Field::new(key, kind.clone(), true))));
        let rows = parts.iter().map(|part| part.rows).sum();
        let mut files = Vec::with_capacity(parts.len());
        for part in parts {
            let location = StorePath::from_filesystem_path(&part.file.path).map_err(|error| {
                Error::Parquet { path: part.file.path.clone(), reason: error.to_string() }
            })?;
            let mut values = Vec::with_capacity(fields.len());
            if has_source {
                values.push(ScalarValue::from(part.file.root.display().to_string()));
            }
            for (key, kind) in keys.iter().zip(&kinds) {
                let text = value(&part, key);
                values.push(match kind {
                    DataType::Int64 => ScalarValue::Int64(text.and_then(|text| text.parse().ok())),
                    _ => ScalarValue::Utf8(text.map(str::to_owned)),
                });
            }
            let meta = ObjectMeta {
                location,
                last_modified: part.modified.into(),
                size: part.size,
                e_tag: None,
                version: None,
            };
            files.push(PartitionedFile::new_from_meta(meta).with_partition_values(values));
        }
        Ok(Self {
            schema: TableSchema::builder(file_schema).with_table_partition_cols(fields).build(),
            files,
            rows,
        })
    }
}

impl Stored {
    /// The files whose folders match those of the filters that are about folders alone; the others are not opened.
    fn chosen(&self, filters: &[Expr]) -> datafusion::error::Result<Vec<PartitionedFile>> {
        let keys = self.schema.table_partition_cols();
        let names: Vec<_> = keys.iter().map(|key| key.name().as_str()).collect();
        let of_keys = |filter: &&Expr| !names.is_empty() && expr_applicable_for_cols(&names, filter);
        let filters: Vec<_> = filters.iter().filter(of_keys).cloned().collect();
        let schema = DFSchema::try_from(Schema::new(keys.clone()))?;
        let chosen = self.files.iter().cloned().map(|file| filter_partitioned_file(file, &filters, &schema));
        chosen.filter_map(Result::transpose).collect()
    }
}

/// The columns of all files; one that some files lack is null there.
fn merged(name: &str, parts: &[Part]) -> Result<SchemaRef, Error> {
    let everywhere =
        |field: &Field| parts.iter().all(|part| part.schema.field_with_name(field.name()).is_ok());
    let schema = Schema::try_merge(parts.iter().map(|part| part.schema.as_ref().clone()))
        .map_err(|error| Error::Unlike { table: name.to_owned(), reason: error.to_string() })?;
    let fields = schema.fields().iter().map(|field| {
        if everywhere(field) {
            Arc::clone(field)
        } else {
            Arc::new(field.as_ref().clone().with_nullable(true))
        }
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// What a key holds: integers, where every value of it is one that reads back the same; text otherwise.
fn kind(key: &str, parts: &[Part]) -> DataType {
    let plain = |text: &str| text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    let all = parts.iter().filter_map(|part| value(part, key)).all(plain);
    if all { DataType::Int64 } else { DataType::Utf8 }
}

fn value<'a>(part: &'a Part, key: &str) -> Option<&'a str> {
    let (_, value) = part.keys.iter().find(|(name, _)| name == key)?;
    Some(value.as_str()).filter(|value| *value != HIVE_NULL)
}

#[async_trait]
impl TableProvider for Stored {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters are given to the reader. What it cannot use of them is applied above it, so all of them count as inexact here.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::error::Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let files = self.chosen(filters)?;
        if files.is_empty() {
            let schema = project_schema(self.schema.table_schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_group(files.into())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        let options = state.table_options().parquet.clone();
        ParquetFormat::default().with_options(options).create_physical_plan(state, scan).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(path: &str) -> StoredFile {
        StoredFile { path: path.into(), root: "/r".into() }
    }

    #[test]
    fn folders_tell_keys_and_tables() {
        let (keys, folders) = place(&stored("/r/connections/day=2026-01-02/host=a%3Ab/part-0.parquet"));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(keys, [pair("day", "2026-01-02"), pair("host", "a:b")]);
        assert_eq!(folders, ["connections"]);
        assert_eq!(place(&stored("/r/connections.parquet")), (vec![], vec![]));
    }

    #[test]
    fn escapes_that_are_none_stay() {
        assert_eq!(unescaped("100%"), "100%");
        assert_eq!(unescaped("%zz%41"), "%zzA");
    }
}
