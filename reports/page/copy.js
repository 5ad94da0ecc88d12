// What leaves the page as text.

// Pasted into a spreadsheet, a cell that begins like a formula would run: the CSV's rule (csv.py).
function cellText(value) {
  const text = value === null ? "" : String(value).replace(/[\t\r\n]+/g, " ");
  const first = text.replace(/^[\s\p{Cc}\p{Cf}]+/u, "").normalize("NFKC").charAt(0);
  return text.startsWith("'") || (first && "=+-@|%\u2212".includes(first)) ? `'${text}` : text;
}

function rowsAsText(table, rows) {
  const lines = [["ARN", ...table.columns.map((column) => column.label)].join("\t")];
  for (const row of rows) {
    lines.push([table.arn(row), ...table.columns.map((column) => column.values[column.codes[row]])].map(cellText).join("\t"));
  }
  return lines.join("\n") + "\n";
}

function arnsAsText(table, rows) {
  return Array.from(rows, (row) => table.arn(row)).join("\n") + "\n";
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a page opened from a file may have no clipboard of its own
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("the browser refused to copy");
  }
}
