// SPDX-License-Identifier: BSD-2-Clause
// The keyboard: one list, which is the help as well.

function stepFinding(by) {
  const found = trace.findings.filter((finding) =>
    finding.pdu !== undefined && state.index[finding.pdu] >= 0);
  if (found.length === 0) return;
  const pdus = [...new Set(found.map((finding) => finding.pdu))].sort((a, b) => a - b);
  const next = by > 0 ? pdus.find((pdu) => pdu > state.selected)
    : pdus.findLast((pdu) => state.selected < 0 || pdu < state.selected);
  select(next ?? (by > 0 ? pdus[0] : pdus.at(-1)));
}

const pageOfRows = () =>
  scale.byTime ? 20 : Math.max(1, Math.floor(ladder.body() / scale.rowHeight) - 1);

const keys = [
  [['j', 'ArrowDown'], 'next PDU', () => step(1)],
  [['k', 'ArrowUp'], 'PDU before', () => step(-1)],
  [['PageDown'], 'a page on', () => step(pageOfRows())],
  [['PageUp'], 'a page back', () => step(-pageOfRows())],
  [['Home', 'g'], 'first PDU', () => step(-Infinity)],
  [['End', 'G'], 'last PDU', () => step(Infinity)],
  [[']'], 'next PDU of the same command', () => stepInCommand(1)],
  [['['], 'PDU of the same command before', () => stepInCommand(-1)],
  [['v'], 'next violation', () => stepFinding(1)],
  [['V'], 'violation before', () => stepFinding(-1)],
  [['/'], 'search', () => byId('query').select()],
  [['n'], 'next match', () => stepHit(1)],
  [['N'], 'match before', () => stepHit(-1)],
  [['+', '='], 'zoom in', () => ladder.zoom(1.5)],
  [['-'], 'zoom out', () => ladder.zoom(1 / 1.5)],
  [['0'], 'all of it', () => ladder.zoom(0)],
  [['t'], 'rows, or true to time', () => ladder.setByTime(!scale.byTime)],
  [['c'], 'clear filters', clearFilters],
  [['d'], 'light, dark, as the system', nextTheme],
  [['?'], 'this help', openHelp],
  [['Escape'], 'close this; clear the search; select nothing', escape],
];

function openHelp() {
  if (!byId('help').open) byId('help').showModal();
}

function escape() {
  if (state.selected >= 0) select(-1);
  else if (isFiltered()) clearFilters();
}

// Keys that an element has a use of its own for stay with it.
function isTaken(event) {
  const {target, key} = event;
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return true;
  if (target instanceof HTMLInputElement) return true;
  const moves = ['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End'].includes(key);
  return moves && target !== document.body && target !== ladder.canvas;
}

function startKeys() {
  const names = {ArrowDown: '\u2193', ArrowUp: '\u2191', Escape: 'Esc', PageDown: 'Page Down',
                 PageUp: 'Page Up'};
  byId('keys').replaceChildren(...keys.flatMap(([signs, what]) => [
    element('dt', null, ...signs.filter((sign) => sign !== '=').map((sign) =>
      element('kbd', null, names[sign] ?? sign))),
    element('dd', null, what),
  ]));
  byId('help-open').addEventListener('click', openHelp);
  addEventListener('keydown', (event) => {
    if (isTaken(event)) return;
    const found = keys.find(([signs]) => signs.includes(event.key));
    if (found === undefined) return;
    event.preventDefault();
    found[2]();
  });
}
