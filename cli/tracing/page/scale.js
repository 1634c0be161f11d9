// SPDX-License-Identifier: BSD-2-Clause
// Where a row of the ladder stands: by its number, or by its time. Positions are pixels from the
// first row, as numbers that may be far beyond what an element's height can be.

const scale = {
  byTime: false,
  rowHeight: 26,     // by number
  pixelsPerNs: 1e-3, // by time
  margin: 24,        // above and below, by time

  start() { return state.shown.length === 0 ? 0 : trace.place[state.shown[0]]; },
  end() { return state.shown.length === 0 ? 0 : trace.place[state.shown.at(-1)]; },

  ofTime(ns) { return this.margin + (ns - this.start()) * this.pixelsPerNs; },
  // The middle of a row's line.
  middle(row) {
    return this.byTime ? this.ofTime(trace.place[state.shown[row]]) : (row + 0.5) * this.rowHeight;
  },
  total() {
    if (this.byTime) return 2 * this.margin + (this.end() - this.start()) * this.pixelsPerNs;
    return state.shown.length * this.rowHeight;
  },
  // The first row whose middle is at `y` or below.
  rowAt(y) {
    const rows = state.shown.length;
    if (!this.byTime)
      return Math.min(Math.max(Math.ceil(y / this.rowHeight - 0.5), 0), rows);
    let low = 0;
    let high = rows;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.middle(middle) < y) low = middle + 1;
      else high = middle;
    }
    return low;
  },
  nearest(y) {
    const row = this.rowAt(y);
    const last = state.shown.length - 1;
    if (row > last) return last;
    return row > 0 && y - this.middle(row - 1) < this.middle(row) - y ? row - 1 : row;
  },
  // The time that stands at `y`.
  timeAt(y) {
    if (state.shown.length === 0) return 0;
    if (this.byTime) return this.start() + (y - this.margin) / this.pixelsPerNs;
    const row = Math.min(Math.max(Math.floor(y / this.rowHeight), 0), state.shown.length - 1);
    return trace.place[state.shown[row]];
  },

  zoom(factor, height) {
    if (this.byTime) {
      const all = Math.max(height - 2 * this.margin, 1) / Math.max(this.end() - this.start(), 1);
      this.pixelsPerNs = Math.min(Math.max(this.pixelsPerNs * factor, Math.min(all, 1)), 1);
    } else {
      const all = height / Math.max(state.shown.length, 1);
      this.rowHeight = Math.min(Math.max(this.rowHeight * factor, Math.min(all, 4)), 64);
    }
  },
  fit(height) {
    this.zoom(0, height);
    if (!this.byTime) this.rowHeight = Math.min(height / Math.max(state.shown.length, 1), 26);
  },
  // These rows, true to time, fill that height.
  show(from, to, height) {
    const span = trace.place[state.shown[to]] - trace.place[state.shown[from]];
    this.pixelsPerNs = Math.max(height - 2 * this.margin, 50) / Math.max(span, 1);
    this.zoom(1, height);
  },
};
