//! What the first pass learns: whose subflow each flow is, and which keys there are.

use crate::{
    audit::Audit,
    flows::{Flow, FlowKey},
    fragments::Fragments,
    secret::Secret,
};
use std::collections::{HashMap, HashSet};
use subflow_analysis::rows::{Opener, Tables};
use subflow_wire::keys::{Key, Version};

/// What is known of the two sides of a flow. Pairs are indexed by the side of its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides {
    pub(crate) keys: [Option<Key>; 2],
    pub(crate) version: Option<Version>,
    /// By how much the data sequence numbers of each sender are shifted.
    pub(crate) shifts: [u64; 2],
}

impl Sides {
    /// The key of a side with the version that it is used with.
    pub(crate) fn sender(&self, side: usize) -> Option<(Key, Version)> {
        Some((self.keys[side]?, self.version?))
    }

    /// Of a flow that has nothing to do with MPTCP.
    pub(crate) fn plain() -> Self {
        Self { keys: [None; 2], version: None, shifts: [0; 2] }
    }

    fn new(secret: &Secret, keys: [Option<Key>; 2], version: Option<Version>) -> Self {
        let shift = |side: usize| match (keys[side], version) {
            (Some(key), Some(version)) => secret.key(key).idsn(version).wrapping_sub(key.idsn(version)),
            _ => secret.shift(),
        };
        Self { keys, version, shifts: [shift(0), shift(1)] }
    }

    fn reversed(self) -> Self {
        let Self { keys: [a, b], version, shifts: [c, d] } = self;
        Self { keys: [b, a], version, shifts: [d, c] }
    }
}

/// From when on a flow belongs to a connection, and on which side of it the client is.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: i64,
    connection: usize,
    client: usize,
}

/// All that the second pass needs to know.
#[derive(Debug)]
pub(crate) struct Book {
    secret: Secret,
    /// Of connections, with the client as side 0.
    connections: Vec<Sides>,
    flows: HashMap<FlowKey, Vec<Place>>,
    /// From tokens to the keys that they are made of.
    tokens: HashMap<u32, (Key, Version)>,
    /// The other key of each key's connection.
    peers: HashMap<Key, Key>,
    pub(crate) audit: Audit,
    pub(crate) fragments: Fragments,
}

impl Book {
    pub(crate) fn new(secret: Secret) -> Self {
        Self {
            secret,
            connections: Vec::new(),
            flows: HashMap::new(),
            tokens: HashMap::new(),
            peers: HashMap::new(),
            audit: Audit::default(),
            fragments: Fragments::default(),
        }
    }

    /// A key was seen: joins may name it by its token.
    pub(crate) fn learn_key(&mut self, key: Key, peer: Option<Key>) {
        for version in [Version::V0, Version::V1] {
            self.tokens.entry(key.token(version)).or_insert((key, version));
        }
        if let Some(peer) = peer {
            self.peers.insert(key, peer);
            self.peers.insert(peer, key);
        }
    }

    /// Takes over what the analysis found out.
    pub(crate) fn learn_tables(&mut self, tables: &Tables) {
        let mut numbers = HashMap::new();
        for row in &tables.connections {
            let keys = [row.client_key.map(|key| Key(key.0)), row.server_key.map(|key| Key(key.0))];
            let version = row.version.and_then(|version| Version::try_from(version).ok());
            numbers.insert(row.connection_id, self.connections.len());
            self.connections.push(Sides::new(&self.secret, keys, version));
            for key in keys.into_iter().flatten() {
                self.learn_key(key, None);
            }
        }
        for row in &tables.subflows {
            let Some(&connection) = numbers.get(&row.connection_id) else { continue };
            let (key, opener) = FlowKey::of((row.src_addr, row.src_port), (row.dst_addr, row.dst_port));
            let client = if row.opener == Opener::Client { opener } else { 1 - opener };
            let place = Place { start: row.start.0, connection, client };
            self.flows.entry(key).or_default().push(place);
        }
        self.flows.values_mut().for_each(|places| places.sort_by_key(|place| place.start));
    }

    /// What is known of a flow's sides at this time. The analysis knows best; of flows that it left out (seen on both sides
    /// of a NAT) their own handshakes tell.
    pub(crate) fn sides(&self, key: &FlowKey, flow: &Flow, time: i64) -> Sides {
        let places = self.flows.get(key).map_or(&[][..], Vec::as_slice);
        let begun = places.iter().rev().find(|place| place.start <= time).or(places.first());
        if let Some(place) = begun
            && let Some(&sides) = self.connections.get(place.connection)
        {
            return if place.client == 0 { sides } else { sides.reversed() };
        }
        let (keys, version) = self.own_keys(flow);
        Sides::new(&self.secret, keys, version)
    }

    /// The keys that a flow's own handshake shows or names.
    pub(crate) fn own_keys(&self, flow: &Flow) -> ([Option<Key>; 2], Option<Version>) {
        if let Some((owner, token)) = flow.token
            && let Some(&(key, version)) = self.tokens.get(&token)
        {
            let mut keys = [self.peers.get(&key).copied(); 2];
            keys[owner] = Some(key);
            return (keys, Some(version));
        }
        (flow.keys, flow.version)
    }

    /// What stands for a token: that of the key that stands for its key.
    pub(crate) fn token(&self, token: u32) -> u32 {
        match self.tokens.get(&token) {
            Some(&(key, version)) => self.secret.key(key).token(version),
            None => self.secret.token(token),
        }
    }

    /// All keys that were seen.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.tokens.values().map(|&(key, _)| key)
    }

    /// How many keys were seen.
    pub(crate) fn key_count(&self) -> u64 {
        // Each is in the table by its token of either version.
        self.keys().collect::<HashSet<_>>().len() as u64
    }

    /// By how much the data sequence numbers of a connection are shifted, client's first, in order of the rows.
    pub(crate) fn shifts(&self, connection: usize) -> Option<[u64; 2]> {
        self.connections.get(connection).map(|sides| sides.shifts)
    }
}
