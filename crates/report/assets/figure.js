"use strict";
// How figures look. What they show comes with them (`Figure::to_json`); fonts, colours, ticks, hover texts and what
// fits on a phone or on paper are decided here, for all of them alike.
(() => {
  const drawn = new Map();
  const MANY = 4000;

  const SECONDS = [[1e-9, "1 ns"], [1e-8, "10 ns"], [1e-7, "100 ns"], [1e-6, "1 µs"], [1e-5, "10 µs"], [1e-4, "100 µs"], [1e-3, "1 ms"], [1e-2, "10 ms"], [0.1, "100 ms"], [1, "1 s"],
    [10, "10 s"], [60, "1 min"], [600, "10 min"], [3600, "1 h"], [36000, "10 h"], [86400, "1 d"], [864000, "10 d"], [8640000, "100 d"]];

  // Ticks of a logarithmic axis from `low` to `high`, at most `most` of them.
  function ticks(unit, low, high, most) {
    let all = [];
    if (unit === "s") {
      all = SECONDS.filter(([value]) => value >= low * 0.999 && value <= high * 1.001);
    } else {
      for (let power = Math.ceil(Math.log10(low) - 1e-3); power <= Math.log10(high) + 1e-3; power += 1) {
        const value = Math.pow(10, power);
        const text = unit === "share" ? (power >= -2 ? value * 100 : (value * 100).toFixed(-2 - power)) + " %" : subflow.format(unit, Number(value.toPrecision(1)));
        all.push([value, text]);
      }
    }
    const step = Math.max(1, Math.ceil(all.length / Math.max(2, most)));
    return all.filter((_, index) => index % step === 0);
  }

  // Smallest and largest value above zero that a log axis has to show, intervals included.
  function extent(data, axis) {
    let low = Infinity;
    let high = 0;
    const see = (value) => {
      if (value > 0 && value < low) low = value;
      if (value > high) high = value;
    };
    for (const trace of data) {
      (trace[axis] || []).forEach((value, at) => {
        see(value);
        if (axis === "y" && trace.error_y) { see(Math.min(value + trace.error_y.array[at], 4 * value)); see(Math.max(value - trace.error_y.arrayminus[at], value / 4)); }
      });
    }
    return low === Infinity ? null : [low, high];
  }

  // The next of 1, 2, 5, 10 … upwards or downwards.
  function round125(value, up) {
    const decade = Math.pow(10, Math.floor(Math.log10(value) + 1e-9));
    const step = value / decade;
    return decade * (up ? (step <= 1.0001 ? 1 : step <= 2.0001 ? 2 : step <= 5.0001 ? 5 : 10) : step >= 5 ? 5 : step >= 2 ? 2 : 1);
  }

  function ticks125(unit, low, high) {
    const all = [];
    for (let value = low; value <= high * 1.001; value = round125(value * 1.1, true)) all.push([value, subflow.format(unit, Number(value.toPrecision(1)))]);
    return all;
  }

  function axis(spec, which, width, cuts) {
    const own = spec[which];
    const made = {
      title: { text: own.title, standoff: 10, font: { size: 12 } },
      gridcolor: subflow.colour("var(--line)"),
      linecolor: subflow.colour("var(--muted)"),
      tickcolor: subflow.colour("var(--line)"),
      zeroline: false,
      showline: which === "x",
      automargin: true,
      fixedrange: !spec.zoom,
      ticks: which === "x" ? "outside" : "",
      ticklen: 4,
    };
    if (own.log) {
      const bounds = own.range || extent(spec.data, which);
      made.type = "log";
      if (bounds) {
        let [low, high] = [bounds[0], bounds[1]];
        if (which === "x") for (const cut of cuts) { low = Math.min(low, cut); high = Math.max(high, cut); }
        const fine = which === "y" && own.unit !== "s" && high < 50 * low;
        const range = fine ? [Math.log10(round125(low, false)), Math.log10(round125(high, true))] : [Math.floor(Math.log10(low) + 1e-9), Math.ceil(Math.log10(high) - 1e-9)];
        if (range[0] === range[1]) { if (fine) range[1] += Math.log10(2); else range[0] -= 1; }
        made.range = range;
        const room = which === "x" ? Math.max(3, Math.floor(width / 64)) : 7;
        const marks = (fine ? ticks125 : ticks)(own.unit, Math.pow(10, range[0]), Math.pow(10, range[1]), room);
        made.tickvals = marks.map((mark) => mark[0]);
        made.ticktext = marks.map((mark) => mark[1]);
      }
      return made;
    }
    // Intervals may be so long that nothing else would be seen; what is measured is not below zero.
    const whiskers = which === "y" ? spec.data.filter((trace) => trace.error_y) : [];
    if (whiskers.length && !own.range) {
      const ends = whiskers.flatMap((trace) => trace.y.map((value, at) => value + trace.error_y.array[at]));
      const levels = (spec.levels || []).map(([at]) => at);
      made.range = [0, 1.05 * Math.max(Math.min(Math.max(...ends), 2.5 * span(spec.data, "y")[1]), ...levels) || 1];
    } else if (own.range) made.range = own.range;
    else if (own.unit !== "time" && own.unit !== "name") made.rangemode = "tozero";
    switch (own.unit) {
      case "share": made.tickformat = !own.range && span(spec.data, which)[1] < 0.002 ? ",.4~%" : ",.2~%"; if (own.range && own.range[1] === 1) made.range = [0, 1.02]; break;
      case "time": made.type = "date"; made.nticks = Math.max(3, Math.floor(width / 110)); break;
      case "name":
        made.type = "category";
        if (which === "y") {
          const names = spec.order || [...new Set(spec.data.flatMap((trace) => trace.y))].filter((name) => name !== null);
          Object.assign(made, { categoryarray: names, range: [names.length - 0.4, -0.6], showgrid: false, ticks: "outside", ticklen: 6, tickcolor: "rgba(0,0,0,0)" });
        }
        else { made.showgrid = false; made.tickson = "labels"; }
        break;
      case "B": made.tickformat = "~s"; made.ticksuffix = "B"; break;
      case "bit/s": made.tickformat = "~s"; made.ticksuffix = "bit/s"; break;
      case "s": if (span(spec.data, which)[1] < 2) { made.tickformat = "~s"; made.ticksuffix = "s"; } else made.ticksuffix = " s"; made.nticks = which === "x" ? Math.max(3, Math.floor(width / 80)) : 6; break;
      case "count":
        if (span(spec.data.map((trace) => ({ [which]: trace[which].filter((value) => typeof value === "number") })), which)[1] <= 5) made.dtick = 1;
        made.tickformat = ",~r";
        made.nticks = which === "x" ? Math.max(3, Math.floor(width / 80)) : 6;
        break;
      default: made.tickformat = ",~r"; made.nticks = which === "x" ? Math.max(3, Math.floor(width / 80)) : 6;
    }
    return made;
  }

  // Puts the theme's colours where tokens stand.
  function coloured(value) {
    if (typeof value === "string") return value.startsWith("var(") ? subflow.colour(value) : value;
    if (Array.isArray(value) && typeof value[0] === "string" && value[0].startsWith("var(")) return value.map(coloured);
    if (value && typeof value === "object" && !Array.isArray(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, coloured(part)]));
    }
    return value;
  }

  // Points of a trace that make a difference in this window: one a spot of about two pixels.
  function thinned(trace, window, width, height) {
    const count = trace.x.length;
    const lines = !(trace.mode || "").startsWith("markers");
    if (count <= MANY || (trace.type === "bar") || (lines && trace.x.includes(null))) return trace;
    const [x0, x1, y0, y1] = window;
    const columns = Math.max(1, Math.floor(width / 2));
    const rows = Math.max(1, Math.floor(height / 2));
    const kept = [];
    const spots = new Uint8Array((columns + 1) * (rows + 1));
    let before = -1;
    let column = -1;
    let extremes = null;
    const close = () => {
      if (extremes) kept.push(...[...new Set([extremes.first, extremes.low, extremes.high, extremes.last])].sort((a, b) => a - b));
      extremes = null;
    };
    for (let at = 0; at < count; at += 1) {
      const x = trace.x[at];
      const y = trace.y[at];
      if (x < x0) { before = at; continue; }
      if (x > x1) { if (lines) { close(); kept.push(at); } break; }
      const c = Math.floor(((x - x0) / (x1 - x0 || 1)) * columns);
      if (lines) {
        // A line keeps first, lowest, highest and last point of each column of pixels.
        if (before >= 0) { kept.push(before); before = -1; }
        if (c !== column) { close(); column = c; }
        if (!extremes) extremes = { first: at, low: at, high: at, last: at };
        if (y < trace.y[extremes.low]) extremes.low = at;
        if (y > trace.y[extremes.high]) extremes.high = at;
        extremes.last = at;
      } else if (y >= y0 && y <= y1) {
        const spot = c * (rows + 1) + Math.floor(((y - y0) / (y1 - y0 || 1)) * rows);
        if (!spots[spot]) { spots[spot] = 1; kept.push(at); }
      }
    }
    close();
    const pick = (values) => (Array.isArray(values) ? kept.map((at) => values[at]) : values);
    return { ...trace, x: pick(trace.x), y: pick(trace.y), text: pick(trace.text), hovertext: pick(trace.hovertext), customdata: pick(trace.customdata) };
  }

  function span(data, which) {
    let low = Infinity;
    let high = -Infinity;
    for (const trace of data) for (const value of trace[which]) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low > high ? [0, 1] : [low, high];
  }

  const large = (spec) => spec.data.some((trace) => trace.x.length > MANY && trace.type !== "bar");

  // A heat map of shares: from the page's own ground to the strongest colour, the same scale in all of them.
  function heated(spec, made) {
    const scale = [[0, "var(--soft)"], [0.6, "var(--s0)"], [0.8, "var(--s6)"], [1, "var(--s1)"]].map(([at, colour]) => [at, subflow.colour(colour)]);
    const hovertext = made.z.map((row, at) => row.map((z, column) => made.y[at] + "<br>" + subflow.format(spec.x.unit, made.x[column]) + ": " + subflow.format("share", z)));
    const colorbar = { orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "bottom", ypad: 6, xpad: 0, len: 220, lenmode: "pixels", thickness: 9, tickformat: ",.0%", tickvals: [0, 0.5, 1], outlinewidth: 0, ticklen: 3 };
    return { ...made, zmin: 0, zmax: 1, colorscale: scale, hoverinfo: "text", hovertext, colorbar, xgap: 0, ygap: made.y.length <= 60 ? 1 : 0 };
  }

  function present(spec, trace) {
    const made = coloured(trace);
    if (made.type === "heatmap") return heated(spec, made);
    const bar = made.type === "bar";
    const lying = bar && made.orientation === "h";
    const [places, sizes] = lying ? [made.y, made.x] : [made.x, made.y];
    if (bar) {
      const unit = lying ? spec.x.unit : spec.y.unit;
      const measure = (lying ? spec.x : spec.y).title;
      const several = spec.data.length > 1;
      made.hoverinfo = "text";
      made.hovertext = trace.hovertext || places.map((place, at) => (several ? made.name + ", " : "") + place + ": " + subflow.format(unit, sizes[at]) + " " + measure);
      if (!spec.stacked && !made.error_y && sizes.length * spec.data.length <= 24) {
        made.text = sizes.map((size) => subflow.format(unit, size));
        made.textposition = lying ? "auto" : "outside";
        made.cliponaxis = false;
        made.constraintext = "none";
      }
      made.textangle = 0;
      made.marker = { ...made.marker, line: { width: 0 } };
    } else if (made.text) {
      made.hovertext = made.text;
      made.hoverinfo = "text";
      delete made.text;
    } else if (made.x.length <= MANY) {
      const several = spec.data.length > 1;
      made.hoverinfo = "text";
      made.hovertext = made.x.map((x, at) => (several ? made.name + "<br>" : "") + subflow.format(spec.x.unit, x) + ": " + subflow.format(spec.y.unit, made.y[at]));
    }
    // Plotly reads some HTML in names and hover texts: tags from outside are taken out of it.
    const plain = (text) => (typeof text === "string" ? text.replaceAll("<br>", "\n").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\n", "<br>") : text);
    if (made.error_y) Object.assign(made.error_y, { thickness: 1.2, width: 3 });
    if (made.hovertext) made.hovertext = made.hovertext.map(plain);
    made.name = plain(made.name);
    // A log axis cannot show 0; the line begins at the left edge, as high as the zeros lift it.
    if (spec.x.log && made.type === "scatter" && made.mode === "lines" && made.x[0] <= 0) {
      const bounds = spec.x.range || extent(spec.data, "x");
      const low = bounds ? Math.pow(10, Math.floor(Math.log10(Math.min(bounds[0], ...(spec.cuts.length ? spec.cuts : [bounds[0]]))) + 1e-9)) : 1;
      made.x = made.x.map((x) => (x <= 0 ? low : x));
    } else if (spec.x.log && made.type === "scatter" && made.mode === "lines" && made.line && made.line.shape === "hv") {
      // A distribution begins at 0.
      made.x = [made.x[0], ...made.x];
      made.y = [0, ...made.y];
      if (made.hovertext) made.hovertext = [made.hovertext[0], ...made.hovertext];
    }
    return made;
  }

  function layout(spec, width, height) {
    const ink = subflow.colour("var(--ink)");
    const legend = spec.data.length > 1 || Boolean(spec.legend);
    const made = {
      width, height,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: ink },
      margin: { l: 12, r: 16, t: spec.data[0]?.type === "heatmap" ? 46 : legend ? 8 : 12, b: spec.data[0]?.type === "heatmap" ? 46 : 12 },
      xaxis: axis(spec, "x", width, spec.cuts), yaxis: axis(spec, "y", width, []),
      barmode: spec.stacked ? "stack" : "group", bargap: 0.25,
      hovermode: "closest",
      hoverlabel: { bgcolor: subflow.colour("var(--card)"), bordercolor: subflow.colour("var(--line)"), font: { color: ink, size: 12 }, align: "left" },
      dragmode: spec.zoom ? "zoom" : false,
      showlegend: legend,
      legend: { orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom", font: { size: 12 }, itemsizing: "trace", itemwidth: 36 },
      shapes: [], annotations: [],
    };
    // Room above the bars for the numbers on them.
    if (spec.data[0]?.type === "bar" && spec.data[0].orientation !== "h" && !spec.stacked && spec.y.unit === "count" && !spec.y.log && !made.yaxis.range) {
      made.yaxis.range = [0, Math.max(1, span(spec.data, "y")[1]) * 1.12];
    }
    const highest = made.xaxis.range ? made.xaxis.range[1] : null;
    for (const [index, cut] of spec.cuts.entries()) {
      // At the right edge there is no room to the right of the line.
      const edge = spec.x.log && highest !== null && highest - Math.log10(cut) < 0.08 * (highest - made.xaxis.range[0]);
      made.shapes.push({ type: "line", xref: "x", yref: "paper", x0: cut, x1: cut, y0: 0, y1: 1, layer: "below", line: { color: subflow.colour("var(--muted)"), width: 1, dash: "dot" } });
      made.annotations.push({ xref: "x", yref: "paper", x: spec.x.log ? Math.log10(cut) : cut, y: 0.02 + 0.08 * (index % 2), xanchor: edge ? "right" : "left", yanchor: "bottom", showarrow: false, text: subflow.format(spec.x.unit, cut), font: { size: 10, color: subflow.colour("var(--muted)") }, bgcolor: subflow.colour("var(--card)") });
    }
    for (const [at, words] of spec.levels || []) {
      const y = spec.y.log ? Math.log10(at) : at;
      made.shapes.push({ type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: at, y1: at, line: { color: subflow.colour("var(--ink)"), width: 1, dash: "dash" } });
      if (words) made.annotations.push({ xref: "paper", yref: "y", x: 1, y, xanchor: "right", yanchor: "bottom", showarrow: false, text: words, font: { size: 10, color: subflow.colour("var(--muted)") }, bgcolor: subflow.colour("var(--card)") });
    }
    if (spec.layout) Object.assign(made, coloured(spec.layout));
    return made;
  }

  function windowOf(holder, spec) {
    const full = holder._fullLayout;
    const number = (value, unit) => (unit === "time" && typeof value === "string" ? Date.parse(value.replace(" ", "T") + "Z") : value);
    if (full && full.xaxis && full.xaxis.range && holder.dataset.drawn) {
      const x = full.xaxis.range.map((value) => number(value, spec.x.unit));
      const y = full.yaxis.range;
      return [x[0], x[1], Math.min(y[0], y[1]), Math.max(y[0], y[1])];
    }
    const x = span(spec.data, "x");
    return [...x, ...span(spec.data, "y")];
  }

  function draw(holder, spec, size) {
    const width = size || holder.clientWidth || 600;
    const height = holder.clientHeight || spec.height;
    const many = large(spec);
    const view = many ? windowOf(holder, spec) : null;
    const data = spec.data.map((trace) => present(spec, many ? thinned(trace, view, width, height) : trace));
    const looks = layout(spec, width, height);
    if (holder.dataset.drawn && spec.zoom) {
      // What the reader zoomed into stays.
      for (const which of ["xaxis", "yaxis"]) {
        const now = holder._fullLayout[which];
        if (now && holder.dataset.zoomed) { looks[which].range = now.range.slice(); looks[which].autorange = false; }
      }
    } else if (many) {
      const pad = (low, high) => [low - (high - low) * 0.02, high + (high - low) * 0.02];
      if (!looks.xaxis.range && spec.x.unit !== "time") looks.xaxis.range = pad(view[0], view[1]);
      if (!looks.yaxis.range) looks.yaxis.range = pad(view[2], view[3]);
    }
    const config = { displayModeBar: false, responsive: false, typesetMath: false, showTips: false, scrollZoom: Boolean(spec.zoom && many), doubleClick: "reset" };
    Plotly.react(holder, data, looks, config);
    if (!holder.dataset.drawn && spec.zoom) {
      let due = 0;
      holder.on("plotly_relayout", (change) => {
        if (!Object.keys(change).some((key) => key.startsWith("xaxis") || key.startsWith("yaxis"))) return;
        if ("xaxis.autorange" in change || "yaxis.autorange" in change) delete holder.dataset.zoomed;
        else holder.dataset.zoomed = "1";
        if (!many) return;
        cancelAnimationFrame(due);
        due = requestAnimationFrame(() => draw(holder, spec));
      });
    }
    holder.dataset.drawn = "1";
    drawn.set(holder, spec);
  }

  // Figures of the page are drawn when they come into view.
  const specs = new Map();
  const spec = (holder) => {
    const id = holder.dataset.figure;
    if (!specs.has(id)) specs.set(id, JSON.parse(document.getElementById("figure-" + id).textContent));
    return specs.get(id);
  };
  const holders = [...document.querySelectorAll("[data-figure]")];
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      if (!entry.target.dataset.drawn) draw(entry.target, spec(entry.target));
    }
  }, { rootMargin: "600px 0px" });
  holders.forEach((holder) => near.observe(holder));

  const redraw = (size) => {
    for (const [holder, what] of drawn) {
      if (holder.isConnected) draw(holder, what, size);
      else { Plotly.purge(holder); drawn.delete(holder); }
    }
  };
  subflow.onTheme(() => redraw());
  // 182 mm of A4 and Letter between the margins, less the frame.
  subflow.onPrint((printing) => {
    if (printing) {
      holders.forEach((holder) => { if (!holder.dataset.drawn) draw(holder, spec(holder)); });
      redraw(620);
    } else redraw();
  });
  let due = 0;
  let last = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === last) return;
    last = innerWidth;
    cancelAnimationFrame(due);
    due = requestAnimationFrame(() => redraw());
  });

  const NAMES = { s: "seconds", B: "bytes", share: "share", count: "count", "1/s": "per_second", "bit/s": "bits_per_second", time: "time_utc", name: "name" };
  function rows(what) {
    if (what.csv) return [what.csv.columns, what.csv.rows];
    const title = (which) => (what[which].title || NAMES[what[which].unit]).replace(/[^A-Za-z0-9]+/g, "_").replace(/^_|_$/g, "");
    const column = (which) => title(which) + (what[which].unit === "s" ? "_s" : what[which].unit === "B" ? "_bytes" : "");
    const value = (which, number) => (what[which].unit === "time" && typeof number === "number" ? new Date(number).toISOString() : number);
    const all = [];
    for (const trace of what.data) trace.x.forEach((x, at) => { if (x !== null) all.push([trace.name || "", value("x", x), value("y", trace.y[at])]); });
    return [["series", column("x"), column("y")], all];
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-csv]");
    if (!button) return;
    const holder = document.querySelector(`[data-figure="${CSS.escape(button.dataset.csv)}"]`);
    subflow.csv(button.dataset.csv, ...rows(spec(holder)));
  });

  subflow.figure = (holder, what) => {
    const full = { cuts: [], height: 240, ...what };
    holder.style.height = full.height + "px";
    draw(holder, full);
  };
  subflow.figureRows = rows;
  // What was hidden had no width when it was drawn.
  subflow.redrawIn = (element) => {
    for (const [holder, what] of drawn) if (element.contains(holder)) draw(holder, what);
  };
  // For tests and for printing from scripts.
  subflow.drawAll = () => holders.forEach((holder) => { if (!holder.dataset.drawn) draw(holder, spec(holder)); });
})();
