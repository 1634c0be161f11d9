// SPDX-License-Identifier: BSD-2-Clause
// Latency over time: a point for each command, coloured by its name; what failed is a cross. A
// drag keeps that time only, a click goes to the command.

const scatter = {
  canvas: byId('scatter'),
  pen: byId('scatter').getContext('2d'),
  points: null,  // drawn once, used for many frames
  order: null,   // commands with a latency, by the time they were sent
  drag: null,
  hover: -1,
};

// Names by how often they come; the most frequent have a colour of their own.
const commandNames = (() => {
  const counts = new Map();
  for (const name of trace.commands.name) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
})();
const seriesMax = 6;
const seriesOf = new Map(commandNames.slice(0, seriesMax).map(([name], n) => [name, n]));

scatter.measure = () => {
  const c = trace.commands;
  if (scatter.order === null) {
    const some = [];
    for (let k = 0; k < trace.commandCount; ++k) if (!Number.isNaN(c.latency[k])) some.push(k);
    scatter.order = Uint32Array.from(some).sort((a, b) => c.sent[a] - c.sent[b]);
    let low = Infinity;
    let high = 1;
    for (const k of scatter.order) {
      low = Math.min(low, Math.max(c.latency[k], 1));
      high = Math.max(high, c.latency[k]);
    }
    if (low === Infinity) [low, high] = [1e4, 1e6];
    scatter.decades = [Math.floor(Math.log10(low)), Math.max(Math.ceil(Math.log10(high)),
                                                             Math.floor(Math.log10(low)) + 1)];
  }
  const {width, height} = scatter;
  scatter.box = {left: 58, right: width - 10, top: 8, bottom: height - 20};
};

scatter.x = (ns) => {
  const {left, right} = scatter.box;
  return left + 4 + (right - left - 8) * (trace.end > 0 ? ns / trace.end : 0.5);
};
scatter.y = (ns) => {
  const {top, bottom} = scatter.box;
  const [low, high] = scatter.decades;
  const share = (Math.log10(Math.max(ns, 1)) - low) / (high - low);
  return bottom - 6 - (bottom - top - 12) * share;
};
scatter.timeAt = (x) => {
  const {left, right} = scatter.box;
  const share = (x - left - 4) / (right - left - 8);
  return Math.min(Math.max(share, 0), 1) * trace.end;
};

scatter.draw = () => {
  const {canvas, pen} = scatter;
  Object.assign(scatter, fitCanvas(canvas, pen));
  if (scatter.width < 80 || scatter.height < 40) return;
  scatter.measure();
  const key = [canvas.width, canvas.height, state.connection, [...state.hiddenGroups].join(),
               [...state.hiddenNames].join(' '), colours.paper, colours.good].join('|');
  if (key !== scatter.key) {
    scatter.key = key;
    scatter.points = scatter.drawPoints();
  }
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, scatter.width, scatter.height);
  scatter.drawAxes();
  pen.drawImage(scatter.points, 0, 0, scatter.width, scatter.height);
  scatter.drawMarks();
};

scatter.drawAxes = () => {
  const {pen, box} = scatter;
  pen.font = '11px ui-sans-serif, system-ui, sans-serif';
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  pen.lineWidth = 1;
  const [low, high] = scatter.decades;
  const every = Math.max(1, Math.ceil((high - low) * 16 / (box.bottom - box.top)));
  for (let decade = low; decade <= high; decade += every) {
    const y = Math.round(scatter.y(10 ** decade)) + 0.5;
    pen.strokeStyle = colours.grid;
    pen.beginPath();
    pen.moveTo(box.left, y);
    pen.lineTo(box.right, y);
    pen.stroke();
    pen.fillStyle = colours.quiet;
    pen.fillText(roundText(10 ** decade), box.left - 6, y);
  }
  pen.textBaseline = 'top';
  pen.textAlign = 'center';
  for (const ns of scatter.ticks()) {
    const x = scatter.x(ns);
    const text = ns === 0 ? '0' : roundText(ns);
    if (x + pen.measureText(text).width / 2 > scatter.width) break;
    pen.fillRect(Math.round(x), box.bottom, 1, 3);
    pen.fillText(text, x, box.bottom + 6);
  }
};

// Round times, some hundred pixels apart.
scatter.ticks = () => {
  if (trace.end === 0) return [0];
  const least = trace.end * 110 / (scatter.box.right - scatter.box.left);
  const decade = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].find((factor) => factor * decade >= least) * decade;
  return Array.from({length: Math.floor(trace.end / step) + 1}, (_, n) => n * step);
};

