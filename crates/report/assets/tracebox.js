"use strict";
// Paths of packets: a lane for each thing that was asked, a row for each hop, changes marked between the hops where they were made.
(() => {
  const { element, format } = subflow;
  const $ = (id) => document.getElementById(id);
  const traces = subflow.data("traces") || [];
  const SPACE = "http://www.w3.org/2000/svg";
  const ROW = 48;
  const LABEL = 19;
  const RADIUS = 7;

  function svg(tag, attributes, ...children) {
    const made = document.createElementNS(SPACE, tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return made;
  }

  // A text that is cut where its place ends, whole as a title.
  function fitted(text, room, size) {
    const letters = Math.max(3, Math.floor(room / (size * 0.56)));
    return text.length <= letters ? text : text.slice(0, letters - 1).trimEnd() + "…";
  }
  function words(text, x, y, room, size, attributes) {
    const shown = fitted(text, room, size);
    const made = svg("text", { x, y, "font-size": size, ...attributes }, shown);
    if (shown !== text) made.append(svg("title", {}, text));
    return made;
  }

  // Changes between two hops, the same ones of several lanes together.
  function changes(trace) {
    const found = [];
    trace.lanes.forEach((lane, at) => {
      for (const mark of lane.marks) {
        const same = found.find((other) => other.after === mark.after && other.before === mark.before && other.words === mark.words);
        if (same) same.lanes.push(at);
        else found.push({ ...mark, lanes: [at] });
      }
    });
    return found.sort((a, b) => a.before - b.before || b.matters - a.matters);
  }

  // Names of lanes: where all flows of a kind of probe are among them, its name alone.
  function named(trace, lanes) {
    const name = (at) => {
      const { name, full } = trace.lanes[at];
      const all = trace.lanes.every((other, place) => other.full !== full || lanes.includes(place));
      return all ? name.split(" · ")[0] : name;
    };
    return [...new Set(lanes.map(name))].join(", ");
  }

  // One node: its shape says the same as its colour.
  function node(look, x, y, colour, title) {
    const parts = [];
    const at = `translate(${x} ${y})`;
    if (look === "same") parts.push(svg("circle", { r: RADIUS - 1, fill: colour }));
    else if (look === "unclear") parts.push(svg("circle", { r: RADIUS - 1.5, class: "hollow", stroke: colour }));
    else if (look === "silent") parts.push(svg("circle", { r: RADIUS - 2.5, class: "hollow dotted" }));
    else if (look === "changed") parts.push(svg("path", { d: `M0 ${-RADIUS - 1}L${RADIUS + 1} 0L0 ${RADIUS + 1}L${-RADIUS - 1} 0Z`, class: "fill-bad" }));
    else {
      const good = look === "supports", plain = look === "answers";
      parts.push(svg("rect", { x: -RADIUS - 1.5, y: -RADIUS - 1.5, width: 2 * RADIUS + 3, height: 2 * RADIUS + 3, rx: 3, class: good ? "fill-good" : plain ? "fill-muted" : "fill-bad" }));
      parts.push(svg("path", { d: good ? "M-4 0L-1.2 3L4.2 -3.4" : plain ? "M-4 0H4" : "M-3.5 -3.5L3.5 3.5M3.5 -3.5L-3.5 3.5", class: "sign" }));
    }
    return svg("g", { transform: at }, svg("title", {}, title), ...parts);
  }

  function draw(holder, trace) {
    const width = Math.max(280, holder.clientWidth - (parseFloat(getComputedStyle(holder).paddingLeft) + parseFloat(getComputedStyle(holder).paddingRight)));
    const narrow = width < 560;
    const marks = changes(trace);
    const first = 40;
    const gap = trace.lanes.length > 1 ? Math.min(narrow ? 26 : 46, (width * (narrow ? 0.3 : 0.45)) / (trace.lanes.length - 1)) : 0;
    const lane = (at) => first + at * gap;
    const left = lane(trace.lanes.length - 1) + (narrow ? 20 : 24);
    const longest = Math.max(...trace.lanes.map((one) => one.name.length), 2);
    const slanted = gap < longest * 7.5 && trace.lanes.length > 1;
    const half = trace.lanes.length > 1 ? Math.min(11, gap / 2 - 1) : 11;
    const head = slanted ? 18 + longest * 5 : 22;
    const text = narrow ? 12 : 13;
    // Rows: the sender, then each line; changes have room above the row where they are first seen.
    const ys = [head + 14];
    const shown = trace.hops.map((hop) => marks.filter((mark) => mark.before >= hop.hop && mark.before <= hop.until));
    trace.hops.forEach((hop, at) => ys.push(ys[at] + ROW + shown[at].length * LABEL));
    const y = (number) => {
      if (number <= 0) return ys[0];
      const at = trace.hops.findIndex((hop) => number >= hop.hop && number <= hop.until);
      return ys[at < 0 ? (trace.hops.length && number < trace.hops[0].hop ? 0 : ys.length - 1) : at + 1];
    };
    const height = ys[ys.length - 1] + 30;
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: "path-picture", "aria-label": `The path to ${trace.target}. ${trace.sentence}` });
    const colour = (at) => (trace.lanes[at].asking ? `var(--s${at % 7})` : "var(--s7)");

    // The intervals in which something was changed, behind everything.
    for (const mark of marks) {
      for (const at of mark.lanes) {
        picture.append(svg("rect", {
          x: lane(at) - half, y: y(mark.after) + (mark.after > 0 ? RADIUS + 3 : 4), width: 2 * half, height: Math.max(8, y(mark.before) - y(mark.after) - (mark.after > 0 ? RADIUS + 3 : 4)), rx: 6,
          class: (mark.matters ? "span-bad" : "span-care") + (mark.confirmed ? "" : " unsure"),
        }));
      }
    }
    trace.lanes.forEach((one, at) => {
      const x = lane(at);
      const label = { x, y: head, "text-anchor": slanted ? "start" : "middle", "font-size": 12, class: "strong", style: `fill: ${colour(at)}`, transform: slanted ? `rotate(-50 ${x} ${head})` : null };
      picture.append(svg("text", label, one.name, svg("title", {}, one.full)));
      // As far as it got, and then dotted as far as it was tried.
      let reached = 0, tried = 0;
      one.cells.forEach((cell, place) => {
        if (!cell) return;
        tried = place + 1;
        if (cell[0] !== "silent") reached = place + 1;
      });
      const changed = Math.min(...one.marks.filter((mark) => mark.matters).map((mark) => y(mark.before)), Infinity);
      const until = Math.min(ys[reached], changed);
      picture.append(svg("line", { x1: x, x2: x, y1: ys[0], y2: until, stroke: colour(at), class: one.asking ? "lane" : "lane control" }));
      if (until < ys[reached]) picture.append(svg("line", { x1: x, x2: x, y1: until, y2: ys[reached], class: "lane spoiled" }));
      if (tried > reached) picture.append(svg("line", { x1: x, x2: x, y1: ys[reached], y2: ys[tried], class: "lane lost" }));
      picture.append(svg("circle", { cx: x, cy: ys[0], r: 4, fill: colour(at) }));
      one.cells.forEach((cell, place) => {
        if (cell) picture.append(node(cell[0], x, ys[place + 1], colour(at), `${one.full}, hop ${trace.hops[place].hop}: ${cell[1] || ""}`));
      });
    });
    const room = width - left - 4;
    picture.append(words("you", left, ys[0] + 4, room, text, { class: "quiet" }));
    trace.hops.forEach((hop, place) => {
      const at = ys[place + 1];
      const number = hop.until > hop.hop ? `${hop.hop}–${hop.until}` : String(hop.hop);
      picture.append(svg("text", { x: 6, y: at + 4, "font-size": 12, class: "quiet" }, number));
      const who = hop.addrs.length ? hop.addrs.join(" ") : "no answer";
      const name = [hop.name, hop.operator].filter(Boolean).join(", ");
      const lowest = at - 3;
      picture.append(words(name && !narrow ? `${who}  ${name}` : who, left, hop.addrs.length ? lowest : at + 4, room, text, { class: hop.addrs.length ? "strong" : "quiet" }));
      const more = [];
      if (hop.rtt !== null) more.push(format("s", hop.rtt));
      if (hop.end) {
        const [asked, plain] = hop.said;
        if (asked) more.push(asked);
        if (plain) more.push("control: " + plain);
      } else if (hop.quote) more.push("quotes " + hop.quote);
      if (hop.mpls) more.push("MPLS " + hop.mpls);
      if (name && narrow) more.push(name);
      if (hop.addrs.length) picture.append(words(more.join(" · "), left, at + 13, room, text - 1, { class: "quiet" }));
      shown[place].forEach((mark, nth) => {
        const names = mark.lanes.length === trace.lanes.length ? "all" : named(trace, mark.lanes);
        const above = at - 24 - (shown[place].length - 1 - nth) * LABEL;
        picture.append(words(`${mark.matters ? "◆" : "◇"} ${mark.words}${narrow ? "" : ` (${names})`}`, left, above, room, text, { class: mark.matters ? "is-bad strong" : "is-care" }));
      });
    });
    const legend = element("p", { class: "hint" },
      "Each line is a kind of probe and goes down from hop to hop; the grey one is the control run. ● quoted as it was sent, ○ quoted too little to tell, ◆ quoted changed, ■ answered for the target, dotted: nothing came back. A shaded stretch lies between the last hop that got the probe unchanged and the first that got it changed.");
    const back = trace.back.map((one) => element("p", { class: "hint" }, "On the way back: " + one));
    holder.replaceChildren(picture, ...back, legend);
  }

  const drawn = new Set();
  function show(holder, trace) {
    holder.dataset.width = holder.clientWidth;
    draw(holder, trace);
    drawn.add([holder, trace]);
  }
  let waiting = false;
  function again() {
    waiting = false;
    for (const entry of drawn) {
      const [holder, trace] = entry;
      if (!holder.isConnected) drawn.delete(entry);
      else if (holder.clientWidth && Number(holder.dataset.width) !== holder.clientWidth) { holder.dataset.width = holder.clientWidth; draw(holder, trace); }
    }
    flow();
  }
  addEventListener("resize", () => { if (!waiting) { waiting = true; requestAnimationFrame(again); } });
  subflow.onPrint(() => again());

  for (const holder of document.querySelectorAll("[data-path]")) show(holder, traces[Number(holder.dataset.path)]);

  // How targets flow from what was known of them to their categories: bands as wide as there are targets.
  const kinds = { true: "--good", middlebox_affected: "--bad", plain: "--s7", unresponsive: "--care" };
  let flowWidth = 0;
  function flow() {
    const data = subflow.data("flow"), holder = $("flow");
    if (!data || !holder || holder.clientWidth === flowWidth) return;
    flowWidth = holder.clientWidth;
    const width = Math.max(280, flowWidth), narrow = width < 560;
    const columns = data.columns.map(() => new Map());
    const add = (column, name, count, code) => {
      const node = columns[column].get(name) || { name, in: 0, out: 0, code: null };
      node[code] += count;
      columns[column].set(name, node);
      return node;
    };
    data.links.forEach((links, step) => links.forEach(([from, to, count, code]) => {
      add(step, from, count, "out");
      const node = add(step + 1, to, count, "in");
      if (code) node.code = code;
    }));
    const size = (node) => Math.max(node.in, node.out);
    const total = data.links[0].reduce((sum, link) => sum + link[2], 0);
    const most = Math.max(...columns.map((column) => column.size));
    const pad = 26, thick = 12, top = 30;
    const height = Math.max(150, Math.min(360, most * 64));
    const scale = (height - (most - 1) * pad) / total;
    const label = narrow ? 92 : 170;
    const xs = columns.map((_, at) => (width - thick - label) * (at / (columns.length - 1)));
    const picture = svg("svg", { width, height: height + top + 16, viewBox: `0 0 ${width} ${height + top + 16}`, role: "img", class: "flow-picture", "aria-label": "Targets by what was known of them, by what the path does, and by category; the table below has the numbers." });
    columns.forEach((column, at) => {
      const nodes = [...column.values()].sort((a, b) => size(b) - size(a));
      const used = nodes.reduce((sum, node) => sum + Math.max(2, size(node) * scale), 0) + (nodes.length - 1) * pad;
      let y = top + Math.max(0, (height - used) / 2);
      for (const node of nodes) {
        Object.assign(node, { x: xs[at], y, height: Math.max(2, size(node) * scale), left: 0, right: 0 });
        y += node.height + pad;
      }
      picture.append(svg("text", { x: xs[at], y: 14, "font-size": 12, class: "quiet" }, data.columns[at]));
    });
    data.links.forEach((links, step) => {
      // Bands leave and arrive in the order of their ends, so that few cross.
      const ends = links.map(([from, to, count, code]) => ({ from: columns[step].get(from), to: columns[step + 1].get(to), count, code }));
      ends.sort((a, b) => a.to.y - b.to.y);
      for (const end of ends) { end.y1 = end.from.y + end.from.right; end.from.right += end.count * scale; }
      ends.sort((a, b) => a.from.y - b.from.y);
      for (const end of ends) {
        end.y2 = end.to.y + end.to.left;
        end.to.left += end.count * scale;
        const thickness = Math.max(1, end.count * scale), x1 = end.from.x + thick, x2 = end.to.x, middle = (x1 + x2) / 2;
        const path = `M${x1} ${end.y1}C${middle} ${end.y1} ${middle} ${end.y2} ${x2} ${end.y2}V${end.y2 + thickness}C${middle} ${end.y2 + thickness} ${middle} ${end.y1 + thickness} ${x1} ${end.y1 + thickness}Z`;
        const title = `${end.from.name} → ${end.to.name}: ${format("count", end.count)} (${format("share", end.count / total)})`;
        picture.append(svg("path", { d: path, class: "band", fill: end.code ? `var(${kinds[end.code]})` : "var(--s7)" }, svg("title", {}, title)));
      }
    });
    columns.forEach((column, at) => {
      for (const node of column.values()) {
        picture.append(svg("rect", { x: node.x, y: node.y, width: thick, height: node.height, rx: 2, fill: node.code ? `var(${kinds[node.code]})` : "var(--s7)" }));
        const room = at + 1 < columns.length ? Math.min(label, xs[at + 1] - xs[at] - thick - 10) : label - 8;
        const y = node.y + node.height / 2;
        picture.append(words(node.name, node.x + thick + 6, y - 1, room, narrow ? 11 : 13, { class: "strong halo" }));
        picture.append(words(format("count", size(node)), node.x + thick + 6, y + 13, room, narrow ? 10 : 12, { class: "quiet halo" }));
      }
    });
    holder.replaceChildren(picture);
  }
  flow();

  // The list of targets, a screenful at a time, and one of them in full.
  if (!$("trace-table")) return;
  const PAGE = 50;
  const hops = (row) => (row.before_hop === null ? null : `${row.after_hop ?? "?"}–${row.before_hop}`);
  const COLUMNS = [
    { title: "target", value: (row) => row.target },
    { title: "name", value: (row) => row.name },
    { title: "known before", value: (row) => row.before.replaceAll("_", " ") || null },
    { title: "category", value: (row) => row.category },
    { title: "the path", value: (row) => row.behaviour },
    { title: "hops", value: hops, sort: (row) => row.before_hop },
    { title: "sure", value: (row) => row.confidence },
    { title: "RTT", value: (row) => row.rtt, show: (value) => format("s", value), number: true },
    { title: "in words", value: (row) => row.sentence, long: true },
  ].filter((column) => traces.some((row) => column.value(row) !== null && column.value(row) !== ""));
  let found = [...traces], first = 0, order = { column: -1, up: true }, opened = null;

  for (const [id, of] of [["trace-category", (row) => row.category], ["trace-behaviour", (row) => row.behaviour]]) {
    $(id).append(...[...new Set(traces.map(of))].sort().map((value) => element("option", { value }, value)));
  }
  const texts = traces.map((row) => [row.target, row.name, row.before, row.category, row.behaviour, row.sentence, ...row.hops.flatMap((hop) => [...hop.addrs, hop.name, hop.operator])].filter(Boolean).join(" ").toLowerCase());
  function filter() {
    const wanted = $("trace-find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [category, behaviour] = [$("trace-category").value, $("trace-behaviour").value];
    found = traces.filter((row, at) => wanted.every((word) => texts[at].includes(word)) && (!category || row.category === category) && (!behaviour || row.behaviour === behaviour));
    sort();
    first = 0;
    list();
  }
  function sort() {
    const column = COLUMNS[order.column];
    if (!column) return;
    const value = column.sort || column.value;
    const none = (x) => x === null || x === undefined || x === "";
    found.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (none(x) || none(y)) return none(x) - none(y);
      return (order.up ? 1 : -1) * (typeof x === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true }));
    });
  }
  function list() {
    const headings = COLUMNS.map((column, at) => {
      const sorted = order.column === at;
      const turn = () => { order = { column: at, up: sorted ? !order.up : true }; sort(); first = 0; list(); $("trace-table").tHead.rows[0].cells[at].firstChild.focus(); };
      return element("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": sorted ? (order.up ? "ascending" : "descending") : "none" }, element("button", { type: "button", onclick: turn }, column.title));
    });
    $("trace-table").tHead.replaceChildren(element("tr", {}, headings));
    const rows = found.slice(first, first + PAGE).map((row) => {
      const cells = COLUMNS.map((column, at) => {
        const value = column.value(row);
        let shown = value === null || value === undefined || value === "" ? "–" : column.show ? column.show(value) : String(value);
        if (at === 0) shown = element("button", { type: "button", class: "link", "aria-label": "Open " + shown, onclick: () => open(row) }, shown);
        return element("td", { class: [column.number ? "number" : "", column.long ? "long" : "", column.title === "category" && row.code === "middlebox_affected" ? "warn" : ""].join(" ").trim() || null }, shown);
      });
      return element("tr", { onclick: (event) => { if (!event.target.closest("button") && !String(getSelection())) open(row); } }, cells);
    });
    $("trace-table").tBodies[0].replaceChildren(...rows);
    const last = Math.min(first + PAGE, found.length);
    $("trace-count").textContent = found.length ? `${subflow.grouped(first + 1)} to ${subflow.grouped(last)} of ${subflow.grouped(found.length)}` : "None is like this.";
    $("trace-back").disabled = first === 0;
    $("trace-next").disabled = last >= found.length;
  }

  // Hop by hop, for the dialog.
  function table(trace) {
    const heads = ["hop", "address", "name", "operator", "RTT", "quoted", ...trace.lanes.map((lane) => lane.name)];
    const rows = trace.hops.map((hop, at) => [
      hop.until > hop.hop ? `${hop.hop}–${hop.until}` : String(hop.hop), hop.addrs.join(" ") || "no answer", hop.name, hop.operator, hop.rtt === null ? null : format("s", hop.rtt), hop.quote,
      ...trace.lanes.map((lane) => (lane.cells[at] ? lane.cells[at][1] : null)),
    ]);
    const kept = heads.map((_, at) => rows.some((row) => row[at]));
    const some = (cells) => cells.filter((_, at) => kept[at]);
    return element("div", { class: "card" }, element("h4", {}, "Hop by hop"), element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Hop by hop" },
      element("table", {}, element("thead", {}, element("tr", {}, some(heads).map((text) => element("th", { scope: "col" }, text)))),
        element("tbody", {}, rows.map((row) => element("tr", {}, some(row).map((text) => element("td", {}, text || "–"))))))));
  }
  function open(trace) {
    opened = trace;
    $("trace-title").textContent = trace.target + (trace.name ? ` (${trace.name})` : "");
    const tones = { true: "good", middlebox_affected: "bad", unresponsive: "care", plain: "plain" };
    const holder = element("div", { class: "card path" });
    $("details-body").replaceChildren(
      element("ul", { class: "findings" }, element("li", { class: tones[trace.code] }, trace.sentence)),
      holder, table(trace),
      element("p", { class: "hint" }, `Evidence: ${trace.evidence} (confidence: ${trace.confidence}).`));
    const dialog = $("trace-details");
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    show(holder, trace);
    const place = found.indexOf(trace);
    $("details-back").disabled = place <= 0;
    $("details-next").disabled = place < 0 || place + 1 >= found.length;
    $("trace-title").focus();
    history.replaceState(null, "", "#target-" + trace.target);
  }
  function step(by) {
    const next = found[found.indexOf(opened) + by];
    if (next) open(next);
  }
  $("trace-list").querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["trace-find", "trace-category", "trace-behaviour"]) $(id).addEventListener("input", filter);
  $("trace-back").addEventListener("click", () => { first = Math.max(0, first - PAGE); list(); });
  $("trace-next").addEventListener("click", () => { first += PAGE; list(); });
  $("trace-csv").addEventListener("click", () => {
    const names = ["target", "name", "before", "code", "behaviour", "confidence", "after_hop", "before_hop", "rtt", "sentence", "evidence"];
    subflow.csv("targets", names.map((name) => (name === "code" ? "category" : name)), found.map((row) => names.map((name) => row[name])));
  });
  $("details-back").addEventListener("click", () => step(-1));
  $("details-next").addEventListener("click", () => step(1));
  $("details-close").addEventListener("click", () => $("trace-details").close());
  $("trace-details").addEventListener("click", (event) => { if (event.target === event.currentTarget) event.currentTarget.close(); });
  $("trace-details").addEventListener("close", () => {
    history.replaceState(null, "", "#targets");
    $("details-body").replaceChildren();
    [...document.querySelectorAll("#trace-table .link")].find((link) => opened && link.textContent === opened.target)?.focus({ preventScroll: true });
  });
  const linked = () => {
    const name = decodeURIComponent(location.hash).replace(/^#target-/, "");
    const trace = location.hash.startsWith("#target-") && traces.find((row) => row.target === name);
    if (trace) open(trace);
  };
  addEventListener("hashchange", linked);
  list();
  linked();
})();
