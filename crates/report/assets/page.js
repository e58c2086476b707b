"use strict";
// What every page has: elements, numbers for people, CSV files, the theme, the place in the table of contents.
const subflow = (() => {
  const root = document.documentElement;

  function data(name) {
    const holder = document.getElementById("data-" + name);
    return holder ? JSON.parse(holder.textContent) : null;
  }

  // Children are elements or texts: nothing from a capture is ever read as HTML.
  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    for (const child of children.flat()) {
      if (child !== null && child !== undefined) made.append(child);
    }
    return made;
  }

  // Three digits that matter.
  function digits(number) {
    const size = Math.abs(number);
    if (size >= 100 || Number.isInteger(number)) return grouped(Math.round(number));
    return number.toFixed(size < 0.01 ? 4 : size < 10 ? 2 : 1);
  }

  function grouped(number) {
    return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
  }

  function scaled(number, steps, units) {
    let at = 0;
    while (at + 1 < units.length && Math.abs(number) >= steps * 0.9995) { number /= steps; at += 1; }
    return digits(number) + " " + units[at];
  }

  function format(unit, value) {
    if (value === null || value === undefined || value === "") return "–";
    switch (unit) {
      case "s": {
        const size = Math.abs(value);
        if (size === 0) return "0 s";
        if (size < 1e-3) return digits(value * 1e6) + " µs";
        if (size < 1) return digits(value * 1e3) + " ms";
        return digits(value) + " s";
      }
      case "B": return Number.isInteger(value) && value < 1000 ? value + " B" : scaled(value, 1000, ["B", "kB", "MB", "GB", "TB", "PB"]);
      case "bit/s": return scaled(value, 1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]);
      case "share": return (value * 100).toFixed(value !== 0 && value < 0.001 ? 3 : 1) + " %";
      case "number": return digits(value);
      case "1/s": return digits(value) + " /s";
      case "count": return Number.isInteger(value) ? grouped(value) : digits(value);
      case "time": return new Date(value).toISOString().replace("T", " ").replace("Z", "");
      default: return String(value);
    }
  }

  // A reader's spreadsheet must not run what a capture says: such texts are quoted by an apostrophe.
  function cell(value) {
    if (value === null || value === undefined) return "";
    let text = String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = "'" + text;
    return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  function csvText(columns, rows) {
    return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  function csv(name, columns, rows) {
    const file = new Blob([csvText(columns, rows)], { type: "text/csv;charset=utf-8" });
    const link = element("a", { href: URL.createObjectURL(file), download: name + ".csv", hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // The theme: the reader's system decides until the reader does.
  const listeners = [];
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem("subflow-theme"); } catch { /* a page from a file may have no storage */ }
  let printing = false;
  const theme = () => (printing ? "light" : chosen || (system.matches ? "dark" : "light"));

  function apply() {
    const now = theme();
    const button = document.getElementById("theme");
    if (button) {
      button.textContent = now === "dark" ? "Light" : "Dark";
      button.setAttribute("aria-label", "Switch to " + (now === "dark" ? "light" : "dark") + " colours");
    }
    if (root.dataset.theme === now) return;
    root.dataset.theme = now;
    listeners.forEach((listener) => listener());
  }

  document.getElementById("theme")?.addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("subflow-theme", chosen); } catch { /* not remembered then */ }
    apply();
  });
  system.addEventListener("change", apply);
  apply();

  // Paper is light, and figures are drawn to its width.
  const printers = [];
  addEventListener("beforeprint", () => { printing = true; apply(); printers.forEach((printer) => printer(true)); });
  addEventListener("afterprint", () => { printing = false; apply(); printers.forEach((printer) => printer(false)); });

  // A colour token of a figure as the present theme has it.
  function colour(token) {
    const name = /^var\((--[a-z0-9-]+)\)$/.exec(token);
    return name ? getComputedStyle(root).getPropertyValue(name[1]).trim() : token;
  }

  // Which section is being read.
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const [id, link] of links) {
        if (id === entry.target.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      const list = links.get(entry.target.id)?.closest("ul");
      const link = links.get(entry.target.id);
      if (list && link) list.scrollLeft = link.offsetLeft - list.offsetLeft - list.clientWidth / 3;
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main > section").forEach((section) => watch.observe(section));

  return {
    data, element, format, grouped, csv, csvText, colour, theme,
    onTheme: (listener) => listeners.push(listener),
    onPrint: (printer) => printers.push(printer),
  };
})();
