//! The tables of one or more queries, and the engine that answers them.

use super::answer::{Answer, Rows};
use super::catalogue;
use super::error::{Known, meaning, run};
use super::inputs::StoredFile;
use super::memory::MemorySink;
use super::statement::{self, Sql};
use super::{Command, Error, Statement, stored};
use datafusion::catalog::MemTable;
use datafusion::common::TableReference;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{DdlStatement, LogicalPlan};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use subflow_analysis::rows::{DETAIL_SCHEMAS, SCHEMAS};
use subflow_rows::Schema;
use tokio::runtime::{Builder, Runtime};

/// Tables, ready to be queried.
pub struct Session {
    pub(super) context: SessionContext,
    runtime: Runtime,
    /// Rows of the tables where they are known.
    pub(super) rows: BTreeMap<String, u64>,
    /// Tables of captures that hold no rows yet.
    pending: BTreeSet<&'static str>,
}

impl Session {
    /// The tables that captures have, those of single connections included. They are empty until they are
    /// [loaded](Self::load).
    ///
    /// # Errors
    /// The engine cannot be started.
    pub fn of_captures() -> Result<Self, Error> {
        let mut session = Self::new()?;
        let schemas = [&SCHEMAS[..], &DETAIL_SCHEMAS[..]].concat();
        session.register(MemorySink::new(&schemas))?;
        session.rows.clear();
        session.pending = schemas.iter().map(|schema| schema.table).collect();
        Ok(session)
    }

    /// Stored tables. Also returns what a careful reader of results should know of them.
    ///
    /// # Errors
    /// A file is no whole Parquet file; the files of one table do not fit together.
    pub fn of_stored(files: &[StoredFile]) -> Result<(Self, Vec<String>), Error> {
        let mut session = Self::new()?;
        let (tables, notes) = stored::tables(files)?;
        for (name, table) in tables {
            session.rows.insert(name.clone(), table.rows);
            session.context.register_table(quoted(&name), Arc::new(table)).map_err(run)?;
        }
        Ok((session, notes))
    }

    fn new() -> Result<Self, Error> {
        let mut config = SessionConfig::new()
            // One thread: the work is in columns, and a result must not depend on how many there are.
            .with_target_partitions(1)
            .with_information_schema(true);
        let options = config.options_mut();
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        options.sql_parser.collect_spans = true;
        let runtime = Builder::new_current_thread().build()?;
        let context = SessionContext::new_with_config(config);
        Ok(Self { context, runtime, rows: BTreeMap::new(), pending: BTreeSet::new() })
    }

    /// The statements and commands of a text.
    ///
    /// # Errors
    /// It is no SQL, or a statement would write.
    pub fn parse(&self, text: &str) -> Result<Vec<Statement>, Error> {
        statement::parse(text)
    }

    /// The tables of captures that these statements read and that hold no rows yet.
    pub fn missing(&self, statements: &[Statement]) -> Vec<Schema> {
        let state = self.context.state();
        let mut names = BTreeSet::new();
        for statement in statements {
            if let Statement::Sql(sql) = statement
                && let Ok(tables) = state.resolve_table_references(&sql.parsed)
            {
                names.extend(tables.iter().map(|table| table.table().to_owned()));
            }
        }
        let schemas = SCHEMAS.iter().chain(&DETAIL_SCHEMAS);
        let wanted = |schema: &&Schema| names.contains(schema.table) && self.pending.contains(schema.table);
        schemas.filter(wanted).copied().collect()
    }

    /// Whether no table of the captures was loaded yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes over the rows of an analysis.
    ///
    /// # Errors
    /// Never, as the rows have the schema of their tables.
    pub fn load(&mut self, rows: MemorySink) -> Result<(), Error> {
        self.register(rows)
    }

