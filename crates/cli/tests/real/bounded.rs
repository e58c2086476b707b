//! Runs of the command with a limit of time and of memory.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time that one capture may take.
const TIME: Duration = Duration::from_secs(10);
/// Most memory, in kilobytes: 200 MB, of which 50 are left for the program's text and libraries, which this limit
/// (that of data) leaves out.
const MEMORY: u32 = 150_000;

/// How a run ended.
pub(crate) struct Run {
    /// Exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard error.
    pub(crate) stderr: String,
}

/// Runs the command with its standard output in `stdout`; `None` when it took too long and was ended.
pub(crate) fn run(arguments: &[&str], stdout: &Path) -> Option<Run> {
    let errors = stdout.with_extension("stderr");
    let mut command = limited();
    command
        .args(arguments)
        .env_clear()
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .stdin(Stdio::null())
        .stdout(File::create(stdout).expect("a file"))
        .stderr(File::create(&errors).expect("a file"));
    let mut child = command.spawn().expect("runs");
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("waits") {
            break status;
        }
        if begin.elapsed() > TIME {
            child.kill().expect("ends it");
            child.wait().expect("waits");
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let stderr = String::from_utf8(fs::read(&errors).expect("reads")).expect("messages are UTF-8");
    Some(Run { code: status.code(), stderr })
}

/// The command under a limit of memory, where the system can set one.
fn limited() -> Command {
    let program = env!("CARGO_BIN_EXE_subflow");
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    // Linux counts private writable mappings here, not address space that is only reserved.
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("ulimit -d {MEMORY} && exec \"$@\"")).arg("sh").arg(program);
    command
}
