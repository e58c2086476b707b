//! What Tab offers: commands, tables, columns, keywords and functions.

use rustyline::completion::{Completer, Pair};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Highlighter, Hinter};
use std::collections::BTreeMap;
use subflow_store::sql::{Command, Session, is_complete};

/// Words of SQL that queries are made of.
const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CREATE",
    "CROSS",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "RIGHT",
    "SELECT",
    "THEN",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Everything that can be offered.
#[derive(Helper, Highlighter, Hinter)]
pub(super) struct Words {
    /// Each table with its columns.
    tables: BTreeMap<String, Vec<String>>,
    functions: Vec<String>,
}

impl Words {
    /// The words of a session as it is now.
    pub(super) fn of(session: &Session) -> Self {
        let tables = session.tables().into_iter().map(|table| {
            let columns = session.columns(&table);
            (table, columns)
        });
        Self { tables: tables.collect(), functions: session.functions() }
    }

    /// Where the word at the end of `line` begins, and what it can become.
    fn offers(&self, line: &str, whole: &str) -> (usize, Vec<String>) {
        let part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
        let start =
            line.char_indices().rev().take_while(|(_, c)| part(*c)).last().map_or(line.len(), |(at, _)| at);
        let word = line.get(start..).unwrap_or_default();
        let command = line.trim_start();
        if command.starts_with('.') && !command.contains(char::is_whitespace) {
            let names = Command::ALL.iter().map(|(name, ..)| *name);
            return (line.len() - command.len(), begin(names, command));
        }
        if let Some(argument) = command.strip_prefix(".schema ") {
            return (line.len() - argument.len(), begin(self.tables.keys().map(String::as_str), argument));
        }
        if let Some(argument) = command.strip_prefix(".format ") {
            return (
                line.len() - argument.len(),
                begin(["table", "json", "jsonl", "csv"].into_iter(), argument),
            );
        }
        if let Some((table, column)) = word.rsplit_once('.') {
            let table = self.aliased(table, whole);
            let columns = self.tables.get(table).into_iter().flatten().map(String::as_str);
            return (start + word.len() - column.len(), begin(columns, column));
        }
        if word.is_empty() {
            return (start, Vec::new());
        }
        // Columns of the tables that the statement names come first; before it names any, those of all tables.
        let named: Vec<_> =
            self.tables.iter().filter(|(table, _)| words(whole).any(|word| word == **table)).collect();
        let columns: Vec<&str> = if named.is_empty() {
            self.tables.values().flatten().map(String::as_str).collect()
        } else {
            named.iter().flat_map(|(_, columns)| columns.iter()).map(String::as_str).collect()
        };
        let mut offers = begin(self.tables.keys().map(String::as_str), word);
        offers.extend(begin(columns.into_iter(), word));
        let lower = word.chars().any(char::is_lowercase);
        let keywords = begin(KEYWORDS.iter().copied(), word).into_iter();
        offers.extend(keywords.map(|word| if lower { word.to_lowercase() } else { word }));
        offers.extend(
            begin(self.functions.iter().map(String::as_str), word).into_iter().map(|name| format!("{name}(")),
        );
        let mut seen = Vec::new();
        offers.retain(|offer| {
            let new = !seen.contains(offer);
            if new {
                seen.push(offer.clone());
            }
            new
        });
        (start, offers)
    }

    /// The table behind an alias, as `s` in `FROM subflows s` or `FROM subflows AS s`.
    fn aliased<'a>(&'a self, name: &'a str, whole: &'a str) -> &'a str {
        if self.tables.contains_key(name) {
            return name;
        }
        let words: Vec<_> = words(whole).collect();
        let before = words.iter().enumerate().filter(|(_, word)| **word == name).find_map(|(at, _)| {
            let before = words.get(at.checked_sub(1)?)?;
            let before =
                if before.eq_ignore_ascii_case("as") { words.get(at.checked_sub(2)?)? } else { before };
            self.tables.contains_key(*before).then_some(*before)
        });
        before.unwrap_or(name)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The names that begin as the word does, whatever its case.
fn begin<'a>(names: impl Iterator<Item = &'a str>, word: &str) -> Vec<String> {
    let word = word.to_lowercase();
    names.filter(|name| name.to_lowercase().starts_with(&word)).map(str::to_owned).collect()
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, offers) = self.offers(line.get(..pos).unwrap_or(line), line);
        let pair = |offer: String| Pair { display: offer.clone(), replacement: offer };
        Ok((start, offers.into_iter().map(pair).collect()))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let whole = is_complete(context.input());
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(line: &str) -> Vec<String> {
        let table = |name: &str, columns: &[&str]| {
            (name.to_owned(), columns.iter().map(|column| (*column).to_owned()).collect())
        };
        let tables = BTreeMap::from([
            table("connections", &["connection_id", "client_addr", "close"]),
            table("subflows", &["connection_id", "state"]),
        ]);
        let words = Words { tables, functions: vec!["count".to_owned(), "coalesce".to_owned()] };
        words.offers(line.split('|').next().unwrap_or_default(), &line.replace('|', "")).1
    }

    #[test]
    fn tab_offers_what_fits() {
        assert_eq!(offers(".s"), [".schema"]);
        assert_eq!(offers(".schema sub"), ["subflows"]);
        assert_eq!(offers(".format j"), ["json", "jsonl"]);
        assert_eq!(offers("sel"), ["select"]);
        assert_eq!(offers("SEL"), ["SELECT"]);
        assert_eq!(offers("SELECT sta"), ["state"]);
        assert_eq!(offers("SELECT co"), ["connections", "connection_id", "count(", "coalesce("]);
    }

    #[test]
    fn columns_are_those_of_the_tables_that_are_named() {
        assert_eq!(offers("SELECT cl| FROM subflows"), Vec::<String>::new());
        assert_eq!(offers("SELECT cl| FROM connections"), ["client_addr", "close"]);
        assert_eq!(offers("SELECT subflows.s"), ["state"]);
        assert_eq!(offers("SELECT s.s| FROM subflows s"), ["state"]);
        assert_eq!(offers("SELECT s.s| FROM subflows AS s"), ["state"]);
    }
}
