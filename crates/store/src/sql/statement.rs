//! The text of queries into statements and dot commands.

use super::Error;
use super::error::syntax;
use super::near::did_you_mean;
use datafusion::sql::parser::{DFParserBuilder, Statement as Parsed};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::sync::Arc;

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Statement {
    /// A statement of SQL.
    Sql(Sql),
    /// A dot command.
    Command(Command),
}

/// A statement of SQL and the text that it stands in.
#[derive(Clone, Debug)]
pub struct Sql {
    pub(super) text: Arc<str>,
    pub(super) parsed: Parsed,
}

impl Sql {
    /// Whether it yields rows: it is neither a view nor a setting.
    pub fn yields_rows(&self) -> bool {
        let text = self.parsed.to_string();
        let first = text.split_whitespace().next().unwrap_or_default();
        !["CREATE", "DROP", "SET", "RESET"].contains(&first)
    }
}

/// A command about the session rather than a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `.tables`: the tables that there are.
    Tables,
    /// `.schema [TABLE]`: the columns of a table, or of all.
    Schema(Option<String>),
    /// `.format [NAME]`: how results are shown from now on.
    Format(Option<String>),
    /// `.help`
    Help,
    /// `.quit`
    Quit,
}

impl Command {
    /// Every command with its argument and what it does.
    pub const ALL: [(&'static str, &'static str, &'static str); 5] = [
        (".tables", "", "the tables, with their rows and what a row is"),
        (".schema", "[TABLE]", "the columns of a table, with type, unit and meaning"),
        (".format", "[NAME]", "show results as table, json, jsonl or csv"),
        (".help", "", "this list"),
        (".quit", "", "leave (also Ctrl-D)"),
    ];

    /// Reads a line that begins with a dot.
    fn parse(line: &str) -> Result<Self, Error> {
        let line = line.trim().trim_end_matches(';');
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        let argument = words.next().map(|word| word.trim_matches(['"', '`']).to_owned());
        let command = match (name, argument) {
            (".tables", None) => Self::Tables,
            (".schema", table) => Self::Schema(table),
            (".format", name) => Self::Format(name),
            (".help", _) => Self::Help,
            (".quit" | ".exit", None) => Self::Quit,
            (".tables" | ".quit" | ".exit", Some(_)) => {
                return Err(Error::Command { message: format!("{name} takes no argument"), hint: None });
            }
            _ => {
                let names = Self::ALL.iter().map(|(name, ..)| *name);
                return Err(Error::Command {
                    message: format!("there is no command `{name}`{}", did_you_mean(name, names)),
                    hint: Some(".help lists the commands".to_owned()),
                });
            }
        };
        match words.next() {
            Some(more) => {
                Err(Error::Command { message: format!("{name}: `{more}` is too much"), hint: None })
            }
            None => Ok(command),
        }
    }
}

/// Whether a text that is being typed is whole: empty, a dot command, or SQL that ends with `;` outside of quotes and
/// comments.
pub fn is_complete(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || text.starts_with('.') {
        return true;
    }
    // A text with an open quote or comment is none of the tokenizer's.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, text).tokenize() else { return false };
    let last = tokens.iter().rev().find(|token| !matches!(token, Token::Whitespace(_)));
    last.is_none_or(|token| *token == Token::SemiColon)
}

/// All statements of a text. A line that begins with a dot where no statement is open is a command.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, Error> {
    let mut statements = Vec::new();
    // Lines before a statement are left empty, so that the places of errors are those of the whole text.
    let mut sql = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with('.') && is_complete(&sql) {
            parse_sql(&sql, &mut statements)?;
            statements.push(Statement::Command(Command::parse(line)?));
            sql = "\n".repeat(sql.lines().count() + 1);
        } else {
            sql.push_str(line);
            sql.push('\n');
        }
    }
    parse_sql(&sql, &mut statements)?;
    Ok(statements)
}

fn parse_sql(sql: &str, statements: &mut Vec<Statement>) -> Result<(), Error> {
    let text: Arc<str> = sql.into();
    let parsed = DFParserBuilder::new(sql)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| syntax(sql, error))?;
    for parsed in parsed {
        if let Some(what) = writes(&parsed) {
            return Err(Error::Refused { what });
        }
        statements.push(Statement::Sql(Sql { text: Arc::clone(&text), parsed }));
    }
    Ok(())
}

