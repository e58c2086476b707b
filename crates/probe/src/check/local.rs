//! From where a check can leave: the addresses of this host from which there is a way to the server.

use std::net::{IpAddr, Ipv6Addr};

use subflow_netio::{addresses, interface_names, interface_towards};

use crate::network::{best, routes};

/// A local address and its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The address.
    pub addr: IpAddr,
    /// The interface that packets are to leave through; `None` leaves that to the kernel.
    pub interface: Option<String>,
}

/// The addresses from which there is a way to a server, or those named. An address whose interface leads nowhere, such as that of an
/// inner bridge, is left out; when all are, or the server is this host, the kernel's choice remains.
pub(super) fn find(server: IpAddr, named: &[IpAddr]) -> Vec<Local> {
    let mut own: Vec<Local> = Vec::new();
    for interface in interface_names() {
        let Ok(found) = addresses(&interface) else { continue };
        for (addr, _) in found.ip {
            own.push(Local { addr, interface: Some(interface.clone()) });
        }
    }
    let same = |addr: &IpAddr| addr.is_ipv6() == server.is_ipv6();
    // By the kernel's own choice, rules for this source included, or by a route that is only not the best.
    let routes = routes();
    let leads = |local: &Local| {
        local.interface.as_deref().is_some_and(|interface| {
            interface_towards(local.addr, server).as_deref() == Some(interface)
                || best(&routes, server, Some(interface)).is_some()
        })
    };
    if !named.is_empty() {
        let of = |&addr: &IpAddr| {
            let local = own.iter().find(|local| local.addr == addr && leads(local)).cloned();
            local.unwrap_or(Local { addr, interface: None })
        };
        return named.iter().filter(|addr| same(addr)).map(of).collect();
    }
    let itself = own.iter().any(|local| local.addr == server);
    let usable = |local: &&Local| same(&local.addr) && is_global(local.addr) && leads(local);
    let mut found: Vec<Local> =
        if itself { Vec::new() } else { own.iter().filter(usable).cloned().collect() };
    // An address that two interfaces have is one of each; the same twice on one is not.
    found.dedup();
    if found.is_empty() {
        found.extend(kernels_choice(server).map(|addr| Local { addr, interface: None }));
    }
    found
}

/// Neither loopback nor of one link alone.
fn is_global(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => !(addr.is_loopback() || addr.is_link_local() || addr.is_unspecified()),
        IpAddr::V6(addr) => !(addr.is_loopback() || addr.is_unicast_link_local() || addr.is_unspecified()),
    }
}

/// The address from which the kernel would connect. Nothing is sent.
fn kernels_choice(server: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if server.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { std::net::Ipv4Addr::UNSPECIFIED.into() };
    let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
    socket.connect((server, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_this_host_is_reached_as_the_kernel_likes() {
        let server = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(find(server, &[]), [Local { addr: server, interface: None }]);
        let named = IpAddr::from([127, 0, 0, 9]);
        assert_eq!(find(server, &[named]), [Local { addr: named, interface: None }]);
        assert_eq!(find(server, &[IpAddr::V6(Ipv6Addr::LOCALHOST)]), []);
    }

    #[test]
    fn addresses_of_one_link_are_not_global() {
        for (text, global) in [
            ("10.0.0.1", true),
            ("169.254.1.1", false),
            ("127.0.0.1", false),
            ("fe80::1", false),
            ("fd00::1", true),
        ] {
            assert_eq!(is_global(text.parse().unwrap()), global, "{text}");
        }
    }
}
