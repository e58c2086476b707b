//! Settings of `subflow verify`.

use super::candidates::{Candidate, candidates, network};
use super::layers::Layer;
use super::reading::{lower_layers, pair, talk_flags};
use super::scan::scaled;
use super::{Output, Talk, Wanted};
use crate::args::VerifyArgs;
use crate::failure::Failure;
use std::time::Duration;
use subflow_probe::rows::Verification;
use subflow_probe::verify::{Patience, Request, Settings, Target, Versions};
use subflow_rows::Row;

/// What `subflow verify` is to do.
#[derive(Debug)]
pub(crate) struct Verify {
    pub(crate) targets: Vec<Target>,
    pub(crate) settings: Settings,
    /// Whether all of them were named one by one: then the exit code answers for them.
    pub(crate) named: bool,
    pub(crate) dry: bool,
    pub(crate) output: Output,
    pub(crate) talk: Talk,
}

impl Verify {
    /// Checks what was asked for.
    pub(crate) fn new(args: &VerifyArgs) -> Result<Self, Failure> {
        Self::layered(args, lower_layers()?)
    }

    fn layered(args: &VerifyArgs, below: Layer) -> Result<Self, Failure> {
        let flags = Layer {
            format: Wanted::flag(&args.rows),
            strict: pair(args.strict, args.no_strict),
            ..talk_flags(&args.talk)
        };
        let mut layer = flags.over(below);
        let talk = Talk::of(&args.talk, &layer);
        let wanted = Wanted::new(args.rows.clone(), layer.format.take())?;
        let table = Verification::SCHEMA.table;
        let output = wanted.growing_output("the work", &[Verification::SCHEMA], table)?;
        let strict = layer.strict.unwrap_or(false);
        let settings = settings(args)?;
        let all = candidates(&args.of, strict, talk)?;
        if all.is_empty() {
            return Err(Failure::usage("there is nothing to verify").hint(
                "name servers as example.org:443, or give --list FILE, or --from the folder of a scan",
            ));
        }
        let wished = versions(&args.probe)?;
        let targets: Vec<Target> =
            all.iter().filter_map(|candidate| target(candidate, wished, args.of.mirrored)).collect();
        if targets.is_empty() {
            return Err(Failure::failed(
                "none of the targets answered with the option: there is nothing to verify",
            )
            .hint("--mirrored verifies those too that only returned it"));
        }
        let named = args.of.lists.is_empty() && args.of.from.is_empty();
        if !args.dryrun {
            settings.check(&targets)?;
        }
        Ok(Self { targets, settings, named, dry: args.dryrun, output, talk })
    }
}

/// What is tried of a candidate: what was wished, of what it answered if anything is known of it.
fn target(candidate: &Candidate, wished: Option<Versions>, mirrored: bool) -> Option<Target> {
    let Candidate { addr, port, .. } = *candidate;
    let unknown = candidate.verdict.is_none() && candidate.conclusions.is_empty();
    let known = Versions { v1: candidate.v1, v0: candidate.v0 };
    let versions = if unknown || (mirrored && candidate.mirrored) {
        wished.unwrap_or(Versions::BOTH)
    } else {
        let wished = wished.unwrap_or(Versions::BOTH);
        Versions { v1: known.v1 && wished.v1, v0: known.v0 && wished.v0 }
    };
    (versions.v1 || versions.v0).then_some(Target { addr, port, versions })
}

fn versions(words: &[String]) -> Result<Option<Versions>, Failure> {
    if words.is_empty() {
        return Ok(None);
    }
    let mut versions = Versions { v1: false, v0: false };
    for word in words {
        match word.trim() {
            "v1" => versions.v1 = true,
            "v0" => versions.v0 = true,
            other => {
                return Err(Failure::usage(format!("--probe: '{other}' is no version"))
                    .hint("there are v1 (RFC 8684) and v0 (RFC 6824)"));
            }
        }
    }
    Ok(Some(versions))
}

