//! Which connection, which subflow and which direction of the two captures are one, before packets are matched.

use super::flows::{Flows, Pair, pair, rough_offset, shift};
use super::lane::Lane;
use super::record::End;
use super::settle::Shift;
use crate::rows::{Evidence, Side};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use subflow_analysis::rows::{Connection, Direction, Opener, Tables};

/// One capture: its tables and flows, and which flow is which subflow.
pub(crate) struct Seen<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) flows: &'a Flows,
    /// Flow to subflow.
    subflows: BTreeMap<u32, Subflow>,
    connections: HashMap<u64, &'a Connection>,
}

/// The subflow that a flow is.
#[derive(Clone, Copy, Debug)]
struct Subflow {
    connection: u64,
    id: u32,
    /// Which end of the flow is the connection's client.
    client: usize,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(tables: &'a Tables, flows: &'a Flows) -> Self {
        let mut subflows = BTreeMap::new();
        for row in &tables.subflows {
            let (src, dst) = ((row.src_addr, row.src_port), (row.dst_addr, row.dst_port));
            if let Some((flow, opener)) = flows.find(src, dst, row.start.0) {
                let client = if row.opener == Opener::Client { opener } else { 1 - opener };
                subflows.insert(flow, Subflow { connection: row.connection_id, id: row.subflow_id, client });
            }
        }
        let connections = tables.connections.iter().map(|row| (row.connection_id, row)).collect();
        Self { tables, flows, subflows, connections }
    }

    pub(crate) fn connection(&self, id: Option<u64>) -> Option<&'a Connection> {
        self.connections.get(&id?).copied()
    }
}

/// A connection in both captures, or in one.
#[derive(Clone, Debug)]
pub(crate) struct Matched {
    pub(crate) connections: [Option<u64>; 2],
    pub(crate) by: Evidence,
    pub(crate) nearer_client: Option<Side>,
    pub(crate) translated: bool,
    pub(crate) shifted: bool,
    pub(crate) subflows: [u64; 2],
    pub(crate) paired: u64,
}

/// What is to be matched.
pub(crate) struct Plan {
    pub(crate) matches: Vec<Matched>,
    pub(crate) lanes: Vec<Lane>,
    /// By capture: flow and sending end to the lane.
    pub(crate) lane_of: [HashMap<(u32, usize), usize>; 2],
    /// Clock of B minus clock of A, give or take a delay, in nanoseconds.
    pub(crate) rough: i64,
}

