// The page: fills the filters, and ties them to the table.

const NOT_COUNTED = ["kept for rollback", "image", "custom runtime"];
const GENERAL = { use: { "": "everything", finding: "all that have to move" } };
const NO_VALUE = "\0";

async function start() {
  const table = await unpack(document.getElementById("rows").textContent);
  document.getElementById("tool").hidden = false;
  const grid = new Grid(table, document.getElementById("scroller"));
  const form = document.querySelector(".filters");
  const status = document.getElementById("status");
  const search = document.getElementById("search");
  const fields = [...form.querySelectorAll("[data-filter]")];
  for (const field of fields) {
    // thousands of suggestions cost more than the table: only a field that is used gets them
    if (field.list) field.addEventListener("focus", () => suggest(field, table), { once: true });
    else fill(field, table);
  }

  const choose = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean).map(asShown);
    table.select(words, fields.filter((field) => field.value !== "").map((field) => [keysOf(field), test(field)]));
    grid.refresh();
    say();
  };
  const say = (more = "") => {
    const chosen = grid.selected.size ? `, ${shown(grid.selected.size)} selected` : "";
    status.textContent = `${shown(table.rows.length)} of ${shown(table.size)} function versions${chosen}${more}`;
  };
  grid.onsort = choose;
  grid.onselect = () => say();
  const fromTheTop = () => {
    grid.at.row = Math.min(grid.at.row, 0);
    grid.first = 0;
    choose();
  };
  form.addEventListener("input", fromTheTop);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("clear").addEventListener("click", () => {
    form.reset();
    grid.selected.clear();
    fromTheTop();
  });
  copies("copy-arns", arnsAsText, "ARN");
  copies("copy-rows", rowsAsText, "row");
  addEventListener("beforeprint", () => document.getElementById("print").replaceChildren(...printable(table)));
  addEventListener("afterprint", () => document.getElementById("print").replaceChildren());
  choose();

  function copies(id, write, noun) {
    document.getElementById(id).addEventListener("click", async () => {
      const rows = grid.selected.size ? table.order.filter((row) => grid.selected.has(row)) : table.rows;
      try {
        await copyText(write(table, rows));
        say(`; ${shown(rows.length)} ${noun}${rows.length === 1 ? "" : "s"} copied`);
      } catch (error) {
        say(`; nothing copied: ${error.message}`);
      }
    });
  }
}

// The page holds commits by their first digits; somebody may look for a whole one.
function asShown(word) {
  return word.replace(/^([0-9a-f]{12})[0-9a-f]{28,}$/, "$1");
}

function keysOf(field) {
  return field.dataset.filter.split(" ");
}

function fill(field, table) {
  const { values } = table.byKey.get(field.dataset.filter);
  const general = GENERAL[field.dataset.filter] ?? { "": "all" };
  field.append(
    ...Object.entries(general).map(([value, text]) => new Option(text, value)),
    ...values.map((value) => new Option(shown(value), value ?? NO_VALUE)),
  );
}

function suggest(field, table) {
  const values = keysOf(field).flatMap((key) => table.byKey.get(key).values);
  field.list.append(...values.filter(Boolean).map((value) => new Option("", value)));
}

function test(field) {
  const { value } = field;
  if (value === "finding") return (use) => !NOT_COUNTED.includes(use);
  if (field.tagName === "SELECT") return (other) => (other ?? NO_VALUE) === value;
  const part = value.trim().toLowerCase();
  return (other, lower) => lower.includes(part);
}

start().catch((error) => {
  const trouble = document.getElementById("trouble");
  trouble.hidden = false;
  trouble.textContent = `The table could not be shown (${error.message}). fleet report --format csv writes the same rows.`;
});
