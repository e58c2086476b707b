//! Why a query cannot be answered, in words of the tables and with the place in its text.

use super::near::did_you_mean;
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A query, its inputs or its output failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file begins as Parquet, but is not whole.
    #[error("cannot read {} as Parquet: {reason}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Files of one table do not fit together.
    #[error("the files of table `{table}` do not fit together: {reason}")]
    Unlike {
        /// The table.
        table: String,
        /// Why.
        reason: String,
    },
    /// Captures and stored tables were named together; their connection numbers have nothing to do with one another.
    #[error("{} holds stored tables, {} is something else: a query reads either captures or stored tables", stored.display(), capture.display())]
    Mixed {
        /// The first input that is no table.
        capture: PathBuf,
        /// The first folder with tables.
        stored: PathBuf,
    },
    /// The text is no SQL.
    #[error("{message}{}", Shown(.place))]
    Syntax {
        /// What is wrong.
        message: String,
        /// Where.
        place: Option<Place>,
    },
    /// A table, column or function that does not exist, or types that do not fit.
    #[error("{message}{}", Shown(.place))]
    Meaning {
        /// What is wrong.
        message: String,
        /// Where.
        place: Option<Place>,
        /// What there is instead.
        hint: Option<String>,
    },
    /// The statement would write.
    #[error("{what} is refused: queries only read")]
    Refused {
        /// The kind of statement.
        what: String,
    },
    /// A dot command that does not exist, or whose argument is wrong.
    #[error("{message}")]
    Command {
        /// What is wrong.
        message: String,
        /// What there is instead.
        hint: Option<String>,
    },
    /// The query failed while it ran.
    #[error("{0}")]
    Run(String),
    /// It was cancelled.
    #[error("the query was cancelled")]
    Cancelled,
    /// The output refused the rows.
    #[error("cannot write to the output: {0}")]
    Stream(#[from] io::Error),
}

impl Error {
    /// The next step, where there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Meaning { hint, .. } | Self::Command { hint, .. } => hint.as_deref(),
            Self::Parquet { .. } => {
                Some("it may still be written, or was cut; name the other files one by one")
            }
            Self::Unlike { .. } => Some("query their folders one at a time"),
            Self::Mixed { .. } => {
                Some("store the captures first, with subflow analyze -o DIR, and name both folders")
            }
            Self::Refused { .. } => Some(
                "results are stored with -o FILE, as in: subflow query trace.pcap \"SELECT …\" -o result.parquet",
            ),
            _ => None,
        }
    }

    /// Whether the text of the query is at fault, not the world.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Syntax { .. }
                | Self::Meaning { .. }
                | Self::Refused { .. }
                | Self::Command { .. }
                | Self::Mixed { .. }
        )
    }
}

/// A place in the text of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line's text.
    text: String,
    /// Its number, from 1; none where the text has one line only.
    line: Option<usize>,
    /// Characters before the place.
    column: usize,
}

impl Place {
    /// Line and column count from 1; none when there is no such line.
    fn new(sql: &str, line: u64, column: u64) -> Option<Self> {
        let number = usize::try_from(line).ok()?.checked_sub(1)?;
        let text = sql.lines().nth(number)?.replace('\t', " ").trim_end().to_owned();
        let column = usize::try_from(column).ok()?.saturating_sub(1).min(text.chars().count());
        Some(Self { text, line: (sql.trim_end().lines().count() > 1).then_some(number + 1), column })
    }

    /// Behind the last character.
    fn end(sql: &str) -> Option<Self> {
        let last = sql.trim_end().lines().count();
        let width = sql.trim_end().lines().last()?.chars().count();
        Self::new(sql, u64::try_from(last).ok()?, u64::try_from(width + 1).ok()?)
    }
}

/// A long line is shown around its place only.
const LINE_SHOWN: usize = 90;

/// The place below a message: the line, and a caret under the character.
struct Shown<'a>(&'a Option<Place>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = self.0 else { return Ok(()) };
        let label = place.line.map_or_else(|| "  ".to_owned(), |line| format!("  line {line}: "));
        let skip = place.column.saturating_sub(LINE_SHOWN * 2 / 3);
        let text: String = place.text.chars().skip(skip).take(LINE_SHOWN).collect();
        let before = label.chars().count() + place.column - skip;
        write!(f, "\n{label}{text}\n{:before$}^", "")
    }
}

