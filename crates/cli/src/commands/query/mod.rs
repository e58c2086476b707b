//! `subflow query`: SQL over the tables.

mod completion;
mod output;
mod prompt;
mod tables;

use crate::args::{Format, QueryArgs};
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::Query;
use output::Output;
use subflow_store::sql::{Answer, Command, Session, Statement};
use tables::Tables;

pub(super) fn run(args: QueryArgs) -> Result<Exit, Failure> {
    let settings = Query::new(args)?;
    interrupt::watch_saying("\ninterrupted (Ctrl-C again stops at once)");
    let mut tables = Tables::find(&settings.inputs, settings.reading)?;
    let Some(texts) = settings.texts else { return prompt::run(tables, settings.format) };
    let mut statements = Vec::new();
    for text in &texts {
        statements.extend(tables.session.parse(text)?);
    }
    check(&statements, settings.format, settings.output.is_some())?;
    let incomplete = tables.load_for(&statements)?;
    let mut format = settings.format;
    for statement in &statements {
        match statement {
            Statement::Command(Command::Quit) => break,
            Statement::Command(Command::Format(name)) => format = chosen(name.as_deref(), format)?,
            statement => answer(&tables.session, statement, format, settings.output.as_deref())?,
        }
    }
    Ok(if incomplete { Exit::Interrupted } else { Exit::Done })
}

/// Runs a statement and writes what it yields.
fn answer(
    session: &Session,
    statement: &Statement,
    format: Format,
    file: Option<&std::path::Path>,
) -> Result<(), Failure> {
    match session.run(statement)? {
        Answer::Rows(rows) => {
            let output = Output::open(file)?;
            let form = output.form(format);
            output.write(|out| rows.write(form, out, &interrupt::is_pressed).map(drop))
        }
        Answer::Text(text) => console::print(&text),
        Answer::Done => Ok(()),
    }
}

/// One JSON document, one CSV and one file hold one result.
fn check(statements: &[Statement], format: Format, file: bool) -> Result<(), Failure> {
    let results = statements.iter().filter(|statement| match statement {
        Statement::Sql(sql) => sql.yields_rows(),
        Statement::Command(command) => matches!(command, Command::Tables | Command::Schema(_)),
    });
    let results = results.count();
    let one = file || matches!(format, Format::Json | Format::Csv | Format::Parquet);
    if results > 1 && one {
        let what = if file { "a file" } else { format.as_str() };
        return Err(Failure::usage(format!("{what} holds one result, and these are {results} queries"))
            .hint("run them one by one, or choose table or jsonl on standard output"));
    }
    if results == 0 && file {
        return Err(Failure::usage("nothing here yields rows for -o").hint("add a SELECT"));
    }
    Ok(())
}

/// The format of `.format NAME`; without a name it is told.
fn chosen(name: Option<&str>, now: Format) -> Result<Format, Failure> {
    use clap::ValueEnum;
    let Some(name) = name else {
        console::note(format!("the format is {}", now.as_str()));
        return Ok(now);
    };
    match Format::from_str(name, true) {
        Ok(Format::Parquet) => Err(Failure::usage("the format parquet makes a file")
            .hint("start with -o, as in: subflow query tables \"SELECT …\" -o result.parquet")),
        Ok(format) => Ok(format),
        Err(_) => Err(Failure::usage(format!("there is no format `{name}`"))
            .hint("the formats are table, json, jsonl and csv")),
    }
}

/// Whether a failure is a query that was cancelled.
fn is_cancelled(failure: &Failure) -> bool {
    failure.exit() == Exit::Interrupted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Result<Vec<Statement>, subflow_store::sql::Error> {
        Session::of_captures()?.parse(text)
    }

    #[test]
    fn one_document_holds_one_result() {
        let two = statements("SELECT 1; SELECT 2").expect("parses");
        assert!(check(&two, Format::Json, false).is_err() && check(&two, Format::Jsonl, true).is_err());
        assert!(check(&two, Format::Jsonl, false).is_ok() && check(&two, Format::Table, false).is_ok());
        let one = statements("CREATE VIEW v AS SELECT 1; SELECT * FROM v").expect("parses");
        assert!(check(&one, Format::Json, false).is_ok() && check(&one, Format::Parquet, true).is_ok());
        assert!(check(&one[..1], Format::Csv, true).is_err());
    }

    #[test]
    fn formats_are_chosen_by_name() {
        assert_eq!(chosen(Some("CSV"), Format::Table).expect("exists"), Format::Csv);
        assert_eq!(chosen(None, Format::Json).expect("stays"), Format::Json);
        assert!(
            chosen(Some("parquet"), Format::Table).is_err() && chosen(Some("xml"), Format::Table).is_err()
        );
    }
}
