//! Debian packages that some chores use.

use crate::shell::{execute, have, is_root, loud, words};

/// Sees to it that these programs, each with the package that holds it, are there, and returns those that are not.
pub(crate) fn want(programs: &[(&'static str, &str)]) -> Vec<&'static str> {
    let missing = || programs.iter().filter(|(program, _)| !have(program));
    let packages: Vec<&str> = missing().map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Vec::new();
    }
    let list = packages.join(" ");
    if is_root() && have("apt-get") {
        eprintln!("installing {list}");
        let install = format!("apt-get install --yes --no-install-recommends {list}");
        let install = || execute(words(&install).env("DEBIAN_FRONTEND", "noninteractive"));
        if install().is_err()
            && let Err(error) = execute(&mut words("apt-get update")).and_then(|()| install())
        {
            eprintln!("{error:#}");
        }
    }
    let missing: Vec<&str> = missing().map(|(program, _)| *program).collect();
    if !missing.is_empty() {
        loud(&format!("missing: {}; install with `apt-get install {list}`", missing.join(", ")));
    }
    missing
}
