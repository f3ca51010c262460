"use strict";
/* Data, words, numbers and the chosen district, shared by the scripts below. */
const D = JSON.parse(document.getElementById("data").textContent);
const W = D.words;
const ENGLISH = D.meta.language === "en";
const state = { district: -1, listeners: [] };
const whole = new Intl.NumberFormat(ENGLISH ? "en-GB" : "zh-CN", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(ENGLISH ? "en-GB" : "zh-CN", { maximumFractionDigits: 1 });
const NONE = "–";
const COLON = ENGLISH ? ": " : "：";
const brackets = (text) => (ENGLISH ? ` (${text})` : `（${text}）`);

const byId = (id) => document.getElementById(id);
const num = (value) => (value === null || value === undefined || value < 0 ? NONE : whole.format(value));
const dec = (value) => (value === null || value === undefined || value < 0 ? NONE : tenth.format(value));
const share = (value, digits = 0) => (value === null || value === undefined ? NONE : (100 * value).toFixed(digits) + "%");
const at = (minute) => (minute === undefined || minute < 0 ? NONE : D.times[minute]);
const ratio = (part, all) => (all > 0 ? part / all : 0);
const add = (rows) => rows.reduce((sum, row) => sum.map((v, i) => v + row[i]), rows[0].map(() => 0));

/* One row of a table by district, or the sum over all. */
const pick = (rows) => (state.district < 0 ? add(rows) : rows[state.district]);
const figures = () => D.figures[state.district + 1];

function say(key, values = {}) {
  return W[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") made.style.cssText = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

function onDistrict(listener) {
  state.listeners.push(listener);
}

function setDistrict(number) {
  state.district = number;
  for (const scope of document.querySelectorAll(".scope")) {
    scope.textContent = number < 0 ? W.city : D.districts[number];
  }
  for (const listener of state.listeners) listener();
}

/* Median wait of a community over its sites, by the plain simulation; null where there is none. */
const plain = D.simulations[0] || null;
const siteWait = (site) => (plain ? (plain.sites[D.sites.id[site]] || [null])[0] : null);
const communityWait = (() => {
  const total = [], people = [];
  D.pairs.community.forEach((c, i) => {
    const wait = siteWait(D.pairs.site[i]);
    if (wait === null || wait === undefined) return;
    total[c] = (total[c] || 0) + wait * D.pairs.people[i];
    people[c] = (people[c] || 0) + D.pairs.people[i];
  });
  return (c) => (people[c] ? total[c] / people[c] : null);
})();
const hasWaits = D.communities.id.some((_, c) => communityWait(c) !== null);
