//! What is told at the end of reading captures of probes.

use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::Talk;
use crate::text::counted;
use subflow_capture::Input;

/// Tells what could not be read, and how the command ends: as a failure when something was lost and that is not to be.
pub(super) fn conclude(input: &Input, strict: bool, talk: Talk) -> Result<Exit, Failure> {
    let issues = input.issues();
    if !talk.quiet {
        for issue in issues {
            let file =
                input.files().get(issue.file as usize).map(|file| file.name.as_str()).unwrap_or_default();
            console::warning(format!("{file}: {issue}"));
        }
    }
    let lost = issues.iter().filter(|issue| issue.reason.loses_data()).count() as u64;
    if strict && lost > 0 {
        let lost = counted(lost, "issue");
        return Err(Failure::failed(format!("{lost} of the input lost something (--strict)")));
    }
    Ok(if interrupt::is_pressed() { Exit::Interrupted } else { Exit::Done })
}
