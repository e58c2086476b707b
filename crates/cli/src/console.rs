//! Standard output is data, standard error is talk.

use crate::failure::Failure;
use clap::builder::styling::{AnsiColor, Style};
use std::fmt::Display;
use std::io::{self, BufWriter, Stdout, Write};

/// Standard output in large pieces; whoever writes must flush at the end.
pub(crate) fn stdout() -> BufWriter<Stdout> {
    BufWriter::with_capacity(1 << 16, io::stdout())
}

/// Writes a whole text to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Says why the command gave up, and what to do next.
pub(crate) fn error(failure: &Failure) {
    say("error", AnsiColor::Red.on_default().bold(), failure);
    if let Some(hint) = failure.next_step() {
        say("hint", AnsiColor::Cyan.on_default().bold(), hint);
    }
}

/// Says what a careful reader of the result should know.
pub(crate) fn warning(text: impl Display) {
    say("warning", AnsiColor::Yellow.on_default().bold(), text);
}

/// Says something without a label.
pub(crate) fn note(text: impl Display) {
    // With standard error closed there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Colours are dropped by the stream where NO_COLOR is set or no terminal is there.
fn say(label: &str, style: Style, text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{style}{label}:{style:#} {text}");
}
