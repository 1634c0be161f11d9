// SPDX-License-Identifier: BSD-2-Clause
// Connections, violations, and the chips that say what is shown.

const findingsListed = 300;  // at once; a button shows more

const connectionColumns = [
  ['', (c) => `c${c.number}`],
  ['host', (c) => c.host],
  ['controller', (c) => c.controller],
  ['host NQN', (c) => c.hostNqn, 'nqn'],
  ['subsystem', (c) => c.subsystem, 'nqn'],
  ['CNTLID', (c) => c.cntlid === undefined ? '' : hex(c.cntlid), 'number'],
  ['QID', (c) => c.qid, 'number'],
  ['SQSIZE', (c) => c.sqsize, 'number', "0's based"],
  ['digests', (c) => c.digestsWrong > 0 ? `${c.digests}, ${counted(c.digestsWrong)} wrong`
    : c.digests],
  ['MAXR2T', (c) => c.maxr2t, 'number', "0's based"],
  ['MAXH2CDATA', (c) => c.maxh2cdata, 'number'],
  ['PDUs', (c) => counted(c.pdus), 'number'],
  ['commands', (c) => counted(c.commands), 'number'],
  ['failed', (c) => counted(c.failed), 'number'],
  ['to controller', (c) => bytesText(c.toController), 'number', 'data'],
  ['to host', (c) => bytesText(c.toHost), 'number', 'data'],
  ['depth', (c) => counted(c.depth), 'number', 'most commands that were outstanding at once'],
  ['end', (c) => c.closed ? 'closed' : 'open'],
];

function fillConnections() {
  const table = byId('connections-table');
  table.tHead.replaceChildren(element('tr', null, ...connectionColumns.map(
    ([name, , kind, title]) => element('th', {scope: 'col', class: kind, title}, name))));
  table.tBodies[0].replaceChildren(...trace.connections.map((c, index) => {
    const row = element('tr', {tabindex: 0, 'aria-selected': 'false'},
      ...connectionColumns.map(([name, get, kind]) => element('td',
        {class: name === 'failed' && c.failed > 0 ? 'number bad' : kind,
         title: kind === 'nqn' ? get(c) : null}, String(get(c) ?? ''))));
    row.addEventListener('click', () => filterConnection(index));
    row.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      filterConnection(index);
    });
    return row;
  }));
}

function markConnections() {
  const rows = byId('connections-table').tBodies[0].rows;
  for (let index = 0; index < rows.length; ++index)
    rows[index].setAttribute('aria-selected', String(index === state.connection));
}

const findingText = (finding) =>
  (finding.by === undefined ? '' : `by the ${finding.by}: `) + finding.text +
  (finding.section === undefined ? '' : ` [${finding.section}]`);

// The PDU that shows it, or the one that was seen then.
function goToFinding(finding) {
  if (finding.pdu !== undefined) return goTo(finding.pdu);
  if (trace.count === 0) return;
  clearFilters();
  select(state.shown[shownAt(finding.time)]);
}

function findingItem(finding) {
  const where = [connectionName(finding.connection)];
  if (finding.cid !== undefined) where.push(hex(finding.cid, 4));
  where.push(`${secondsText(finding.time, trace.digits)} s`, `frame ${finding.frame}`);
  const button = element('button', {type: 'button', class: `finding weight-${finding.weight}`},
    element('span', {class: 'head'}, element('b', {class: 'severity'}, finding.severity), ' ',
            element('strong', null, finding.rule)),
    element('span', {class: 'text'}, findingText(finding)),
    element('span', {class: 'note'}, where.join(', ')));
  button.addEventListener('click', () => goToFinding(finding));
  return element('li', null, button);
}

// Items that are made when they are wanted, some hundreds at a time.
function fillSlowly(list, findings) {
  let from = 0;
  const more = element('button', {type: 'button', class: 'more'}, 'Show more');
  const add = () => {
    more.remove();
    list.append(...findings.slice(from, from + findingsListed).map(findingItem));
    from += findingsListed;
    if (from < findings.length) list.append(more);
  };
  more.addEventListener('click', add);
  add();
}

