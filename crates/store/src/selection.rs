//! Which tables and columns are wanted.

use crate::layout::Layout;
use subflow_rows::Schema;

/// Tables and their columns, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    layouts: Vec<Layout>,
}

/// A table or column that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No table has this name.
    #[error("there is no table `{name}`; the tables are {}", tables.join(", "))]
    Table {
        /// The name.
        name: String,
        /// The names that there are.
        tables: Vec<&'static str>,
    },
    /// None of the tables has this column.
    #[error("there is no column `{name}` in {}", tables.join(", "))]
    Field {
        /// The name.
        name: String,
        /// The tables that were looked into.
        tables: Vec<&'static str>,
    },
    /// A table would be left without columns.
    #[error("none of the columns asked for is in table `{table}`")]
    NoFields {
        /// The table.
        table: &'static str,
    },
}

impl Selection {
    /// All columns of all tables.
    pub fn all(schemas: &[Schema]) -> Self {
        Self { layouts: schemas.iter().map(Layout::new).collect() }
    }

    /// The tables called `tables` (none: all of them) with the columns called `fields` (none: all of them), columns in
    /// the order asked for, tables in the order of `schemas`.
    ///
    /// A field is `column` or `table.column`. Where fields are asked for but no table is, the tables that fields name
    /// are taken, and `default_table` for the fields that name none.
    pub fn new(
        schemas: &[Schema],
        tables: &[String],
        fields: &[String],
        default_table: &str,
    ) -> Result<Self, SelectionError> {
        let fields: Vec<_> = fields.iter().map(|field| Wanted::new(field)).collect();
        let mut names: Vec<&str> = tables.iter().map(String::as_str).collect();
        if names.is_empty() {
            names.extend(fields.iter().map(|field| field.table.unwrap_or(default_table)));
        }
        for &name in &names {
            if !schemas.iter().any(|schema| schema.table == name) {
                let tables = schemas.iter().map(|schema| schema.table).collect();
                return Err(SelectionError::Table { name: name.to_owned(), tables });
            }
        }
        let wanted = |schema: &&Schema| names.is_empty() || names.contains(&schema.table);
        let mut layouts: Vec<_> = schemas.iter().filter(wanted).map(Layout::new).collect();
        if !fields.is_empty() {
            choose(&mut layouts, &fields)?;
        }
        Ok(Self { layouts })
    }

    /// The tables, each with its columns.
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }
}

/// A column as somebody asked for it.
struct Wanted<'a> {
    table: Option<&'a str>,
    column: &'a str,
}

impl<'a> Wanted<'a> {
    fn new(field: &'a str) -> Self {
        match field.split_once('.') {
            Some((table, column)) => Self { table: Some(table), column },
            None => Self { table: None, column: field },
        }
    }

    fn is_of(&self, table: &str) -> bool {
        self.table.is_none_or(|name| name == table)
    }
}

/// Leaves only the wanted columns in the layouts.
fn choose(layouts: &mut [Layout], fields: &[Wanted<'_>]) -> Result<(), SelectionError> {
    for wanted in fields {
        let exists = |layout: &Layout| wanted.is_of(layout.table) && layout.field(wanted.column).is_some();
        if !layouts.iter().any(exists) {
            let name =
                wanted.table.map_or(wanted.column.to_owned(), |table| format!("{table}.{}", wanted.column));
            return Err(SelectionError::Field {
                name,
                tables: layouts.iter().map(|layout| layout.table).collect(),
            });
        }
    }
    for layout in layouts {
        let mut chosen = Vec::new();
        for wanted in fields.iter().filter(|wanted| wanted.is_of(layout.table)) {
            // Asking twice gives one column: two of the same name would be no table.
            if let Some(field) = layout.field(wanted.column).filter(|field| !chosen.contains(*field)) {
                chosen.push(field.clone());
            }
        }
        if chosen.is_empty() {
            return Err(SelectionError::NoFields { table: layout.table });
        }
        layout.fields = chosen;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use subflow_analysis::rows::SCHEMAS;

    fn select(tables: &[&str], fields: &[&str]) -> Result<Vec<String>, SelectionError> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let selection = Selection::new(&SCHEMAS, &owned(tables), &owned(fields), "connections")?;
        Ok(selection
            .layouts()
            .iter()
            .map(|layout| {
                let names: Vec<_> = layout.fields.iter().map(|field| &*field.name).collect();
                format!("{}: {}", layout.table, names.join(" "))
            })
            .collect())
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        assert_eq!(Selection::new(&SCHEMAS, &[], &[], "connections"), Ok(Selection::all(&SCHEMAS)));
        assert_eq!(Selection::all(&SCHEMAS).layouts().len(), 10);
    }

    #[test]
    fn fields_come_in_the_order_asked_for() {
        assert_eq!(
            select(&[], &["duration", "start", "duration"]),
            Ok(vec!["connections: duration start".to_owned()])
        );
    }

    #[test]
    fn fields_name_their_tables() {
        assert_eq!(
            select(&[], &["subflows.state", "version", "subflows.start_ns"]),
            Ok(vec!["connections: version".to_owned(), "subflows: state start_ns".to_owned()])
        );
    }

    #[test]
    fn one_field_of_several_tables() {
        assert_eq!(
            select(&["events", "reinjections"], &["connection_id", "kind"]),
            Ok(vec!["reinjections: connection_id".to_owned(), "events: connection_id kind".to_owned()])
        );
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let text = |tables: &[&str], fields: &[&str]| select(tables, fields).unwrap_err().to_string();
        assert_eq!(
            text(&["conections"], &[]),
            "there is no table `conections`; the tables are traffic, connections, subflows, announcements, \
             reinjections, stalls, series, events, hosts, issues"
        );
        assert_eq!(text(&[], &["sttart"]), "there is no column `sttart` in connections");
        assert_eq!(text(&["hosts"], &["events.kind"]), "there is no column `events.kind` in hosts");
        assert_eq!(
            text(&["hosts", "events"], &["kind"]),
            "none of the columns asked for is in table `hosts`"
        );
    }
}