/// The kind of a statement that would write, told by its first words; what hides behind EXPLAIN is found when it is planned.
fn writes(statement: &Parsed) -> Option<String> {
    const WRITE: [&str; 9] =
        ["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "ALTER", "COPY", "CREATE", "DROP"];
    const KINDS: [&str; 7] = ["TABLE", "VIEW", "SCHEMA", "DATABASE", "FUNCTION", "INDEX", "INTO"];
    let text = statement.to_string();
    let mut words = text.split_whitespace();
    let first = words.next().filter(|word| WRITE.contains(word))?;
    // The words between, as OR REPLACE, EXTERNAL or IF EXISTS, do not matter.
    let kind = words.take(4).find(|word| KINDS.contains(word));
    match (first, kind) {
        ("CREATE" | "DROP", Some("VIEW")) => None,
        ("CREATE" | "DROP" | "ALTER" | "INSERT", Some(kind)) => Some(format!("{first} {kind}")),
        _ => Some(first.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_whole_when_its_last_statement_is_closed() {
        for text in ["", "  \n", ".tables", "SELECT 1;", "SELECT 1; -- done\n", "SELECT ';';", "-- nothing"] {
            assert!(is_complete(text), "{text}");
        }
        for text in ["SELECT 1", "SELECT ';", "SELECT /* ;", "SELECT 1; SELECT 2"] {
            assert!(!is_complete(text), "{text}");
        }
    }

    #[test]
    fn commands_stand_between_statements() {
        let statements =
            parse(".tables\nSELECT 1\n  + .5;\n.schema \"x\"\nSELECT 2; SELECT 3").expect("parses");
        let kinds: Vec<_> = statements
            .iter()
            .map(|statement| match statement {
                Statement::Sql(sql) => sql.parsed.to_string(),
                Statement::Command(command) => format!("{command:?}"),
            })
            .collect();
        assert_eq!(kinds, ["Tables", "SELECT 1 + .5", "Schema(Some(\"x\"))", "SELECT 2", "SELECT 3"]);
    }

    #[test]
    fn a_command_that_does_not_exist_is_told_with_its_neighbour() {
        let text = |text| parse(text).unwrap_err().to_string();
        assert_eq!(text(".tabels"), "there is no command `.tabels`; did you mean `.tables`?");
        assert_eq!(text(".schema a b"), ".schema: `b` is too much");
        assert_eq!(text(".tables a"), ".tables takes no argument");
    }

    #[test]
    fn a_wrong_text_is_told_with_its_place() {
        let text = |text| parse(text).unwrap_err().to_string();
        assert_eq!(
            text("SELECT a FORM b c"),
            "this is no SQL: expected end of statement, found b\n  SELECT a FORM b c\n                ^"
        );
        assert_eq!(
            text("SELECT 1;\nSELECT 'a").lines().next(),
            Some("this is no SQL: Unterminated string literal")
        );
        assert!(
            text("SELECT a FROM").ends_with("\n  SELECT a FROM\n               ^"),
            "{}",
            text("SELECT a FROM")
        );
        assert!(
            text(".tables\nSELEC 1").contains("\n  line 2: SELEC 1\n          ^"),
            "{}",
            text(".tables\nSELEC 1")
        );
    }

    #[test]
    fn what_writes_is_refused_before_it_is_planned() {
        for (text, what) in [
            ("INSERT INTO events VALUES (1)", "INSERT INTO"),
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE TABLE"),
            ("CREATE TABLE t AS SELECT 1", "CREATE TABLE"),
            ("COPY (SELECT 1) TO '/tmp/x.csv'", "COPY"),
            ("DROP TABLE events", "DROP TABLE"),
            ("DELETE FROM events", "DELETE"),
            ("UPDATE events SET a = 1", "UPDATE"),
        ] {
            match parse(text) {
                Err(Error::Refused { what: told }) => assert_eq!(told, what),
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in
            ["CREATE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW v AS SELECT 1", "DROP VIEW IF EXISTS v"]
        {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
