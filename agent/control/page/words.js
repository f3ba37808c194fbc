'use strict';
// How numbers and times are said, as `leat status` does.

const byId = (id) => document.getElementById(id);

// Only what has changed is written, so that nothing is read out or laid out anew without need.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const count = (number) => number.toLocaleString('en');

function rate(number) {
  return number === null ? '–' : count(number < 10 ? Math.round(number * 10) / 10 : Math.round(number));
}

function bytes(number) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; number >= 1024 && unit < 4; ++unit) number /= 1024;
  return (unit === 0 ? number : number.toFixed(1)) + ' ' + units[unit];
}

// "2h 5m": the two largest units.
function duration(seconds) {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
  let left = Math.round(seconds);
  const words = [];
  for (const [size, unit] of parts) {
    const many = Math.floor(left / size);
    left -= many * size;
    if (many > 0) words.push(many + unit);
    else if (words.length > 0) break;
  }
  return words.slice(0, 2).join(' ') || '0s';
}

const clockTime = (date) => date.toTimeString().slice(0, 8);