// Points that fall on each other are drawn once.
scatter.drawPoints = () => {
  const {width, height} = scatter.canvas;
  const sheet = new OffscreenCanvas(width, height);
  const pen = sheet.getContext('2d');
  const ratio = width / scatter.width;
  pen.scale(ratio, ratio);
  const taken = new Uint8Array(Math.ceil(scatter.width) * Math.ceil(scatter.height));
  const wide = Math.ceil(scatter.width);
  const c = trace.commands;
  const failed = [];
  const size = scatter.order.length > 20000 ? 2 : scatter.order.length > 2000 ? 2.5 : 4;
  const series = Array.from({length: seriesMax + 1}, () => []);
  for (const k of scatter.order) {
    if (!commandShown(k, false)) continue;
    if (c.group[k] === group.failed) failed.push(k);
    else series[seriesOf.get(c.name[k]) ?? seriesMax].push(k);
  }
  // What is rare stands in front.
  series.forEach((members, n) => {
    pen.fillStyle = colours.series[n] ?? colours.none;
    for (const k of members) {
      const x = scatter.x(c.sent[k]);
      const y = scatter.y(c.latency[k]);
      const cell = Math.round(y) * wide + Math.round(x);
      if (taken[cell] === n + 1) continue;
      taken[cell] = n + 1;
      pen.fillRect(x - size / 2, y - size / 2, size, size);
    }
  });
  pen.strokeStyle = colours.failed;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const k of failed) {
    const x = scatter.x(c.sent[k]);
    const y = scatter.y(c.latency[k]);
    pen.moveTo(x - 3.5, y - 3.5);
    pen.lineTo(x + 3.5, y + 3.5);
    pen.moveTo(x + 3.5, y - 3.5);
    pen.lineTo(x - 3.5, y + 3.5);
  }
  pen.stroke();
  return sheet;
};

// What lies above the points: the range, what the ladder shows, the command that is selected.
scatter.drawMarks = () => {
  const {pen, box} = scatter;
  const range = scatter.drag?.range ?? state.range;
  if (range !== null) {
    pen.fillStyle = colours.brush;
    const [from, to] = range.map(scatter.x);
    pen.fillRect(from, box.top, Math.max(to - from, 1), box.bottom - box.top);
  }
  if (state.shown.length > 0 && ladder.height > 0) {
    const from = scatter.x(scale.timeAt(ladder.top));
    const to = scatter.x(scale.timeAt(ladder.top + ladder.body()));
    pen.fillStyle = colours.quiet;
    pen.fillRect(from, box.bottom + 1, Math.max(Math.min(to, box.right) - from, 3), 3);
  }
  const selected = state.selected >= 0 ? commandOf(state.selected) : -1;
  for (const [k, colour] of [[scatter.hover, colours.quiet], [selected, colours.ink]]) {
    if (k < 0 || Number.isNaN(trace.commands.latency[k])) continue;
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(scatter.x(trace.commands.sent[k]), scatter.y(trace.commands.latency[k]), 6, 0, 7);
    pen.stroke();
  }
};

// The shown command whose point is nearest, within a finger's width; or -1.
scatter.nearest = (x, y) => {
  const reach = 12;
  const c = trace.commands;
  const from = scatter.timeAt(x - reach);
  const to = scatter.timeAt(x + reach);
  let low = 0;
  let high = scatter.order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (c.sent[scatter.order[middle]] < from) low = middle + 1;
    else high = middle;
  }
  let best = -1;
  let least = reach;
  for (; low < scatter.order.length && c.sent[scatter.order[low]] <= to; ++low) {
    const k = scatter.order[low];
    if (!commandShown(k, false)) continue;
    const away = Math.hypot(scatter.x(c.sent[k]) - x, scatter.y(c.latency[k]) - y);
    if (away < least) [best, least] = [k, away];
  }
  return best;
};

function startScatter() {
  const {canvas} = scatter;
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    scatter.drag = {from: event.offsetX, range: null};
  });
  canvas.addEventListener('pointermove', (event) => {
    const {drag} = scatter;
    if (drag === null) {
      scatter.hover = scatter.box === undefined ? -1 :
        scatter.nearest(event.offsetX, event.offsetY);
      canvas.classList.toggle('pointed', scatter.hover >= 0);
      noteScatter();
      return draw('scatter');
    }
    if (drag.range === null && Math.abs(event.offsetX - drag.from) < 5) return;
    drag.range = [drag.from, event.offsetX].map(scatter.timeAt).sort((a, b) => a - b);
    draw('scatter');
  });
  canvas.addEventListener('pointerup', (event) => {
    const {drag} = scatter;
    scatter.drag = null;
    if (drag === null) return;
    if (drag.range !== null) {
      state.range = drag.range;
      return refilter();
    }
    const k = scatter.nearest(event.offsetX, event.offsetY);
    if (k >= 0 && pdusOf(k).length > 0) goTo(pdusOf(k)[0]);
  });
  canvas.addEventListener('pointercancel', () => { scatter.drag = null; });
  canvas.addEventListener('pointerleave', () => {
    scatter.hover = -1;
    noteScatter();
    draw('scatter');
  });
  canvas.addEventListener('dblclick', () => {
    state.range = null;
    refilter();
  });
  when('filter', noteScatter);
  when('select', () => draw('scatter'));
}

function noteScatter() {
  const k = scatter.hover;
  const c = trace.commands;
  const latencies = scatter.order?.length ?? 0;
  byId('scatter-note').textContent = k >= 0
    ? `${nameOf(k)} ${hex(c.cid[k], 4)}: ${durationText(c.latency[k])}, ${trace.texts[c.status[k]]}`
    : trace.commandCount === 0 ? 'no commands'
    : scatter.width > 900 ? 'drag to keep a time, click to go there' : '';
  scatter.canvas.setAttribute('aria-label',
    `Latency over time of ${plural(latencies, 'command')}, logarithmic`);
}
