//! Paths on the wire.

use super::board::{Board, MOST_ACTIVE, MOST_FRESH, Shared};
use super::show::Found;
use super::ui;
use crate::commands::bar::{OF_THINGS, bar};
use crate::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{Candidate, Output, Probing, Showing, Talk};
use crate::text::{counted, grouped};
use indicatif::ProgressBar;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};
use subflow_probe::Stop;
use subflow_probe::network::{Channel, Driven, Watch};
use subflow_probe::rows::Category;
use subflow_probe::targets::Target;
use subflow_probe::trace::{self, Concluded, Path};

/// How often rows are put where they belong.
const FLUSH: Duration = Duration::from_secs(1);

pub(super) fn run(probing: &Probing, show: &Showing, talk: Talk) -> Result<Exit, Failure> {
    let mut channel = Channel::open(&probing.network)?;
    interrupt::watch_saying(
        "\ninterrupted: no target is begun any more, the others are finished (Ctrl-C again stops at once)",
    );
    let stop = Stop::default();
    let shared = Shared::default();
    let many = probing.targets.len();
    let bar = bar(talk.progress && !probing.tui && many > 1, Some(many as u64), OF_THINGS);
    let mut taker = Taker::new(probing, Found::open(show)?, bar, &stop, probing.tui.then_some(&shared));
    let start = Instant::now();
    let (outcome, taken, shown) = if probing.tui {
        thread::scope(|scope| {
            let screen = scope.spawn(|| {
                let shown = ui::run(probing.targets.len() as u64, &shared);
                shared.ends.ask_to_stop();
                shown
            });
            let over = shared.ends.over_when_dropped();
            let outcome = probe(probing, &mut channel, &mut taker, &stop);
            let taken = start.elapsed();
            taker.last(outcome.as_ref().ok());
            drop(over);
            (outcome, taken, screen.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    } else {
        let outcome = probe(probing, &mut channel, &mut taker, &stop);
        (outcome, start.elapsed(), Ok(()))
    };
    taker.bar.finish_and_clear();
    let Taker { found, no_way, .. } = taker;
    let looked_at = found.targets();
    // What was found is kept, whatever ended the work.
    found.finish(&source(probing), talk)?;
    let driven = outcome?;
    shown?;
    if !talk.quiet {
        if show.output != Output::Summary || talk.verbose {
            let time = taken.as_secs_f64();
            console::note(format!("{} sent in {time:.1} s", counted(driven.sent, "packet")));
        }
        doubts(&driven, &no_way);
    }
    let left = (probing.targets.len() as u64).saturating_sub(looked_at);
    if stop.times() > 0 {
        if !talk.quiet && left > 0 {
            console::note(format!("stopped: {} left", counted(left, "target")));
        }
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::Done)
}

/// Looks at all targets.
pub(super) fn probe<W: Watch<Path>>(
    probing: &Probing,
    channel: &mut Channel,
    watch: &mut W,
    stop: &Stop,
) -> Result<Driven, subflow_probe::Error> {
    let targets = probing.targets.iter().map(|one| Target { addr: one.addr, port: one.port });
    trace::run(channel, targets, &probing.settings, probing.at_once, probing.rate, stop, watch)
}

/// Where the paths come from, for the page.
fn source(probing: &Probing) -> String {
    let mut text = match probing.targets.as_slice() {
        [one] => Target { addr: one.addr, port: one.port }.to_string(),
        many => counted(many.len() as u64, "target"),
    };
    if let Some(contact) = &probing.contact {
        text.push_str(&format!(" (contact: {contact})"));
    }
    text
}

/// What a careful reader of the results should know.
fn doubts(driven: &Driven, no_way: &NoWay) {
    if driven.drops > 0 {
        let drops = counted(driven.drops, "packet");
        console::warning(format!("{drops} came faster than they could be taken: use a lower --rate"));
    }
    if let Some((reason, first)) = &no_way.first {
        let targets = counted(no_way.targets, "target");
        console::warning(format!("nothing could be sent to {targets}, the first of them {first}: {reason}"));
    }
}

/// Targets that nothing could be sent to.
#[derive(Debug, Default)]
struct NoWay {
    targets: u64,
    /// Why, and which was the first.
    first: Option<(String, Target)>,
}

/// What was known of targets before.
pub(super) fn known(targets: &[Candidate]) -> HashMap<(IpAddr, u16), String> {
    let said = |one: &Candidate| one.verdict.clone().or_else(|| one.conclusions.first().cloned());
    targets.iter().filter_map(|one| Some(((one.addr, one.port), said(one)?))).collect()
}

/// Takes targets as they are done, and says how far the work is.
pub(super) struct Taker<'a> {
    pub(super) found: Found<'a>,
    known: HashMap<(IpAddr, u16), String>,
    bar: ProgressBar,
    stop: &'a Stop,
    no_way: NoWay,
    flushed: Instant,
    begin: Instant,
    /// What the screen is told, and the targets that it has not been told of.
    screen: Option<&'a Shared>,
    fresh: Vec<Concluded>,
}

impl<'a> Taker<'a> {
    fn new(
        probing: &Probing,
        found: Found<'a>,
        bar: ProgressBar,
        stop: &'a Stop,
        screen: Option<&'a Shared>,
    ) -> Self {
        let (known, now) = (known(&probing.targets), Instant::now());
        let (no_way, fresh) = (NoWay::default(), Vec::new());
        Self { found, known, bar, stop, no_way, flushed: now, begin: now, screen, fresh }
    }

    /// Tells the screen how things stand.
    fn tell<'p>(&mut self, so_far: &Driven, active: impl Iterator<Item = &'p Path>) {
        let Some(screen) = self.screen else { return };
        let chosen = screen.chosen();
        let mut board = Board { elapsed: self.begin.elapsed(), driven: *so_far, ..Board::default() };
        let totals = &self.found.collected().totals;
        for (place, &category) in board.categories.iter_mut().zip(Category::ALL) {
            *place = totals.of(category);
        }
        for path in active {
            if board.active.len() < MOST_ACTIVE {
                board.active.push(path.target());
            }
            if Some(path.target()) == chosen {
                board.chosen = Some(path.conclude());
            }
        }
        board.fresh = std::mem::take(&mut self.fresh);
        screen.put(board);
    }

    /// Tells it the end.
    fn last(&mut self, driven: Option<&Driven>) {
        self.tell(&driven.copied().unwrap_or_default(), std::iter::empty());
    }
}

impl Watch<Path> for Taker<'_> {
    fn finished(&mut self, path: Path) -> io::Result<()> {
        let target = path.target();
        if let Some(reason) = path.no_way() {
            self.no_way.targets += 1;
            self.no_way.first.get_or_insert_with(|| (reason.to_owned(), target));
            return Ok(());
        }
        let before = self.known.get(&(target.addr, target.port)).map(String::as_str).unwrap_or_default();
        let fresh = &mut self.fresh;
        let look = |rows: &Concluded| {
            if self.screen.is_some() && fresh.len() < MOST_FRESH {
                fresh.push(rows.clone());
            }
        };
        self.found.take(&path.trace(), before, look)
    }

    fn tick<'a>(&mut self, so_far: &Driven, active: impl Iterator<Item = &'a Path>)
    where
        Path: 'a,
    {
        let pressed = interrupt::is_pressed() || self.screen.is_some_and(|screen| screen.ends.is_to_stop());
        if pressed && self.stop.times() == 0 {
            self.stop.ask();
        }
        self.tell(so_far, active);
        if self.flushed.elapsed() >= FLUSH {
            self.flushed = Instant::now();
            self.found.flush();
        }
        if !self.bar.is_hidden() {
            let totals = &self.found.collected().totals;
            self.bar.set_position(so_far.finished);
            self.bar.set_message(format!(
                "{} true  {} behind boxes  {} at work  {} sent",
                grouped(totals.of(Category::True)),
                grouped(totals.of(Category::MiddleboxAffected)),
                grouped(so_far.active),
                grouped(so_far.sent)
            ));
        }
    }
}
