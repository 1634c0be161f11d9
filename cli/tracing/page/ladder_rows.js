// SPDX-License-Identifier: BSD-2-Clause
// Rows of the ladder that are far enough apart to be told from each other.

// A pause that is long beside the others of the trace is marked.
const longPause = (() => {
  const pauses = [];
  const every = Math.max(1, Math.floor(trace.count / 2000));
  for (let i = 1; i < trace.count; i += every) pauses.push(trace.place[i] - trace.place[i - 1]);
  pauses.sort((a, b) => a - b);
  return Math.max(50000, 20 * (pauses[pauses.length >> 1] ?? 0));
})();

ladder.drawRows = (from, to) => {
  const {head, top} = ladder;
  const related = state.selected >= 0 ? commandOf(state.selected) : -1;
  const selected = state.selected >= 0
    ? head + scale.middle(state.index[state.selected]) - top : -Infinity;
  let lastLabel = -Infinity;
  for (let row = from; row < to; ++row) {
    const pdu = state.shown[row];
    const y = head + scale.middle(row) - top;
    const room = scale.byTime ? Math.min(y - lastLabel, 26) : scale.rowHeight;
    const readable = pdu === state.selected ||
      (room >= 13 && (!scale.byTime || Math.abs(y - selected) >= 13));
    if (readable) lastLabel = y;
    ladder.drawGround(row, pdu, y, related, readable ? Math.max(room, 13) : 2);
    ladder.drawArrow(pdu, y, related >= 0 && commandOf(pdu) === related, readable);
    if (readable) ladder.drawTexts(row, pdu, y, room);
  }
  if (related >= 0) ladder.drawBracket(related);
};

// What lies behind a row: selected, of the same command, a match, a finding.
ladder.drawGround = (row, pdu, y, related, high) => {
  const {pen, width, strip} = ladder;
  const ground = pdu === state.selected ? colours.select
    : related >= 0 && commandOf(pdu) === related ? colours.related
    : search.hits[pdu] ? colours.hit : row === ladder.hover ? colours.hover : null;
  if (ground !== null) {
    pen.fillStyle = ground;
    pen.fillRect(0, y - high / 2, width - strip.width, high);
  }
  if (trace.weight[pdu] > 0) {
    pen.fillStyle = colours.weights[trace.weight[pdu]];
    pen.fillRect(0, y - high / 2, 4, high);
  }
  const {host, controller} = ladder.columns;
  if (ground !== null) {
    pen.fillStyle = colours.line;
    pen.fillRect(host - 1, y - high / 2, 2, high);
    pen.fillRect(controller - 1, y - high / 2, 2, high);
  }
};

ladder.lineOf = (y, readable) =>
  readable && !scale.byTime && scale.rowHeight >= 20 ? y + scale.rowHeight * 0.22 : y;

// True to time an arrow begins when the first byte of its PDU was seen, and ends with its last.
ladder.drawArrow = (pdu, y, strong, readable) => {
  const {pen, columns} = ladder;
  const toHost = trace.toHost[pdu] !== 0;
  const from = toHost ? columns.controller : columns.host;
  const to = toHost ? columns.host : columns.controller;
  const lean = scale.byTime ? trace.took[pdu] * scale.pixelsPerNs : 0;
  const end = ladder.lineOf(y, readable);
  const colour = colours.groups[trace.group[pdu]];
  const inward = toHost ? 1 : -1;
  pen.strokeStyle = colour;
  pen.fillStyle = colour;
  pen.lineWidth = strong ? 2.5 : 1.5;
  pen.globalAlpha = readable || strong ? 1 : 0.6;
  if (trace.group[pdu] === group.open) pen.setLineDash([5, 4]);
  pen.beginPath();
  pen.moveTo(from, end - lean);
  pen.lineTo(to + inward * 3, end);
  pen.stroke();
  pen.setLineDash([]);
  const tip = readable ? 7 : 3;
  pen.beginPath();
  pen.moveTo(to + inward, end);
  pen.lineTo(to + inward * (tip + 1), end - tip / 2);
  pen.lineTo(to + inward * (tip + 1), end + tip / 2);
  pen.fill();
  if (trace.group[pdu] === group.failed && trace.type[pdu] === pduType.response) {
    pen.lineWidth = 2;
    pen.beginPath();
    const x = from + (toHost ? -9 : 9);
    for (const side of [-4, 4]) {
      pen.moveTo(x - 4, end - side);
      pen.lineTo(x + 4, end + side);
    }
    pen.stroke();
  }
  pen.globalAlpha = 1;
};

