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
/// Longest time that a packet takes from the interface to here, on a busy machine, too.
pub(super) const LATENCY: Duration = Duration::from_millis(400);

/// Watches until it is dropped. Needs CAP_NET_RAW.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    flows: Mutex<Flows>,
    news: Condvar,
    stop: AtomicBool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Flows> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
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
                while let Some(block) = ring.next_block() {
                    let mut flows = theirs.lock();
                    for frame in block.frames() {
                        flows.packet(frame.data);
                    }
                    theirs.news.notify_all();
                }
            }
        });
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What was seen of a connection, as soon as there is enough of it, and at the latest when the time is over.
    pub fn flow(
        &self,
        client: SocketAddr,
        server: SocketAddr,
        patience: Duration,
        enough: impl Fn(&Flow) -> bool,
    ) -> Option<Flow> {
        let end = Instant::now() + patience;
        let mut flows = self.shared.lock();
        loop {
            let flow = flows.get(client, server);
            let left = end.saturating_duration_since(Instant::now());
            if flow.is_some_and(&enough) || left.is_zero() {
                return flow.cloned();
            }
            (flows, _) = self.shared.news.wait_timeout(flows, left).unwrap_or_else(PoisonError::into_inner);
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