    fn register(&mut self, rows: MemorySink) -> Result<(), Error> {
        for table in rows.into_tables() {
            let count: usize = table.batches.iter().map(|batch| batch.num_rows()).sum();
            let memory = MemTable::try_new(table.schema, vec![table.batches]).map_err(run)?;
            self.context.deregister_table(table.name).map_err(run)?;
            self.context.register_table(table.name, Arc::new(memory)).map_err(run)?;
            self.rows.insert(table.name.to_owned(), u64::try_from(count).unwrap_or(u64::MAX));
            self.pending.remove(table.name);
        }
        Ok(())
    }

    /// Begins to answer a statement.
    ///
    /// # Errors
    /// A table, column or function does not exist, types do not fit, or something would be written.
    pub fn run(&self, statement: &Statement) -> Result<Answer<'_>, Error> {
        match statement {
            Statement::Sql(sql) => self.query(sql),
            Statement::Command(Command::Tables) => catalogue::tables(self).map(Answer::Rows),
            Statement::Command(Command::Schema(table)) => {
                catalogue::schema(self, table.as_deref()).map(Answer::Rows)
            }
            Statement::Command(Command::Help) => Ok(Answer::Text(catalogue::help())),
            Statement::Command(Command::Format(_) | Command::Quit) => Ok(Answer::Done),
        }
    }

    fn query(&self, sql: &Sql) -> Result<Answer<'_>, Error> {
        let tables = self.tables();
        let functions = self.functions();
        let known = Known { tables: &tables, columns: &|table| self.columns(table), functions: &functions };
        let explain = |error| meaning(&sql.text, error, &known);
        let plan = self
            .runtime
            .block_on(self.context.state().statement_to_plan(sql.parsed.clone()))
            .map_err(explain)?;
        verify(&plan).map_err(explain)?;
        let returns = !matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Statement(_));
        let stream = self.runtime.block_on(async {
            let frame = self.context.execute_logical_plan(plan).await?;
            if !returns {
                return Ok(None);
            }
            let tasks = Arc::new(frame.task_ctx());
            let plan = interruptible(frame.create_physical_plan().await?)?;
            execute_stream(plan, tasks).map(Some)
        });
        Ok(match stream.map_err(explain)? {
            Some(stream) => Answer::Rows(Rows::of_stream(&self.runtime, stream)),
            None => Answer::Done,
        })
    }

    /// The names of all tables and views: those of the dictionary in its order, then the others.
    pub fn tables(&self) -> Vec<String> {
        catalogue::names(&self.context)
    }

    /// The columns of a table; none when there is no such table.
    pub fn columns(&self, table: &str) -> Vec<String> {
        catalogue::columns(self, table).iter().map(|field| field.name().clone()).collect()
    }

    /// The names of all functions.
    pub fn functions(&self) -> Vec<String> {
        let state = self.context.state();
        let names = state.scalar_functions().keys().chain(state.aggregate_functions().keys());
        let mut names: Vec<_> = names.chain(state.window_functions().keys()).cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    /// Waits for the engine.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// Refuses what would write. A view is a name for a query in this session, and nothing on disk.
fn verify(plan: &LogicalPlan) -> datafusion::error::Result<()> {
    let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false);
    match plan {
        LogicalPlan::Ddl(DdlStatement::CreateView(view)) => reads.verify_plan(&view.input),
        LogicalPlan::Ddl(DdlStatement::DropView(_)) => Ok(()),
        plan => reads.verify_plan(plan),
    }
}

/// Joins can yield rows for hours from what they have read, and never give way: with this they do after some batches, so that
/// they can be cancelled.
fn interruptible(plan: Arc<dyn ExecutionPlan>) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
    let plan = plan.transform_up(|node| {
        Ok(if node.children().len() > 1 {
            Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>)
        } else {
            Transformed::no(node)
        })
    });
    Ok(plan?.data)
}

/// A table's name as it stands, whatever letters it holds.
fn quoted(name: &str) -> TableReference {
    TableReference::bare(name)
}
