// SPDX-License-Identifier: BSD-2-Clause
// The ladder: host on the left, controller on the right, an arrow for each PDU. Only what can be
// seen is drawn; where rows are closer than pixels, a line stands for all of them.

const ladder = {
  canvas: byId('ladder'),
  pen: byId('ladder').getContext('2d'),
  width: 0,
  height: 0,
  top: 0,       // of what is seen, in the pixels of `scale`
  hover: -1,    // a row
  columns: {},
  strip: {image: null, width: 16},
  head: 26,     // the names of the two ends
  frames: 0,
  drawMs: 0,    // of the last frame
};

const font = '12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

ladder.body = () => ladder.height - ladder.head;
ladder.lastTop = () => Math.max(0, scale.total() - ladder.body());
ladder.scrollTo = (top) => {
  ladder.top = Math.min(Math.max(top, 0), ladder.lastTop());
  draw('ladder');
};
ladder.scrollBy = (by) => ladder.scrollTo(ladder.top + by);
ladder.rowAt = (y) => state.shown.length === 0 ? -1 : scale.nearest(y - ladder.head + ladder.top);

// Fits a canvas to its element and to the screen's pixels.
function fitCanvas(canvas, pen) {
  const ratio = devicePixelRatio || 1;
  const {clientWidth: width, clientHeight: height} = canvas;
  const wide = Math.round(width * ratio);
  const high = Math.round(height * ratio);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return {width, height};
}

// Columns by the width there is: time, pause before, connection, CID, lanes, text.
ladder.measure = () => {
  const {pen, width} = ladder;
  pen.font = font;
  const sign = pen.measureText('0').width;
  const longest = secondsText(trace.end, trace.digits).length;
  const tag = trace.connections.reduce((n, _, i) => Math.max(n, connectionName(i).length), 2);
  const columns = {sign, time: 10};
  let x = 10 + longest * sign + 14;
  if (width >= 620) {
    columns.pause = x;
    x += 11 * sign + 8;
  }
  if (width >= 480) {
    columns.tag = x;
    x += tag * sign + 12;
    columns.cid = x;
    x += 6 * sign + 12;
  }
  const right = width - ladder.strip.width - 10;
  columns.host = x + 10;
  columns.controller = right - 12;
  if (right - x >= 620) {
    columns.controller = columns.host + Math.max(250, Math.min(430, (right - x) * 0.36));
    columns.text = columns.controller + 22;
    columns.textEnd = right;
  }
  ladder.columns = columns;
};

ladder.draw = () => {
  const begun = performance.now();
  Object.assign(ladder, fitCanvas(ladder.canvas, ladder.pen));
  ladder.measure();
  ladder.top = Math.min(Math.max(ladder.top, 0), ladder.lastTop());
  const {pen, width, height, head} = ladder;
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(0, head, width - ladder.strip.width, height - head);
  pen.clip();
  const from = scale.rowAt(ladder.top - scale.rowHeight);
  const to = Math.min(scale.rowAt(ladder.top + ladder.body() + 40) + 1, state.shown.length);
  ladder.drawLifelines();
  if (to - from > ladder.body()) ladder.drawDense(from, to);
  else ladder.drawRows(from, to);
  pen.restore();
  ladder.drawHead();
  ladder.drawStrip();
  if (state.shown.length === 0) ladder.drawNothing();
  ladder.drawMs = performance.now() - begun;
  if (ladder.frames++ === 0) performance.mark('ladder-drawn');
};

ladder.drawLifelines = () => {
  const {pen, columns, head, height} = ladder;
  pen.strokeStyle = colours.line;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const x of [columns.host, columns.controller]) {
    pen.moveTo(x, head);
    pen.lineTo(x, height);
  }
  pen.stroke();
};

