// SPDX-License-Identifier: BSD-2-Clause
// Drawing happens once for each frame of the screen, and only where something has changed.

const views = {ladder, scatter, histogram};
const due = new Set();
let frame = 0;

function drawNow() {
  frame = 0;
  const names = [...due];
  due.clear();
  for (const name of names) views[name].draw();
}

function draw(name) {
  due.add(name);
  // The part that the ladder shows stands among the latencies.
  if (name === 'ladder') due.add('scatter');
  if (frame === 0) frame = requestAnimationFrame(drawNow);
}

function drawAll() {
  for (const name of Object.keys(views)) draw(name);
}

when('filter', drawAll);
startTables();
startSearch();
startTheme();
startLadder();
startScatter();
startHistogram();
startKeys();
setTheme('system');
refilter();
new ResizeObserver(drawAll).observe(document.body);
for (const view of Object.values(views)) new ResizeObserver(drawAll).observe(view.canvas);
