// SPDX-License-Identifier: BSD-2-Clause
// Values as text, and elements of the page. What a peer chose reaches the page as text nodes only.
'use strict';

const byId = (id) => document.getElementById(id);

// element('td', {class: 'number'}, 'text', child): attributes that are null are left out.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {}))
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const counted = (n) => Math.round(n).toLocaleString('en');
const plural = (n, word) => `${counted(n)} ${word}${n === 1 ? '' : 's'}`;
const hex = (n, digits = 0) => '0x' + n.toString(16).padStart(digits, '0');

// "88.1 us", "12.30 ms", "4.50 s", as the lines of a trace have it.
function durationText(ns) {
  const size = Math.abs(ns);
  if (size < 1e7) return `${(ns / 1e3).toFixed(1)} us`;
  if (size < 1e10) return `${(ns / 1e6).toFixed(2)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}

// For an axis: "10 us", "250 ns", without digits that say nothing.
function roundText(ns) {
  const size = Math.abs(ns);
  const [unit, name] =
    size < 1e3 ? [1, 'ns'] : size < 1e6 ? [1e3, 'us'] : size < 1e9 ? [1e6, 'ms'] : [1e9, 's'];
  return `${Number((ns / unit).toPrecision(3))} ${name}`;
}

function bytesText(n) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; n >= 1024 && unit + 1 < units.length; ++unit) n /= 1024;
  return unit === 0 ? plural(n, 'byte') : `${n.toFixed(n < 10 ? 2 : 1)} ${units[unit]}`;
}

// Seconds since the first PDU.
const secondsText = (ns, digits) => (ns / 1e9).toFixed(digits);

// "2026-01-31 12:34:56.789012345", of nanoseconds since 1970 as a BigInt.
function clockText(ns, utc) {
  const second = 1000000000n;
  const rest = ((ns % second) + second) % second;
  const at = new Date(Number((ns - rest) / 1000000n));
  const two = (n) => String(n).padStart(2, '0');
  const parts = utc
    ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(),
       at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]
    : [at.getFullYear(), at.getMonth(), at.getDate(),
       at.getHours(), at.getMinutes(), at.getSeconds()];
  const [year, month, day, ...time] = parts;
  return `${year}-${two(month + 1)}-${two(day)} ${time.map(two).join(':')}.` +
    String(rest).padStart(9, '0').replace(/(\d{6})000$/, '$1');
}

// "nlb=7 (0's based: 8) slba=0x10" as pairs; what stands before the first field has no name.
function fieldsOf(text) {
  const fields = [];
  const name = /(?:^|\s)([a-z][a-z0-9_@.]*)=/g;
  let open = null;
  let from = 0;
  for (let match = name.exec(text); match !== null; match = name.exec(text)) {
    fields.push([open, text.slice(from, match.index).trim()]);
    open = match[1];
    from = name.lastIndex;
  }
  fields.push([open, text.slice(from).trim()]);
  return fields.filter(([key, value]) => key !== null || value !== '');
}
