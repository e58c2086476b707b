//! How paths are probed.

use std::time::Duration;

use super::language::OptionSpec;
use crate::Error;
use crate::rows::Asks;

/// How paths are probed.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is asked, in this order. A plain SYN is always among them, as the control.
    pub asks: Vec<Asks>,
    /// The options of [`Asks::Custom`].
    pub custom: Option<OptionSpec>,
    /// Smallest hop limit.
    pub min_hop: u8,
    /// Largest hop limit.
    pub max_hop: u8,
    /// How long answers are waited for at most; with the first one it becomes a few of its round trips.
    pub wait: Duration,
    /// Further attempts at hops that are silent; two more where the hop answers other probes.
    pub retries: u8,
    /// Flows to a target: each has ports of its own, so that they may take different branches.
    pub flows: u8,
    /// Whether data is sent, too, on a connection with the option.
    pub data: bool,
    /// Whether resets of a closed port and echo replies are compared with SYN/ACKs, to find proxies.
    pub distances: bool,
    /// What makes the probes' secrets; random for each run, or stale answers look fresh.
    pub seed: u64,
}

impl Settings {
    /// Most flows: all kinds of probe have a port each.
    pub const MOST_FLOWS: u8 = 4;
    /// Packets a second, unless told otherwise.
    pub const RATE: f64 = 5000.0;
    /// Targets at once, unless told otherwise.
    pub const AT_ONCE: usize = 1000;

    /// Whether they make sense.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |what| Err(Error::Setting { what });
        if self.asks.is_empty() {
            return Err(Error::NoKinds);
        }
        if self.asks.contains(&Asks::Data) {
            return wrong("data is no SYN: it is sent where a connection was opened with the option");
        }
        if self.asks.contains(&Asks::Custom) && self.custom.is_none() {
            return wrong("options of one's own are asked for, and none given");
        }
        if self.min_hop == 0 || self.min_hop > self.max_hop {
            return wrong("hop limits go from 1 to 255, the smallest first");
        }
        if self.flows == 0 || self.flows > Self::MOST_FLOWS {
            return wrong("there are 1 to 4 flows");
        }
        if self.kinds().len() * usize::from(self.flows) + 2 > usize::from(super::path::PORTS) {
            return wrong("too many flows for so many kinds of probe: each needs a port");
        }
        if self.wait.is_zero() || self.wait > Duration::from_secs(60) {
            return wrong("answers are waited for up to a minute, and more than no time");
        }
        if self.retries > 20 {
            return wrong("there are at most 20 further attempts");
        }
        Ok(())
    }

    /// Everything that is asked, each once; the control is the last where it is not named.
    pub(super) fn kinds(&self) -> Vec<Asks> {
        let mut kinds: Vec<Asks> = Vec::new();
        for &asks in self.asks.iter().chain([&Asks::Plain]) {
            if !kinds.contains(&asks) && asks != Asks::Data {
                kinds.push(asks);
            }
        }
        kinds
    }

    /// The options of what is asked.
    pub(super) fn options(&self, asks: Asks, v6: bool) -> OptionSpec {
        match (asks, &self.custom) {
            (Asks::Custom, Some(custom)) => custom.clone(),
            _ => OptionSpec::of(asks, v6),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            asks: vec![Asks::V1, Asks::V0],
            custom: None,
            min_hop: 1,
            max_hop: 30,
            wait: Duration::from_secs(3),
            retries: 1,
            flows: 1,
            data: true,
            distances: true,
            seed: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(Settings::default().check().is_ok());
        let refused = |settings: Settings| settings.check().is_err();
        assert!(refused(Settings { asks: vec![], ..Settings::default() }));
        assert!(refused(Settings { asks: vec![Asks::Data], ..Settings::default() }));
        assert!(refused(Settings { asks: vec![Asks::Custom], ..Settings::default() }));
        assert!(refused(Settings { min_hop: 0, ..Settings::default() }));
        assert!(refused(Settings { min_hop: 9, max_hop: 8, ..Settings::default() }));
        assert!(refused(Settings { flows: 0, ..Settings::default() }));
        assert!(refused(Settings { flows: 5, ..Settings::default() }));
        assert!(refused(Settings { wait: Duration::ZERO, ..Settings::default() }));
        assert!(refused(Settings { retries: 21, ..Settings::default() }));
        // All kinds in four flows have a port each, and a number for each of their walks.
        let asks = vec![Asks::V1, Asks::V0, Asks::Both, Asks::Join, Asks::Canary, Asks::Plain];
        let settings = Settings { asks, flows: 4, ..Settings::default() };
        assert!(settings.check().is_ok());
        assert!(2 * settings.kinds().len() * 4 + 3 < 64);
    }

    #[test]
    fn the_control_is_asked_once_and_last() {
        let settings = Settings { asks: vec![Asks::V1, Asks::V1, Asks::V0], ..Settings::default() };
        assert_eq!(settings.kinds(), [Asks::V1, Asks::V0, Asks::Plain]);
        let settings = Settings { asks: vec![Asks::Plain, Asks::V1], ..Settings::default() };
        assert_eq!(settings.kinds(), [Asks::Plain, Asks::V1]);
    }
}
