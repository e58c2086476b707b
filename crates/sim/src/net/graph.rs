//! Nodes, links and interfaces: what a topology yields.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::LinkSettings;

/// A host or switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// One direction of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

impl LinkId {
    /// No link: where a packet is lost that has no route.
    pub const NONE: Self = Self(u32::MAX);
}

/// An interface of a host: what has addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u32);

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Sends and receives, never forwards.
    Host,
    /// Forwards. Tiers count from the hosts: 0 edge or leaf, 1 aggregation or spine, 2 core.
    Switch {
        /// The tier.
        tier: u8,
    },
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name, as in tables.
    pub name: Box<str>,
    /// What it does.
    pub kind: Kind,
}

/// A link of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The node that sends.
    pub from: NodeId,
    /// The node that receives.
    pub to: NodeId,
    /// What it is made of.
    pub settings: LinkSettings,
}

/// An interface of a host, attached to a switch by two links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The host.
    pub host: NodeId,
    /// The switch at the other end of its cable.
    pub attached: NodeId,
    /// From the host to the switch.
    pub up: LinkId,
    /// From the switch to the host.
    pub down: LinkId,
    /// Its IPv4 address.
    pub v4: Ipv4Addr,
    /// Its IPv6 address.
    pub v6: Ipv6Addr,
}

/// All nodes, links and interfaces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    interfaces: Vec<Interface>,
}

impl Graph {
    /// Adds a host.
    pub fn host(&mut self, name: impl Into<Box<str>>) -> NodeId {
        self.node(name.into(), Kind::Host)
    }

    /// Adds a switch of a tier.
    pub fn switch(&mut self, name: impl Into<Box<str>>, tier: u8) -> NodeId {
        self.node(name.into(), Kind::Switch { tier })
    }

    fn node(&mut self, name: Box<str>, kind: Kind) -> NodeId {
        self.nodes.push(Node { name, kind });
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Adds one direction of a cable.
    pub fn link(&mut self, from: NodeId, to: NodeId, settings: LinkSettings) -> LinkId {
        self.edges.push(Edge { from, to, settings });
        LinkId(self.edges.len() as u32 - 1)
    }

    /// Adds both directions of a cable between switches: there and back.
    pub fn cable(&mut self, a: NodeId, b: NodeId, settings: &LinkSettings) -> (LinkId, LinkId) {
        (self.link(a, b, settings.clone()), self.link(b, a, settings.clone()))
    }

    /// Gives a host an interface at a switch. Order makes the numbers of interfaces.
    pub fn interface(
        &mut self,
        host: NodeId,
        attached: NodeId,
        (up, down): (LinkSettings, LinkSettings),
        (v4, v6): (Ipv4Addr, Ipv6Addr),
    ) -> InterfaceId {
        let up = self.link(host, attached, up);
        let down = self.link(attached, host, down);
        self.interfaces.push(Interface { host, attached, up, down, v4, v6 });
        InterfaceId(self.interfaces.len() as u32 - 1)
    }

    /// The nodes, by number.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The links, by number.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The settings of all links, to be changed before the network is built.
    pub fn edges_mut(&mut self) -> &mut [Edge] {
        &mut self.edges
    }

    /// The interfaces, by number.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// The hosts, by number of node.
    pub fn hosts(&self) -> impl Iterator<Item = NodeId> {
        (0..).map(NodeId).zip(&self.nodes).filter(|(_, node)| node.kind == Kind::Host).map(|(id, _)| id)
    }

    /// The interfaces of a host, in the order in which it got them.
    pub fn interfaces_of(&self, host: NodeId) -> impl Iterator<Item = InterfaceId> {
        let ids = (0..).map(InterfaceId).zip(&self.interfaces);
        ids.filter(move |(_, interface)| interface.host == host).map(|(id, _)| id)
    }

    /// The first link from one node to another.
    pub fn between(&self, from: NodeId, to: NodeId) -> Option<LinkId> {
        self.edges.iter().position(|edge| edge.from == from && edge.to == to).map(|i| LinkId(i as u32))
    }

    /// `from -> to` with the names of the nodes.
    pub fn link_name(&self, link: LinkId) -> String {
        let name = |node: NodeId| self.nodes.get(node.0 as usize).map_or("?", |node| &node.name);
        self.edges
            .get(link.0 as usize)
            .map_or_else(|| "?".to_owned(), |edge| format!("{} -> {}", name(edge.from), name(edge.to)))
    }
}
