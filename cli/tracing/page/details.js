// SPDX-License-Identifier: BSD-2-Clause
// The selected PDU: where it stands, its fields with their titles, its command, and where the time
// of that went.

const pdusListed = 200;  // of one command

function fieldRows(text, titles) {
  return fieldsOf(text).map(([name, value]) => name === null
    ? element('tr', null, element('td', {colspan: 3}, value))
    : element('tr', null, element('th', {scope: 'row'}, name),
              element('td', {class: 'value'}, value),
              element('td', {class: 'title'}, titles[name] ?? '')));
}

function factRows(facts) {
  return facts.filter(([, value]) => value !== null && value !== '').map(([name, value]) =>
    element('tr', null, element('th', {scope: 'row'}, name),
            element('td', {colspan: 2, class: 'value'}, value)));
}

// The parts of a latency, as long as they took.
function latencyBar(command) {
  const c = trace.commands;
  const parts = [
    ['r2t', c.toR2t[command], 'to the first R2T'],
    ['wait', c.toData[command], 'to the first data'],
    ['data', c.data[command], 'first to last data'],
    ['end', c.toEnd[command], 'last data to the completion'],
  ].filter(([, ns]) => !Number.isNaN(ns));
  if (parts.length === 0) return null;
  const sum = Math.max(parts.reduce((all, [, ns]) => all + ns, 0), 1);
  const bar = element('div', {class: 'split', role: 'img', 'aria-label': 'latency split: ' +
    parts.map(([name, ns]) => `${name} ${durationText(ns)}`).join(', ')});
  const legend = element('ul', {class: 'split-legend'});
  for (const [name, ns, title] of parts) {
    const part = element('span', {class: 'part-' + name, title: `${title}: ${durationText(ns)}`});
    part.style.flexGrow = ns / sum;
    bar.append(part);
    legend.append(element('li', {title}, element('i', {class: 'part-' + name}),
                          `${name} ${durationText(ns)}`));
  }
  return element('div', null, bar, legend);
}

function pduFacts(pdu) {
  const connection = trace.connections[trace.connection[pdu]];
  const at = trace.base + BigInt(Math.round(trace.time[pdu]));
  const digests = [
    ['header', trace.digests[pdu] & 15], ['data', trace.digests[pdu] >> 4],
  ].filter(([, state]) => state > 0).map(([name, state]) => `${name} ${digestTexts[state]}`);
  return factRows([
    ['at', `${secondsText(trace.time[pdu], trace.digits)} s`],
    ['clock', clockText(at, false)],
    ['UTC', clockText(at, true) === clockText(at, false) ? '' : clockText(at, true)],
    ['frame', String(trace.frame[pdu])],
    ['connection', `${connectionName(trace.connection[pdu])}, ${connection.host} to ` +
      connection.controller],
    ['PDU', `${kindOf(trace.type[pdu]).title || kindOf(trace.type[pdu]).name}, ` +
      plural(trace.length[pdu], 'byte')],
    ['data', trace.data[pdu] > 0 ? plural(trace.data[pdu], 'byte') : ''],
    ['digests', digests.join(', ')],
  ]);
}

// What the names of a PDU's fields stand for.
function titlesOf(pdu) {
  const command = commandOf(pdu);
  const own = command >= 0 ? trace.forms[trace.commands.form[command]].fields : {};
  return trace.type[pdu] === pduType.command ? own : {...own, ...kindOf(trace.type[pdu]).fields};
}

function commandPart(pdu) {
  const command = commandOf(pdu);
  if (command < 0) return [];
  const c = trace.commands;
  const pdus = pdusOf(command);
  const fate = fateTexts[c.fate[command]];
  const rows = factRows([
    ['outcome', c.fate[command] > 1 ? fate : `${trace.texts[c.status[command]]}, ${fate}`],
    ['latency', Number.isNaN(c.latency[command]) ? '' : durationText(c.latency[command])],
    ['bytes', c.bytes[command] > 0 ? bytesText(c.bytes[command]) : ''],
  ]);
  const list = element('ol', {class: 'of-command'});
  for (const other of pdus.subarray(0, pdusListed)) {
    const link = element('button',
      {type: 'button', 'aria-current': other === pdu ? 'true' : null},
      element('span', {class: 'when'}, '+' + durationText(trace.time[other] - c.sent[command])),
      trace.toHost[other] ? ' \u2190 ' : ' \u2192 ', labelOf(other),
      trace.data[other] > 0 ? `, ${bytesText(trace.data[other])}` : '');
    link.addEventListener('click', () => goTo(other));
    list.append(element('li', null, link));
  }
  const title = trace.forms[c.form[command]].title;
  const own = pdus.find((other) => trace.type[other] === pduType.command);
  return [
    element('h3', {class: `group-${c.group[command]}`}, `${nameOf(command)} `,
            element('code', null, hex(c.cid[command], 4))),
    element('table', {class: 'fields'}, element('tbody', null, ...rows)),
    latencyBar(command),
    own !== undefined && own !== pdu ? element('table', {class: 'fields'},
      element('caption', null, title),
      element('tbody', null, ...fieldRows(trace.texts[trace.text[own]], titlesOf(own)))) : null,
    element('h4', null, `Its ${plural(pdus.length, 'PDU')}`), list,
    pdus.length > pdusListed
      ? element('p', {class: 'note'}, `and ${counted(pdus.length - pdusListed)} more`) : null,
  ];
}

function findingParts(pdu) {
  return (trace.findingsOf.get(pdu) ?? []).map((finding) => element('p',
    {class: `finding weight-${finding.weight}`},
    element('strong', null, finding.rule), ' ', findingText(finding)));
}

function showDetails() {
  const place = byId('details');
  const pdu = state.selected;
  if (pdu < 0) {
    place.replaceChildren(
      element('div', {class: 'bar'}, element('h2', null, 'Details')),
      element('p', {class: 'empty'},
        'Select a PDU in the ladder, a point among the latencies or a violation. ' +
        'j and k go through the PDUs; ? shows all keys.'));
    byId('said').textContent = '';
    return;
  }
  const text = ladder.textOf(pdu);
  const arrow = trace.toHost[pdu] ? 'controller \u2192 host' : 'host \u2192 controller';
  const fields = fieldRows(trace.texts[trace.text[pdu]], titlesOf(pdu));
  place.replaceChildren(
    element('div', {class: 'bar'}, element('h2', null, labelOf(pdu)),
            element('span', {class: 'note'}, arrow)),
    element('div', {class: 'scroll'}, ...[
      ...findingParts(pdu),
      element('table', {class: 'fields'}, element('tbody', null, ...pduFacts(pdu))),
      fields.length > 0
        ? element('table', {class: 'fields'}, element('caption', null, 'Fields'),
                  element('tbody', null, ...fields)) : null,
      ...commandPart(pdu),
    ].filter((part) => part !== null)));
  byId('said').textContent =
    `${secondsText(trace.time[pdu], trace.digits)} s, ${arrow}, ${labelOf(pdu)} ${text}`;
}
