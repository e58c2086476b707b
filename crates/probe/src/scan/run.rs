//! The scan as a whole: what it needs is found and opened, threads send, this one receives, and at the end it is told what became of it.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use subflow_netio::{Config, Error as NetError, Ring, Sender};
use subflow_rows::Time;

use super::campaign::{self, Begun};
use super::filter;
use super::network::{self, Network};
use super::receive::Receiver;
use super::send::{Context, send};
use super::settings::{Resets, Settings};
use super::sink::{Progress, Sink};
use super::state::State;
use super::track::{Ask, Tracker};
use super::work::Work;
use crate::Error;
use crate::Stop;
use crate::probes::{Probes, Secret};
use crate::rows::{Campaign, End, Sending};
use crate::targets::Plan;

/// What became of a scan.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The row of table `campaigns`.
    pub campaign: Campaign,
    /// How far it came.
    pub progress: Progress,
    /// What ended it early, in words.
    pub trouble: Option<String>,
}

/// Runs a scan to its end, or until it is stopped. What can be found wrong before the first packet is an error; after that
/// every end is an [`Outcome`], with what was found kept.
pub fn run<S: Sink>(plan: &Plan, settings: &Settings, sink: &mut S, stop: &Stop) -> Result<Outcome, Error> {
    settings.check(plan)?;
    let started_ns = unix_ns();
    let mut state = match &settings.state {
        Some(path) if settings.resume => {
            let state = State::read(path, plan, settings)?;
            State { resumed: state.resumed + 1, ..state }
        }
        _ => State::new(plan, settings, started_ns),
    };
    let network = network::find(plan, settings)?;
    let secret = Secret::new(plan.seed());
    let probes = Probes::new(secret, settings.source_ports, network.source, settings.canary)
        .map_err(|_| Error::Setting { what: "the options do not fit a TCP header" })?;
    let ring = open_ring(settings, &network, &probes)?;
    let senders: Result<Vec<_>, _> =
        (0..settings.threads).map(|thread| open_sender(settings, &network, thread)).collect();
    let senders = senders?;
    let sending = match senders.first() {
        Some(sender) if sender.is_fast() => Sending::Xdp,
        _ if settings.bypass => Sending::Direct,
        _ => Sending::Queued,
    };
    if let Some(path) = &settings.state {
        state.write(path)?;
    }
    let begin = state.settled;
    let cooldown_ns = u64::try_from(settings.cooldown.as_nanos()).unwrap_or(u64::MAX);
    let tracker = Tracker::new(settings.kinds, settings.retries, settings.follow_up, cooldown_ns, begin);
    let stages: Vec<Ask> = tracker.stages().collect();
    let wanted = settings.packet_rate(plan).unwrap_or(f64::INFINITY);
    // Small jobs at low rates, so that a stopped scan has little under way.
    let chunk = if wanted.is_finite() { (wanted / 200.0) as u64 } else { u64::MAX };
    let work = Work::new(begin..plan.len(), stages.len(), settings.threads, chunk);
    work.set_rate(wanted / settings.threads as f64);
    let resets = match settings.resets {
        Resets::Auto => !network.own,
        Resets::Always => true,
        Resets::Never => false,
    };
    let begun = Begun { network: &network, start_ns: started_ns, resumed_at: begin, sending, resets };
    let mut campaign = campaign::begin(plan, settings, &begun);
    let mut receiver = Receiver::new((plan, settings), &work, &probes, tracker, resets, wanted);
    let context = Context { plan, probes: &probes, kinds: settings.kinds, stages: &stages, work: &work };
    sink.campaign(&campaign);
    let (end, trouble) = thread::scope(|scope| {
        let threads: Vec<_> = senders
            .into_iter()
            .enumerate()
            .map(|(number, mut sender)| {
                let context = &context;
                scope.spawn(move || send(context, number, &mut sender))
            })
            .collect();
        let failed = || threads.iter().any(thread::ScopedJoinHandle::is_finished);
        let ended = receiver.receive(&mut [ring], sink, stop, &mut state, failed);
        work.over.store(true, Ordering::Relaxed);
        let sending: Vec<_> = threads.into_iter().map(thread::ScopedJoinHandle::join).collect();
        let sending = sending.into_iter().find_map(|result| match result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some((End::Interface, error.to_string())),
            Err(_) => Some((End::Interface, "a sending thread broke down".to_owned())),
        });
        match (ended, sending) {
            (Ok(_), Some((end, words))) => (end, Some(words)),
            (Ok(end), None) => (end, None),
            (Err((end, words)), sending) => (end, Some(sending.map_or(words, |(_, words)| words))),
        }
    });
    let progress = receiver.progress();
    campaign::count(&mut campaign, &progress);
    campaign.end = Some(Time(unix_ns()));
    campaign.ended = Some(end);
    campaign.trouble.clone_from(&trouble);
    sink.campaign(&campaign);
    Ok(Outcome { campaign, progress, trouble })
}

/// The fast way where there is one, else the one that always is.
fn open_sender(settings: &Settings, network: &Network, thread: usize) -> Result<Sender, NetError> {
    let queue = u32::try_from(thread).unwrap_or(u32::MAX);
    if settings.bypass
        && settings.fast
        && let Ok(sender) = Sender::open_fast(&network.interface, queue)
    {
        return Ok(sender);
    }
    Sender::open(&network.interface, settings.bypass)
}

fn open_ring(settings: &Settings, network: &Network, probes: &Probes) -> Result<Ring, Error> {
    let config = Config {
        interface: network.interface.clone(),
        snap_len: 256,
        ring_bytes: settings.ring_bytes,
        promiscuous: false,
    };
    let source = &network.source;
    let (v4, v6) = (source.v4.map(|(_, addr)| addr), source.v6.map(|(_, addr)| addr));
    Ok(Ring::open_filtered(&config, &filter::answers(v4, v6, probes.ports().range()))?)
}

/// Nanoseconds since the Unix epoch.
fn unix_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}
