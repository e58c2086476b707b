//! The connection as a drawing for papers: data sequence, round-trip times and goodput of the direction that carried more data.

use super::One;
use super::text::end;
use super::thinned::{Bars, goodput, spots, stairs};
use crate::Error;
use crate::text::{bytes, seconds};
use plotters::coord::Shift;
use plotters::prelude::*;
use subflow_analysis::rows::{Carried, Direction, EventKind, Sampled};

/// Size in pixels, which are units of a vector drawing.
const SIZE: (u32, u32) = (900, 900);
/// Heights of the parts: title, sequence, round-trip times, goodput.
const HEIGHTS: [u32; 3] = [56, 440, 202];
/// Columns that data is thinned to: finer than a printer's dots at a column's width.
pub(super) const COLUMNS: usize = 1600;
/// Bins of the goodput.
const BINS: usize = 90;

const INK: RGBColor = RGBColor(23, 28, 34);
const MUTED: RGBColor = RGBColor(110, 120, 130);
const EDGE: RGBColor = RGBColor(16, 116, 74);
const AGAIN: RGBColor = RGBColor(217, 30, 24);
/// Colours of subflows, those of the pages; told apart by colour-blind readers.
const SUBFLOWS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 128, 94),
    RGBColor(168, 71, 127),
    RGBColor(138, 109, 0),
    RGBColor(60, 143, 196),
    RGBColor(91, 75, 138),
    RGBColor(95, 103, 112),
];

fn own(id: u32) -> RGBColor {
    SUBFLOWS[id as usize % SUBFLOWS.len()]
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The drawing as SVG. The detail tables must be there.
///
/// # Errors
/// Where the library that draws finds no way to do so.
pub fn svg(one: &One<'_>) -> Result<String, Error> {
    let mut text = String::new();
    draw(one, &mut text).map_err(|error| Error::Drawing(error.to_string()))?;
    Ok(text)
}

fn draw(one: &One<'_>, text: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let row = one.connection;
    let direction = if row.bytes_s2c > row.bytes_c2s { Direction::S2c } else { Direction::C2s };
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (title, rest) = root.split_vertically(HEIGHTS[0]);
    let (top, rest) = rest.split_vertically(HEIGHTS[1]);
    let (middle, bottom) = rest.split_vertically(HEIGHTS[2]);
    heading(one, direction, &title)?;
    sequence(one, direction, &top)?;
    round_trips(one, direction, &middle)?;
    rates(one, direction, &bottom)?;
    root.present()?;
    Ok(())
}

fn heading(one: &One<'_>, direction: Direction, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let row = one.connection;
    let (client, server) = (end(row.client_addr, row.client_port), end(row.server_addr, row.server_port));
    let arrow = if direction == Direction::C2s { "to" } else { "from" };
    let words = format!("Connection {}: {client} {arrow} {server}", row.connection_id);
    area.draw(&Text::new(words, (12, 8), ("sans-serif", 17).into_font().color(&INK)))?;
    let mut x = 12;
    for subflow in one.subflows.iter().take(12) {
        let id = subflow.subflow_id;
        area.draw(&Rectangle::new([(x, 34), (x + 12, 44)], own(id).filled()))?;
        area.draw(&Text::new(
            format!("subflow {id}"),
            (x + 17, 33),
            ("sans-serif", 13).into_font().color(&INK),
        ))?;
        x += 90;
    }
    for (words, colour, width) in [
        ("reinjection", AGAIN, 96),
        ("DATA_ACK", INK, 92),
        ("window", EDGE, 76),
        ("data level, total", MUTED, 120),
    ] {
        area.draw(&PathElement::new([(x, 39), (x + 12, 39)], colour.stroke_width(2)))?;
        area.draw(&Text::new(words, (x + 17, 33), ("sans-serif", 13).into_font().color(&INK)))?;
        x += width;
    }
    Ok(())
}

/// Axes of a part: seconds to the right, `high` upward in steps that `shown` writes.
macro_rules! axes {
    ($area:expr, $one:expr, $low:expr, $high:expr, $label:expr, $shown:expr) => {{
        let mut chart = ChartBuilder::on($area)
            .margin_right(14)
            .margin_top(8)
            .x_label_area_size(30)
            .y_label_area_size(78)
            .build_cartesian_2d(0.0..$one.connection.duration.max(1e-6), $low..$high)?;
        chart
            .configure_mesh()
            .axis_style(MUTED)
            .bold_line_style(RGBColor(225, 229, 234))
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 13).into_font().color(&INK))
            .axis_desc_style(("sans-serif", 13).into_font().color(&INK))
            .y_desc($label)
            .x_desc("time in s")
            .y_labels(6)
            .y_label_formatter(&$shown)
            .draw()?;
        chart
    }};
}

