//! The kernel's MPTCP counters of one namespace (what `nstat` shows as MPTcpExt…).

use std::collections::BTreeMap;

use anyhow::Result;

use super::net::Namespace;
use crate::shell::output;

/// Counters by name, without the prefix MPTcpExt.
#[derive(Debug, Default)]
pub(super) struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Reads those of a namespace.
    pub(super) fn of(namespace: &Namespace) -> Result<Self> {
        Ok(Self::parse(&output(namespace.command("cat").arg("/proc/net/netstat"))?))
    }

    /// Pairs of lines, names over numbers, each beginning with the group.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("MPTcpExt: "));
        let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let names = names.split_whitespace().map(str::to_owned);
        let values = values.split_whitespace().map(|value| value.parse().unwrap_or(0));
        Self(names.zip(values).collect())
    }

    /// A counter; older kernels lack some.
    pub(super) fn get(&self, name: &str) -> Option<u64> {
        self.0.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Counters;

    #[test]
    fn names_stand_over_numbers() {
        let text = "TcpExt: A B\nTcpExt: 1 2\nMPTcpExt: MPCapableSYNRX AddAddr\nMPTcpExt: 7 0\n";
        let counters = Counters::parse(text);
        assert_eq!((counters.get("MPCapableSYNRX"), counters.get("AddAddr")), (Some(7), Some(0)));
        assert_eq!((counters.get("A"), counters.get("MPRstTx")), (None, None));
    }
}
