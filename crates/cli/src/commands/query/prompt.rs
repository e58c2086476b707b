//! The prompt: lines in, answers out, until Ctrl-D.

use super::completion::Words;
use super::tables::Tables;
use super::{answer, chosen, is_cancelled};
use crate::args::Format;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::text::counted;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;
use subflow_store::sql::{Command, Statement};

const PROMPT: &str = "subflow> ";
/// Lines that the history keeps.
const HISTORY: usize = 10_000;

/// Asks until Ctrl-D or `.quit`.
pub(super) fn run(mut tables: Tables, mut format: Format) -> Result<Exit, Failure> {
    let mut editor =
        editor().map_err(|error| Failure::failed(format!("there can be no prompt here: {error}")))?;
    let mut history = history_file();
    if let Some(file) = &history {
        let _ = file.parent().map(fs::create_dir_all);
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    let count = u64::try_from(tables.session.tables().len()).unwrap_or(u64::MAX);
    console::note(format!("{}: .tables lists them, .help helps, Ctrl-D leaves", counted(count, "table")));
    loop {
        editor.set_helper(Some(Words::of(&tables.session)));
        match editor.readline(PROMPT) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => {
                keep(&mut editor, text.trim(), &mut history);
                interrupt::reset();
                match run_text(&mut tables, &text, &mut format) {
                    Ok(false) => {}
                    Ok(true) => break,
                    Err(failure) if is_cancelled(&failure) => console::note(failure),
                    Err(failure) => console::error(&failure),
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(Failure::failed(format!("the terminal cannot be read: {error}"))),
        }
    }
    Ok(Exit::Done)
}

/// Adds a line to the history and its file at once: a session may end in many ways. A file that cannot be written is told
/// of once.
fn keep(editor: &mut Editor<Words, DefaultHistory>, line: &str, file: &mut Option<PathBuf>) {
    let new = editor.add_history_entry(line).unwrap_or(false);
    if let Some(path) = file.as_ref().filter(|_| new)
        && editor.append_history(path).is_err()
    {
        console::warning(format!("the history cannot be kept in {}", path.display()));
        *file = None;
    }
}

/// Runs what was typed; returns whether to leave.
fn run_text(tables: &mut Tables, text: &str, format: &mut Format) -> Result<bool, Failure> {
    for statement in &tables.session.parse(text)? {
        tables.load_all_for(std::slice::from_ref(statement))?;
        let begin = Instant::now();
        match statement {
            Statement::Command(Command::Quit) => return Ok(true),
            Statement::Command(Command::Format(name)) => *format = chosen(name.as_deref(), *format)?,
            statement => {
                answer(&tables.session, statement, *format, None)?;
                if matches!(statement, Statement::Sql(_)) {
                    console::note(format!("{:.3} s", begin.elapsed().as_secs_f64()));
                }
            }
        }
    }
    Ok(false)
}

fn editor() -> rustyline::Result<Editor<Words, DefaultHistory>> {
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    Editor::with_config(config)
}

/// `subflow/query_history` in the XDG state folder; a relative path in the variable is to be ignored.
fn history_file() -> Option<PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = state.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/state")))?;
    Some(folder.join("subflow/query_history"))
}
