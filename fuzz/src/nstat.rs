//! Counters of the kernel: text of `nstat`, JSON, `/proc/net/netstat`.

use subflow_compare::nstat::parse;

/// What a file of counters may hold.
pub fn nstat(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse(text) {
        Ok(sets) => {
            assert!(
                sets.iter().any(|(_, counters)| counters.iter().next().is_some()),
                "no counters, no error"
            );
            for (_, counters) in &sets {
                assert!(counters.iter().all(|(name, value)| counters.get(name) == value));
                // Nothing has changed since then.
                assert!(counters.since(counters).iter().all(|(_, value)| value == 0));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
