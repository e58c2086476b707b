//! `subflow tables`: the data dictionary.

use crate::args::TablesArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use subflow_analysis::rows::all_schemas;
use subflow_rows::Schema;
use subflow_store::dictionary;

pub(super) fn run(args: &TablesArgs) -> Result<Exit, Failure> {
    let schemas = chosen(&args.tables)?;
    let page = if args.list_fields { dictionary::fields(&schemas) } else { dictionary::markdown(&schemas) };
    console::print(&page)?;
    Ok(Exit::Done)
}

/// The tables of these names, or all.
fn chosen(names: &[String]) -> Result<Vec<Schema>, Failure> {
    let schemas = all_schemas();
    if names.is_empty() {
        return Ok(schemas);
    }
    let find = |name: &String| {
        schemas.iter().copied().find(|schema| schema.table == name).ok_or_else(|| {
            let tables: Vec<_> = schemas.iter().map(|schema| schema.table).collect();
            Failure::usage(format!("there is no table `{name}`"))
                .hint(format!("the tables are {}", tables.join(", ")))
        })
    };
    names.iter().map(find).collect()
}
