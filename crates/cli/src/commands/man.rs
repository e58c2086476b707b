//! `subflow man`: manual pages from the same definitions as the parser.

use crate::args::{Cli, ManArgs};
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io::{self, Write};
use std::path::Path;
use subflow_store::Error;

pub(super) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    // Gives the subcommands their full names.
    command.build();
    match &args.dir {
        Some(dir) => write_all(&command, dir)?,
        None => {
            let mut out = console::stdout();
            out.write_all(&page(&command)?)?;
            out.flush()?;
        }
    }
    Ok(Exit::Done)
}

/// Writes the pages of a command and of those below it.
fn write_all(command: &Command, dir: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(|source| Error::Folder { path: dir.to_owned(), source })?;
    for command in std::iter::once(command).chain(command.get_subcommands()) {
        let path = dir.join(Man::new(command.clone()).get_filename());
        page(command)
            .and_then(|page| std::fs::write(&path, page))
            .map_err(|source| Error::File { path, source })?;
    }
    Ok(())
}

/// A page: clap's sections, then the examples and explanations below the help as sections of their own.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(text) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        page.extend_from_slice(verbatim_sections(&text.to_string()).as_bytes());
    }
    Ok(page)
}

/// Turns text whose headings are lines like `Examples:` into sections that keep their lines.
fn verbatim_sections(text: &str) -> String {
    let mut roff = String::new();
    for line in text.lines() {
        match line.strip_suffix(':').filter(|line| line.starts_with(char::is_uppercase)) {
            Some(heading) => {
                let end = if roff.is_empty() { "" } else { ".fi\n" };
                roff.push_str(&format!("{end}.SH {}\n.nf\n", heading.to_uppercase()));
            }
            None => {
                let line = line.strip_prefix("  ").unwrap_or(line);
                // A dot or quote at the start of a line would be a command, `\&` is nothing.
                let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
                roff.push_str(&format!("{guard}{}\n", line.replace('\\', "\\e").replace('-', "\\-")));
            }
        }
    }
    if !roff.is_empty() {
        roff.push_str(".fi\n");
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_become_sections_and_lines_stay_lines() {
        assert_eq!(
            verbatim_sections("Examples:\n  a -b \\\n    c\n\nExit codes:\n  .dot"),
            ".SH EXAMPLES\n.nf\na \\-b \\e\n  c\n\n.fi\n.SH EXIT CODES\n.nf\n\\&.dot\n.fi\n"
        );
        assert_eq!(verbatim_sections(""), "");
    }
}
