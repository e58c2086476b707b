//! The kernel's own counters of Multipath TCP: what it sent and got, told to everybody, for the whole network namespace together.

use std::fs;

/// Counters since the namespace began; null for those that this kernel does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// SYNs with MP_CAPABLE that came.
    pub(super) syn_received: Option<u64>,
    /// Connections that left the option out after silence.
    pub(super) dropped: Option<u64>,
    /// Connections that left the option out from the start, because of silence before.
    pub(super) disabled: Option<u64>,
}

impl Counters {
    /// Reads them; none is known where there are none.
    pub(super) fn read() -> Self {
        // Namespaces belong to threads.
        Self::parse(&fs::read_to_string("/proc/thread-self/net/netstat").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("MPTcpExt: "));
        let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let value = |wanted: &str| {
            let at = names.split(' ').position(|name| name == wanted)?;
            values.split(' ').nth(at)?.parse().ok()
        };
        Self {
            syn_received: value("MPCapableSYNRX"),
            dropped: value("MPCapableSYNTXDrop"),
            disabled: value("MPCapableSYNTXDisabled"),
        }
    }
}

/// By how much a counter has grown.
pub(super) fn growth(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    Some(after?.saturating_sub(before?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_kernel() {
        let text = "TcpExt: A B\nTcpExt: 1 2\nMPTcpExt: MPCapableSYNRX MPCapableSYNTX MPCapableSYNTXDrop\nMPTcpExt: 7 8 9\n";
        let read = Counters::parse(text);
        assert_eq!((read.syn_received, read.dropped, read.disabled), (Some(7), Some(9), None));
        assert_eq!(growth(Some(5), read.syn_received), Some(2));
        assert_eq!(growth(None, read.syn_received), None);
        assert_eq!(Counters::parse("MPTcpExt: MPCapableSYNRX\n"), Counters::default());
        assert_eq!(Counters::parse(""), Counters::default());
    }
}
