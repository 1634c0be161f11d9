// SPDX-License-Identifier: BSD-2-Clause
// Light and dark: as the system has it, or as the switch says. Canvases take their colours from
// the style sheet.

const themes = ['system', 'light', 'dark'];
let theme = 'system';
let colours = {};

const colourNames = [
  'paper', 'raised', 'ink', 'quiet', 'line', 'grid', 'select', 'related', 'hover', 'hit', 'brush',
  'good', 'failed', 'open', 'none', 'warning',
  'series0', 'series1', 'series2', 'series3', 'series4', 'series5',
];

function readColours() {
  const style = getComputedStyle(document.documentElement);
  colours = {};
  for (const name of colourNames) colours[name] = style.getPropertyValue('--' + name).trim();
  colours.groups = [colours.good, colours.failed, colours.open, colours.none];
  colours.weights = ['', colours.quiet, colours.warning, colours.failed];
  colours.series = [0, 1, 2, 3, 4, 5].map((n) => colours['series' + n]);
}

function setTheme(name) {
  theme = name;
  if (name === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.setAttribute('data-theme', name);
  byId('theme').textContent = {system: 'Auto', light: 'Light', dark: 'Dark'}[name];
  byId('theme').setAttribute('aria-label', `Colours: ${name}`);
  readColours();
  drawAll();
}

const nextTheme = () => setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]);

function startTheme() {
  byId('theme').addEventListener('click', nextTheme);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    readColours();
    drawAll();
  });
  // Paper is white.
  let before = theme;
  addEventListener('beforeprint', () => {
    before = theme;
    setTheme('light');
    drawNow();
  });
  addEventListener('afterprint', () => setTheme(before));
}