fn sequence(one: &One<'_>, direction: Direction, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let rows = one.carriages.iter().filter(|row| row.direction == direction);
    let end_of = |row: &subflow_analysis::rows::Carriage| row.dsn.saturating_add_unsigned(row.bytes) as f64;
    let low = rows.clone().map(|row| row.dsn as f64).fold(f64::INFINITY, f64::min).min(0.0);
    let data = rows.clone().map(end_of).fold(low + 1.0, f64::max);
    let acks = one
        .packets
        .iter()
        .filter(|packet| packet.direction == direction.reverse())
        .filter_map(|packet| Some((one.seconds(packet.time), packet.data_ack? as f64, packet.window)));
    let edges: Vec<_> = acks
        .clone()
        .filter_map(|(time, ack, window)| window.map(|window| (time, ack + window as f64)))
        .collect();
    // The window's edge is shown as far as it does not squeeze the data.
    let edge = edges.iter().map(|(_, edge)| *edge).fold(data, f64::max);
    let high = data.max(edge.min(data + (data - low) * 0.5)) * 1.02;
    let mut chart = axes!(area, one, low, high, "data sequence", |value: &f64| bytes(value.max(0.0) as u64));
    let step = one.connection.duration / COLUMNS as f64;
    let acks = stairs(acks.map(|(time, ack, _)| (time, ack)), step);
    chart.draw_series([PathElement::new(stairs(edges.into_iter(), step), EDGE.stroke_width(1))])?;
    chart.draw_series([PathElement::new(acks, INK.stroke_width(1))])?;
    let mut bars = Bars::new(step, (high - low) / f64::from(HEIGHTS[1]));
    for row in rows {
        bars.add((row.subflow_id, row.carried), one.seconds(row.time), row.dsn as f64, end_of(row));
    }
    // What came again is drawn last, red under its subflow's colour.
    for again in [false, true] {
        for (&(id, carried), list) in bars.lists() {
            if (carried == Carried::Reinjection) != again {
                continue;
            }
            let line = |style: ShapeStyle| {
                list.iter().map(move |bar| PathElement::new([(bar.x, bar.low), (bar.x, bar.high)], style))
            };
            if again {
                chart.draw_series(line(AGAIN.stroke_width(6)))?;
            }
            chart.draw_series(line(own(id).stroke_width(2)))?;
            if again {
                // On paper a reinjection may be smaller than a dot: a mark says where it is.
                let above = list.iter().map(|bar| TriangleMarker::new((bar.x, bar.high), 4, AGAIN.filled()));
                chart.draw_series(above)?;
            }
        }
    }
    for event in one.events.iter().filter(|event| event.kind == EventKind::Handover) {
        let time = one.seconds(event.time);
        chart.draw_series([PathElement::new([(time, low), (time, high)], AGAIN.mix(0.6).stroke_width(1))])?;
        let at = (time + one.connection.duration * 0.005, low + (high - low) * 0.97);
        chart.draw_series([Text::new("handover", at, ("sans-serif", 13).into_font().color(&AGAIN))])?;
    }
    Ok(())
}

fn round_trips(
    one: &One<'_>,
    direction: Direction,
    area: &Area<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    let rows =
        one.samples.iter().filter(|row| row.direction == direction && row.sampled != Sampled::Timestamp);
    let high = rows.clone().map(|row| row.rtt).fold(1e-6, f64::max) * 1.05;
    let mut chart = axes!(area, one, 0.0, high, "round-trip time", |value: &f64| seconds(value.max(0.0)));
    let step = (one.connection.duration / COLUMNS as f64 * 2.0, high / f64::from(HEIGHTS[2]));
    let points = spots(rows.map(|row| (row.subflow_id, one.seconds(row.time), row.rtt)), step);
    for (whose, list) in points {
        let colour = whose.map_or(MUTED, own);
        chart.draw_series(list.into_iter().map(|at| Circle::new(at, 1, colour.filled())))?;
    }
    Ok(())
}

fn rates(one: &One<'_>, direction: Direction, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let (total, each) = goodput(one, direction, BINS);
    let high = total.iter().map(|(_, rate)| *rate).fold(1.0, f64::max) * 1.05;
    let shown = |value: &f64| bytes(value.max(0.0) as u64).replace('B', "bit/s");
    let mut chart = axes!(area, one, 0.0, high, "goodput", shown);
    chart.draw_series([PathElement::new(total, MUTED.stroke_width(1))])?;
    for (id, line) in each {
        chart.draw_series([PathElement::new(line, own(id).stroke_width(2))])?;
    }
    Ok(())
}
