//! A packet socket that watches some ports while a check or its server runs.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use subflow_netio::{ANY, Config, Error, Ring, wait};

use super::filter::{KEPT, of_ports};
use super::flows::{Flow, Flows};

/// How long the thread waits for packets before it looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(50);
/// Longest time that a packet takes from the interface to the ring, with much to spare.
pub(super) const LATENCY: Duration = Duration::from_millis(200);
/// How much longer a thread that gets no turn is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// Watches until it is dropped. Needs CAP_NET_RAW.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Known>,
    news: Condvar,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    flows: Flows,
    /// When the thread last began to empty the ring, and then did.
    emptied: Option<Instant>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Watches packets from and to these ports on all interfaces, from when this returns.
    pub fn open(ports: &[u16]) -> Result<Self, Error> {
        let config =
            Config { interface: ANY.to_owned(), snap_len: KEPT, ring_bytes: 4 << 20, promiscuous: false };
        let mut ring = Ring::open_filtered_both(&config, &of_ports(ports))?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            while !theirs.stop.load(Ordering::Relaxed) {
                // An interface that goes down is the others' business.
                if wait(std::slice::from_ref(&ring), PATIENCE).is_err() {
                    std::thread::sleep(PATIENCE);
                }
                let begin = Instant::now();
                while let Some(block) = ring.next_block() {
                    let mut known = theirs.lock();
                    for frame in block.frames() {
                        known.flows.packet(frame.data);
                    }
                }
                theirs.lock().emptied = Some(begin);
                theirs.news.notify_all();
            }
        });
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What was seen of a connection, as soon as there is enough of it, and at the latest when the time is over and the ring has been
    /// emptied since: on a busy machine, its thread may get its turn late.
    pub fn flow(
        &self,
        client: SocketAddr,
        server: SocketAddr,
        patience: Duration,
        enough: impl Fn(&Flow) -> bool,
    ) -> Option<Flow> {
        let end = Instant::now() + patience;
        let mut known = self.shared.lock();
        loop {
            let flow = known.flows.get(client, server);
            let now = Instant::now();
            let emptied = known.emptied.is_some_and(|begin| begin >= end);
            if flow.is_some_and(&enough) || emptied || now >= end + GRACE {
                return flow.cloned();
            }
            let left = end + GRACE - now;
            (known, _) = self.shared.news.wait_timeout(known, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