/// What the catalogue knows, to name what exists.
pub(super) struct Known<'a> {
    pub(super) tables: &'a [String],
    pub(super) columns: &'a dyn Fn(&str) -> Vec<String>,
    pub(super) functions: &'a [String],
}

/// An error of the parser.
pub(super) fn syntax(sql: &str, error: DataFusionError) -> Error {
    match root(error) {
        (DataFusionError::SQL(error, _), _) => {
            let text = match *error {
                ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
                ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
            };
            let (message, place) = located(sql, &text);
            Error::Syntax { message: format!("this is no SQL: {message}"), place }
        }
        (error, _) => Error::Syntax { message: plain(&error), place: None },
    }
}

/// An error of the planner.
pub(super) fn meaning(sql: &str, error: DataFusionError, known: &Known<'_>) -> Error {
    let (error, span) = root(error);
    let place = span.and_then(|(line, column)| Place::new(sql, line, column));
    match error {
        DataFusionError::SchemaError(error, _) => match *error {
            SchemaError::FieldNotFound { field, valid_fields } => {
                no_column(place, &field, &valid_fields, known)
            }
            SchemaError::AmbiguousReference { field } => Error::Meaning {
                message: format!("several tables of the query have a column `{}`", field.name),
                place,
                hint: Some(format!("name the table, too: TABLE.{}", field.name)),
            },
            error => Error::Meaning { message: error.to_string(), place, hint: None },
        },
        DataFusionError::SQL(..) => syntax(sql, error),
        error => {
            let text = plain(&error);
            if let Some(name) = text.strip_prefix("table '").and_then(|rest| rest.strip_suffix("' not found"))
            {
                return no_table(sql, name.rsplit('.').next().unwrap_or(name), known);
            }
            if let Some((_, what)) = text.split_once(" not supported: ").filter(|_| text.starts_with('D')) {
                return Error::Refused { what: what.to_uppercase() };
            }
            if let Some(name) =
                text.strip_prefix("Invalid function '").and_then(|rest| rest.split('\'').next())
            {
                let near = did_you_mean(name, known.functions.iter().map(String::as_str));
                let message = format!("there is no function `{name}`{near}");
                return Error::Meaning { message, place, hint: None };
            }
            Error::Meaning { message: small(&text), place, hint: None }
        }
    }
}

/// A table that does not exist.
fn no_table(sql: &str, name: &str, known: &Known<'_>) -> Error {
    let near = did_you_mean(name, known.tables.iter().map(String::as_str));
    let message = format!("there is no table `{name}`{near}");
    let place = word(sql, name).and_then(|(line, column)| Place::new(sql, line, column));
    Error::Meaning { message, place, hint: Some(format!("the tables are {}", known.tables.join(", "))) }
}

fn no_column(place: Option<Place>, field: &Column, valid: &[Column], known: &Known<'_>) -> Error {
    let name = field.name.as_str();
    let tables: Vec<String> = match &field.relation {
        Some(table) => vec![table.table().to_owned()],
        None => {
            let mut tables: Vec<String> = valid
                .iter()
                .filter_map(|column| Some(column.relation.as_ref()?.table().to_owned()))
                .collect();
            tables.dedup();
            tables
        }
    };
    let mut columns: Vec<String> = valid
        .iter()
        .filter(|column| {
            field.relation.is_none()
                || column.relation.as_ref().is_none_or(|table| Some(table) == field.relation.as_ref())
        })
        .map(|column| column.name.clone())
        .collect();
    if columns.is_empty() {
        columns = tables.iter().flat_map(|table| (known.columns)(table)).collect();
    }
    let place_of = if tables.is_empty() { String::new() } else { format!(" in `{}`", tables.join("`, `")) };
    let near = did_you_mean(name, columns.iter().map(String::as_str));
    let message = format!("there is no column `{name}`{place_of}{near}");
    let elsewhere: Vec<_> = known
        .tables
        .iter()
        .filter(|table| !tables.contains(table) && (known.columns)(table).iter().any(|column| column == name))
        .map(|table| format!("`{table}`"))
        .collect();
    let hint = if !elsewhere.is_empty() {
        Some(format!("it is a column of {}", elsewhere.join(", ")))
    } else if columns.len() > COLUMNS_TOLD {
        // An alias is no table.
        tables
            .first()
            .filter(|table| known.tables.contains(table))
            .map(|table| format!(".schema {table} lists its columns"))
    } else if columns.is_empty() {
        None
    } else {
        Some(format!("the columns are {}", columns.join(", ")))
    };
    Error::Meaning { message, place, hint }
}

