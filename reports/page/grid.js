// A window of rows on screen: as many as fit, whatever the table's length. The keys are those of
// the ARIA grid pattern.

const TALLEST = 8_000_000; // browsers stop laying out somewhere past this many pixels

class Grid {
  constructor(table, scroller) {
    this.table = table;
    this.scroller = scroller;
    this.sizer = scroller.querySelector("#sizer");
    this.grid = scroller.querySelector("table");
    this.body = this.grid.tBodies[0];
    this.columns = table.columns.filter((column) => column.width);
    this.selected = new Set();
    this.onselect = this.onsort = () => {};
    this.sorted = null;
    this.first = 0;
    this.at = { row: -1, column: 0 }; // row -1 is the headings
    this.head();
    this.measure();
    scroller.addEventListener("scroll", () => this.scrolled());
    scroller.addEventListener("keydown", (event) => this.key(event));
    this.grid.addEventListener("click", (event) => this.click(event));
    this.grid.addEventListener("dblclick", (event) => this.open(event.target.closest("tbody tr")));
    new ResizeObserver(() => this.measure()).observe(scroller);
  }

  head() {
    const sixteenths = this.columns.reduce((sum, column) => sum + column.width, 0);
    this.grid.style.width = `${sixteenths / 16}rem`;
    this.grid.style.minWidth = "100%";
    this.grid.querySelector("colgroup").append(
      ...this.columns.map((column) => {
        const made = element("col");
        made.style.width = `${(100 * column.width) / sixteenths}%`;
        return made;
      }),
    );
    const row = this.grid.tHead.insertRow();
    row.setAttribute("aria-rowindex", "1");
    this.columns.forEach((column, index) => {
      const cell = element("th", column.label, { scope: "col", role: "columnheader", "aria-sort": "none", "aria-colindex": index + 1, tabindex: "-1", "data-key": column.key });
      if (column.number) cell.className = "number";
      row.append(cell);
    });
    this.grid.setAttribute("aria-colcount", this.columns.length);
  }

  measure() {
    const head = this.grid.tHead.offsetHeight;
    this.height = head || 34;
    this.visible = Math.max(Math.floor((this.scroller.clientHeight - head) / this.height), 1);
    this.refresh();
  }

  // After the chosen rows changed.
  refresh() {
    const extra = Math.max(this.table.rows.length - this.visible, 0);
    this.sizer.style.height = `${this.scroller.clientHeight + Math.min(extra * this.height, TALLEST)}px`;
    this.grid.setAttribute("aria-rowcount", this.table.rows.length + 1);
    this.at.row = Math.min(this.at.row, this.table.rows.length - 1);
    this.show(this.first);
  }

  get last() {
    return Math.max(this.table.rows.length - this.visible, 0);
  }

  scrolled() {
    const room = this.scroller.scrollHeight - this.scroller.clientHeight;
    const first = room > 0 ? Math.round((this.scroller.scrollTop / room) * this.last) : 0;
    if (first !== this.first) this.draw(first);
  }

  show(first) {
    this.draw(Math.min(Math.max(first, 0), this.last));
    const room = this.scroller.scrollHeight - this.scroller.clientHeight;
    this.scroller.scrollTop = this.last ? (this.first / this.last) * room : 0;
  }

  draw(first) {
    const focused = this.scroller.contains(document.activeElement);
    this.first = first;
    const rows = this.table.rows.subarray(first, first + this.visible);
    this.body.replaceChildren(...Array.from(rows, (row, index) => this.line(row, first + index)));
    this.point(focused);
  }

  line(row, index) {
    const line = element("tr", undefined, { "aria-rowindex": index + 2, "aria-selected": this.selected.has(row), "data-index": index });
    this.columns.forEach((column, position) => {
      const value = column.values[column.codes[row]];
      const cell = element("td", value === "" ? "–" : shown(value, column.unknown), { role: "gridcell", "aria-colindex": position + 1, tabindex: "-1", "data-key": column.key });
      if (column.number) cell.className = "number";
      if (value === null) cell.classList.add("void");
      if (value !== null && ["use", "verdict"].includes(column.key)) {
        cell.className = "dot";
        cell.dataset[column.key] = value;
      }
      line.append(cell);
    });
    return line;
  }

  // One cell is in the tab order. When it is scrolled away the grid keeps the focus.
  point(focus) {
    for (const cell of this.grid.querySelectorAll("[tabindex='0']")) cell.tabIndex = -1;
    const line = this.at.row < 0 ? this.grid.tHead.rows[0] : this.body.rows[this.at.row - this.first];
    const cell = line?.cells[this.at.column];
    const target = cell ?? this.scroller;
    if (cell) cell.tabIndex = 0;
    else this.grid.tHead.rows[0].cells[this.at.column].tabIndex = 0;
    if (focus) target.focus({ preventScroll: true });
    if (focus && cell) this.sideways(cell);
  }

  sideways(cell) {
    const { scrollLeft: left, clientWidth: width } = this.scroller;
    if (cell.offsetLeft < left) this.scroller.scrollLeft = cell.offsetLeft;
    if (cell.offsetLeft + cell.offsetWidth > left + width) this.scroller.scrollLeft = cell.offsetLeft + cell.offsetWidth - width;
  }

  go(row, column) {
    this.at = {
      row: Math.min(Math.max(row, -1), this.table.rows.length - 1),
      column: Math.min(Math.max(column, 0), this.columns.length - 1),
    };
    if (this.at.row >= 0 && this.at.row < this.first) this.show(this.at.row);
    else if (this.at.row >= this.first + this.visible) this.show(this.at.row - this.visible + 1);
    this.point(true);
  }

  key(event) {
    const { row, column } = this.at;
    const far = event.ctrlKey || event.metaKey;
    const end = this.table.rows.length - 1;
    const steps = {
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + this.visible, column],
      PageUp: [Math.max(row - this.visible, 0), column],
      Home: far ? [0, 0] : [row, 0],
      End: far ? [end, this.columns.length - 1] : [row, this.columns.length - 1],
    };
    if (steps[event.key]) this.go(...steps[event.key]);
    else if (event.key === "Enter") this.enter();
    else if (event.key === " ") row < 0 ? this.enter() : this.toggle(row);
    else return;
    event.preventDefault();
  }

  enter() {
    if (this.at.row < 0) this.sort(this.columns[this.at.column].key);
    else showDetails(this.table, this.table.rows[this.at.row]);
  }

  click(event) {
    const cell = event.target.closest("th, td");
    if (!cell) return;
    const line = cell.parentElement;
    this.go(line.dataset.index === undefined ? -1 : Number(line.dataset.index), cell.cellIndex);
    if (line.dataset.index === undefined) this.sort(cell.dataset.key);
    else this.toggle(this.at.row);
  }

  open(line) {
    if (line) showDetails(this.table, this.table.rows[Number(line.dataset.index)]);
  }

  toggle(index) {
    const row = this.table.rows[index];
    if (!this.selected.delete(row)) this.selected.add(row);
    this.body.rows[index - this.first]?.setAttribute("aria-selected", this.selected.has(row));
    this.onselect();
  }

  sort(key) {
    const descending = this.sorted?.key === key && !this.sorted.descending;
    this.sorted = { key, descending };
    this.table.sort(key, descending);
    for (const cell of this.grid.tHead.rows[0].cells) {
      cell.setAttribute("aria-sort", cell.dataset.key !== key ? "none" : descending ? "descending" : "ascending");
    }
    this.onsort();
  }
}
