// SPDX-License-Identifier: BSD-2-Clause
// Finds PDUs by what they say: command and fields, CID, status, NQN, rule.

const search = {query: '', hits: new Uint8Array(trace.count), count: 0};

// "5", "0x1005", "cid 5": a CID, beside whatever text has it.
function cidIn(query) {
  const match = /^(?:cid\s*[:=]?\s*)?(0x[0-9a-f]{1,4}|\d{1,5})$/.exec(query);
  return match === null ? -1 : Number(match[1]);
}

// Which texts have it; each is looked at once, however many PDUs share it.
function textHits(query) {
  const hits = new Uint8Array(trace.texts.length);
  for (let t = 0; t < hits.length; ++t)
    if (trace.texts[t].toLowerCase().includes(query)) hits[t] = 1;
  return hits;
}

// A connection is found at its first PDU.
function hitConnections(query) {
  const wanted = new Set();
  trace.connections.forEach((c, index) => {
    const about = [c.host, c.controller, c.hostNqn, c.subsystem];
    if (about.some((text) => text.toLowerCase().includes(query))) wanted.add(index);
  });
  for (let i = 0; i < trace.count && wanted.size > 0; ++i)
    if (wanted.delete(trace.connection[i])) search.hits[i] = 1;
}

function hitFindings(query) {
  for (const finding of trace.findings) {
    if (finding.pdu === undefined) continue;
    const about = [finding.rule, finding.text, finding.severity, finding.by ?? ''];
    if (about.some((text) => text.toLowerCase().includes(query))) search.hits[finding.pdu] = 1;
  }
}

function find(text) {
  search.query = text.trim().toLowerCase();
  search.hits.fill(0);
  if (search.query !== '') {
    const {query, hits} = search;
    const texts = textHits(query);
    const cid = cidIn(query);
    const kinds = new Uint8Array(256);
    for (let type = 0; type < 256; ++type)
      if (kindOf(type).name.includes(query)) kinds[type] = 1;
    const c = trace.commands;
    for (let i = 0; i < trace.count; ++i) {
      const k = trace.command[i] - 1;
      if (kinds[trace.type[i]] || texts[trace.text[i]] || (k >= 0 &&
          (c.cid[k] === cid || (texts[c.name[k]] && isCapsule(i))))) hits[i] = 1;
    }
    hitConnections(query);
    hitFindings(query);
  }
  countHits();
}

function countHits() {
  search.count = 0;
  for (const i of state.shown) search.count += search.hits[i];
  showMatches();
}

// Which of the hits is selected, from 1; 0: none of them.
function hitNumber() {
  if (state.selected < 0 || !search.hits[state.selected]) return 0;
  let number = 0;
  for (let row = 0; row <= state.index[state.selected]; ++row)
    number += search.hits[state.shown[row]];
  return number;
}

function showMatches() {
  const text = search.query === '' ? '' :
    search.count === 0 ? 'none' : `${counted(hitNumber())} of ${counted(search.count)}`;
  byId('matches').value = text;
  byId('search').classList.toggle('nothing', search.query !== '' && search.count === 0);
  byId('next').disabled = byId('previous').disabled = search.count === 0;
}

// The next hit after what is selected, or the one before it; around the end.
function stepHit(by) {
  const rows = state.shown.length;
  if (search.count === 0) return;
  let row = state.selected < 0 ? (by > 0 ? -1 : rows) : state.index[state.selected];
  do row = (row + by + rows) % rows;
  while (!search.hits[state.shown[row]]);
  select(state.shown[row]);
}

function startSearch() {
  let due = 0;
  const now = () => {
    clearTimeout(due);
    due = 0;
    find(byId('query').value);
    drawAll();
  };
  byId('query').addEventListener('input', () => {
    clearTimeout(due);
    due = setTimeout(now, trace.count > 50000 ? 150 : 0);
  });
  byId('query').addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      byId('query').value = '';
      now();
      byId('ladder').focus();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (due !== 0) now();
      stepHit(event.shiftKey ? -1 : 1);
    }
  });
  byId('search').addEventListener('submit', (event) => event.preventDefault());
  byId('next').addEventListener('click', () => stepHit(1));
  byId('previous').addEventListener('click', () => stepHit(-1));
  when('filter', countHits);
  when('select', showMatches);
  showMatches();
}