/// Columns that a hint names one by one.
const COLUMNS_TOLD: usize = 24;

/// An error that came while rows were computed.
pub(super) fn run(error: DataFusionError) -> Error {
    Error::Run(small(&plain(&root(error).0)))
}

/// A sentence as part of one: its first word small, unless that is a name.
fn small(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), text.get(first.len_utf8()..).unwrap_or_default())
        }
        _ => text.to_owned(),
    }
}

/// The innermost error, and the first place that was told on the way.
fn root(error: DataFusionError) -> (DataFusionError, Option<(u64, u64)>) {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => {
            let (error, place) = root(*inner);
            let start = diagnostic.span.map(|span| (span.start.line, span.start.column));
            (error, start.filter(|(line, _)| *line > 0).or(place))
        }
        DataFusionError::Context(_, inner) => root(*inner),
        DataFusionError::Collection(mut errors) if !errors.is_empty() => root(errors.swap_remove(0)),
        DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
            Ok(error) => root(error),
            Err(inner) => (DataFusionError::Execution(plain(&inner)), None),
        },
        error => (error, None),
    }
}

/// The text of an error without the planner's own labels and backtraces.
fn plain(error: &DataFusionError) -> String {
    let text = match error {
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::Configuration(text)
        | DataFusionError::ResourcesExhausted(text) => text.clone(),
        DataFusionError::ArrowError(error, _) => error.to_string(),
        error => error.strip_backtrace(),
    };
    let text = text.split("\n\nbacktrace:").next().unwrap_or_default().trim();
    ["Error during planning: ", "Execution error: ", "type_coercion\ncaused by\n"]
        .iter()
        .fold(text, |text, label| text.strip_prefix(label).unwrap_or(text))
        .to_owned()
}

/// Takes ` at Line: 1, Column: 8` off the end of a message; without it, the text's end is meant.
fn located(sql: &str, text: &str) -> (String, Option<Place>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else {
        let place = text.ends_with("EOF").then(|| Place::end(sql)).flatten();
        return (words(text), place);
    };
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    let column = place.split_once("Column: ").and_then(|(_, column)| digits(column));
    let place = digits(place).zip(column).and_then(|(line, column)| Place::new(sql, line, column));
    (words(message), place)
}

/// The parser's `Expected: X, found: Y` as a sentence.
fn words(message: &str) -> String {
    let message = message.replace("EOF", "the end");
    match message.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: ")) {
        Some((expected, found)) => format!("expected {expected}, found {found}"),
        None => message,
    }
}

/// Line and column of a word in the text.
fn word(sql: &str, name: &str) -> Option<(u64, u64)> {
    let last = name.rsplit('.').next().unwrap_or(name).to_lowercase();
    let part = |character: char| character.is_alphanumeric() || character == '_';
    for (number, line) in sql.lines().enumerate() {
        let lower = line.to_lowercase();
        for (at, _) in lower.match_indices(&last) {
            let before = lower[..at].chars().next_back().is_some_and(part);
            let after = lower[at + last.len()..].chars().next().is_some_and(part);
            if !before && !after {
                let column = lower[..at].chars().count() + 1;
                return Some((u64::try_from(number + 1).ok()?, u64::try_from(column).ok()?));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_under_the_place() {
        let place = Place::new("SELECT a b c", 1, 12);
        assert_eq!(Shown(&place).to_string(), "\n  SELECT a b c\n             ^");
        let place = Place::new("SELECT a\nFROM", 2, 5);
        assert_eq!(Shown(&place).to_string(), "\n  line 2: FROM\n              ^");
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let sql = format!("SELECT {} FROM", "x, ".repeat(100));
        let shown = Shown(&Place::new(&sql, 1, 300)).to_string();
        assert!(shown.lines().all(|line| line.chars().count() <= LINE_SHOWN + 2), "{shown}");
    }

    #[test]
    fn words_are_found_whole() {
        assert_eq!(word("SELECT flows FROM subflow,\nflow", "flow"), Some((2, 1)));
        assert_eq!(word("SELECT 1", "flow"), None);
    }

    #[test]
    fn a_message_without_a_place_means_the_end() {
        let (message, place) = located("SELECT a FROM", "Expected: identifier, found: EOF");
        assert_eq!(message, "expected identifier, found the end");
        assert_eq!(place, Place::new("SELECT a FROM", 1, 14));
    }
}
