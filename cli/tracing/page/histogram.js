// SPDX-License-Identifier: BSD-2-Clause
// How often each latency came, in steps that are linear within a power of two. Of the commands
// that pass the filters.

const histogram = {
  canvas: byId('histogram'),
  pen: byId('histogram').getContext('2d'),
  steps: 4,
  bars: null,
  hover: -1,
};

histogram.indexOf = (ns) => {
  const value = Math.max(ns, 1);
  const octave = Math.floor(Math.log2(value));
  const step = Math.floor((value / 2 ** octave - 1) * histogram.steps);
  return octave * histogram.steps + Math.min(step, histogram.steps - 1);
};
histogram.lowerEnd = (index) => {
  const octave = Math.floor(index / histogram.steps);
  return 2 ** octave * (1 + (index % histogram.steps) / histogram.steps);
};

// The same without the steps: where in its step a latency lies.
histogram.placeOf = (ns) => {
  const octave = Math.floor(Math.log2(Math.max(ns, 1)));
  return (octave + ns / 2 ** octave - 1) * histogram.steps;
};
// Powers of ten; with twos and fives where there are few.
histogram.ticks = (low, high) => {
  const [from, to] = [low, high].map(histogram.lowerEnd);
  const factors = to / from > 3000 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let decade = 10 ** Math.floor(Math.log10(from)); decade <= to; decade *= 10)
    for (const factor of factors)
      if (decade * factor >= from && decade * factor <= to) ticks.push(decade * factor);
  return ticks;
};

histogram.count = () => {
  const c = trace.commands;
  const some = [];
  const good = new Map();
  const failed = new Map();
  for (let k = 0; k < trace.commandCount; ++k) {
    if (Number.isNaN(c.latency[k]) || !commandShown(k)) continue;
    some.push(c.latency[k]);
    const to = c.failed[k] ? failed : good;
    const index = histogram.indexOf(c.latency[k]);
    to.set(index, (to.get(index) ?? 0) + 1);
  }
  const sorted = Float32Array.from(some).sort();
  const share = (p) => sorted[Math.min(Math.ceil(p * sorted.length), sorted.length) - 1];
  histogram.bars = {
    good, failed, count: sorted.length,
    percentiles: sorted.length === 0 ? [] :
      [['p50', share(0.5)], ['p99', share(0.99)], ['max', sorted.at(-1)]],
    low: sorted.length === 0 ? 40 : histogram.indexOf(sorted[0]),
    high: sorted.length === 0 ? 80 : histogram.indexOf(sorted.at(-1)) + 1,
  };
  // Few bars have room around them.
  const lacking = Math.max(0, 10 - (histogram.bars.high - histogram.bars.low)) >> 1;
  histogram.bars.low = Math.max(0, histogram.bars.low - lacking);
  histogram.bars.high += lacking;
};

histogram.draw = () => {
  const {canvas, pen} = histogram;
  Object.assign(histogram, fitCanvas(canvas, pen));
  if (histogram.bars === null) histogram.count();
  const {width, height} = histogram;
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, width, height);
  if (width < 60 || height < 40) return;
  const {good, failed, low, high} = histogram.bars;
  const box = {left: 10, right: width - 10, top: 18, bottom: height - 20};
  // A few bars stand in the middle, not as wide as a hand.
  const wide = Math.min((box.right - box.left) / (high - low), 28);
  const left = (box.left + box.right - wide * (high - low)) / 2;
  histogram.place = {left, wide, low, high};
  let most = 1;
  for (let i = low; i < high; ++i)
    most = Math.max(most, (good.get(i) ?? 0) + (failed.get(i) ?? 0));
  const unit = (box.bottom - box.top) / most;
  for (let i = low; i < high; ++i) {
    let y = box.bottom;
    const x = left + (i - low) * wide;
    for (const [from, colour] of [[good, colours.good], [failed, colours.failed]]) {
      const n = from.get(i) ?? 0;
      if (n === 0) continue;
      const bar = Math.max(n * unit, 1.5);
      pen.fillStyle = colour;
      pen.globalAlpha = i === histogram.hover ? 0.7 : 1;
      pen.fillRect(x, y - bar, Math.max(wide - 1, 1), bar);
      y -= bar;
    }
  }
  pen.globalAlpha = 1;
  histogram.drawAxis(box, left, wide);
};

histogram.drawAxis = (box, left, wide) => {
  const {pen} = histogram;
  const {low, high, percentiles, count} = histogram.bars;
  pen.font = '11px ui-sans-serif, system-ui, sans-serif';
  pen.fillStyle = colours.grid;
  pen.fillRect(box.left, box.bottom, box.right - box.left, 1);
  pen.textBaseline = 'top';
  pen.textAlign = 'center';
  if (count === 0) {
    pen.fillStyle = colours.quiet;
    pen.fillText('no latencies', (box.left + box.right) / 2, (box.top + box.bottom) / 2);
    return;
  }
  pen.fillStyle = colours.quiet;
  let lastEnd = -Infinity;
  for (const ns of histogram.ticks(low, high)) {
    const x = left + (histogram.placeOf(ns) - low) * wide;
    const text = roundText(ns);
    const half = pen.measureText(text).width / 2;
    if (x - half < lastEnd + 10 || x - half < 0 || x + half > histogram.width) continue;
    pen.fillRect(Math.round(x), box.bottom, 1, 4);
    pen.fillText(text, x, box.bottom + 6);
    lastEnd = x + half;
  }
  pen.textBaseline = 'bottom';
  for (const [name, ns] of percentiles.slice(0, 2)) {
    const x = left + (histogram.placeOf(ns) - low) * wide;
    pen.fillStyle = colours.ink;
    pen.globalAlpha = 0.5;
    pen.fillRect(Math.round(x), box.top - 2, 1, box.bottom - box.top + 2);
    pen.globalAlpha = 1;
    const before = name === 'p50' ? x > 40 : x + 30 > box.right;
    pen.textAlign = before ? 'right' : 'left';
    pen.fillText(name, x + (before ? -3 : 3), box.top);
  }
};

function noteHistogram() {
  const {bars, hover} = histogram;
  if (bars === null) return;
  let text = plural(bars.count, 'command');
  if (hover >= 0) {
    const n = (bars.good.get(hover) ?? 0) + (bars.failed.get(hover) ?? 0);
    const ends = [hover, hover + 1].map((index) => roundText(histogram.lowerEnd(index)));
    text = `${ends.join(' to ')}: ${plural(n, 'command')}`;
  } else if (bars.count > 0) {
    text = bars.percentiles.map(([name, ns]) => `${name} ${roundText(ns)}`).join(', ');
  }
  byId('histogram-note').textContent = text;
  histogram.canvas.setAttribute('aria-label', `Histogram of latencies: ${text}`);
}

function startHistogram() {
  histogram.canvas.addEventListener('pointermove', (event) => {
    const {left, wide, low, high} = histogram.place ?? {};
    if (left === undefined) return;
    const index = low + Math.floor((event.offsetX - left) / wide);
    histogram.hover = index >= low && index < high ? index : -1;
    noteHistogram();
    draw('histogram');
  });
  histogram.canvas.addEventListener('pointerleave', () => {
    histogram.hover = -1;
    noteHistogram();
    draw('histogram');
  });
  when('filter', () => {
    histogram.count();
    histogram.hover = -1;
    noteHistogram();
    draw('histogram');
  });
}