// Many of one rule stand behind one line.
function findingGroup(findings) {
  if (findings.length <= 3) return findings.map(findingItem);
  const [{severity, rule, by, section, weight}] = findings;
  const list = element('ol', null);
  const fold = element('details', null,
    element('summary', {class: `finding weight-${weight}`},
            element('b', {class: 'severity'}, severity), ' ', element('strong', null, rule),
            ` \u00d7 ${counted(findings.length)}`,
            by === undefined ? '' : ` by the ${by}`, section === undefined ? '' : ` [${section}]`),
    list);
  fold.addEventListener('toggle', () => fillSlowly(list, findings), {once: true});
  return [element('li', null, fold)];
}

function fillFindings() {
  const list = byId('findings-list');
  const groups = new Map();
  const counts = new Map();
  for (const finding of trace.findings) {
    const key = `${finding.rule} ${finding.by}`;
    groups.set(key, groups.get(key) ?? []);
    groups.get(key).push(finding);
    counts.set(finding.severity, (counts.get(finding.severity) ?? 0) + 1);
  }
  byId('findings-note').textContent = ['error', 'warning', 'note', 'notice']
    .filter((name) => counts.has(name))
    .map((name) => plural(counts.get(name), name)).join(', ');
  if (trace.findings.length === 0)
    list.replaceWith(element('p', {class: 'empty'}, 'None were found.'));
  const worstFirst = [...groups.values()].sort(([a], [b]) => b.weight - a.weight);
  list.append(...worstFirst.flatMap(findingGroup));
}

function chip(text, title, call, attributes = {}) {
  const made = element('button', {type: 'button', title, ...attributes}, text);
  made.addEventListener('click', call);
  return made;
}

// Chips that stay: pressed is shown.
function fillChips() {
  const totals = [0, 0, 0, 0];
  for (const kind of trace.group) ++totals[kind];
  byId('fates').replaceChildren(...groupNames.map((name, kind) => totals[kind] === 0 ? null
    : chip(name, `${plural(totals[kind], 'PDU')}; a click hides or shows them`,
           () => toggle(state.hiddenGroups, kind),
           {class: `key group-${kind}`, 'data-group': kind}))
    .filter((made) => made !== null));
  byId('names').replaceChildren(...commandNames.slice(0, 8).map(([name, n]) =>
    chip(trace.texts[name], `${plural(n, 'command')}; a click hides or shows them`,
         () => toggle(state.hiddenNames, name),
         {class: `key series-${seriesOf.get(name) ?? 'none'}`, 'data-name': name})));
}

function markChips() {
  for (const made of byId('fates').children)
    made.setAttribute('aria-pressed', !state.hiddenGroups.has(Number(made.dataset.group)));
  for (const made of byId('names').children)
    made.setAttribute('aria-pressed', !state.hiddenNames.has(Number(made.dataset.name)));
  const filters = [];
  if (state.connection >= 0)
    filters.push(chip(`${connectionName(state.connection)} only \u00d7`, 'Show all connections',
                      () => filterConnection(state.connection)));
  if (state.range !== null) {
    const [from, to] = state.range.map((ns) => secondsText(ns, 6));
    filters.push(chip(`${from} to ${to} s \u00d7`, 'Show all times', () => {
      state.range = null;
      refilter();
    }));
  }
  byId('filters').replaceChildren(...filters);
  byId('count').textContent = isFiltered()
    ? `${counted(state.shown.length)} of ${plural(trace.count, 'PDU')}`
    : plural(trace.count, 'PDU');
}

function fillHeader() {
  const {source} = trace;
  document.title = `${source} - nvmfctl trace`;
  byId('source').textContent = source;
  const failed = trace.commands.group.reduce((n, kind) => n + (kind === group.failed), 0);
  const facts = [];
  if (trace.count > 0)
    facts.push(clockText(trace.base, false), `${roundText(trace.end)} long`);
  facts.push(plural(trace.connections.length, 'connection'), plural(trace.count, 'PDU'),
             plural(trace.commandCount, 'command'));
  if (failed > 0) facts.push(`${counted(failed)} failed`);
  byId('facts').replaceChildren(...facts.map((fact) => element('span', null, fact)));
  byId('facts').title = `made by nvmfctl ${trace.version}`;
  byId('left-out').textContent = trace.leftOut;
  byId('left-out').hidden = trace.leftOut === '';
}

function startTables() {
  fillHeader();
  fillConnections();
  fillFindings();
  fillChips();
  when('filter', () => {
    markConnections();
    markChips();
  });
  when('select', showDetails);
}
