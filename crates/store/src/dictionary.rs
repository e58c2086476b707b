//! The data dictionary: every table and column in words, from the doc comments of the row structs.

use crate::layout::Layout;
use std::fmt::Write as _;
use subflow_rows::Schema;

/// Tables that come from one place.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// Its heading.
    pub title: &'static str,
    /// What yields these tables, in a sentence.
    pub source: &'static str,
    /// The tables.
    pub schemas: Vec<Schema>,
}

/// The dictionary as Markdown: one section a table, one line a column.
pub fn markdown(chapters: &[Chapter]) -> String {
    let mut page = String::from(INTRODUCTION);
    for chapter in chapters {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {}\n\n{}\n", chapter.title, chapter.source);
        for schema in &chapter.schemas {
            table(&mut page, schema);
        }
    }
    page
}

fn table(page: &mut String, schema: &Schema) {
    let _ = write!(page, "\n### `{}`\n\n{}\n\n", schema.table, schema.doc.trim());
    page.push_str("| column | type | unit | meaning |\n|---|---|---|---|\n");
    for field in &Layout::new(schema).fields {
        let null = if field.nullable { "?" } else { "" };
        let (name, kind, unit) = (&field.name, field.form.as_str(), field.unit);
        let _ = writeln!(page, "| `{name}` | {kind}{null} | {unit} | {} |", field.doc.replace('|', "\\|"));
    }
}

/// One line a column, separated by tabs, under a header: table, column, type (`?` when it can be null), unit, meaning.
pub fn fields(schemas: &[Schema]) -> String {
    let mut lines = String::from("table\tcolumn\ttype\tunit\tmeaning\n");
    for schema in schemas {
        for field in &Layout::new(schema).fields {
            let null = if field.nullable { "?" } else { "" };
            let (table, name, kind) = (schema.table, &field.name, field.form.as_str());
            let _ = writeln!(lines, "{table}\t{name}\t{kind}{null}\t{}\t{}", field.unit, field.doc);
        }
    }
    lines
}

const INTRODUCTION: &str = "\
# Tables

Every output of subflow (terminal, JSON, CSV, Parquet) is a view of these tables. This page is printed by
`subflow tables`.

A `?` after a type means that the value can be null. Null always means *unknown*, never zero. Times are UTC and stand
twice: as `name` (Parquet: `timestamp(us, UTC)`; JSON and CSV: RFC 3339 text with nanoseconds) and as `name_ns`, integer
nanoseconds since 1970-01-01. Durations are seconds, sizes bytes, rates bit/s unless the unit says otherwise. Directions
are `c2s` (client to server) and `s2c`; the client is the sender of the initial SYN. Addresses are text; keys, tokens and
absolute data sequence numbers are hexadecimal text.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::Sample;
    use subflow_rows::Row;

    #[test]
    fn golden() {
        let chapter = Chapter {
            title: "Of samples",
            source: "`subflow sample` yields this.",
            schemas: vec![Sample::SCHEMA],
        };
        let page = markdown(&[chapter]);
        let (_, section) = page.split_once("\n## ").expect("a section");
        assert_eq!(
            section,
            "Of samples\n\n\
             `subflow sample` yields this.\n\n\
             ### `samples`\n\n\
             One row per sample | with a bar.\n\n\
             | column | type | unit | meaning |\n\
             |---|---|---|---|\n\
             | `sample_id` | int |  | Its number. |\n\
             | `start` | time |  | When it began. |\n\
             | `start_ns` | int | ns | `start` as nanoseconds since 1970-01-01 UTC. |\n\
             | `rate` | float? | bit/s | How fast. |\n\
             | `name` | text |  | What it is called. |\n\
             | `addr` | text? |  | Where it lives. |\n\
             | `key` | text? |  | Its key. |\n\
             | `good` | bool? |  | Whether it is. |\n\
             | `seen` | time? |  | When it was seen. |\n\
             | `seen_ns` | int? | ns | `seen` as nanoseconds since 1970-01-01 UTC. |\n"
        );
    }

    #[test]
    fn every_column_of_every_table_says_what_it_means() {
        for schema in &subflow_analysis::rows::all_schemas() {
            assert!(!schema.doc.trim().is_empty(), "{}", schema.table);
            for field in &Layout::new(schema).fields {
                assert!(field.doc.ends_with('.'), "{}.{}: {:?}", schema.table, field.name, field.doc);
            }
        }
    }

    #[test]
    fn fields_are_one_line_each() {
        let columns: usize =
            subflow_analysis::rows::SCHEMAS.iter().map(|schema| Layout::new(schema).fields.len()).sum();
        let lines = fields(&subflow_analysis::rows::SCHEMAS);
        assert_eq!(lines.lines().count(), columns + 1);
        assert!(lines.lines().all(|line| line.split('\t').count() == 5));
    }
}
