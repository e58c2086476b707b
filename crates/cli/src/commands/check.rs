//! `subflow check` and `subflow serve-check`: what paths do to Multipath TCP.

use crate::args::{CheckArgs, ServeCheckArgs};
use crate::commands::bar::bar;
use crate::commands::rows::Growing;
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Check, Output, ServeCheck, Talk};
use indicatif::ProgressBar;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;
use subflow_probe::Stop;
use subflow_probe::check::{self, Error, Server, Settings, fetch, words};

/// How often the bar moves while connections are waited for.
const TICK: Duration = Duration::from_millis(100);
/// How often Ctrl-C is looked for.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let Check { server, fetch, output, talk } = Check::new(args)?;
    interrupt::watch_saying(
        "\ninterrupted: the connection that is on is finished (Ctrl-C again stops at once)",
    );
    let rows = Growing::open(&output, false)?;
    let bar = bar(talk.progress, None, "{spinner} {msg}");
    bar.enable_steady_tick(TICK);
    let mut told = Told { rows, aloud: output == Output::Summary, talk, bar };
    let stop = Stop::default();
    let done = thread::scope(|scope| {
        scope.spawn(|| watch(&stop));
        let paths = server.map(|(host, settings)| told.paths(&host, &settings, &stop)).transpose();
        let downloads = match &paths {
            Ok(_) if stop.times() == 0 => fetch.map(|settings| told.downloads(&settings, &stop)).transpose(),
            _ => Ok(None),
        };
        let stopped = stop.times() > 0;
        // Ends the watcher, too.
        stop.ask();
        Ok::<_, Failure>((paths?, downloads?, stopped))
    });
    told.bar.finish_and_clear();
    told.rows.finish(true, talk)?;
    let (affected, _, stopped) = done?;
    Ok(match (stopped, affected) {
        (true, _) => Exit::Interrupted,
        // Paths of which none can be judged are no "not affected".
        (false, Some(None | Some(true))) => Exit::Failed,
        _ => Exit::Done,
    })
}

/// Passes Ctrl-C on.
fn watch(stop: &Stop) {
    while stop.times() == 0 {
        if interrupt::is_pressed() {
            stop.ask();
        }
        thread::sleep(LOOK);
    }
}

/// Where results go while they come.
struct Told {
    rows: Growing,
    aloud: bool,
    talk: Talk,
    bar: ProgressBar,
}

impl Told {
    /// Checks the paths to a server; yields whether Multipath TCP is kept from working on one of them.
    fn paths(&mut self, host: &str, settings: &Settings, stop: &Stop) -> Result<Option<bool>, Failure> {
        let Self { rows, aloud, talk, bar } = self;
        bar.set_message(format!("checking {host}"));
        let outcome = check::run(settings, stop, |row| {
            if *aloud {
                bar.suspend(|| {
                    // A closed pipe is noticed at the end.
                    let _ = console::print(&path(row));
                });
            }
            // A failure is told at the end.
            let _ = rows.put(row).and_then(|()| rows.flush());
            bar.tick();
        })
        .map_err(usage)?;
        bar.finish_and_clear();
        if *aloud {
            console::print(&format!("\n{}\n", words::conclusion(&outcome.checks).join("\n")))?;
        }
        if !talk.quiet {
            for addr in &outcome.no_way {
                console::warning(format!("there is no way from here to {addr}"));
            }
            tell_blindness(outcome.without_packets.is_some() && settings.packets);
        }
        if outcome.checks.is_empty() && !outcome.stopped {
            return Err(Failure::failed(format!("no local address leads to {host}"))
                .hint("is the network up? --from names an address"));
        }
        Ok(outcome.affected())
    }

    /// Compares downloads.
    fn downloads(&mut self, settings: &fetch::Settings, stop: &Stop) -> Result<(), Failure> {
        let Self { rows, aloud, talk, bar } = self;
        let mut count = 0;
        let outcome = fetch::run(settings, stop, |row| {
            count += 1;
            bar.set_message(format!("download {count} of {}", 2 * settings.pairs));
            bar.tick();
            let _ = rows.put(row).and_then(|()| rows.flush());
        })
        .map_err(usage)?;
        bar.finish_and_clear();
        if *aloud {
            let mut text = String::new();
            for (from, status, to) in &outcome.redirects {
                text.push_str(&format!("{from} leads to {to} ({status}).\n"));
            }
            let pairs = outcome.fetches.len() / 2;
            text.push_str(&format!("{} from {}, {pairs} times each way:\n", outcome.url, outcome.server));
            for sentence in fetch::words::sentences(&outcome.summary) {
                text.push_str(&format!("  {sentence}\n"));
            }
            console::print(&text)?;
        }
        if !talk.quiet {
            tell_blindness(outcome.without_packets.is_some() && settings.packets);
        }
        let Some(error) = outcome.fetches.iter().find_map(|row| row.error.as_deref()) else { return Ok(()) };
        if outcome.fetches.iter().all(|row| row.error.is_some()) {
            return Err(Failure::failed(format!("no download came to its end: {error}")));
        }
        Ok(())
    }
}

/// A path in words.
fn path(row: &subflow_probe::rows::Check) -> String {
    let details = words::details(row).into_iter().map(|detail| format!("  {detail}\n"));
    [words::line(row) + "\n"].into_iter().chain(details).collect()
}

fn tell_blindness(blind: bool) {
    if blind {
        console::note(
            "packets were not looked at: with CAP_NET_RAW (sudo setcap cap_net_raw+ep $(which subflow)) more is known",
        );
    }
}

fn usage(error: Error) -> Failure {
    match error {
        Error::Listen { ref source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Failure::failed(error).hint("ports below 1024 need sudo, or choose others with --port 8080")
        }
        Error::Listen { ref source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
            Failure::failed(error).hint("another program listens there: choose other ports with --port")
        }
        Error::NoAddress { .. } | Error::Listen { .. } | Error::Certificates { .. } => Failure::failed(error),
        error => Failure::usage(error),
    }
}

/// The other end.
pub(super) fn serve(args: ServeCheckArgs) -> Result<Exit, Failure> {
    let ServeCheck { settings, talk } = ServeCheck::new(args)?;
    let server = Server::open(&settings).map_err(usage)?;
    interrupt::watch_saying("");
    if !talk.quiet {
        let protocol = if server.is_mptcp() { "Multipath TCP" } else { "plain TCP" };
        let ports: Vec<String> = settings.ports.iter().map(u16::to_string).collect();
        console::note(format!("listening with {protocol} at port {}; Ctrl-C ends it", ports.join(", ")));
        if !server.is_mptcp() {
            console::warning(
                "this system does not listen with Multipath TCP: sudo sysctl net.mptcp.enabled=1 switches it on (Linux 5.6 or later)",
            );
        }
        tell_blindness(server.without_packets().is_some() && settings.packets);
        let own = |addr: &IpAddr| format!("subflow check {addr}:{}", ports.join(","));
        console::note(format!(
            "on the other host: {}",
            settings
                .addrs
                .first()
                .map_or_else(|| format!("subflow check THIS-HOST:{}", ports.join(",")), own)
        ));
    }
    let stop = Stop::default();
    thread::scope(|scope| {
        scope.spawn(|| watch(&stop));
        server.run(&stop, |served| {
            if !talk.quiet {
                let how = if served.mptcp { "Multipath TCP" } else { "plain TCP" };
                console::note(format!("{} came to port {} by {how}", served.peer, served.port));
            }
        });
    });
    Ok(Exit::Done)
}
