//! What `subflow anonymize` is to do.

use super::{Reading, Talk};
use crate::args::{AnonymizeArgs, FilterArgs, ReadArgs};
use crate::failure::Failure;
use std::env;
use std::fs;
use std::path::Path;
use subflow_anonymize::{Secret, Settings};

/// Names the secret where no flag does.
const ENVIRONMENT: &str = "SUBFLOW_ANONYMIZE_KEY";

/// Settings of the command.
#[derive(Debug)]
pub(crate) struct Anonymize {
    pub(crate) settings: Settings,
    /// Nobody knows the secret, so no other capture can be made with it.
    pub(crate) random: bool,
    pub(crate) talk: Talk,
}

impl Anonymize {
    /// From the command line.
    pub(crate) fn new(args: AnonymizeArgs) -> Result<Self, Failure> {
        let filter = FilterArgs {
            ports: Vec::new(),
            hosts: Vec::new(),
            since: None,
            until: None,
            connections: Vec::new(),
        };
        let read = ReadArgs { idle_timeout: None, threads: None };
        let talk = Reading::new(&[], filter, &read, &args.talk, "anonymize")?.talk;
        if args.output == Path::new("-") {
            return Err(Failure::usage(
                "the output cannot be standard output: it is read again to be checked",
            )
            .hint("name a file, as in: subflow anonymize trace.pcap shared.pcap"));
        }
        let given = match args.key {
            Some(key) => Some((key, "--key")),
            None => env::var(ENVIRONMENT).ok().filter(|key| !key.is_empty()).map(|key| (key, ENVIRONMENT)),
        };
        let random = given.is_none();
        let secret = match given {
            Some((key, origin)) => secret(&key, origin)?,
            None => Secret::random().map_err(|error| {
                Failure::failed(format!("the system gives no random numbers: {error}"))
                    .hint("name a file with a secret of your own with --key FILE")
            })?,
        };
        let settings = Settings {
            inputs: args.captures,
            output: args.output,
            secret,
            shift_ns: args.shift_time.unwrap_or(0),
            drop_others: args.drop_others,
            force: args.force,
            verify: !args.no_verify,
        };
        Ok(Self { settings, random, talk })
    }
}

/// A secret from hex digits, or from the file of this name.
fn secret(key: &str, origin: &str) -> Result<Secret, Failure> {
    let bytes = match hex(key) {
        Some(bytes) => bytes,
        None => fs::read(key).map_err(|error| {
            Failure::usage(format!("{origin} is neither hex digits nor a file that can be read: {error}"))
                .hint("make a secret with: head -c 32 /dev/urandom > secret")
        })?,
    };
    Secret::new(&bytes).map_err(|error| {
        Failure::usage(format!("{origin}: {error}"))
            .hint("make a secret with: head -c 32 /dev/urandom > secret")
    })
}

/// The bytes that an even number of hex digits stands for.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_digits_or_files() {
        assert_eq!(hex("00ffA1"), Some(vec![0, 255, 0xa1]));
        assert_eq!((hex("0"), hex("xy"), hex("")), (None, None, None));
        assert!(secret("00112233445566778899aabbccddeeff", "--key").is_ok());
        let short = secret("0011", "--key").unwrap_err();
        assert!(short.to_string().contains("2 bytes"), "{short}");
        assert!(short.next_step().is_some());
        assert!(secret("/no/such/file", "--key").is_err());
    }
}
