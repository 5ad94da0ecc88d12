// Everything known about one row, and the plain table that paper gets.

const PAPER_ROWS = 1000;
const PAPER_COLUMNS = ["name", "qualifier", "use", "verdict", "runtime", "account", "region", "ou", "owner", "module", "last_modified"];

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function shown(value, unknown = "not looked at") {
  if (value === null) return unknown;
  return typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 4 }) : value;
}

function showDetails(table, row) {
  const dialog = document.getElementById("details");
  dialog.querySelector("h3").textContent = table.arn(row);
  dialog.querySelector("dl").replaceChildren(
    ...table.columns.flatMap((column) => {
      const value = column.values[column.codes[row]];
      return [element("dt", column.label), element("dd", value === "" ? column.empty : shown(value, column.unknown))];
    }),
  );
  dialog.showModal();
}

function printable(table) {
  const rows = table.rows.slice(0, PAPER_ROWS);
  const columns = PAPER_COLUMNS.map((key) => table.byKey.get(key)).filter(Boolean);
  const said = rows.length < table.rows.length
    ? `The first ${shown(rows.length)} of ${shown(table.rows.length)} function versions chosen, in the order chosen on screen. The CSV has every row.`
    : `${shown(rows.length)} of ${shown(table.size)} function versions, as chosen on screen.`;
  const made = element("table");
  const head = made.createTHead().insertRow();
  head.append(...columns.map((column) => element("th", column.label, { scope: "col" })));
  const body = made.createTBody();
  for (const row of rows) {
    body.insertRow().append(...columns.map((column) => element("td", shown(column.values[column.codes[row]]), { "data-key": column.key })));
  }
  return [element("p", said), made];
}