fn settings(args: &VerifyArgs) -> Result<Settings, Failure> {
    let defaults = Settings::default();
    let rate = match scaled(&args.rate) {
        Some(0.0) => None,
        Some(rate) => Some(rate),
        None => {
            return Err(Failure::usage(format!("--rate: '{}' is no number of packets a second", args.rate)));
        }
    };
    let host = args.host.clone().or_else(|| name(&args.of.targets));
    let request = match args.request.as_deref() {
        None => None,
        Some("http") => Some(Request::Http { host: host.clone() }),
        Some("tls") => Some(Request::Tls { host: host.clone() }),
        Some(text) => Some(Request::Bytes(bytes(text).ok_or_else(|| {
            Failure::usage(format!("--request: '{text}' is neither http nor tls, nor bytes in hexadecimal"))
        })?)),
    };
    Ok(Settings {
        request,
        host,
        contact: args.contact.clone(),
        checksum: args.checksum,
        hops: !args.no_hops,
        patience: Patience { step: Duration::from_nanos(args.wait.unsigned_abs()), ..defaults.patience },
        at_once: args.at_once,
        rate,
        network: network(&args.network)?,
        acknowledge_public: args.of.i_have_permission,
        ..defaults
    })
}

/// The one name among the targets, if all of them have it.
fn name(targets: &[String]) -> Option<String> {
    let name = |text: &String| {
        let name = text.rsplit_once(':').map_or(text.as_str(), |(name, _)| name);
        let is_name = name.chars().any(char::is_alphabetic) && !name.contains(':');
        is_name.then(|| name.to_owned())
    };
    let first = name(targets.first()?)?;
    targets.iter().all(|text| name(text).as_ref() == Some(&first)).then_some(first)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    (pairs.remainder().is_empty() && !digits.is_empty())
        .then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn verify(arguments: &str) -> Result<Verify, Failure> {
        let line = ["subflow", "verify"].into_iter().chain(arguments.split_whitespace());
        match Cli::try_parse_from(line).expect("parses").command {
            Command::Verify(args) => Verify::layered(&args, Layer::default()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_is_asked_what() {
        let of = verify("10.0.0.1 [fd00::1]:8443 --probe v1 --wait 2 --contact me").expect("valid");
        let told: Vec<_> = of.targets.iter().map(|t| (t.addr.to_string(), t.port, t.versions.v0)).collect();
        assert_eq!(
            told,
            [
                ("10.0.0.1".into(), 80, false),
                ("10.0.0.1".into(), 443, false),
                ("fd00::1".into(), 8443, false)
            ]
        );
        assert_eq!((of.named, of.settings.patience.step), (true, Duration::from_secs(2)));
        assert_eq!(of.settings.host, None);
        assert_eq!(verify("localhost:80").expect("valid").settings.host.as_deref(), Some("localhost"));
        let raw = verify("10.0.0.1 --request 0aff10").expect("valid").settings.request;
        assert_eq!(raw, Some(Request::Bytes(vec![0x0a, 0xff, 0x10])));
        assert_eq!(verify("10.0.0.1 --rate 0").expect("valid").settings.rate, None);
    }

    #[test]
    fn mistakes_come_with_the_next_step() {
        let failure = |arguments| {
            let failure = verify(arguments).unwrap_err();
            (failure.to_string(), failure.next_step().unwrap_or_default().to_owned())
        };
        assert!(failure("").1.contains("--from"));
        assert!(failure("10.0.0.1 --probe v2").1.contains("RFC 8684"));
        assert!(failure("10.0.0.1 --request ftp").0.contains("neither http nor tls"));
        assert!(failure("10.0.0.1 -f json").1.contains("jsonl"));
        assert!(failure("10.0.0.1 --rate fast").0.contains("--rate"));
    }

    #[test]
    fn of_a_scan_only_what_was_answered() {
        let dir = tempfile::tempdir().expect("a folder");
        let rows = "addr,port,verdict,v1,v0\n10.0.0.1,80,supports_v1,v1,no_option\n10.0.0.2,80,mirrored,mirrored,\n\
                    10.0.0.3,80,plain_tcp,,\n";
        std::fs::write(dir.path().join("targets.csv"), rows).expect("writes");
        let from = format!("--from {}", dir.path().display());
        let of = verify(&from).expect("valid");
        assert_eq!((of.targets.len(), of.named), (1, false));
        assert_eq!(of.targets[0].versions, Versions { v1: true, v0: false });
        assert_eq!(verify(&format!("{from} --mirrored")).expect("valid").targets.len(), 2);
        let none = verify(&format!("{from} --probe v0")).unwrap_err();
        assert!(none.to_string().contains("nothing to verify"), "{none}");
    }
}