/// Pairs what can be paired.
pub(crate) fn plan(seen: &[Seen<'_>; 2]) -> Plan {
    let [a, b] = seen;
    // Plain TCP in both captures is not looked at.
    let wanted = |x: u32, y: u32| a.subflows.contains_key(&x) || b.subflows.contains_key(&y);
    let pairs = pair(a.flows, b.flows, wanted);
    let rough = rough_offset(a.flows, b.flows, &pairs).unwrap_or_else(|| by_starts(seen));
    let (mut matches, home) = connections(seen, &pairs);
    nearness(seen, &pairs, &home, &mut matches);
    let mut plan = Plan { matches, lanes: Vec::new(), lane_of: [HashMap::new(), HashMap::new()], rough };
    for &pair in &pairs {
        if let Some(&id) = home.get(&(pair.a, pair.b)) {
            plan.both(seen, pair, id);
        }
    }
    for side in [Side::A, Side::B] {
        plan.alone(seen, side, &pairs);
    }
    plan
}

/// The offset by the starts of connections with the same keys, where no packet was sampled twice.
fn by_starts(seen: &[Seen<'_>; 2]) -> i64 {
    let [a, b] = seen;
    let mut gaps: Vec<i64> = a
        .tables
        .connections
        .iter()
        .flat_map(|row| b.tables.connections.iter().map(move |other| (row, other)))
        .filter(|(row, other)| evidence(row, other) != Evidence::None)
        .map(|(row, other)| other.start.0.saturating_sub(row.start.0))
        .collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or_default()
}

/// What the tables alone say about two connections being one.
fn evidence(a: &Connection, b: &Connection) -> Evidence {
    fn same<T: PartialEq + Copy>(a: Option<T>, b: Option<T>) -> bool {
        a.is_some() && a == b
    }
    if same(a.server_key, b.server_key) || same(a.client_key, b.client_key) {
        Evidence::Keys
    } else if same(a.server_token, b.server_token)
        || same(a.client_token, b.client_token)
        || same(a.server_idsn, b.server_idsn)
        || same(a.client_idsn, b.client_idsn)
    {
        Evidence::Tokens
    } else {
        Evidence::None
    }
}

/// The connections of both captures in pairs, and the match that each pair of flows belongs to.
fn connections(seen: &[Seen<'_>; 2], pairs: &[Pair]) -> (Vec<Matched>, BTreeMap<(u32, u32), usize>) {
    let [a, b] = seen;
    let mut votes: BTreeMap<u64, BTreeMap<u64, u32>> = BTreeMap::new();
    for pair in pairs {
        if let (Some(x), Some(y)) = (a.subflows.get(&pair.a), b.subflows.get(&pair.b)) {
            *votes.entry(x.connection).or_default().entry(y.connection).or_default() += 1;
        }
    }
    let mut by_secret: HashMap<u64, &Connection> = HashMap::new();
    for row in &b.tables.connections {
        for secret in secrets(row) {
            by_secret.entry(secret).or_insert(row);
        }
    }
    let mut taken = BTreeSet::new();
    let mut matches = Vec::new();
    for row in &a.tables.connections {
        let known = secrets(row).find_map(|secret| by_secret.get(&secret)).map(|other| other.connection_id);
        let voted = votes
            .get(&row.connection_id)
            .and_then(|votes| votes.iter().max_by_key(|(id, count)| (**count, std::cmp::Reverse(**id))))
            .map(|(id, _)| *id);
        let other = known.or(voted).filter(|id| taken.insert(*id));
        let by = match other.and_then(|id| b.connection(Some(id))) {
            Some(other) => match evidence(row, other) {
                Evidence::None => Evidence::Packets,
                evidence => evidence,
            },
            None => Evidence::None,
        };
        matches.push(Matched::new([Some(row.connection_id), other], by));
    }
    // Flows of a connection of B that are subflows of one of A, or plain TCP there.
    let mut home = BTreeMap::new();
    let place: HashMap<u64, usize> =
        matches.iter().enumerate().filter_map(|(id, one)| Some((one.connections[0]?, id))).collect();
    let mut of_b: BTreeMap<u64, usize> =
        matches.iter().enumerate().filter_map(|(id, one)| Some((one.connections[1]?, id))).collect();
    for pair in pairs {
        let id = match (a.subflows.get(&pair.a), b.subflows.get(&pair.b)) {
            (Some(x), other) => {
                let Some(&id) = place.get(&x.connection) else { continue };
                if let Some(other) = other {
                    of_b.entry(other.connection).or_insert(id);
                }
                id
            }
            (None, Some(y)) => *of_b.entry(y.connection).or_insert_with(|| {
                matches.push(Matched::new([None, Some(y.connection)], Evidence::Packets));
                matches.len() - 1
            }),
            (None, None) => continue,
        };
        home.insert((pair.a, pair.b), id);
        let one = &mut matches[id];
        one.paired += 1;
        if one.by == Evidence::None {
            one.by = Evidence::Packets;
        }
        let (x, y) = (&a.flows.flows[pair.a as usize], &b.flows.flows[pair.b as usize]);
        let crossed = usize::from(pair.crossed);
        one.translated |= x.ends != [y.ends[crossed], y.ends[1 - crossed]];
        one.shifted |= (0..2).any(|way| shift(&x.ways[way], &y.ways[way ^ crossed]) != 0);
    }
    for row in &b.tables.connections {
        of_b.entry(row.connection_id).or_insert_with(|| {
            matches.push(Matched::new([None, Some(row.connection_id)], Evidence::None));
            matches.len() - 1
        });
    }
    for (side, seen) in [a, b].into_iter().enumerate() {
        for subflow in seen.subflows.values() {
            let id = if side == 0 { place.get(&subflow.connection) } else { of_b.get(&subflow.connection) };
            if let Some(one) = id.and_then(|&id| matches.get_mut(id)) {
                one.subflows[side] += 1;
            }
        }
    }
    (matches, home)
}

/// What only one connection has.
fn secrets(row: &Connection) -> impl Iterator<Item = u64> {
    use super::record::digest;
    let key = |name, key: Option<subflow_rows::Hex64>| key.map(|key| digest((name, key.0)));
    let token =
        |name, token: Option<subflow_rows::Hex32>| token.map(|token| digest((name, u64::from(token.0))));
    [
        key("server key", row.server_key),
        key("client key", row.client_key),
        token("server token", row.server_token),
        token("client token", row.client_token),
        key("server idsn", row.server_idsn),
        key("client idsn", row.client_idsn),
    ]
    .into_iter()
    .flatten()
}

/// Tells for each match which capture is nearer to the client. What the clocks say of both directions together does not
/// depend on their offset: seen from the client, the way there and the way back both take time.
fn nearness(
    seen: &[Seen<'_>; 2],
    pairs: &[Pair],
    home: &BTreeMap<(u32, u32), usize>,
    matches: &mut [Matched],
) {
    let [a, b] = seen;
    let mut gaps: BTreeMap<usize, [Vec<i64>; 2]> = BTreeMap::new();
    let mut hops: BTreeMap<usize, i64> = BTreeMap::new();
    for pair in pairs {
        let (Some(&id), Some(client)) = (home.get(&(pair.a, pair.b)), client_of(seen, *pair)) else {
            continue;
        };
        let (x, y) = (&a.flows.flows[pair.a as usize], &b.flows.flows[pair.b as usize]);
        for way in 0..2 {
            let (one, other) = (&x.ways[way], &y.ways[way ^ usize::from(pair.crossed)]);
            let from_server = usize::from(way != client);
            for (print, &(time, _)) in &one.sample {
                if let Some(&(twin, _)) = other.sample.get(print) {
                    gaps.entry(id).or_default()[from_server].push(twin.saturating_sub(time));
                }
            }
            if one.packets > 0 && other.packets > 0 {
                let fall = i64::from(one.hop_limit) - i64::from(other.hop_limit);
                *hops.entry(id).or_default() += if from_server == 1 { -fall } else { fall };
            }
        }
    }
    for (id, one) in matches.iter_mut().enumerate() {
        let turns = gaps.get_mut(&id).and_then(|[there, back]| {
            there.sort_unstable();
            back.sort_unstable();
            Some(there.get(there.len() / 2)?.saturating_sub(*back.get(back.len() / 2)?))
        });
        let sign = turns.filter(|turns| *turns != 0).or(hops.get(&id).copied()).unwrap_or_default();
        one.nearer_client = match sign {
            0 => None,
            1.. => Some(Side::A),
            _ => Some(Side::B),
        };
    }
    // A capture point does not move: what most connections say goes for those that cannot tell.
    let sides: i64 = matches
        .iter()
        .map(|one| one.nearer_client.map_or(0, |side| if side == Side::A { 1 } else { -1 }))
        .sum();
    let most = match sides {
        0 => None,
        1.. => Some(Side::A),
        _ => Some(Side::B),
    };
    for one in matches.iter_mut().filter(|one| one.paired > 0) {
        one.nearer_client = one.nearer_client.or(most);
    }
}

/// Which end of the flow in A is the client's.
fn client_of(seen: &[Seen<'_>; 2], pair: Pair) -> Option<usize> {
    let a = seen[0].subflows.get(&pair.a).map(|subflow| subflow.client);
    a.or_else(|| seen[1].subflows.get(&pair.b).map(|subflow| subflow.client ^ usize::from(pair.crossed)))
}

impl Matched {
    fn new(connections: [Option<u64>; 2], by: Evidence) -> Self {
        Self {
            connections,
            by,
            nearer_client: None,
            translated: false,
            shifted: false,
            subflows: [0; 2],
            paired: 0,
        }
    }
}

impl Plan {
    /// The lanes of a subflow that both captures have.
    fn both(&mut self, seen: &[Seen<'_>; 2], pair: Pair, id: usize) {
        let Some(client) = client_of(seen, pair) else { return };
        let [a, b] = seen;
        let (x, y) = (&a.flows.flows[pair.a as usize], &b.flows.flows[pair.b as usize]);
        let crossed = usize::from(pair.crossed);
        // Of a subflow that B sees as another connection's, the number there would mislead.
        let of_b = b.subflows.get(&pair.b).filter(|subflow| {
            self.matches[id].connections[1].is_none_or(|connection| connection == subflow.connection)
        });
        let subflows = [a.subflows.get(&pair.a).map(|subflow| subflow.id), of_b.map(|subflow| subflow.id)];
        for (direction, way) in [(Direction::C2s, client), (Direction::S2c, 1 - client)] {
            let (way_b, back, back_b) = (way ^ crossed, 1 - way, (1 - way) ^ crossed);
            let shift = Shift {
                seq: shift(&x.ways[way], &y.ways[way_b]),
                ack: shift(&x.ways[back], &y.ways[back_b]),
                clock: self.rough,
            };
            let ends = [Some(turned(x.ends, way)), Some(turned(y.ends, way_b))];
            self.add(
                id,
                direction,
                subflows,
                ends,
                shift,
                [Some((pair.a, way)), Some((pair.b, way_b))],
                true,
            );
        }
    }

    /// The lanes of subflows that one capture has.
    fn alone(&mut self, seen: &[Seen<'_>; 2], side: Side, pairs: &[Pair]) {
        let here = side as usize;
        let paired: BTreeSet<u32> = pairs.iter().map(|pair| [pair.a, pair.b][here]).collect();
        for (&flow, subflow) in seen[here].subflows.iter().filter(|(flow, _)| !paired.contains(flow)) {
            let Some(id) =
                self.matches.iter().position(|one| one.connections[here] == Some(subflow.connection))
            else {
                continue;
            };
            // Of a connection that the other capture does not have at all there is nothing to compare.
            if self.matches[id].connections[1 - here].is_none() && self.matches[id].paired == 0 {
                continue;
            }
            let found = &seen[here].flows.flows[flow as usize];
            let answered = found.ways.iter().all(|way| way.packets > 0);
            for (direction, way) in [(Direction::C2s, subflow.client), (Direction::S2c, 1 - subflow.client)] {
                let (mut subflows, mut ends, mut flows) = ([None; 2], [None; 2], [None; 2]);
                subflows[here] = Some(subflow.id);
                ends[here] = Some(turned(found.ends, way));
                flows[here] = Some((flow, way));
                let shift = Shift { seq: 0, ack: 0, clock: self.rough };
                self.add(id, direction, subflows, ends, shift, flows, answered);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one lane")]
    fn add(
        &mut self,
        id: usize,
        direction: Direction,
        subflows: [Option<u32>; 2],
        ends: [Option<[End; 2]>; 2],
        shift: Shift,
        flows: [Option<(u32, usize)>; 2],
        answered: bool,
    ) {
        let nearer = self.matches[id].nearer_client.unwrap_or(Side::A);
        let sender = if direction == Direction::C2s { nearer } else { nearer.other() };
        let mut lane = Lane::new(id as u64, direction, sender, subflows, ends, shift);
        lane.answered = answered;
        for (side, flow) in flows.into_iter().enumerate() {
            if let Some(flow) = flow {
                self.lane_of[side].insert(flow, self.lanes.len());
            }
        }
        self.lanes.push(lane);
    }
}

/// The ends with the sender in front.
fn turned(ends: [End; 2], way: usize) -> [End; 2] {
    [ends[way & 1], ends[1 - (way & 1)]]
}
