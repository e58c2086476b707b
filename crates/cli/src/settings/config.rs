//! The configuration file: `subflow/config.toml` in the XDG folder.

use super::layers::{Environment, Layer, Origin};
use crate::args::{Format, seconds};
use crate::failure::Failure;
use clap::ValueEnum;
use serde::Deserialize;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// The keys; they are called like the long flags.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Keys {
    format: Option<String>,
    idle_timeout: Option<f64>,
    threads: Option<NonZeroUsize>,
    strict: Option<bool>,
    quiet: Option<bool>,
    progress: Option<bool>,
}

/// Reads the file, if there is one. One that `SUBFLOW_CONFIG` names must be there.
pub(super) fn load(environment: &dyn Environment) -> Result<Layer, Failure> {
    let named = environment.get("SUBFLOW_CONFIG").map(PathBuf::from);
    let Some(path) = named.clone().or_else(|| default_path(environment)) else { return Ok(Layer::default()) };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if named.is_none() && is_absent(&error) => Ok(Layer::default()),
        Err(error) => {
            let failure =
                Failure::usage(format!("cannot read the configuration {}: {error}", path.display()));
            Err(if named.is_some() { failure.hint("SUBFLOW_CONFIG names this file") } else { failure })
        }
    }
}

/// A home folder that is no folder, as services have, or that is another user's, is no configuration either.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | NotADirectory | PermissionDenied)
}

/// XDG base directories: a relative path in the variable is to be ignored.
fn default_path(environment: &dyn Environment) -> Option<PathBuf> {
    let xdg = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = xdg.or_else(|| Some(PathBuf::from(environment.get("HOME")?).join(".config")))?;
    Some(folder.join("subflow").join("config.toml"))
}

fn parse(path: &Path, text: &str) -> Result<Layer, Failure> {
    let wrong = |reason: &str| {
        Failure::usage(format!("in the configuration {}: {}", path.display(), reason.trim_end()))
            .hint("its keys are format, idle-timeout, threads, strict, quiet and progress")
    };
    let keys: Keys = toml::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    let origin = |key| Origin::Config { path: path.to_owned(), key };
    let format = keys.format.map(|name| {
        let format = Format::from_str(&name, false);
        format.map_err(|_| wrong(&format!("format: there is no format '{name}'")))
    });
    let idle_timeout = keys.idle_timeout.map(|number| {
        seconds(&number.to_string()).map_err(|error| wrong(&format!("idle-timeout: {number} is {error}")))
    });
    Ok(Layer {
        format: format.transpose()?.map(|format| (format, origin("format"))),
        idle_timeout: idle_timeout.transpose()?,
        threads: keys.threads,
        strict: keys.strict,
        quiet: keys.quiet,
        progress: keys.progress,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn environment(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_path_follows_xdg() {
        let path = |pairs: &[(&str, &str)]| default_path(&environment(pairs));
        assert_eq!(path(&[]), None);
        assert_eq!(path(&[("HOME", "/h")]), Some("/h/.config/subflow/config.toml".into()));
        assert_eq!(path(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]), Some("/x/subflow/config.toml".into()));
        assert_eq!(
            path(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")]),
            Some("/h/.config/subflow/config.toml".into())
        );
    }

    #[test]
    fn all_keys_are_read() {
        let text = "format = \"jsonl\"\nidle-timeout = 1.5\nthreads = 4\nstrict = true\nquiet = true\nprogress = false\n";
        let layer = parse(Path::new("c.toml"), text).expect("a configuration");
        assert_eq!(layer.format.map(|(format, _)| format), Some(Format::Jsonl));
        assert_eq!(layer.idle_timeout, Some(1_500_000_000));
        assert_eq!(layer.threads.map(NonZeroUsize::get), Some(4));
        assert_eq!((layer.strict, layer.quiet, layer.progress), (Some(true), Some(true), Some(false)));
    }

    #[test]
    fn whole_seconds_need_no_point() {
        assert_eq!(
            parse(Path::new("c.toml"), "idle-timeout = 600").expect("reads").idle_timeout,
            Some(600_000_000_000)
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let text = |text: &str| parse(Path::new("c.toml"), text).unwrap_err().to_string();
        assert!(
            text("strict = 1").contains("c.toml: TOML parse error at line 1, column 10"),
            "{}",
            text("strict = 1")
        );
        assert!(text("colour = 1").contains("unknown field `colour`"), "{}", text("colour = 1"));
        assert!(text("format = \"xml\"").contains("there is no format 'xml'"));
        assert!(text("idle-timeout = -1").contains("-1 is not a number of seconds above 0"));
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let failure = load(&environment(&[("SUBFLOW_CONFIG", "/nonexistent/c.toml")])).unwrap_err();
        assert!(failure.to_string().contains("/nonexistent/c.toml"));
        assert!(load(&environment(&[("XDG_CONFIG_HOME", "/nonexistent")])).is_ok());
        assert!(load(&environment(&[("HOME", "/dev/null")])).is_ok());
    }
}
