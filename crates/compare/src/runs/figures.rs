//! The figures of a run: totals and means over its tables.

use subflow_analysis::rows::{Close, Connection, EventKind, Fallback, StallKind, State, Subflow, Tables};

/// A figure that runs are compared by.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its name, as in `differences` and `--threshold`.
    pub name: &'static str,
    /// Its unit; empty for counts and fractions.
    pub unit: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Takes it from the tables; nothing when they do not tell.
    pub(super) of: fn(&Tables) -> Option<f64>,
}

macro_rules! figures {
    ($($name:literal, $unit:literal, $doc:literal, $of:expr;)+) => {
        /// Every figure, in the order in which they are shown.
        pub const FIGURES: &[Figure] = &[$(Figure { name: $name, unit: $unit, doc: $doc, of: $of },)+];
    };
}

figures! {
    "connections", "", "connections", |t| Some(t.connections.len() as f64);
    "subflows_attempted", "", "subflows attempted", |t| Some(t.subflows.len() as f64);
    "subflows_established", "", "subflows established", |t| states(t, State::Established);
    "subflows_refused", "", "subflows refused, reset in the handshake, or never answered",
        |t| [State::Refused, State::Reset, State::SynLost].into_iter().map(|state| states(t, state)).sum();
    "packets", "", "packets of all subflows", |t| sum(t, |row| row.packets);
    "wire_bytes", "B", "bytes from the IP header onward", |t| sum(t, |row| row.wire_bytes);
    "bytes_c2s", "B", "data-level bytes from client to server", |t| sum(t, |row| row.bytes_c2s);
    "bytes_s2c", "B", "data-level bytes from server to client", |t| sum(t, |row| row.bytes_s2c);
    "duration_mean", "s", "mean duration of a connection", |t| mean(t.connections.iter().map(|row| Some(row.duration)));
    "goodput_c2s", "bit/s", "data-level bits over the time from the first packet to the last, all connections together",
        |t| goodput(t, |row| row.bytes_c2s);
    "goodput_s2c", "bit/s", "the same from server to client", |t| goodput(t, |row| row.bytes_s2c);
    "reinjected_fraction", "", "reinjected bytes / data-level bytes, both directions",
        |t| share(t, |row| row.reinjected_bytes_c2s + row.reinjected_bytes_s2c);
    "meta_retransmitted_fraction", "", "bytes sent again on the same subflow under new numbers / data-level bytes",
        |t| share(t, |row| row.meta_retransmitted_bytes_c2s + row.meta_retransmitted_bytes_s2c);
    "retransmitted_fraction", "", "bytes that TCP sent again / data-level bytes",
        |t| share(t, |row| row.retransmitted_bytes_c2s + row.retransmitted_bytes_s2c);
    "out_of_order_fraction", "", "data-level bytes out of order / data-level bytes",
        |t| share(t, |row| row.out_of_order_bytes_c2s + row.out_of_order_bytes_s2c);
    "head_of_line_time", "s", "time in which data waited for a missing byte, both directions of all connections",
        |t| Some(t.connections.iter().map(|row| row.head_of_line_time_c2s + row.head_of_line_time_s2c).sum());
    "receive_window_time", "s", "time in which the receive window was full, where known",
        |t| known(t, |row| [row.receive_window_time_c2s, row.receive_window_time_s2c]);
    "no_progress_time", "s", "time without progress although data was in flight and the window open, where known",
        |t| known(t, |row| [row.no_progress_time_c2s, row.no_progress_time_s2c]);
    "stalls", "", "times in which data stood still for as long as a stall lasts, the application's pauses left out",
        |t| Some(t.stalls.iter().filter(|row| row.kind != StallKind::Application).count() as f64);
    "second_subflow_delay_mean", "s", "mean time until the second subflow", |t| mean(t.connections.iter().map(|row| row.second_subflow_delay));
    "join_delay_mean", "s", "mean join delay of all subflows", |t| mean(t.subflows.iter().map(|row| row.join_delay));
    "rtt_handshake_mean", "s", "mean time from SYN to SYN/ACK", |t| mean(t.subflows.iter().map(|row| row.rtt_handshake));
    "rtt_mean_c2s", "s", "mean round-trip time of data of the client, over all samples",
        |t| weighted(t, |row| (row.rtt_mean_c2s, row.rtt_samples_c2s));
    "rtt_mean_s2c", "s", "mean round-trip time of data of the server, over all samples",
        |t| weighted(t, |row| (row.rtt_mean_s2c, row.rtt_samples_s2c));
    "data_rtt_mean_c2s", "s", "mean data-level round-trip time, client to server", |t| mean(t.connections.iter().map(|row| row.data_rtt_mean_c2s));
    "data_rtt_mean_s2c", "s", "mean data-level round-trip time, server to client", |t| mean(t.connections.iter().map(|row| row.data_rtt_mean_s2c));
    "handovers", "", "handovers", |t| sum(t, |row| u64::from(row.handovers));
    "fallbacks", "", "connections that fell back to plain TCP", |t| connections(t, |row| row.fallback != Fallback::None);
    "closed_data_fin", "", "connections closed by DATA_FIN", |t| connections(t, |row| row.close == Close::DataFin);
    "closed_fastclose", "", "connections closed by MP_FASTCLOSE", |t| connections(t, |row| row.close == Close::FastClose);
    "closed_reset", "", "connections that ended by a reset", |t| connections(t, |row| row.close == Close::Reset);
    "closed_timeout", "", "connections that fell silent", |t| connections(t, |row| row.close == Close::Timeout);
    "addresses_announced", "", "addresses announced", |t| sum(t, |row| u64::from(row.addresses_announced));
    "joins_with_wrong_hmac", "", "joins whose HMAC is wrong",
        |t| Some(t.subflows.iter().filter(|row| row.hmac_ok == Some(false)).count() as f64);
    "checksum_failures", "", "MP_FAIL options", |t| events(t, EventKind::MpFail);
    "violations", "", "violations of the protocol", |t| events(t, EventKind::Violation);
}

