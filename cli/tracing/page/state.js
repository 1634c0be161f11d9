// SPDX-License-Identifier: BSD-2-Clause
// What is shown and what is selected; whoever draws listens to it.

const state = {
  connection: -1,          // an index; -1: all
  range: null,             // [from, to] in nanoseconds
  hiddenGroups: new Set(), // of what became of commands
  hiddenNames: new Set(),  // of commands, as numbers of texts
  selected: -1,            // a PDU
  shown: new Uint32Array(0),
  index: new Int32Array(trace.count),  // of each PDU in `shown`; -1: it is not there
};

const watchers = {filter: [], select: []};
const when = (what, call) => watchers[what].push(call);
const tell = (what) => watchers[what].forEach((call) => call());

function commandShown(k, ranged = true) {
  const c = trace.commands;
  if (state.connection >= 0 && c.connection[k] !== state.connection) return false;
  if (state.hiddenGroups.has(c.group[k]) || state.hiddenNames.has(c.name[k])) return false;
  if (!ranged || state.range === null) return true;
  return c.sent[k] >= state.range[0] && c.sent[k] <= state.range[1];
}

// A command that was sent within the range is shown with all its PDUs, also later ones.
function pduShown(i) {
  const command = commandOf(i);
  if (command >= 0) return commandShown(command);
  if (state.connection >= 0 && trace.connection[i] !== state.connection) return false;
  if (state.hiddenGroups.has(group.none)) return false;
  return state.range === null ||
    (trace.time[i] >= state.range[0] && trace.time[i] <= state.range[1]);
}

function refilter() {
  const shown = new Uint32Array(trace.count);
  let count = 0;
  for (let i = 0; i < trace.count; ++i) {
    const yes = pduShown(i);
    state.index[i] = yes ? count : -1;
    if (yes) shown[count++] = i;
  }
  state.shown = shown.subarray(0, count);
  if (state.selected >= 0 && state.index[state.selected] < 0) state.selected = -1;
  tell('filter');
  tell('select');
}

const isFiltered = () =>
  state.connection >= 0 || state.range !== null || state.hiddenGroups.size > 0 ||
  state.hiddenNames.size > 0;

function clearFilters() {
  state.connection = -1;
  state.range = null;
  state.hiddenGroups.clear();
  state.hiddenNames.clear();
  refilter();
}

function filterConnection(index) {
  state.connection = state.connection === index ? -1 : index;
  refilter();
}

function toggle(set, member) {
  if (!set.delete(member)) set.add(member);
  refilter();
}

function select(pdu) {
  if (pdu === state.selected) return;
  state.selected = pdu;
  tell('select');
}

// Selects a PDU that filters may hide: they make way.
function goTo(pdu) {
  if (state.index[pdu] < 0) clearFilters();
  select(pdu);
}

// The nearest shown PDU at or after a time; the last where there is none.
function shownAt(ns) {
  let low = 0;
  let high = state.shown.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (trace.place[state.shown[middle]] < ns) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, state.shown.length - 1);
}

// To another row from the one that is selected.
function step(rows) {
  if (state.shown.length === 0) return;
  const last = state.shown.length - 1;
  const from = state.selected < 0 ? (rows > 0 ? -1 : last + 1) : state.index[state.selected];
  select(state.shown[Math.min(Math.max(from + rows, 0), last)]);
}

// To another PDU of the same command.
function stepInCommand(by) {
  const command = state.selected < 0 ? -1 : commandOf(state.selected);
  if (command < 0) return;
  const pdus = pdusOf(command);
  const next = pdus[pdus.indexOf(state.selected) + by];
  if (next !== undefined) goTo(next);
}
