//! Names of hops, by reverse lookup, in a bounded time: names are for reading, and no server of names may hold up a result.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use subflow_report::tracebox::Collected;

/// Addresses that are looked up at most: those of the paths that come first.
const MOST: usize = 1000;
/// How long all lookups together may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lookups at a time.
const AT_ONCE: usize = 16;

/// The names of hops and targets, as far as they come in time.
pub(super) fn look_up(found: &Collected) -> HashMap<IpAddr, String> {
    let mut addrs = BTreeSet::new();
    for kept in found.kept() {
        addrs.extend(kept.rows.hops.iter().filter_map(|hop| hop.from_addr));
        addrs.insert(kept.rows.target.addr);
        if addrs.len() >= MOST {
            break;
        }
    }
    names(addrs.into_iter().take(MOST), PATIENCE, |addr| dns_lookup::lookup_addr(&addr).ok())
}

fn names<F>(
    addrs: impl IntoIterator<Item = IpAddr>,
    patience: Duration,
    look_up: F,
) -> HashMap<IpAddr, String>
where
    F: Fn(IpAddr) -> Option<String> + Clone + Send + 'static,
{
    let queue: Vec<IpAddr> = addrs.into_iter().collect();
    let (threads, end) = (queue.len().min(AT_ONCE), Instant::now() + patience);
    let queue = Arc::new(Mutex::new(queue));
    let (sender, receiver) = mpsc::channel();
    for _ in 0..threads {
        let (queue, sender, look_up) = (Arc::clone(&queue), sender.clone(), look_up.clone());
        // Nobody waits for a thread that hangs in a lookup: it ends with the program.
        thread::spawn(move || {
            let next = || queue.lock().ok().and_then(|mut queue| queue.pop());
            while Instant::now() < end
                && let Some(addr) = next()
            {
                // Where there is no name, the address comes back.
                let name = look_up(addr).filter(|name| name.parse::<IpAddr>().is_err());
                if let Some(name) = name
                    && sender.send((addr, name)).is_err()
                {
                    break;
                }
            }
        });
    }
    drop(sender);
    let mut found = HashMap::new();
    while let Ok((addr, name)) = receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
        // Whoever answers for an address chooses its name: no control characters on a terminal.
        found.insert(addr, name.chars().filter(|c| !c.is_control()).take(255).collect());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    #[test]
    fn names_come_clean_and_addresses_are_none() {
        let found = names((1..=40).map(addr), Duration::from_secs(60), |addr| match addr {
            IpAddr::V4(addr) if addr.octets()[3] == 7 => Some("bad\u{1b}[2J.example".to_owned()),
            IpAddr::V4(addr) if addr.octets()[3] % 2 == 0 => Some(addr.to_string()),
            IpAddr::V4(addr) if addr.octets()[3] == 9 => None,
            addr => Some(format!("host-{addr}")),
        });
        assert_eq!(found.len(), 19);
        assert_eq!(found[&addr(7)], "bad[2J.example");
        assert_eq!(found[&addr(1)], "host-192.0.2.1");
    }

    #[test]
    fn a_lookup_that_hangs_holds_up_nothing() {
        let begin = Instant::now();
        let found = names([addr(1)], Duration::from_millis(50), |_| {
            thread::sleep(Duration::from_secs(600));
            None
        });
        assert!(found.is_empty() && begin.elapsed() < Duration::from_secs(300));
    }
}