fn states(tables: &Tables, state: State) -> Option<f64> {
    Some(tables.subflows.iter().filter(|row| row.state == state).count() as f64)
}

fn connections(tables: &Tables, which: fn(&Connection) -> bool) -> Option<f64> {
    Some(tables.connections.iter().filter(|row| which(row)).count() as f64)
}

fn events(tables: &Tables, kind: EventKind) -> Option<f64> {
    Some(tables.events.iter().filter(|row| row.kind == kind).count() as f64)
}

fn sum(tables: &Tables, column: fn(&Connection) -> u64) -> Option<f64> {
    Some(tables.connections.iter().map(column).sum::<u64>() as f64)
}

/// The sum of what is known of both directions; nothing when nothing is.
fn known(tables: &Tables, columns: fn(&Connection) -> [Option<f64>; 2]) -> Option<f64> {
    tables
        .connections
        .iter()
        .flat_map(columns)
        .flatten()
        .fold(None, |sum: Option<f64>, value| Some(sum.unwrap_or(0.0) + value))
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values.flatten().fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// Of all data-level bytes.
fn share(tables: &Tables, column: fn(&Connection) -> u64) -> Option<f64> {
    let all = sum(tables, |row| row.bytes_c2s + row.bytes_s2c)?;
    (all > 0.0).then(|| tables.connections.iter().map(column).sum::<u64>() as f64 / all)
}

/// Bits over the time in which there was any connection's traffic; nothing when none were carried.
fn goodput(tables: &Tables, column: fn(&Connection) -> u64) -> Option<f64> {
    let bytes = tables.connections.iter().map(column).sum::<u64>();
    let first = tables.connections.iter().map(|row| row.start.0).min()?;
    let last = tables.connections.iter().map(|row| row.start.0 + (row.duration * 1e9) as i64).max()?;
    let seconds = last.saturating_sub(first) as f64 / 1e9;
    (bytes > 0 && seconds > 0.0).then(|| bytes as f64 * 8.0 / seconds)
}

fn weighted(tables: &Tables, column: fn(&Subflow) -> (Option<f64>, u64)) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for (mean, samples) in tables.subflows.iter().map(column) {
        if let Some(mean) = mean {
            sum += mean * samples as f64;
            count += samples;
        }
    }
    (count > 0).then(|| sum / count as f64)
}
