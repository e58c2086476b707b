"use strict";
// One connection over time, on canvases that share their time axis. All rows stay in typed arrays; what is drawn is at most a few
// marks a pixel column, so that a hundred thousand mappings pan and zoom in a frame.
(() => {
  const source = subflow.data("connection");
  const holder = document.getElementById("plot-panels");
  if (!source || !holder) return;
  const { element, format, grouped } = subflow;

  const KINDS = { u8: Uint8Array, i32: Int32Array, f64: Float64Array };
  const NEW = 0, REINJECTION = 1, DATA_LEVEL = -1;
  const TURNS = { H: "handover", X: "reset", "!": "fallback" };
  const CARRIED = ["new", "reinjection", "again on the same subflow", "retransmission"];

  function unpack(column) {
    const text = atob(column.data);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const numbers = new KINDS[column.kind](bytes.buffer);
    return column.scale === 1 ? numbers : Float64Array.from(numbers, (number) => number * column.scale);
  }
  const sides = {};
  for (const [side, tables] of Object.entries(source.directions)) {
    sides[side] = {};
    for (const [table, columns] of Object.entries(tables)) {
      sides[side][table] = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, unpack(column)]));
    }
  }

  const duration = Math.max(source.duration, 1e-6);
  const whole = [-duration * 0.01, duration * 1.01];
  const hidden = new Set();
  const volume = (side) => sides[side].carriages.bytes.reduce((sum, bytes) => sum + bytes, 0);
  const state = { side: volume("s2c") > volume("c2s") ? "s2c" : "c2s", from: whole[0], to: whole[1], chosen: null, pointer: null, drag: null, took: 0 };

  // First index whose time is not before `time`.
  function lower(times, time) {
    let from = 0, to = times.length;
    while (from < to) { const middle = (from + to) >> 1; if (times[middle] < time) from = middle + 1; else to = middle; }
    return from;
  }

  // Colours, looked up once a theme.
  let colours = {};
  function theme() {
    const names = ["ink", "muted", "line", "bad", "good", "card", "accent", "soft", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"];
    colours = Object.fromEntries(names.map((name) => [name, subflow.colour("var(--" + name + ")")]));
  }
  const own = (id) => (id === DATA_LEVEL ? colours.ink : colours["s" + (id % 8)]);
  const visible = (id) => !hidden.has(id);

  const LEFT = 66, RIGHT = 8, TOP = 6, BOTTOM = 20;
  const panels = [];
  function panel(id, title, height, unit, draw, csv) {
    const canvas = element("canvas", { class: "plot-canvas", id: "plot-" + id, role: "img", "aria-label": title });
    const button = element("button", { type: "button", class: "button csv", "aria-label": "CSV of what is in view: " + title, onclick: () => csv && csv() }, "CSV");
    holder.append(element("div", { class: "plot-panel" }, element("div", { class: "plot-title" }, element("h3", {}, title), button), canvas));
    canvas.style.height = height + "px";
    panels.push({ id, canvas, height, unit, draw, width: 0, y: null });
  }

  // The frame of a panel: `low` to `high` upward, ticks of both axes. Returns what turns values into pixels.
  function frame(p, g, low, high) {
    const width = p.width - LEFT - RIGHT, height = p.height - TOP - BOTTOM;
    const perSecond = width / (state.to - state.from);
    const x = (time) => LEFT + (time - state.from) * perSecond;
    const span = high - low || 1;
    const y = (value) => TOP + height - ((value - low) / span) * height;
    g.font = "11px system-ui, sans-serif";
    g.lineWidth = 1;
    g.strokeStyle = colours.line;
    g.fillStyle = colours.muted;
    g.textBaseline = "middle";
    if (p.unit) {
      g.textAlign = "right";
      for (const value of ticks(low, high, Math.max(2, height / 45))) {
        const at = Math.round(y(value)) + 0.5;
        g.beginPath(); g.moveTo(LEFT, at); g.lineTo(p.width - RIGHT, at); g.stroke();
        g.fillText(format(p.unit, value), LEFT - 6, at);
      }
    }
    g.textAlign = "center";
    g.textBaseline = "top";
    const times = ticks(state.from, state.to, Math.max(2, width / 64));
    const decimals = Math.max(0, -Math.floor(Math.log10((times[1] ?? 1) - (times[0] ?? 0) || 1)));
    for (const time of times) {
      const at = Math.round(x(time)) + 0.5;
      g.beginPath(); g.moveTo(at, TOP); g.lineTo(at, TOP + height); g.stroke();
      if (at > LEFT + 10 && at < p.width - 20) g.fillText(time.toFixed(decimals) + " s", at, TOP + height + 4);
    }
    g.save();
    g.beginPath(); g.rect(LEFT, 0, width, TOP + height); g.clip();
    p.y = { low, high: low + span, height };
    return { x, y, perSecond, width, height };
  }

  function ticks(low, high, most) {
    const least = (high - low) / most;
    if (!(least > 0) || !isFinite(least)) return [low];
    const power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9));
    const out = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && out.length < 50; i++) out.push(i * step);
    return out;
  }

  // Time lines that go over all panels, then the end of clipping.
  function finish(p, g, scale) {
    const bar = (time, colour, width) => {
      g.fillStyle = colour;
      g.fillRect(Math.round(scale.x(time)) - (width >> 1), TOP, width, p.height - TOP - BOTTOM);
    };
    if (state.chosen !== null) bar(state.chosen, colours.accent, 2);
    if (state.pointer !== null) bar(state.pointer, colours.muted, 1);
    if (state.drag && state.drag.zoom) {
      const [a, b] = [scale.x(state.drag.start), scale.x(state.drag.now)];
      g.globalAlpha = 0.15; g.fillStyle = colours.accent;
      g.fillRect(Math.min(a, b), TOP, Math.abs(b - a), p.height - TOP - BOTTOM);
      g.globalAlpha = 1;
    }
    g.restore();
  }

  // Rectangles of one column are joined while they touch: few are left, whatever the number of rows.
  class Columns {
    constructor() { this.open = []; this.rects = new Map(); }
    add(key, x, top, bottom) {
      const open = this.open[key];
      if (open && open.x === x && top <= open.bottom + 2 && bottom >= open.top - 2) {
        if (top < open.top) open.top = top;
        if (bottom > open.bottom) open.bottom = bottom;
        return;
      }
      const rect = (this.open[key] = { x, top, bottom });
      const list = this.rects.get(key);
      if (list) list.push(rect); else this.rects.set(key, [rect]);
    }
    draw(g, key, colour, width) {
      const list = this.rects.get(key);
      if (!list) return;
      g.fillStyle = colour;
      const shift = (width - 1) / 2;
      for (const { x, top, bottom } of list) g.fillRect(x - shift, top, width, Math.max(1.5, bottom - top));
    }
  }

  function range(times) {
    // One beyond each edge, so that lines go on to it.
    return [Math.max(0, lower(times, state.from) - 1), Math.min(times.length, lower(times, state.to) + 1)];
  }

  function sequence(p, g) {
    const { time, dsn, bytes, subflow: who, carried } = sides[state.side].carriages;
    const acks = sides[state.side].acks;
    const [from, to] = range(time);
    const [ackFrom, ackTo] = range(acks.time);
    let low = Infinity, high = -Infinity;
    for (let i = from; i < to; i++) {
      if (!visible(who[i])) continue;
      if (dsn[i] < low) low = dsn[i];
      if (dsn[i] + bytes[i] > high) high = dsn[i] + bytes[i];
    }
    for (const i of [ackFrom, ackTo - 1]) {
      if (i >= 0 && i < acks.ack.length) { low = Math.min(low, acks.ack[i]); high = Math.max(high, acks.ack[i]); }
    }
    if (low > high) { low = 0; high = 1; }
    // The window's edge is shown as far as it does not squeeze the data.
    const room = high + Math.max(high - low, 3000) * 0.6;
    let edge = -Infinity;
    for (let i = ackFrom; i < ackTo; i++) if (acks.window[i] >= 0) edge = Math.max(edge, acks.ack[i] + acks.window[i]);
    high = Math.max(high, Math.min(edge, room));
    const margin = (high - low) * 0.03;
    const scale = frame(p, g, low - margin, high + margin);
    staircase(g, scale, acks, ackFrom, ackTo, (i) => (acks.window[i] < 0 ? null : acks.ack[i] + acks.window[i]), colours.good);
    staircase(g, scale, acks, ackFrom, ackTo, (i) => acks.ack[i], colours.ink);
    const columns = new Columns();
    for (let i = from; i < to; i++) {
      const id = who[i];
      if (!visible(id)) continue;
      const x = Math.round(scale.x(time[i]));
      columns.add(id * 4 + carried[i], x, scale.y(dsn[i] + bytes[i]), scale.y(dsn[i]));
    }
    for (const key of columns.rects.keys()) {
      if (key % 4 === NEW) columns.draw(g, key, own(key >> 2), 2);
    }
    for (const key of columns.rects.keys()) {
      if (key % 4 === NEW) continue;
      columns.draw(g, key, key % 4 === REINJECTION ? colours.bad : colours.muted, 6);
      columns.draw(g, key, own(key >> 2), 2);
      // Far away a reinjection is smaller than a pixel: a mark says where it is.
      if (key % 4 === REINJECTION) spots(g, columns.rects.get(key));
    }
    turns(p, g, scale);
    finish(p, g, scale);
  }

  function spots(g, rects) {
    g.fillStyle = colours.bad;
    let last = -Infinity;
    for (const { x, top } of rects) {
      if (x - last < 4) continue;
      last = x;
      g.beginPath(); g.moveTo(x, top - 1); g.lineTo(x - 4, top - 8); g.lineTo(x + 4, top - 8); g.fill();
    }
  }

  // Handovers, resets and fallbacks, from top to bottom.
  function turns(p, g, scale) {
    g.strokeStyle = g.fillStyle = colours.bad;
    g.lineWidth = 1;
    g.setLineDash([4, 4]);
    g.font = "11px system-ui, sans-serif"; g.textAlign = "left"; g.textBaseline = "top";
    let last = -Infinity;
    for (const mark of source.marks) {
      if (!TURNS[mark.letter]) continue;
      const x = Math.round(scale.x(mark.time)) + 0.5;
      if (x - last < 12 || x < LEFT || x > p.width) continue;
      last = x;
      g.beginPath(); g.moveTo(x, TOP); g.lineTo(x, p.height - BOTTOM); g.stroke();
      g.fillText(TURNS[mark.letter], x + 4, TOP + 2);
    }
    g.setLineDash([]);
  }

  function staircase(g, scale, acks, from, to, value, colour) {
    g.strokeStyle = colour;
    g.lineWidth = 1.25;
    g.beginPath();
    let last = null, highest = -Infinity, column = null;
    const put = (x) => {
      if (last === null) g.moveTo(x, scale.y(highest)); else { g.lineTo(x, scale.y(last)); g.lineTo(x, scale.y(highest)); }
      last = highest;
    };
    for (let i = from; i < to; i++) {
      const now = value(i);
      if (now === null || now <= highest) continue;
      const x = Math.round(scale.x(acks.time[i]));
      if (column !== null && x !== column) put(column);
      column = x;
      highest = now;
    }
    if (column !== null) { put(column); g.lineTo(scale.x(Math.min(state.to, duration)), scale.y(highest)); }
    g.stroke();
  }

  function roundTrips(p, g) {
    const { time, rtt, subflow: who } = sides[state.side].samples;
    const [from, to] = range(time);
    let high = 0;
    for (let i = from; i < to; i++) if (visible(who[i]) && rtt[i] > high) high = rtt[i];
    const scale = frame(p, g, 0, high * 1.05 || 1);
    // A spot is drawn once, whoever else would be there.
    const wide = Math.ceil(p.width / 2) + 1, cells = wide * Math.ceil(p.height / 2);
    const seen = new Map();
    let last = null, grid, spots;
    for (let i = from; i < to; i++) {
      const id = who[i];
      if (id !== last) {
        if (!visible(id)) continue;
        if (!seen.has(id)) seen.set(id, { grid: new Uint8Array(cells), spots: [] });
        ({ grid, spots } = seen.get(id));
        last = id;
      }
      const spot = (scale.y(rtt[i]) >> 1) * wide + (scale.x(time[i]) >> 1);
      if (grid[spot] === 0) { grid[spot] = 1; spots.push(spot); }
    }
    const size = to - from > 5000 ? 2 : 3;
    for (const id of [...seen.keys()].sort((a, b) => a - b)) {
      g.fillStyle = own(id);
      g.globalAlpha = id === DATA_LEVEL ? 0.45 : 0.9;
      for (const spot of seen.get(id).spots) g.fillRect((spot % wide) * 2, Math.floor(spot / wide) * 2, size, size);
    }
    g.globalAlpha = 1;
    finish(p, g, scale);
  }

  // A line through many points: at most lowest and highest of each column.
  class Line {
    constructor(scale) { this.scale = scale; this.points = []; this.x = null; this.low = this.high = this.last = 0; }
    add(time, value) {
      const x = Math.round(this.scale.x(time));
      if (x !== this.x) {
        this.put();
        // A value holds until the next one.
        if (this.x !== null) this.points.push(x, this.last);
        this.x = x;
        this.low = this.high = value;
      } else if (value < this.low) this.low = value;
      else if (value > this.high) this.high = value;
      this.last = value;
    }
    put() {
      if (this.x === null) return;
      this.points.push(this.x, this.high);
      if (this.low !== this.high) this.points.push(this.x, this.low);
      if (this.last !== this.low) this.points.push(this.x, this.last);
    }
    draw(g, colour, width) {
      this.put();
      this.x = null;
      g.strokeStyle = colour;
      g.lineWidth = width;
      g.beginPath();
      for (let i = 0; i < this.points.length; i += 2) g.lineTo(this.points[i], this.scale.y(this.points[i + 1]));
      g.stroke();
    }
  }

  function flight(p, g) {
    const { time, flight: bytes, data_flight: data, subflow: who } = sides[state.side].sent;
    const [from, to] = range(time);
    let high = 0;
    for (let i = from; i < to; i++) {
      if (visible(who[i]) && bytes[i] > high) high = bytes[i];
      if (visible(DATA_LEVEL) && data[i] > high) high = data[i];
    }
    const scale = frame(p, g, 0, high * 1.05 || 1);
    const lines = new Map();
    const line = (id) => { let found = lines.get(id); if (!found) lines.set(id, (found = new Line(scale))); return found; };
    const level = visible(DATA_LEVEL) ? line(DATA_LEVEL) : null;
    for (let i = from; i < to; i++) {
      if (level && data[i] >= 0) level.add(time[i], data[i]);
      if (bytes[i] >= 0 && visible(who[i])) line(who[i]).add(time[i], bytes[i]);
    }
    for (const [id, found] of [...lines].sort((a, b) => a[0] - b[0])) found.draw(g, own(id), id === DATA_LEVEL ? 1 : 1.5);
    finish(p, g, scale);
  }

  // New data of each subflow in bins that do not move with the view.
  function bins(count) {
    const { time, bytes, subflow: who, carried } = sides[state.side].carriages;
    const width = (state.to - state.from) / count;
    const first = Math.floor(state.from / width);
    const sums = new Map();
    const [from, to] = [lower(time, first * width), lower(time, (first + count + 2) * width)];
    for (let i = from; i < to; i++) {
      if (carried[i] !== NEW) continue;
      let sum = sums.get(who[i]);
      if (!sum) sums.set(who[i], (sum = new Float64Array(count + 2)));
      const bin = Math.floor(time[i] / width) - first;
      if (bin >= 0 && bin < sum.length) sum[bin] += bytes[i];
    }
    return { width, first, sums };
  }

  function goodput(p, g) {
    const count = Math.max(20, Math.min(200, Math.floor((p.width - LEFT) / 6)));
    const { width, first, sums } = bins(count);
    const all = new Float64Array(count + 2);
    for (const [, sum] of sums) for (let i = 0; i < sum.length; i++) all[i] += sum[i];
    let high = 0;
    if (visible(DATA_LEVEL)) high = all.reduce((a, b) => Math.max(a, b), 0);
    else for (const [id, sum] of sums) if (visible(id)) high = sum.reduce((a, b) => Math.max(a, b), high);
    const scale = frame(p, g, 0, ((high * 8) / width) * 1.05 || 1);
    const step = (sum, colour, thick) => {
      g.strokeStyle = colour; g.lineWidth = thick; g.beginPath();
      for (let i = 0; i < sum.length; i++) {
        const y = scale.y((sum[i] * 8) / width);
        g.lineTo(scale.x((first + i) * width), y); g.lineTo(scale.x((first + i + 1) * width), y);
      }
      g.stroke();
    };
    if (visible(DATA_LEVEL)) step(all, colours.ink, 1);
    for (const [id, sum] of [...sums].sort((a, b) => a[0] - b[0])) if (visible(id)) step(sum, own(id), 1.5);
    finish(p, g, scale);
  }

  const LANE = 34, MOST_LANES = 16;
  const lanes = source.subflows.slice(0, MOST_LANES);
  const laneOf = new Map(lanes.map((row, at) => [row.id, at]));
  function ladder(p, g) {
    const { time, bytes, subflow: who, carried } = sides[state.side].carriages;
    const scale = frame(p, g, 0, 1);
    const [from, to] = range(time);
    const wide = Math.max(1, Math.ceil(p.width / 2));
    const sums = lanes.map(() => new Float64Array(wide + 1));
    const again = lanes.map(() => new Float64Array(wide + 1));
    for (let i = from; i < to; i++) {
      const lane = laneOf.get(who[i]);
      if (lane === undefined) continue;
      const column = scale.x(time[i]) >> 1;
      if (column < 0 || column > wide) continue;
      sums[lane][column] += bytes[i];
      if (carried[i] !== NEW) again[lane][column] += bytes[i];
    }
    const most = sums.reduce((high, sum) => sum.reduce((a, b) => Math.max(a, b), high), 1);
    g.restore();
    g.textAlign = "right"; g.textBaseline = "middle"; g.font = "11px system-ui, sans-serif";
    lanes.forEach((row, lane) => {
      g.fillStyle = own(row.id);
      g.fillText("subflow " + row.id, LEFT - 6, TOP + lane * LANE + LANE - 9);
    });
    g.save(); g.beginPath(); g.rect(LEFT, 0, p.width - LEFT - RIGHT, p.height); g.clip();
    lanes.forEach((row, lane) => {
      const base = TOP + (lane + 1) * LANE - 3;
      g.fillStyle = own(row.id);
      g.globalAlpha = visible(row.id) ? 1 : 0.25;
      g.fillRect(scale.x(row.start), base, Math.max(1, (row.end - row.start) * scale.perSecond), 1.5);
      const height = LANE - 17;
      for (let column = 0; column <= wide; column++) {
        const sum = sums[lane][column];
        if (sum > 0) g.fillRect(column * 2, base - Math.max(1, (sum / most) * height), 2, Math.max(1, (sum / most) * height));
      }
      g.fillStyle = colours.bad;
      for (let column = 0; column <= wide; column++) {
        const sum = again[lane][column];
        if (sum > 0) g.fillRect(column * 2, base - Math.max(1, (sum / most) * height), 2, Math.max(1, (sum / most) * height));
      }
      g.globalAlpha = 1;
    });
    g.font = "bold 11px system-ui, sans-serif"; g.textAlign = "center"; g.textBaseline = "top";
    const taken = lanes.map(() => []);
    const order = "HX!P?oSRft";
    const inView = source.marks.filter((mark) => mark.until >= state.from && mark.time <= state.to);
    inView.sort((a, b) => order.indexOf(a.letter) - order.indexOf(b.letter));
    for (const mark of inView) {
      const lane = laneOf.get(mark.subflow);
      if (lane === undefined) continue;
      const at = Math.max(LEFT + 5, scale.x(mark.time));
      if (taken[lane].some((other) => Math.abs(other - at) < 9)) continue;
      taken[lane].push(at);
      g.fillStyle = "HX!?S".includes(mark.letter) ? colours.bad : colours.ink;
      g.fillText(mark.letter, at, TOP + lane * LANE + 1);
    }
    finish(p, g, scale);
  }

  // Rows in view, for whoever wants the numbers.
  const inView = (times) => [lower(times, state.from), lower(times, state.to)];
  function table(name, columns, arrays, times) {
    const [from, to] = inView(times);
    const rows = [];
    for (let i = from; i < to; i++) rows.push(arrays.map((array) => (typeof array === "function" ? array(i) : array[i])));
    subflow.csv("connection-" + source.id + "-" + state.side + "-" + name, columns, rows);
  }
  const csvCarriages = () => {
    const c = sides[state.side].carriages;
    table("sequence", ["time_s", "frame", "subflow", "dsn", "bytes", "carried"], [c.time, c.frame, c.subflow, c.dsn, c.bytes, (i) => CARRIED[c.carried[i]]], c.time);
  };
  const csvSamples = () => {
    const s = sides[state.side].samples;
    table("rtt", ["time_s", "subflow", "rtt_s"], [s.time, (i) => (s.subflow[i] === DATA_LEVEL ? "data level" : s.subflow[i]), s.rtt], s.time);
  };
  const csvFlight = () => {
    const s = sides[state.side].sent;
    const known = (array) => (i) => (array[i] < 0 ? null : array[i]);
    table("flight", ["time_s", "subflow", "flight_B", "data_flight_B"], [s.time, s.subflow, known(s.flight), known(s.data_flight)], s.time);
  };
  const csvGoodput = () => {
    const { width, first, sums } = bins(100);
    const rows = [];
    for (const [id, sum] of sums) sum.forEach((bytes, i) => rows.push([(first + i) * width, width, id, (bytes * 8) / width]));
    subflow.csv("connection-" + source.id + "-" + state.side + "-goodput", ["from_s", "width_s", "subflow", "goodput_bit_s"], rows);
  };

  panel("ladder", "Who carried data when (red: again)", TOP + lanes.length * LANE + BOTTOM, null, ladder, csvCarriages);
  panel("sequence", "Data sequence: mappings, reinjections (red), DATA_ACK (dark line), window (green line)", 360, "B", sequence, csvCarriages);
  panel("rtt", "Round-trip times, of subflows and of the data level (grey)", 190, "s", roundTrips, csvSamples);
  panel("flight", "Bytes in flight, on subflows and at the data level (dark)", 190, "B", flight, csvFlight);
  panel("goodput", "Goodput: new data, by subflow and in all (dark)", 190, "bit/s", goodput, csvGoodput);

  // Panels out of sight wait until they come into view, unless all are asked for.
  const NEAR = 150;
  function draw(all) {
    const begin = performance.now();
    for (const p of panels) {
      if (!all) {
        const box = p.canvas.getBoundingClientRect();
        p.waits = box.bottom < -NEAR || box.top > innerHeight + NEAR;
        if (p.waits) continue;
      }
      const ratio = window.devicePixelRatio || 1;
      const width = p.canvas.clientWidth;
      if (width === 0) continue;
      const [w, h] = [Math.round(width * ratio), Math.round(p.height * ratio)];
      if (p.canvas.width !== w || p.canvas.height !== h) { p.canvas.width = w; p.canvas.height = h; }
      p.width = width;
      const g = p.canvas.getContext("2d");
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      g.clearRect(0, 0, width, p.height);
      p.draw(p, g);
    }
    state.took = performance.now() - begin;
  }
  let waiting = false;
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(false); });
  }

  function show(from, to) {
    const least = Math.min(1e-5, duration);
    const span = Math.min(Math.max(to - from, least), whole[1] - whole[0]);
    const middle = (from + to) / 2;
    state.from = Math.min(Math.max(middle - span / 2, whole[0]), whole[1] - span);
    state.to = state.from + span;
    redraw();
  }
  const zoom = (factor, at = (state.from + state.to) / 2) => show(at - (at - state.from) * factor, at + (state.to - at) * factor);
  const move = (share) => show(state.from + (state.to - state.from) * share, state.to + (state.to - state.from) * share);
  const all = () => show(whole[0], whole[1]);

  // Controls.
  function choices(holder, type, name, entries, change) {
    for (const [label, colour, checked, value] of entries) {
      const input = element("input", { type, name, checked, onchange: (event) => { change(value, event.target.checked); redraw(); } });
      const swatch = colour ? element("span", { class: "plot-swatch", "data-colour": colour }) : null;
      holder.append(element("label", {}, input, swatch, label));
    }
  }
  choices(document.getElementById("plot-directions"), "radio", "plot-direction",
    [["client to server", null, state.side === "c2s", "c2s"], ["server to client", null, state.side === "s2c", "s2c"]], (side) => { state.side = side; });
  choices(document.getElementById("plot-subflows"), "checkbox", "plot-subflow",
    [...source.subflows.slice(0, 32).map((row) => ["subflow " + row.id, "var(--s" + (row.id % 8) + ")", true, row.id]), ["data level", "var(--ink)", true, DATA_LEVEL]],
    (id, on) => { if (on) hidden.delete(id); else hidden.add(id); });
  function swatches() {
    for (const swatch of document.querySelectorAll(".plot-swatch")) swatch.style.background = subflow.colour(swatch.dataset.colour);
  }
  document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
    ({ in: () => zoom(0.5), out: () => zoom(2), back: () => move(-0.3), on: () => move(0.3), all })[button.dataset.zoom]();
  }));
  holder.addEventListener("keydown", (event) => {
    const act = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2), 0: all, Home: all }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });

  // Mouse, touch and wheel.
  const timeAt = (event, canvas) => {
    const box = canvas.getBoundingClientRect();
    return state.from + ((event.clientX - box.left - LEFT) / Math.max(1, box.width - LEFT - RIGHT)) * (state.to - state.from);
  };
  const touches = new Map();
  for (const p of panels) {
    const { canvas } = p;
    canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoom(Math.exp(event.deltaY * 0.004), timeAt(event, canvas)); }
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); move(event.deltaX / 800); }
    }, { passive: false });
    canvas.addEventListener("dblclick", all);
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      if (event.pointerType === "touch") touches.set(event.pointerId, event.clientX);
      const time = timeAt(event, canvas);
      state.drag = { start: time, now: time, x: event.clientX, from: state.from, to: state.to, zoom: event.pointerType !== "touch" && !event.shiftKey };
      if (touches.size === 2) state.drag.pinch = Math.abs([...touches.values()].reduce((a, b) => a - b)) || 1;
    });
    canvas.addEventListener("pointermove", (event) => {
      const time = timeAt(event, canvas);
      state.pointer = time;
      if (touches.has(event.pointerId)) touches.set(event.pointerId, event.clientX);
      if (state.drag && state.drag.pinch && touches.size === 2) {
        const apart = Math.abs([...touches.values()].reduce((a, b) => a - b)) || 1;
        const middle = (state.drag.from + state.drag.to) / 2, half = ((state.drag.to - state.drag.from) / 2) * (state.drag.pinch / apart);
        show(middle - half, middle + half);
      } else if (state.drag && state.drag.zoom) {
        state.drag.now = time;
      } else if (state.drag) {
        const shift = ((state.drag.x - event.clientX) / Math.max(1, canvas.clientWidth - LEFT - RIGHT)) * (state.drag.to - state.drag.from);
        show(state.drag.from + shift, state.drag.to + shift);
      }
      tell(p, event, time);
      redraw();
    });
    const up = (event) => {
      touches.delete(event.pointerId);
      const drag = state.drag;
      state.drag = null;
      if (drag && drag.zoom && event.type === "pointerup" && Math.abs(event.clientX - drag.x) > 4) show(Math.min(drag.start, drag.now), Math.max(drag.start, drag.now));
      else redraw();
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => { state.pointer = null; redraw(); });
  }

  // What lies under the pointer.
  const readout = document.getElementById("plot-readout");
  function tell(p, event, time) {
    const { time: times, dsn, bytes, subflow: who, carried, frame: frames } = sides[state.side].carriages;
    const box = p.canvas.getBoundingClientRect();
    const value = p.y.low + ((TOP + p.y.height - (event.clientY - box.top)) / p.y.height) * (p.y.high - p.y.low);
    const perPixel = (state.to - state.from) / Math.max(1, box.width - LEFT - RIGHT);
    const words = [time.toFixed(6) + " s"];
    if (p.unit && p.id !== "sequence") words.push(format(p.unit, value));
    if (p.id === "sequence" || p.id === "ladder") {
      const [from, to] = [lower(times, time - perPixel * 8), lower(times, time + perPixel * 8)];
      let best = -1, least = Infinity;
      for (let i = from; i < Math.min(to, from + 5000); i++) {
        if (!visible(who[i])) continue;
        const across = Math.abs(times[i] - time) / perPixel;
        const along = p.id === "ladder" ? 0 : Math.max(0, dsn[i] - value, value - dsn[i] - bytes[i]) / ((p.y.high - p.y.low) / p.y.height);
        if (across + along < least) { least = across + along; best = i; }
      }
      if (best >= 0) {
        const end = dsn[best] + bytes[best];
        words.push("frame " + frames[best] + ", subflow " + who[best] + ": offset " + grouped(dsn[best]) + " to " + grouped(end) + ", " + grouped(bytes[best]) + " B, " + CARRIED[carried[best]] + ", at " + times[best].toFixed(6) + " s");
      }
    }
    readout.textContent = words.join("   ");
  }

  // The timeline's rows lead to their place.
  const timeline = document.getElementById("timeline");
  if (timeline) {
    const go = (row) => {
      const [time, until] = [0, 1].map((at) => Number(row.cells[at].dataset.value || NaN));
      if (Number.isNaN(time)) return;
      const last = Number.isNaN(until) ? time : until;
      const span = Math.max((last - time) * 1.6, duration / 25, 1e-4);
      state.chosen = time;
      show((time + last) / 2 - span / 2, (time + last) / 2 + span / 2);
      document.getElementById("plots").scrollIntoView({ block: "start" });
    };
    for (const row of timeline.tBodies[0].rows) {
      row.tabIndex = 0;
      row.classList.add("plot-jump");
      row.addEventListener("click", () => go(row));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") go(row); });
    }
  }

  theme();
  swatches();
  subflow.onTheme(() => { theme(); swatches(); redraw(); });
  subflow.onPrint(() => draw(true));
  addEventListener("scroll", () => { if (panels.some((p) => p.waits)) redraw(); }, { passive: true });
  new ResizeObserver(redraw).observe(holder);
  redraw();
  // For tests, and for whoever looks closer in the console.
  subflow.plots = { show, whole, state, draw: () => draw(true) };
})();