// As much of a text as fits.
ladder.cut = (text, width) => {
  const signs = Math.floor(width / ladder.columns.sign);
  return text.length <= signs ? text : text.slice(0, Math.max(signs - 1, 0)) + '\u2026';
};

ladder.drawTexts = (row, pdu, y, room) => {
  const {pen, columns} = ladder;
  pen.font = font;
  pen.textBaseline = 'middle';
  pen.textAlign = 'left';
  pen.fillStyle = colours.quiet;
  pen.fillText(secondsText(trace.time[pdu], trace.digits), columns.time, y);
  if (columns.pause !== undefined && row > 0) {
    const pause = trace.time[pdu] - trace.time[state.shown[row - 1]];
    const long = pause >= longPause;
    if (long) pen.fillStyle = colours.warning;
    pen.fillText((pause < 0 ? '' : '+') + durationText(pause), columns.pause, y);
    if (long && !scale.byTime && scale.rowHeight >= 8) ladder.drawBreak(y - scale.rowHeight / 2);
  }
  const command = commandOf(pdu);
  if (columns.tag !== undefined) {
    pen.fillStyle = colours.quiet;
    pen.fillText(connectionName(trace.connection[pdu]), columns.tag, y);
    if (command >= 0) {
      pen.fillStyle = colours.ink;
      pen.fillText(hex(trace.commands.cid[command], 4), columns.cid, y);
    }
  }
  ladder.drawLabel(pdu, y, room);
  if (columns.text === undefined) return;
  pen.textAlign = 'left';
  pen.fillStyle = colours.ink;
  const lane = columns.textEnd - columns.text;
  pen.fillText(ladder.cut(ladder.textOf(pdu), lane), columns.text, y);
};

// The line of fields, and what the arrow's label does not say.
ladder.textOf = (pdu) => {
  const text = trace.texts[trace.text[pdu]];
  const findings = trace.findingsOf.get(pdu);
  const about = findings === undefined ? '' :
    findings.map((finding) => `! ${finding.rule}`).join(' ') + '  ';
  const said = trace.type[pdu] === pduType.response && text.startsWith('ok') ? 2 : 0;
  return about + text.slice(said).trimStart();
};

ladder.drawLabel = (pdu, y, room) => {
  const {pen, columns} = ladder;
  const command = commandOf(pdu);
  let label = labelOf(pdu);
  if (trace.type[pdu] === pduType.h2cData || trace.type[pdu] === pduType.c2hData)
    label += ' ' + bytesText(trace.data[pdu]);
  if (columns.cid === undefined && command >= 0)
    label = `${hex(trace.commands.cid[command], 4)} ${label}`;
  label = ladder.cut(label, columns.controller - columns.host - 28);
  const middle = (columns.host + columns.controller) / 2;
  const above = !scale.byTime && scale.rowHeight >= 20;
  pen.textAlign = 'center';
  if (!above) {
    const wide = label.length * columns.sign + 10;
    pen.fillStyle = pdu === state.selected ? colours.select : colours.paper;
    pen.fillRect(middle - wide / 2, y - Math.min(room, 14) / 2, wide, Math.min(room, 14));
  }
  pen.fillStyle = colours.groups[trace.group[pdu]];
  pen.fillText(label, middle, above ? y - scale.rowHeight * 0.16 : y + 0.5);
};

// Time was left out between two rows.
ladder.drawBreak = (y) => {
  const {pen, columns} = ladder;
  pen.strokeStyle = colours.warning;
  pen.lineWidth = 1;
  pen.setLineDash([2, 4]);
  pen.beginPath();
  pen.moveTo(columns.host - 8, Math.round(y) + 0.5);
  pen.lineTo(columns.controller + 8, Math.round(y) + 0.5);
  pen.stroke();
  pen.setLineDash([]);
};

// From the first to the last PDU of a command, beside the host.
ladder.drawBracket = (command) => {
  const {pen, columns, head, top} = ladder;
  const pdus = pdusOf(command);
  const rows = [state.index[pdus[0]], state.index[pdus.at(-1)]];
  if (rows[0] < 0 || rows[1] <= rows[0]) return;
  const [first, last] = rows.map((row) => ladder.lineOf(head + scale.middle(row) - top, true));
  pen.fillStyle = colours.groups[trace.commands.group[command]];
  const begin = Math.max(first, -10);
  pen.fillRect(columns.host - 2, begin, 4, Math.min(last, ladder.height + 10) - begin);
};
