"use strict";
// Tables that stand in the page: sorting by a click on a heading, and CSV.
(() => {
  const value = (row, at) => row.cells[at]?.dataset.value ?? "";

  function compare(a, b) {
    if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
  }

  function sort(table, heading, at) {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    // Unknown stays last either way.
    rows.sort((a, b) => {
      const [x, y] = [value(a, at), value(b, at)];
      return x === "" || y === "" ? compare(x, y) : up ? compare(x, y) : compare(y, x);
    });
    body.append(...rows);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    if (table.tBodies[0].rows.length < 4) continue;
    [...table.tHead.rows[0].cells].forEach((heading, at) => {
      if (!heading.textContent) return;
      const button = subflow.element("button", { type: "button", onclick: () => sort(table, heading, at) }, heading.textContent);
      heading.replaceChildren(button);
      heading.setAttribute("aria-sort", "none");
    });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-table]");
    if (!button) return;
    const table = document.getElementById(button.dataset.table);
    const columns = [...table.tHead.rows[0].cells].map((heading, at) => heading.textContent || (at === 0 ? "name" : "column_" + at));
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.dataset.value));
    subflow.csv(button.dataset.table, columns, rows.map((row) => row.map((text) => (text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text))));
  });
})();
