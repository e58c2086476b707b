//! What the rows of a scan say together: verdicts, versions and shares, for all ports and for each.

use std::collections::BTreeMap;

use crate::rows::{Target, Verdict};

/// Verdicts of all targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Of each port.
    pub ports: BTreeMap<u16, PortSummary>,
    /// How often each flag byte of an MP_CAPABLE of version 1 came from targets that support it.
    pub v1_flags: BTreeMap<u8, u64>,
}

/// Verdicts of the targets of one port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSummary {
    /// How many targets have each verdict, without those that have none.
    pub verdicts: BTreeMap<Verdict, u64>,
}

impl PortSummary {
    /// Targets with this verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or(0)
    }

    /// Targets with any verdict.
    pub fn targets(&self) -> u64 {
        self.verdicts.values().sum()
    }

    /// Targets that answered some SYN with a SYN/ACK: what shares of support are shares of.
    pub fn open(&self) -> u64 {
        let shut = [Verdict::Closed, Verdict::Unreachable, Verdict::Filtered];
        self.targets() - shut.iter().map(|&verdict| self.count(verdict)).sum::<u64>()
    }

    /// Targets that support version 1, 0 or both.
    pub fn supporting(&self) -> u64 {
        [Verdict::SupportsBoth, Verdict::SupportsV1, Verdict::SupportsV0]
            .iter()
            .map(|&verdict| self.count(verdict))
            .sum()
    }
}

impl Summary {
    /// Takes a target in.
    pub fn add(&mut self, row: &Target) {
        *self.ports.entry(row.port).or_default().verdicts.entry(row.verdict).or_default() += 1;
        if matches!(row.verdict, Verdict::SupportsV1 | Verdict::SupportsBoth)
            && let Some(flags) = row.v1_flags
        {
            *self.v1_flags.entry(flags).or_default() += 1;
        }
    }

    /// All ports together.
    pub fn all(&self) -> PortSummary {
        let mut all = PortSummary::default();
        for (&verdict, &count) in self.ports.values().flat_map(|port| &port.verdicts) {
            *all.verdicts.entry(verdict).or_default() += count;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Evidence;
    use crate::probes::{Kind, Kinds};

    fn row(port: u16, verdict: Verdict) -> Target {
        let target = crate::targets::Target { addr: [10, 0, 0, 1].into(), port };
        let silent = Evidence::default().row(&target, Kinds::only(Kind::V1));
        Target { verdict, v1_flags: Some(0x81), ..silent }
    }

    #[test]
    fn ports_add_up() {
        let mut summary = Summary::default();
        for (port, verdict) in [
            (80, Verdict::SupportsV1),
            (80, Verdict::PlainTcp),
            (80, Verdict::Filtered),
            (443, Verdict::SupportsBoth),
            (443, Verdict::SupportsV1),
            (443, Verdict::Closed),
            (443, Verdict::Mirrored),
        ] {
            summary.add(&row(port, verdict));
        }
        let all = summary.all();
        assert_eq!((all.targets(), all.open(), all.supporting()), (7, 5, 3));
        assert_eq!(all.count(Verdict::SupportsV1), 2);
        let web = &summary.ports[&80];
        assert_eq!((web.targets(), web.open(), web.supporting()), (3, 2, 1));
        // Only of those that support version 1.
        assert_eq!(summary.v1_flags, BTreeMap::from([(0x81, 3)]));
        assert_eq!(Summary::default().all().open(), 0);
    }
}