ladder.drawHead = () => {
  const {pen, columns, width, head} = ladder;
  const one = state.connection >= 0 ? trace.connections[state.connection] : null;
  const room = columns.controller - columns.host;
  const names = one !== null && room > 330 && columns.text !== undefined
    ? [`host ${one.host}`, `controller ${one.controller}`] : ['host', 'controller'];
  pen.fillStyle = colours.raised;
  pen.fillRect(0, 0, width, head);
  pen.fillStyle = colours.line;
  pen.fillRect(0, head - 1, width, 1);
  pen.font = font;
  pen.textBaseline = 'middle';
  pen.fillStyle = colours.quiet;
  const y = head / 2;
  pen.textAlign = 'left';
  pen.fillText('time, s', columns.time, y);
  if (columns.pause !== undefined) pen.fillText('pause', columns.pause, y);
  if (columns.cid !== undefined) pen.fillText('CID', columns.cid, y);
  if (columns.text !== undefined) pen.fillText('fields', columns.text, y);
  pen.fillStyle = colours.ink;
  pen.font = 'bold ' + font;
  pen.fillText(names[0], columns.host - 8, y);
  pen.textAlign = 'right';
  pen.fillText(names[1], columns.controller + 8, y);
};

ladder.drawNothing = () => {
  const {pen, width, height} = ladder;
  pen.font = font;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillStyle = colours.quiet;
  const text = trace.count === 0 ? 'There are no PDUs in this trace.'
    : 'No PDU passes the filters (c clears them).';
  pen.fillText(text, width / 2, height / 2);
};

// Rows without end: each line of pixels is parted by what became of what stands there.
ladder.drawDense = (from, to) => {
  const {pen, columns, head, top} = ladder;
  const lines = Math.ceil(ladder.body()) + 1;
  const seen = new Uint32Array(lines * 4);
  for (let row = from; row < to; ++row) {
    const y = Math.floor(scale.middle(row) - top);
    if (y >= 0 && y < lines) ++seen[y * 4 + trace.group[state.shown[row]]];
  }
  const sums = Array.from({length: lines}, (_, y) =>
    seen[y * 4] + seen[y * 4 + 1] + seen[y * 4 + 2] + seen[y * 4 + 3]);
  const most = Math.max(...sums);
  const room = columns.controller - columns.host;
  sums.forEach((sum, y) => {
    if (sum === 0) return;
    let x = columns.host;
    for (const kind of [group.failed, group.open, group.none, group.good]) {
      const n = seen[y * 4 + kind];
      if (n === 0) continue;
      const wide = Math.min(Math.max(room * n / sum, 4), columns.controller - x);
      pen.fillStyle = colours.groups[kind];
      pen.globalAlpha = kind === group.good || kind === group.none ? 0.3 + 0.6 * sum / most : 1;
      pen.fillRect(x, head + y, wide, 1);
      x += wide;
    }
  });
  pen.globalAlpha = 1;
  if (columns.text === undefined) return;
  pen.font = font;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillStyle = colours.quiet;
  pen.fillText(`${counted(to - from)} PDUs: zoom in to read them`, columns.text, head + 20);
  ladder.drawTimes(26);
};

// Times beside what is too dense for a time at each row.
ladder.drawTimes = (every) => {
  const {pen, columns, head, height, top} = ladder;
  pen.font = font;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  pen.fillStyle = colours.quiet;
  for (let y = head + every / 2; y < height; y += every)
    if (y - head + top < scale.total())
      pen.fillText(secondsText(scale.timeAt(y - head + top), trace.digits), columns.time, y);
};

