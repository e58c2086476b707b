//! `subflow anonymize`: a capture in, one that can be shared out.

use super::reading::{self, Progress};
use crate::args::AnonymizeArgs;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Anonymize, Talk};
use crate::text::counted;
use std::path::Path;
use std::time::Instant;
use subflow_anonymize::{Error, Phase, Report, run as anonymize};

pub(super) fn run(args: AnonymizeArgs) -> Result<Exit, Failure> {
    let Anonymize { settings, random, talk } = Anonymize::new(args)?;
    interrupt::watch();
    let begin = Instant::now();
    let mut bar: Option<(Phase, Progress)> = None;
    let result = anonymize(&settings, &mut |progress| {
        if bar.as_ref().is_none_or(|(phase, _)| *phase != progress.phase) {
            if let Some((_, bar)) = &bar {
                bar.clear();
            }
            bar = Some((progress.phase, Progress::new(talk.progress, progress.bytes.1)));
        }
        if let Some((phase, bar)) = &mut bar {
            let what = || doing(*phase).to_owned();
            bar.show_with(progress.bytes.0, progress.packets, what);
        }
        !interrupt::is_pressed()
    });
    if let Some((_, bar)) = bar {
        bar.clear();
    }
    let report = match result {
        Ok(report) => report,
        Err(Error::Interrupted) => {
            console::warning("nothing was written");
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(failure(error)),
    };
    if !talk.quiet {
        tell(talk, &settings.output, &report, random, begin);
    }
    match report.differences {
        Some(differences) if !differences.is_empty() => {
            differences.iter().for_each(console::warning);
            Err(Failure::failed(format!(
                "{} is written, but its tables are not quite those of the input",
                settings.output.display()
            ))
            .hint("it holds nothing that should be hidden; judge by the differences whether it will do"))
        }
        _ => Ok(Exit::Done),
    }
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Learning => "1 of 3: reading",
        Phase::Rewriting => "2 of 3: rewriting",
        Phase::Verifying => "3 of 3: checking",
    }
}

/// Says what was done, on standard error.
fn tell(talk: Talk, output: &Path, report: &Report, random: bool, begin: Instant) {
    reading::tell_issues(talk, &report.issues, report.issues.len());
    console::note(format!(
        "{} with {}: {} replaced, {} of {}",
        output.display(),
        counted(report.written, "frame"),
        counted(report.addresses, "address"),
        counted(report.keys, "key"),
        counted(report.connections, "connection"),
    ));
    let fate = if report.written == report.packets { "emptied" } else { "left out" };
    if report.others > 0 {
        console::note(format!("{} without TCP {fate}", counted(report.others, "frame")));
    }
    if report.unreadable > 0 {
        console::note(format!("{} that could not be read {fate}", counted(report.unreadable, "frame")));
    }
    if !report.cut_links.is_empty() {
        console::note(format!(
            "link headers of type {} are cut off: frames begin with the IP packet",
            report.cut_links.join(", ")
        ));
    }
    if report.renumbered {
        console::note("frames have other numbers than in the input");
    }
    match &report.differences {
        Some(differences) if differences.is_empty() => {
            console::note("checked: the tables are those of the input but for addresses and keys");
        }
        Some(_) => {}
        None => console::warning("not checked, as asked"),
    }
    if talk.verbose {
        if random {
            console::note("the secret is gone with this run; --key FILE makes other captures match this one");
        }
        console::note(format!(
            "{} in {:.2} s",
            counted(report.packets, "packet"),
            begin.elapsed().as_secs_f64()
        ));
    }
}

fn failure(error: Error) -> Failure {
    let text = error.to_string();
    match error {
        Error::Input(error) => reading::input_failure(error),
        Error::OnlyOnce => Failure::usage(text)
            .hint("save it first, as in: tcpdump -i eth0 -w trace.pcap tcp; and delete it when you are done"),
        Error::Exists { .. } => {
            Failure::failed(text).hint("name another one, or add --force to write over it")
        }
        Error::IsInput { .. } => {
            Failure::usage(text).hint("name another file; inputs are never written over")
        }
        Error::Output { .. } => Failure::failed(text).hint(
            "name a file in a folder that you may write to, on a disk with room for as much as the input",
        ),
        Error::ManyLinks { path, .. } => {
            let name = path.with_extension("pcapng");
            Failure::failed(text).hint(format!("a pcapng file holds them all: name it {}", name.display()))
        }
        Error::Leak { .. } => Failure::failed(format!("{text}; it was deleted"))
            .hint("this is a mistake in subflow: please report it"),
        _ => Failure::failed(text),
    }
}
