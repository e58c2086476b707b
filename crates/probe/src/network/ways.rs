//! Which way packets leave for an address.

use std::net::IpAddr;

/// What is told about the way instead of found out, and with which ports.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Interface; by default the one of the route to each target.
    pub interface: Option<String>,
    /// Addresses to send from, at most one of each family; by default what the kernel would choose.
    pub sources: Vec<IpAddr>,
    /// Hardware address of the gateway; by default it is asked for (ARP, NDP).
    pub gateway_mac: Option<[u8; 6]>,
    /// Ports to send from, first and last; by default some that are free, above 61000.
    pub ports: Option<(u16, u16)>,
}

/// A way.
#[derive(Clone, Copy, Debug)]
pub struct Way;

/// The ways.
#[derive(Debug, Default)]
pub struct Ways;
