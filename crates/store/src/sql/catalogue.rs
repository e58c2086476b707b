//! The tables that there are, and their columns: what `.tables` and `.schema` show.

use super::cells::form;
use super::near::did_you_mean;
use super::{Command, Error, Rows, Session};
use crate::batch::Batcher;
use crate::layout::{Form, Layout};
use arrow_schema::{Field, Fields};
use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use std::fmt::Write as _;
use subflow_analysis::rows::{DETAIL_SCHEMAS, SCHEMAS};
use subflow_rows::{Schema, Value};

/// What the dictionary says of a table.
fn documented(table: &str) -> Option<Schema> {
    SCHEMAS.iter().chain(&DETAIL_SCHEMAS).copied().find(|schema| schema.table == table)
}

/// All tables and views: those of the dictionary in its order, then the others.
pub(super) fn names(context: &SessionContext) -> Vec<String> {
    let (catalog, schema) = {
        let state = context.state();
        let names = &state.config().options().catalog;
        (names.default_catalog.clone(), names.default_schema.clone())
    };
    let found = context.catalog(&catalog).and_then(|catalog| catalog.schema(&schema));
    let mut names = found.map(|schema| schema.table_names()).unwrap_or_default();
    let place = |name: &String| {
        let mut known = SCHEMAS.iter().chain(&DETAIL_SCHEMAS);
        known.position(|schema| schema.table == name).unwrap_or(usize::MAX)
    };
    names.sort_by_key(|name| (place(name), name.clone()));
    names
}

/// The columns of a table; none when there is no such table.
pub(super) fn columns(session: &Session, table: &str) -> Fields {
    let provider = session.block_on(session.context.table_provider(TableReference::bare(table)));
    provider.map(|provider| provider.schema().fields().clone()).unwrap_or_default()
}

/// `.tables`
pub(super) fn tables(session: &Session) -> Result<Rows<'_>, Error> {
    let mut rows = Batcher::new(Layout::result(named(&[
        ("table", Form::Text),
        ("rows", Form::Int),
        ("one row is", Form::Text),
    ])));
    for name in names(&session.context) {
        let count = session.rows.get(&name).and_then(|count| i64::try_from(*count).ok());
        let doc = documented(&name).map(|schema| first_sentence(schema.doc));
        rows.append(&[
            Value::Text(&name),
            count.map_or(Value::Null, Value::Int),
            doc.as_deref().map_or(Value::Null, Value::Text),
        ]);
    }
    whole(session, rows)
}

/// `.schema [TABLE]`
pub(super) fn schema<'a>(session: &'a Session, table: Option<&str>) -> Result<Rows<'a>, Error> {
    let known = names(&session.context);
    let wanted = match table {
        None => known,
        Some(table) if known.iter().any(|name| name == table) => vec![table.to_owned()],
        Some(table) => {
            let near = did_you_mean(table, known.iter().map(String::as_str));
            let message = format!("there is no table `{table}`{near}");
            return Err(Error::Command {
                message,
                hint: Some(format!("the tables are {}", known.join(", "))),
            });
        }
    };
    let several = wanted.len() > 1;
    let text = |name| (name, Form::Text);
    let mut headings = vec![text("column"), text("type"), text("unit"), text("meaning")];
    if several {
        headings.insert(0, text("table"));
    }
    let mut rows = Batcher::new(Layout::result(named(&headings)));
    for table in wanted {
        let layout = documented(&table).map(|schema| Layout::new(&schema));
        for field in &columns(session, &table) {
            let about = layout.as_ref().and_then(|layout| layout.field(field.name()));
            let kind = kind(field);
            let doc = about.map(|field| on_one_line(&field.doc));
            let cells = [
                Value::Text(&table),
                Value::Text(field.name()),
                Value::Text(&kind),
                Value::Text(about.map_or("", |field| field.unit)),
                doc.as_deref().map_or(Value::Null, Value::Text),
            ];
            rows.append(if several { &cells } else { &cells[1..] });
        }
    }
    whole(session, rows)
}

/// `.help`
pub(super) fn help() -> String {
    let mut text = String::from(
        "SQL ends with `;` and may span lines. Tab completes, arrows recall, Ctrl-C cancels.\n\n",
    );
    for (name, argument, does) in Command::ALL {
        let _ = writeln!(text, "  {:16}  {does}", format!("{name} {argument}"));
    }
    text
}

/// `int?` and so on, as in the dictionary.
fn kind(field: &Field) -> String {
    format!("{}{}", form(field.data_type()).as_str(), if field.is_nullable() { "?" } else { "" })
}

fn named<'a>(columns: &'a [(&'a str, Form)]) -> impl Iterator<Item = (String, Form)> + 'a {
    columns.iter().map(|(name, form)| ((*name).to_owned(), *form))
}

fn whole(session: &Session, mut rows: Batcher) -> Result<Rows<'_>, Error> {
    let schema = rows.schema();
    let batch = rows.take().map_err(|error| Error::Run(error.to_string()))?;
    Ok(Rows::ready(session, batch.unwrap_or_else(|| arrow_array::RecordBatch::new_empty(schema))))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `One row per packet of a connection` without the words that all of them have.
fn first_sentence(doc: &str) -> String {
    let text = on_one_line(doc);
    let first = text.split_inclusive(['.', ':']).next().unwrap_or_default().trim_end_matches(['.', ':']);
    first.strip_prefix("One row per ").unwrap_or(first).to_owned()
}
