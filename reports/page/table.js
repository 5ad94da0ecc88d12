"use strict";
// The data: dictionary-coded columns. A code is also a rank, so sorting counts and never compares.

async function unpack(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Table(await new Response(plain).arrayBuffer());
}

// Numbers come as steps, each from the one before; null, which is not looked at, stands before all.
// They are whole parts of a unit, so that nothing is lost on the way.
function summed(steps, parts) {
  let sum = 0;
  return steps.map((step) => (step === null ? null : (sum += step) / parts));
}

class Table {
  // block: as columns.py packs it.
  constructor(block) {
    let at = 4 + new DataView(block).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(block, 4, at - 4)));
    this.partition = head.partition;
    this.size = head.rows;
    const widths = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
    this.columns = head.columns.map((column) => {
      const codes = new widths[column.bytes](block, at, this.size);
      at += Math.ceil((this.size * column.bytes) / 4) * 4;
      return { ...column, values: column.number ? summed(column.values, column.parts) : column.values, codes };
    });
    this.byKey = new Map(this.columns.map((column) => [column.key, column]));
    this.order = new Uint32Array(this.size).map((_, row) => row);
    this.rows = this.order;
  }

  value(row, key) {
    const column = this.byKey.get(key);
    return column.values[column.codes[row]];
  }

  arn(row) {
    const [region, account, name, qualifier] = ["region", "account", "name", "qualifier"].map((key) => this.value(row, key));
    const stem = `arn:${this.partition}:lambda:${region}:${account}:function:${name}`;
    return qualifier === "$LATEST" ? stem : `${stem}:${qualifier}`;
  }

  // Stable, so that sorting by one column and then another sorts by both.
  sort(key, descending) {
    const { codes, values } = this.byKey.get(key);
    const last = values.length - 1;
    const rank = (row) => (descending ? last - codes[row] : codes[row]);
    const starts = new Uint32Array(values.length + 1);
    for (const row of this.order) starts[rank(row) + 1]++;
    for (let code = 0; code <= last; code++) starts[code + 1] += starts[code];
    const sorted = new Uint32Array(this.size);
    for (const row of this.order) sorted[starts[rank(row)]++] = row;
    this.order = sorted;
  }

  // filters: [keys, test], which one of these columns has to pass; words: each in any column.
  select(words, filters) {
    const needed = filters.map(([keys, test]) => keys.map((key) => this.mask(this.byKey.get(key), test)));
    for (const word of words) {
      needed.push(this.columns.map((column) => this.mask(column, (value, lower) => lower.includes(word))).filter((mask) => mask.any));
    }
    if (!needed.length) return (this.rows = this.order);
    this.rows = this.order.filter((row) => needed.every((masks) => masks.some((mask) => mask.hits[mask.codes[row]])));
    return this.rows;
  }

  mask(column, test) {
    column.lower ??= column.values.map((value) => (value === null ? "" : String(value).toLowerCase()));
    const hits = new Uint8Array(column.values.length);
    let any = false;
    column.values.forEach((value, code) => {
      if (test(value, column.lower[code])) any = hits[code] = 1;
    });
    return { hits, codes: column.codes, any };
  }
}
