//! Settings that have a default of one's own: from flags, else from the environment, else from the configuration.

use crate::args::{Format, seconds};
use crate::failure::Failure;
use clap::ValueEnum;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// What one source of settings says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) format: Option<(Format, Origin)>,
    pub(super) idle_timeout: Option<i64>,
    pub(super) threads: Option<NonZeroUsize>,
    pub(super) strict: Option<bool>,
    pub(super) quiet: Option<bool>,
    pub(super) progress: Option<bool>,
}

/// Where a setting was made, to name it when it cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Flag(&'static str),
    Environment(&'static str),
    Config { path: PathBuf, key: &'static str },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Environment(name) => f.write_str(name),
            Self::Config { path, key } => write!(f, "{key} in {}", path.display()),
        }
    }
}

/// Environment variables; those that are set to nothing count as not set.
pub(super) trait Environment {
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
pub(super) struct Process;

impl Environment for Process {
    fn get(&self, name: &str) -> Option<String> {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(value.to_string_lossy().into_owned())
    }
}

impl Layer {
    /// This layer, with the gaps filled from the one below.
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            format: self.format.or(below.format),
            idle_timeout: self.idle_timeout.or(below.idle_timeout),
            threads: self.threads.or(below.threads),
            strict: self.strict.or(below.strict),
            quiet: self.quiet.or(below.quiet),
            progress: self.progress.or(below.progress),
        }
    }

    /// What the `SUBFLOW_*` variables say.
    pub(super) fn from_environment(environment: &dyn Environment) -> Result<Self, Failure> {
        let format = read(environment, "SUBFLOW_FORMAT", |text| {
            Format::from_str(text, true).map_err(|_| format!("is no format: {}", format_names()))
        })?;
        let flag = |name| read(environment, name, boolean);
        Ok(Self {
            format: format.map(|format| (format, Origin::Environment("SUBFLOW_FORMAT"))),
            idle_timeout: read(environment, "SUBFLOW_IDLE_TIMEOUT", |text| {
                seconds(text).map_err(|error| format!("is {error}"))
            })?,
            threads: read(environment, "SUBFLOW_THREADS", |text| {
                text.trim().parse().map_err(|_| "is no number of threads, 1 or more".to_owned())
            })?,
            strict: flag("SUBFLOW_STRICT")?,
            quiet: flag("SUBFLOW_QUIET")?,
            progress: flag("SUBFLOW_PROGRESS")?,
        })
    }
}

fn read<T>(
    environment: &dyn Environment,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    let Some(text) = environment.get(name) else { return Ok(None) };
    match parse(&text) {
        Ok(value) => Ok(Some(value)),
        Err(reason) => Err(Failure::usage(format!("the environment variable {name}: '{text}' {reason}"))
            .hint(format!("correct it, or unset {name}"))),
    }
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("is neither true nor false".to_owned()),
    }
}

/// The formats, for messages.
fn format_names() -> String {
    let names: Vec<_> = Format::value_variants().iter().map(|format| format.as_str()).collect();
    format!("they are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    impl Environment for HashMap<String, String> {
        fn get(&self, name: &str) -> Option<String> {
            HashMap::get(self, name).cloned()
        }
    }

    fn layer(name: &str, value: &str) -> Result<Layer, Failure> {
        Layer::from_environment(&HashMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn the_upper_layer_wins() {
        let upper = Layer { strict: Some(false), ..Layer::default() };
        let lower = Layer { strict: Some(true), quiet: Some(true), ..Layer::default() };
        let both = upper.over(lower);
        assert_eq!((both.strict, both.quiet, both.progress), (Some(false), Some(true), None));
    }

    #[test]
    fn variables_are_read() {
        assert_eq!(layer("SUBFLOW_STRICT", "yes").expect("reads").strict, Some(true));
        assert_eq!(layer("SUBFLOW_STRICT", "0").expect("reads").strict, Some(false));
        assert_eq!(layer("SUBFLOW_IDLE_TIMEOUT", "2").expect("reads").idle_timeout, Some(2_000_000_000));
        assert_eq!(layer("SUBFLOW_THREADS", "2").expect("reads").threads, NonZeroUsize::new(2));
        let format = layer("SUBFLOW_FORMAT", "CSV").expect("reads").format;
        assert_eq!(format, Some((Format::Csv, Origin::Environment("SUBFLOW_FORMAT"))));
    }

    #[test]
    fn mistakes_name_the_variable() {
        let text = |name, value| layer(name, value).unwrap_err().to_string();
        assert_eq!(
            text("SUBFLOW_QUIET", "very"),
            "the environment variable SUBFLOW_QUIET: 'very' is neither true nor false"
        );
        assert!(text("SUBFLOW_THREADS", "0").ends_with("'0' is no number of threads, 1 or more"));
        assert!(text("SUBFLOW_FORMAT", "xml").ends_with("they are table, json, jsonl, csv, parquet"));
        assert!(text("SUBFLOW_IDLE_TIMEOUT", "0").ends_with("'0' is not a number of seconds above 0"));
    }
}
