// SPDX-License-Identifier: BSD-2-Clause
// Wheel, mouse and fingers on the ladder.

function startLadder() {
  const {canvas} = ladder;
  const pointers = new Map();
  let moved = false;
  let onStrip = false;
  let apart = 0;  // of two fingers

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return {x: event.clientX - box.left, y: event.clientY - box.top};
  };
  const jump = (y) => {
    const share = (y - ladder.head) / ladder.body();
    const total = Math.max(scale.total(), ladder.body());
    ladder.scrollTo(share * total - ladder.body() / 2);
  };
  const spread = () => {
    const [a, b] = pointers.values();
    return Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1);
  };

  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 26 : event.deltaMode === 2 ? ladder.body() : 1;
    const by = event.deltaY * unit;
    if (event.ctrlKey || event.metaKey || event.altKey)
      ladder.zoom(Math.exp(-by / 300), place(event).y - ladder.head);
    else ladder.scrollBy(by);
  }, {passive: false});

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const at = place(event);
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at);
    moved = false;
    onStrip = pointers.size === 1 && at.x > ladder.width - ladder.strip.width;
    if (onStrip) jump(at.y);
    if (pointers.size === 2) apart = spread();
  });

  canvas.addEventListener('pointermove', (event) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (before === undefined) {
      const row = at.x > ladder.width - ladder.strip.width || at.y < ladder.head
        ? -1 : ladder.rowAt(at.y);
      if (row !== ladder.hover) {
        ladder.hover = row;
        draw('ladder');
      }
      return;
    }
    if (onStrip) return jump(at.y);
    if (pointers.size === 1 && !moved && Math.abs(at.y - before.y) < 4) return;
    moved = true;
    pointers.set(event.pointerId, at);
    if (pointers.size === 2) {
      const [a, b] = pointers.values();
      ladder.zoom(spread() / apart, (a.y + b.y) / 2 - ladder.head);
      apart = spread();
    } else {
      ladder.scrollBy(before.y - at.y);
    }
  });

  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (event.type !== 'pointerup' || moved || onStrip || pointers.size > 0) return;
    const {y} = place(event);
    const row = y < ladder.head ? -1 : ladder.rowAt(y);
    if (row >= 0) select(state.shown[row]);
  };
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', release);
  canvas.addEventListener('pointerleave', () => {
    if (ladder.hover < 0) return;
    ladder.hover = -1;
    draw('ladder');
  });

  byId('by-rows').addEventListener('click', () => ladder.setByTime(false));
  byId('by-time').addEventListener('click', () => ladder.setByTime(true));
  byId('zoom-in').addEventListener('click', () => ladder.zoom(1.5));
  byId('zoom-out').addEventListener('click', () => ladder.zoom(1 / 1.5));
  byId('zoom-fit').addEventListener('click', () => ladder.zoom(0));

  when('filter', () => {
    ladder.hover = -1;
    if (scale.byTime) scale.zoom(1, ladder.body());
    draw('ladder');
  });
  when('select', () => {
    if (state.selected >= 0) ladder.reveal(state.index[state.selected]);
    draw('ladder');
  });
}