// The whole trace at the right edge: how dense it is, what failed, where the view is.
ladder.drawStrip = () => {
  const {pen, width, height, head, strip} = ladder;
  const x = width - strip.width;
  const high = height - head;
  const total = scale.total();
  pen.fillStyle = colours.raised;
  pen.fillRect(x, head, strip.width, high);
  if (state.shown.length === 0) return;
  const key = [state.shown.length, state.shown[0], high, total, colours.good, scale.byTime].join();
  if (strip.key !== key || strip.of !== state.shown) {
    strip.marks = ladder.stripMarks(Math.ceil(high), high / Math.max(total, high));
    strip.key = key;
    strip.of = state.shown;
  }
  strip.marks.forEach((kind, y) => {
    if (kind < 0) return;
    pen.fillStyle = kind > 3 ? colours.weights[kind - 3] : colours.groups[kind];
    pen.globalAlpha = kind === group.good || kind === group.none ? 0.35 : 1;
    pen.fillRect(kind > 3 ? x + 2 : x + 5, head + y, kind > 3 ? strip.width - 4 : 6, 1);
  });
  pen.globalAlpha = 1;
  const factor = high / Math.max(total, high);
  pen.fillStyle = colours.brush;
  pen.fillRect(x, head + ladder.top * factor, strip.width, Math.max(high * factor, 6));
  pen.strokeStyle = colours.quiet;
  pen.lineWidth = 1;
  pen.strokeRect(x + 0.5, head + ladder.top * factor + 0.5, strip.width - 1,
                 Math.max(Math.min(high, total) * factor, 6) - 1);
  if (state.selected < 0) return;
  pen.fillStyle = colours.ink;
  const at = scale.middle(state.index[state.selected]) * factor;
  pen.fillRect(x, Math.round(head + at) - 1, strip.width, 2);
};

// For each line of the strip the worst that stands there; findings are 4 and up.
ladder.stripMarks = (lines, factor) => {
  const order = [1, 3, 2, 0];  // of groups: nothing is worse than to fail
  const rank = (kind) => kind < 0 ? -1 : kind > 3 ? kind : order[kind];
  const marks = new Array(lines).fill(-1);
  for (let row = 0; row < state.shown.length; ++row) {
    const y = Math.min(Math.floor(scale.middle(row) * factor), lines - 1);
    const i = state.shown[row];
    const kind = trace.weight[i] > 0 ? 3 + trace.weight[i] : trace.group[i];
    if (rank(kind) > rank(marks[y])) marks[y] = kind;
  }
  return marks;
};

// Brings a row into view, in the middle when it was out of it.
ladder.reveal = (row) => {
  if (row < 0 || ladder.height === 0) return;
  const y = scale.middle(row) - ladder.top;
  const margin = Math.min(scale.byTime ? 30 : scale.rowHeight, ladder.body() / 3);
  if (y < margin * 0.5 || y > ladder.body() - margin * 0.5)
    ladder.scrollTo(ladder.top + y - ladder.body() / 2);
};

ladder.zoom = (factor, y = ladder.body() / 2) => {
  if (state.selected >= 0 && y === ladder.body() / 2) {
    // What is selected stays where it is, when it is seen.
    const at = scale.middle(state.index[state.selected]) - ladder.top;
    if (at > 0 && at < ladder.body()) y = at;
  }
  const row = scale.byTime ? -1 : (ladder.top + y) / scale.rowHeight;
  const time = scale.timeAt(ladder.top + y);
  if (factor === 0) scale.fit(ladder.body());
  else scale.zoom(factor, ladder.body());
  ladder.scrollTo((scale.byTime ? scale.ofTime(time) : row * scale.rowHeight) - y);
};

ladder.setByTime = (yes) => {
  if (scale.byTime === yes) return;
  // What is seen now is what is seen then.
  const last = state.shown.length - 1;
  const from = Math.min(scale.rowAt(ladder.top), last);
  const to = Math.min(scale.rowAt(ladder.top + ladder.body()), last);
  scale.byTime = yes;
  if (yes && last >= 0) scale.show(from, to, ladder.body());
  byId('by-time').setAttribute('aria-pressed', yes);
  byId('by-rows').setAttribute('aria-pressed', !yes);
  if (last >= 0) ladder.scrollTo(scale.middle(from) - (yes ? scale.margin : scale.rowHeight / 2));
  if (state.selected >= 0) ladder.reveal(state.index[state.selected]);
  draw('ladder');
};
