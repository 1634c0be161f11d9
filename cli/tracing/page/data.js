// SPDX-License-Identifier: BSD-2-Clause
// The data of the page: records of the trace as columns of numbers.

const trace = (() => {
  const {head, texts, columns} = JSON.parse(byId('data').textContent);
  byId('data').textContent = '';  // the text of it is needed no more

  const types = {
    f64: Float64Array, f32: Float32Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array,
  };
  const decode = ([type, constant, base64], length) => {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
    const values = new types[type](bytes.buffer);
    return constant ? new types[type](length).fill(values[0]) : values;
  };
  const read = (name, length) => decode(columns[name], length);

  const n = head.pdus;
  const m = head.commands;
  const made = {...head, texts, count: n, commandCount: m, base: BigInt(head.baseNs)};
  for (const name of ['Time', 'Took', 'Command', 'Text', 'Frame', 'Length', 'Data', 'Connection',
                      'Type', 'ToHost', 'Digests'])
    made[name[0].toLowerCase() + name.slice(1)] = read('pdu' + name, n);
  made.commands = {};
  for (const name of ['sent', 'latency', 'toR2t', 'toData', 'data', 'toEnd', 'status', 'name',
                      'form', 'bytes', 'connection', 'cid', 'fate', 'failed'])
    made.commands[name] = read(name, m);
  return made;
})();

// What became of a command, as the page tells it apart.
const group = {good: 0, failed: 1, open: 2, none: 3};
const groupNames = ['completed', 'failed', 'no answer', 'no command'];
const fateTexts = [
  'completed', 'completed by the SUCCESS flag', 'no completion was seen, and its CID came again',
  'no completion: the connection ended', 'no completion in the capture',
];
const digestTexts = ['', 'good', 'wrong', 'not checked'];
const pduType = {
  icreq: 0, icresp: 1, h2cTermReq: 2, c2hTermReq: 3, command: 4, response: 5, h2cData: 6,
  c2hData: 7, r2t: 9,
};

const kindOf = (type) => trace.kinds[type] ?? {name: `type ${hex(type, 2)}`, title: '', fields: {}};
const isCapsule = (pdu) =>
  trace.type[pdu] === pduType.command || trace.type[pdu] === pduType.response;
const commandOf = (pdu) => trace.command[pdu] - 1;  // -1: none
const nameOf = (command) => trace.texts[trace.commands.name[command]];

// "read", "read ok", "c2h-data": what stands at an arrow.
function labelOf(pdu) {
  const command = commandOf(pdu);
  if (command < 0 || !isCapsule(pdu)) return kindOf(trace.type[pdu]).name;
  const name = nameOf(command);
  if (trace.type[pdu] === pduType.command) return name;
  const status = trace.texts[trace.commands.status[command]] ?? '';
  return `${name} ${status}`;
}

const connectionName = (index) => {
  const {number, qid} = trace.connections[index];
  return qid === undefined ? `c${number}` : `c${number} q${qid}`;
};

// What is worked out once.
(() => {
  const {commands: c} = trace;
  c.group = new Uint8Array(trace.commandCount);
  for (let k = 0; k < trace.commandCount; ++k)
    c.group[k] = c.fate[k] > 1 ? group.open : c.failed[k] ? group.failed : group.good;

  // PDUs by command, one list after the other.
  c.first = new Uint32Array(trace.commandCount + 1);
  let linked = 0;
  for (let i = 0; i < trace.count; ++i)
    if (trace.command[i] > 0) {
      ++c.first[trace.command[i]];
      ++linked;
    }
  for (let k = 0; k < trace.commandCount; ++k) c.first[k + 1] += c.first[k];
  c.pdus = new Uint32Array(linked);
  const at = c.first.slice();
  for (let i = 0; i < trace.count; ++i)
    if (trace.command[i] > 0) c.pdus[at[trace.command[i] - 1]++] = i;

  // Packets may be a little out of order; where something is drawn never goes back.
  trace.place = new Float64Array(trace.count);
  trace.group = new Uint8Array(trace.count);
  let latest = -Infinity;
  let digits = 6;
  for (let i = 0; i < trace.count; ++i) {
    latest = Math.max(latest, trace.time[i]);
    trace.place[i] = latest;
    trace.group[i] = trace.command[i] > 0 ? c.group[trace.command[i] - 1] : group.none;
    if (digits === 6 && trace.time[i] % 1000 !== 0) digits = 9;
  }
  trace.end = trace.count > 0 ? latest : 0;
  trace.digits = digits;

  // Findings by PDU, the worst first; one without a PDU of its own points at the one before it.
  const weights = {error: 3, warning: 2, note: 1, notice: 1};
  trace.weight = new Uint8Array(trace.count);
  trace.findingsOf = new Map();
  for (const finding of trace.findings) {
    finding.weight = weights[finding.severity] ?? 1;
    if (finding.pdu === undefined) continue;
    trace.weight[finding.pdu] = Math.max(trace.weight[finding.pdu], finding.weight);
    const known = trace.findingsOf.get(finding.pdu) ?? [];
    trace.findingsOf.set(finding.pdu, [...known, finding]);
  }
})();

const pdusOf = (command) =>
  trace.commands.pdus.subarray(trace.commands.first[command], trace.commands.first[command + 1]);
