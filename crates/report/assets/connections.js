"use strict";
// The list of connections, a screenful at a time, and one of them in full.
(() => {
  const { element, format } = subflow;
  const $ = (id) => document.getElementById(id);
  const PAGE = 50;
  const table = subflow.data("connections");
  if (!table || !$("connection-table")) return;
  const at = Object.fromEntries(table.columns.map((column, index) => [column.name, index]));
  const get = (row, name) => row[at[name]];

  // Tables of what belongs to connections, by connection, read when first wanted.
  const belongings = new Map();
  function belonging(name) {
    if (!belongings.has(name)) {
      const all = subflow.data(name);
      const place = Object.fromEntries(all.columns.map((column, index) => [column.name, index]));
      const by = new Map();
      for (const row of all.rows) {
        const id = row[place.connection_id];
        if (!by.has(id)) by.set(id, []);
        by.get(id).push(row);
      }
      belongings.set(name, { columns: all.columns, at: place, of: (id) => by.get(id) || [] });
    }
    return belongings.get(name);
  }

  const host = (addr, port) => (String(addr).includes(":") ? `[${addr}]:${port}` : `${addr}:${port}`);
  const sum = (...names) => (row) => names.reduce((whole, name) => whole + (get(row, name) || 0), 0);
  const plain = (name) => (row) => get(row, name);
  const microseconds = (value) => new Date(value / 1000).toISOString().replace("T", " ").slice(0, -1) + String(((value % 1000) + 1000) % 1000).padStart(3, "0");

  const COLUMNS = [
    { title: "#", unit: "count", value: plain("connection_id"), number: true, doc: "Number of the connection" },
    { title: "client", value: (row) => host(get(row, "client_addr"), get(row, "client_port")) },
    { title: "server", value: (row) => host(get(row, "server_addr"), get(row, "server_port")) },
    { title: "start (UTC)", value: plain("start"), show: (value) => microseconds(value).slice(0, 23), doc: "First packet" },
    { title: "duration", unit: "s", value: plain("duration"), number: true },
    { title: "subflows", unit: "count", value: plain("subflows_established"), show: (value, row) => value + " of " + get(row, "subflows_attempted"), number: true, doc: "Established, of those attempted" },
    { title: "to server", unit: "B", value: plain("bytes_c2s"), number: true, doc: "Unique data-level bytes from client to server" },
    { title: "to client", unit: "B", value: plain("bytes_s2c"), number: true, doc: "Unique data-level bytes from server to client" },
    { title: "reinjected", unit: "B", value: sum("reinjected_bytes_c2s", "reinjected_bytes_s2c"), number: true, doc: "Bytes carried again on another subflow, both directions" },
    { title: "retransmitted", unit: "B", value: sum("retransmitted_bytes_c2s", "retransmitted_bytes_s2c"), number: true, doc: "Bytes that TCP sent again, both directions" },
    { title: "2nd subflow", unit: "s", value: plain("second_subflow_delay"), number: true, doc: "Delay of the second subflow" },
    { title: "RTT spread", unit: "s", value: plain("rtt_spread"), number: true },
    { title: "handovers", unit: "count", value: plain("handovers"), number: true },
    { title: "fallback", value: plain("fallback") },
    { title: "close", value: plain("close") },
  ];

  let found = table.rows;
  let first = 0;
  let order = { column: 0, up: true };

  // Filters.
  for (const name of ["fallback", "close"]) {
    const values = [...new Set(table.rows.map(plain(name)))].sort();
    $("connection-" + name).append(...values.map((value) => element("option", { value }, value)));
  }
  let texts = null;
  function text(index) {
    texts ||= table.rows.map((row) => {
      const parts = ["#" + get(row, "connection_id"), COLUMNS[1].value(row), COLUMNS[2].value(row), get(row, "fallback"), get(row, "close"), "v" + get(row, "version")];
      return parts.join(" ").toLowerCase();
    });
    return texts[index];
  }
  function filter() {
    const words = $("connection-find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const subflows = $("connection-subflows").value;
    const [fallback, close] = [$("connection-fallback").value, $("connection-close").value];
    const handover = $("connection-handover").checked;
    found = table.rows.filter((row, index) => {
      const count = get(row, "subflows_established");
      return words.every((word) => text(index).includes(word))
        && (subflows === "" || (subflows === "2" ? count >= 2 : count === Number(subflows)))
        && (!fallback || get(row, "fallback") === fallback)
        && (!close || get(row, "close") === close)
        && (!handover || get(row, "handovers") > 0);
    });
    sort();
    first = 0;
    show();
  }

  // Sorting: what is unknown comes last either way.
  function sort() {
    const { value } = COLUMNS[order.column];
    const sign = order.up ? 1 : -1;
    const id = plain("connection_id");
    found = [...found].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      const unknown = (which) => which === null || which === undefined;
      if (unknown(x) || unknown(y)) return unknown(x) - unknown(y) || id(a) - id(b);
      const by = typeof x === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      return sign * by || id(a) - id(b);
    });
  }

  function head() {
    const headings = COLUMNS.map((column, index) => {
      const sorted = order.column === index;
      const button = element("button", { type: "button", title: column.doc || null, onclick: () => {
        order = { column: index, up: sorted ? !order.up : !column.number || index === 0 };
        sort();
        first = 0;
        show();
        $("connection-table").tHead.rows[0].cells[index].firstChild.focus();
      } }, column.title);
      return element("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": sorted ? (order.up ? "ascending" : "descending") : "none" }, button);
    });
    $("connection-table").tHead.replaceChildren(element("tr", {}, headings));
  }

  function cell(column, row) {
    const value = column.value(row);
    if (value === null || value === undefined) return "–";
    if (column.show) return column.show(value, row);
    if (column.unit === "B" && value === 0) return "0";
    return column.unit ? format(column.unit, value) : String(value);
  }

  function show() {
    head();
    const rows = found.slice(first, first + PAGE).map((row) => {
      const id = get(row, "connection_id");
      const cells = COLUMNS.map((column, index) => {
        const shown = index === 0
          ? element("button", { type: "button", class: "link", "aria-label": "Open connection " + id, onclick: () => open(id) }, cell(column, row))
          : cell(column, row);
        const bad = column.title === "fallback" && shown !== "none";
        return element("td", { class: (column.number ? "number" : "") + (bad ? " warn" : "") || null }, shown);
      });
      return element("tr", { onclick: (event) => { if (!event.target.closest("button") && !String(getSelection())) open(id); } }, cells);
    });
    $("connection-table").tBodies[0].replaceChildren(...rows);
    const last = Math.min(first + PAGE, found.length);
    $("connection-count").textContent = found.length === 0
      ? "No connection matches."
      : `${format("count", first + 1)} to ${format("count", last)} of ${format("count", found.length)}` + (found.length < table.rows.length ? ` found among ${format("count", table.rows.length)}` : "");
    $("connection-back").disabled = first === 0;
    $("connection-next").disabled = last >= found.length;
  }

  // One connection.
  function shown(column, value) {
    if (value === null || value === undefined) return "–";
    if (column.kind === "time") return microseconds(value);
    if (column.kind === "bool") return value ? "yes" : "no";
    if (column.unit === "s" || column.unit === "B" || column.unit === "bit/s" || column.unit === "1/s") return format(column.unit, value);
    return column.kind === "int" && !/port$|_id$|^version$|^frame$|^ttl$/.test(column.name) ? format("count", value) : String(value);
  }

  const words = (name) => name.replace(/_c2s$/, " to server").replace(/_s2c$/, " to client").replaceAll("_", " ");
  const number = (column) => column.kind === "int" || column.kind === "float" || column.unit !== "";

  function small(caption, source, rows, names) {
    const columns = names.map((name) => source.columns[source.at[name]]).filter(Boolean);
    const headings = columns.map((column) => element("th", { scope: "col", class: number(column) ? "number" : null, title: column.doc || null }, words(column.name)));
    const body = rows.map((row) => element("tr", {}, columns.map((column) => element("td", { class: number(column) ? "number" : null }, shown(column, row[source.at[column.name]])))));
    const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      element("table", {}, element("caption", {}, caption), element("thead", {}, element("tr", {}, headings)), element("tbody", {}, body)));
    return element("div", { class: "card" }, scroll);
  }

  // Columns that are shown in their own place, or that say the same as others.
  const APART = /^(connection_id|client_addr|client_port|server_addr|server_port)$/;

  function timeline(row, subflows, events, announcements) {
    const start = get(row, "start");
    const longest = Math.max(get(row, "duration"), 1e-6);
    const seconds = (time) => (time - start) / 1e6;
    const data = subflows.of(get(row, "connection_id")).map((own) => {
      const value = (name) => own[subflows.at[name]];
      const id = value("subflow_id");
      const from = seconds(value("start"));
      const to = Math.max(from + value("duration"), from + longest / 300);
      const note = `subflow ${id} (${value("state")})<br>${host(value("src_addr"), value("src_port"))} → ${host(value("dst_addr"), value("dst_port"))}<br>${format("B", value("bytes_c2s"))} to server, ${format("B", value("bytes_s2c"))} to client`;
      const live = value("state") === "established" || value("state") === "midstream";
      return { type: "scatter", mode: "lines", name: "subflow " + id, x: [from, to], y: ["subflow " + id, "subflow " + id], text: [note, note],
        line: { width: 14, color: live ? `var(--s${id % 8})` : "var(--muted)" }, showlegend: false };
    });
    const marks = [];
    for (const own of events.of(get(row, "connection_id"))) {
      const value = (name) => own[events.at[name]];
      marks.push([seconds(value("time")), "subflow " + value("subflow_id"), `${value("kind")} at ${format("s", seconds(value("time")))}<br>${value("detail")}`]);
    }
    for (const own of announcements.of(get(row, "connection_id"))) {
      const value = (name) => own[announcements.at[name]];
      if (!value("echo")) marks.push([seconds(value("time")), "subflow " + value("subflow_id"), `announces ${value("addr")} at ${format("s", seconds(value("time")))}`]);
    }
    if (marks.length) {
      data.push({ type: "scatter", mode: "markers", name: "events", showlegend: false, x: marks.map((mark) => mark[0]), y: marks.map((mark) => mark[1]), text: marks.map((mark) => mark[2]),
        marker: { size: 8, symbol: "diamond", color: "var(--card)", line: { width: 1.5, color: "var(--ink)" } } });
    }
    return { id: "connection", data, x: { title: "seconds since its first packet", unit: "s", log: false, range: null }, y: { title: "", unit: "name", log: false, range: null },
      height: 90 + 30 * Math.max(2, data.length), zoom: true, layout: { showlegend: false } };
  }

  let opened = null;
  function open(id) {
    const row = table.rows.find((one) => get(one, "connection_id") === id);
    if (!row) return;
    opened = id;
    const [subflows, events] = [belonging("subflows"), belonging("events")];
    const [announcements, reinjections] = [belonging("announcements"), belonging("reinjections")];
    $("connection-title").textContent = `Connection ${id}: ${host(get(row, "client_addr"), get(row, "client_port"))} → ${host(get(row, "server_addr"), get(row, "server_port"))}`;
    const figure = element("div", { class: "plot", role: "img", "aria-label": `Subflows of connection ${id} over time` });
    const facts = table.columns.filter((column) => !APART.test(column.name)).map((column) =>
      element("div", { title: column.doc || null }, element("dt", {}, words(column.name)), element("dd", {}, shown(column, get(row, column.name)))));
    const limit = subflow.data("limits").of_one;
    const parts = [
      element("div", { class: "card" }, element("h4", {}, "Subflows over time"), figure,
        element("p", { class: "hint" }, "A bar a subflow, from its first packet to its last; diamonds are events and announcements.")),
      small("Subflows", subflows, subflows.of(id), ["subflow_id", "state", "opener", "src_addr", "src_port", "dst_addr", "dst_port", "join_delay", "duration", "backup", "packets_c2s", "packets_s2c", "bytes_c2s", "bytes_s2c",
        "retransmitted_bytes_c2s", "retransmitted_bytes_s2c", "reinjected_bytes_c2s", "reinjected_bytes_s2c", "rtt_mean_c2s", "rtt_mean_s2c", "rtt_handshake", "hmac_ok", "unused", "reset_reason"]),
    ];
    const optional = [
      ["Announced addresses", announcements, ["time", "direction", "subflow_id", "address_id", "addr", "port", "class", "echo", "joined", "hmac_ok"], "It announced no address."],
      ["Events", events, ["time", "frame", "subflow_id", "direction", "kind", "detail"], "Nothing worth telling happened on it."],
      ["Reinjections", reinjections, ["direction", "from_subflow", "to_subflow", "cause", "rows", "bytes", "useless_bytes"], "Nothing was carried again on another subflow."],
    ];
    for (const [caption, source, names, none] of optional) {
      const rows = source.of(id);
      parts.push(rows.length ? small(caption, source, rows, names) : element("p", { class: "empty" }, none));
    }
    if (events.of(id).length + announcements.of(id).length >= limit) parts.push(element("p", { class: "hint" }, `Only the first ${limit} events and announcements are kept here.`));
    parts.push(element("div", { class: "card" }, element("h4", {}, "All figures"), element("dl", { class: "all" }, facts)));
    $("details-body").replaceChildren(...parts);
    const dialog = $("connection-details");
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    subflow.figure(figure, timeline(row, subflows, events, announcements));
    const place = found.indexOf(row);
    $("details-back").disabled = place <= 0;
    $("details-next").disabled = place < 0 || place + 1 >= found.length;
    $("connection-title").focus();
    if (location.hash !== "#connection-" + id) history.replaceState(null, "", "#connection-" + id);
  }

  function step(by) {
    const place = found.findIndex((row) => get(row, "connection_id") === opened);
    const next = place < 0 ? null : found[place + by];
    if (next) open(get(next, "connection_id"));
  }

  $("connection-list").querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["connection-find", "connection-subflows", "connection-fallback", "connection-close", "connection-handover"]) $(id).addEventListener("input", filter);
  $("connection-back").addEventListener("click", () => { first = Math.max(0, first - PAGE); show(); });
  $("connection-next").addEventListener("click", () => { first += PAGE; show(); });
  $("connection-csv").addEventListener("click", () => {
    const value = (column, cell) => (column.kind === "time" ? new Date(cell / 1000).toISOString() : cell);
    subflow.csv("connections", table.columns.map((column) => column.name), found.map((row) => row.map((cell, index) => value(table.columns[index], cell))));
  });
  $("details-back").addEventListener("click", () => step(-1));
  $("details-next").addEventListener("click", () => step(1));
  $("details-close").addEventListener("click", () => $("connection-details").close());
  $("connection-details").addEventListener("click", (event) => { if (event.target === event.currentTarget) event.currentTarget.close(); });
  $("connection-details").addEventListener("close", () => {
    history.replaceState(null, "", "#connections");
    $("details-body").replaceChildren();
    [...document.querySelectorAll("#connection-table .link")].find((link) => link.textContent === format("count", opened))?.focus({ preventScroll: true });
  });
  const linked = () => { const id = /^#connection-(\d+)$/.exec(location.hash); if (id) open(Number(id[1])); };
  addEventListener("hashchange", linked);
  sort();
  show();
  linked();
})();
