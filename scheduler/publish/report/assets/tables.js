"use strict";
/* Tables that sort by a click on a head, filter by district and search, and show a page at a time. */
const PAGE = 25;
const current = { tab: "communities", sort: null, down: false, page: 0, every: false };

const text = (key, value, wide) => ({ key, value, show: (v) => v, text: true, wide });
const count = (key, value, show = num) => ({ key, value, show, text: false });
const column = (table, name) => (i) => D[table][name][i];

const coverage = new Map(Object.entries(D.coverage.communities || {}).map(([id, c]) => [id, c.coverage]));
const TABLES = {
  communities: {
    district: column("communities", "district"), find: ["id", "name", "street"],
    columns: [
      text("name", column("communities", "name"), true), text("id", column("communities", "id")),
      text("street", column("communities", "street"), true),
      { key: "zone", value: column("communities", "zone"), show: (z) => D.zones[z], text: true },
      count("people", column("communities", "people")), count("called", column("communities", "called")),
      count("home", column("communities", "home")), count("unserved", column("communities", "unserved")),
      count("sites", column("communities", "sites")), count("first", column("communities", "first"), at),
      count("last", column("communities", "last"), at), count("walk", column("communities", "walk")),
      count("result", (c) => D.communities.result[c] / 60, dec), count("burden", column("communities", "burden"), dec),
      ...(hasWaits ? [count("wait", (c) => communityWait(c) ?? -1, dec)] : []),
      ...(coverage.size ? [count("coverage", (c) => coverage.get(D.communities.id[c]) ?? -1, (v) => (v < 0 ? NONE : share(v, 1)))] : []),
    ],
  },
  sites: {
    district: column("sites", "district"), find: ["id", "name", "address"],
    columns: [
      text("name", column("sites", "name"), true), text("id", column("sites", "id")), count("lanes", column("sites", "lanes")),
      count("quota", column("sites", "quota")), count("people", column("sites", "people")),
      count("load", (s) => siteLoad[s], (v) => share(v)), count("peak", column("sites", "peak")),
      count("tubes", column("sites", "tubes")), count("communities", column("sites", "communities")),
      count("first", column("sites", "first"), at), count("last", column("sites", "last"), at),
      ...(hasWaits ? [count("wait", (s) => siteWait(s) ?? -1, dec)] : []),
    ],
  },
  labs: {
    district: () => -1, find: ["id", "name"],
    columns: [
      text("name", column("labs", "name"), true), text("id", column("labs", "id")), count("rate", column("labs", "rate")),
      count("tubes", column("labs", "tubes")), count("load", (l) => labLoad[l], (v) => share(v)),
      count("peakLoad", (l) => labPeak[l], (v) => share(v)), count("people", column("labs", "people")),
      count("late", column("labs", "late")), count("first", column("labs", "first"), at), count("last", column("labs", "last"), at),
    ],
  },
};

const labPeak = (() => {
  const width = D.hours.labels.length, tubes = {};
  D.hours.labs.tubes.forEach((n, i) => {
    const key = D.hours.labs.lab[i] * width + D.hours.labs.hour[i];
    tubes[key] = (tubes[key] || 0) + n;
  });
  return D.hours.labCapacity.map((row, l) => Math.max(0, ...row.map((most, h) => ratio(tubes[l * width + h] || 0, most))));
})();

function rowsOf(table, wanted) {
  const spec = TABLES[table], rows = [];
  for (let i = 0; i < D[table].id.length; i += 1) {
    const d = spec.district(i);
    if (state.district >= 0 && d >= 0 && d !== state.district) continue;
    if (wanted && !spec.find.some((name) => String(D[table][name][i]).toLowerCase().includes(wanted))) continue;
    rows.push(i);
  }
  if (current.sort !== null) {
    const { value, text: words } = spec.columns[current.sort], sign = current.down ? -1 : 1;
    const compare = words && typeof value(0) === "string"
      ? (a, b) => String(value(a)).localeCompare(String(value(b)), D.meta.language)
      : (a, b) => value(a) - value(b);
    rows.sort((a, b) => sign * compare(a, b) || a - b);
  }
  return rows;
}

function drawTable() {
  const spec = TABLES[current.tab], rows = rowsOf(current.tab, byId("search").value.trim().toLowerCase());
  const pages = Math.max(Math.ceil(rows.length / PAGE), 1);
  current.page = Math.min(current.page, pages - 1);
  const from = current.every ? 0 : current.page * PAGE, to = current.every ? rows.length : Math.min(from + PAGE, rows.length);
  const head = spec.columns.map((c, k) => node("th", {
    class: c.text ? "text" : null, scope: "col",
    "aria-sort": current.sort === k ? (current.down ? "descending" : "ascending") : null,
  }, node("button", { type: "button", title: say("sortBy", { c: W["col_" + c.key] }), onclick: () => sortBy(k) }, W["col_" + c.key])));
  const cell = (c, i, k) => {
    const shown = String(c.show(c.value(i)));
    const inside = k === 0 && current.tab === "communities"
      ? node("button", { type: "button", title: W.onMap, onclick: () => { byId("map").scrollIntoView(); showCommunity(i); } }, shown) : shown;
    return node("td", { class: [c.text ? "text" : "", c.wide ? "name" : ""].join(" ").trim() || null }, inside);
  };
  const body = rows.slice(from, to).map((i) => node("tr", {}, spec.columns.map((c, k) => cell(c, i, k))));
  byId("table").replaceChildren(node("table", {}, node("thead", {}, node("tr", {}, head)), node("tbody", {}, body)));
  pager(rows.length, from, to, pages);
}

function pager(total, from, to, pages) {
  const turn = (step, word, off) => node("button", { type: "button", disabled: off ? "" : null, onclick: () => { current.page += step; drawTable(); } }, word);
  const shown = total ? say("rows", { a: num(from + 1), b: num(to), n: num(total) }) : W.nothing;
  const more = current.every || pages === 1 ? [] : [
    turn(-1, W.previous, current.page === 0), turn(1, W.next, current.page === pages - 1),
    node("button", { type: "button", onclick: () => { current.every = true; drawTable(); } }, W.allRows),
  ];
  byId("pager").replaceChildren(node("span", {}, shown), ...more);
}

function sortBy(k) {
  current.down = current.sort === k ? !current.down : !TABLES[current.tab].columns[k].text;
  current.sort = k;
  current.page = 0;
  drawTable();
}

function startTables() {
  const tab = (name) => node("button", {
    type: "button", role: "tab", "data-tab": name, "aria-selected": String(name === current.tab),
    onclick: () => {
      Object.assign(current, { tab: name, sort: null, down: false, page: 0, every: false });
      for (const each of byId("tabs").children) each.setAttribute("aria-selected", String(each.dataset.tab === name));
      drawTable();
    },
  }, W[name]);
  byId("tabs").append(...Object.keys(TABLES).map(tab));
  byId("search").addEventListener("input", () => { current.page = 0; drawTable(); });
  onDistrict(() => { current.page = 0; drawTable(); });
}
