"use strict";
/* The map: points of communities, blocks, sites and labs on a canvas; no tiles, no network. */
const CLASSES = ["#7ad151", "#22a884", "#2a788e", "#414487", "#440154"]; // viridis, light to dark
const LOADS = ["#fdcc8a", "#fc8d59", "#b30000"]; // ColorBrewer OrRd
const BLOCK_ZOOM = 3, REACH_PX = 14, MARGIN_PX = 26;
const view = { scale: 1, x: 0, y: 0, fit: 1, metric: "walk", show: { communities: true, sites: true, labs: true },
  hover: null, pinned: null };
const canvas = byId("canvas"), pen = canvas.getContext("2d");

const METRICS = {
  walk: { value: (c) => D.communities.walk[c], text: (v) => num(v) },
  middle: { value: (c) => D.communities.middle[c], text: (v) => near(v) },
  result: { value: (c) => D.communities.result[c], text: (v) => dec(v / 60) },
};
if (hasWaits) METRICS.wait = { value: (c) => communityWait(c) ?? -1, text: (v) => dec(v) };

/* Local time of any minute: the label of its hour is exact enough for a legend. */
function near(minute) {
  const start = D.meta.start;
  const base = Date.UTC(+start.slice(0, 4), +start.slice(5, 7) - 1, +start.slice(8, 10), +start.slice(11, 13), +start.slice(14, 16));
  return new Date(base + Math.round(minute / 15) * 900000).toISOString().slice(5, 16).replace("T", " ");
}

const middleLat = (Math.max(...D.communities.lat) + Math.min(...D.communities.lat)) / 2e5;
const squeeze = Math.cos((middleLat * Math.PI) / 180);
const METRES = 111195 / 1e5; // per hundred-thousandth of a degree of latitude

function project(table) {
  return { x: table.lng.map((v) => v * squeeze), y: table.lat.map((v) => -v) };
}
const points = { communities: project(D.communities), sites: project(D.sites), labs: project(D.labs),
  blocks: D.blocks.lat ? project(D.blocks) : { x: [], y: [] } };
const siteLoad = D.sites.people.map((n, s) => ratio(n, D.sites.places[s]));
const labLoad = D.labs.tubes.map((n, l) => {
  const used = D.hours.labCapacity[l].reduce((sum, v) => sum + v, 0);
  return ratio(n, used);
});
const loadClass = (load) => (load < 0.5 ? 0 : load < 0.9 ? 1 : 2);
const toX = (x) => x * view.scale + view.x;
const toY = (y) => y * view.scale + view.y;

/* Marks of a small round are larger than those of a city. */
const CROWD = Math.min(Math.max(Math.sqrt(700 / Math.max(D.communities.id.length, 1)), 1), 2.4);

let breaks = [];
function classify() {
  const { value } = METRICS[view.metric];
  const sorted = D.communities.id.map((_, c) => value(c)).filter((v) => v >= 0).sort((a, b) => a - b);
  const edges = CLASSES.slice(1).map((_, k) => sorted[Math.floor((sorted.length * (k + 1)) / CLASSES.length)] ?? 0);
  breaks = [...new Set(edges)].filter((edge) => edge > sorted[0]);
}
/* Fewer classes than colours keep the darkest for the highest. */
const classColour = (k) => CLASSES[k + CLASSES.length - 1 - breaks.length];
const colour = (value) => (value < 0 ? "#b9c2c9" : classColour(breaks.filter((b) => value >= b).length));
const inDistrict = (c) => state.district < 0 || D.communities.district[c] === state.district;

function fit(indices) {
  const box = canvas.getBoundingClientRect();
  const xs = indices.map((c) => points.communities.x[c]), ys = indices.map((c) => points.communities.y[c]);
  if (state.district < 0) {
    xs.push(...points.sites.x);
    ys.push(...points.sites.y);
    withNearLabs(xs, ys);
  }
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const w = Math.max(right - left, 300), h = Math.max(bottom - top, 300);
  view.scale = Math.min((box.width - 2 * MARGIN_PX) / w, (box.height - 2 * MARGIN_PX) / h);
  view.x = box.width / 2 - ((left + right) / 2) * view.scale;
  view.y = box.height / 2 - ((top + bottom) / 2) * view.scale;
}

/* Labs of another city would make this one a dot: they are seen by zooming out. */
function withNearLabs(xs, ys) {
  const near = (values, all) => {
    const [low, high] = [Math.min(...all), Math.max(...all)], room = 0.4 * Math.max(high - low, 2000);
    return values.map((v) => v > low - room && v < high + room);
  };
  const inX = near(points.labs.x, xs), inY = near(points.labs.y, ys);
  points.labs.x.forEach((x, l) => { if (inX[l] && inY[l]) { xs.push(x); ys.push(points.labs.y[l]); } });
}

function fitAll() {
  const every = D.communities.id.map((_, c) => c);
  const keep = state.district;
  state.district = -1;
  fit(every);
  view.fit = view.scale;
  state.district = keep;
  if (keep >= 0) fit(every.filter(inDistrict).length ? every.filter(inDistrict) : every);
  draw();
}

function zoom(factor, x, y) {
  const box = canvas.getBoundingClientRect();
  const [px, py] = [x ?? box.width / 2, y ?? box.height / 2];
  const scale = Math.min(Math.max(view.scale * factor, view.fit / 2), view.fit * 400);
  view.x = px - ((px - view.x) / view.scale) * scale;
  view.y = py - ((py - view.y) / view.scale) * scale;
  view.scale = scale;
  draw();
}

function draw() {
  const box = canvas.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
  canvas.width = Math.round(box.width * dense);
  canvas.height = Math.round(box.height * dense);
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, box.width, box.height);
  const seen = (x, y) => x > -9 && y > -9 && x < box.width + 9 && y < box.height + 9;
  let drawn = 0;
  const mark = (kind, i, paint) => {
    const x = toX(points[kind].x[i]), y = toY(points[kind].y[i]);
    if (seen(x, y)) { paint(x, y); drawn += 1; }
  };
  const near = CROWD * Math.min(Math.max(Math.sqrt(view.scale / view.fit), 1), 3);
  const focus = view.hover || view.pinned;
  drawBoundaries();
  if (view.show.sites) drawSites(mark, near);
  if (view.show.communities) drawCommunities(mark, near);
  if (view.show.labs) drawLabs(mark, near);
  if (focus) drawLines(focus, near);
  drawNames(box);
  drawScale(box);
  canvas.dataset.drawn = drawn;
}

function drawBoundaries() {
  pen.globalAlpha = 1;
  pen.lineWidth = 1;
  pen.strokeStyle = "#b4c0ca";
  pen.fillStyle = "#eef2f5";
  pen.beginPath();
  for (const ring of D.boundaries) {
    ring.forEach(([lng, lat], k) => {
      const [x, y] = [toX(lng * squeeze), toY(-lat)];
      if (k) pen.lineTo(x, y); else pen.moveTo(x, y);
    });
    pen.closePath();
  }
  pen.fill();
  pen.stroke();
}

function drawSites(mark, near) {
  D.sites.id.forEach((_, s) => mark("sites", s, (x, y) => {
    const half = (1.6 + Math.min(D.sites.lanes[s], 20) * 0.09) * near;
    pen.globalAlpha = state.district < 0 || D.sites.district[s] === state.district ? 0.9 : 0.12;
    pen.fillStyle = D.sites.people[s] ? LOADS[loadClass(siteLoad[s])] : "#d9dfe4";
    pen.strokeStyle = "#7a4a2a";
    pen.lineWidth = 0.4 * near;
    pen.fillRect(x - half, y - half, 2 * half, 2 * half);
    if (near > 1.2) pen.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }));
}

function drawCommunities(mark, near) {
  const { value } = METRICS[view.metric];
  if (view.scale > view.fit * BLOCK_ZOOM) drawBlocks(mark);
  D.communities.id.forEach((_, c) => mark("communities", c, (x, y) => {
    pen.globalAlpha = inDistrict(c) ? 0.95 : 0.12;
    pen.fillStyle = colour(value(c));
    pen.beginPath();
    pen.arc(x, y, 2.7 * near, 0, 7);
    pen.fill();
    pen.lineWidth = 0.7;
    pen.strokeStyle = D.communities.zone[c] === 3 ? "#fff" : "#000";
    pen.stroke();
  }));
}

function drawBlocks(mark) {
  const town = D.blocks.community || [];
  const own = { walk: D.blocks.walk, middle: D.blocks.first }[view.metric];
  town.forEach((c, b) => mark("blocks", b, (x, y) => {
    pen.globalAlpha = inDistrict(c) ? 0.7 : 0.08;
    pen.fillStyle = colour(own ? own[b] : METRICS[view.metric].value(c));
    pen.fillRect(x - 1.5, y - 1.5, 3, 3);
  }));
}

function drawLabs(mark, near) {
  D.labs.id.forEach((_, l) => mark("labs", l, (x, y) => {
    const half = 6 * Math.min(near, 1.6);
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.moveTo(x, y - half); pen.lineTo(x + half, y); pen.lineTo(x, y + half); pen.lineTo(x - half, y);
    pen.closePath();
    pen.fillStyle = D.labs.tubes[l] ? LOADS[loadClass(labLoad[l])] : "#d9dfe4";
    pen.strokeStyle = "#000";
    pen.lineWidth = 1.3;
    pen.fill();
    pen.stroke();
  }));
}

/* Lines from what is pointed at to those it meets, wider for more people or tubes. */
function links({ kind, index }) {
  const pairs = (table, from, to, amount) => D[table][from].map((v, i) => [v, D[table][to][i], D[table][amount][i]])
    .filter(([v]) => v === index);
  if (kind === "communities") return pairs("pairs", "community", "site", "people").map(([, i, n]) => ["sites", i, n]);
  if (kind === "blocks") return D.blocks.site[index] < 0 ? [] : [["sites", D.blocks.site[index], D.blocks.people[index]]];
  if (kind === "labs") return pairs("sent", "lab", "site", "tubes").map(([, i, n]) => ["sites", i, n]);
  return [
    ...pairs("pairs", "site", "community", "people").map(([, i, n]) => ["communities", i, n]),
    ...pairs("sent", "site", "lab", "tubes").map(([, i, n]) => ["labs", i, n]),
  ];
}

function drawLines(focus, near) {
  const x = toX(points[focus.kind].x[focus.index]), y = toY(points[focus.kind].y[focus.index]);
  const ends = links(focus), most = Math.max(...ends.map(([, , n]) => n), 1);
  pen.globalAlpha = 0.85;
  for (const [kind, i, n] of ends) {
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(toX(points[kind].x[i]), toY(points[kind].y[i]));
    pen.setLineDash(kind === "labs" || focus.kind === "labs" ? [5, 4] : []);
    pen.strokeStyle = kind === "labs" || focus.kind === "labs" ? "#000" : BLUE;
    pen.lineWidth = 1 + (3 * n) / most;
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  pen.beginPath();
  pen.arc(x, y, 6 * near, 0, 7);
  pen.strokeStyle = "#e69f00";
  pen.lineWidth = 3;
  pen.stroke();
  canvas.dataset.lines = ends.length;
}

/* Names of the districts, and of communities once they are far enough apart. */
function drawNames(box) {
  pen.globalAlpha = 1;
  pen.textAlign = "center";
  pen.lineWidth = 3;
  pen.strokeStyle = "rgba(255,255,255,.85)";
  pen.fillStyle = "#111";
  const taken = [];
  const write = (text, x, y, font, size) => {
    const wide = text.length * size * (/[^\x00-\xff]/.test(text) ? 1 : 0.55);
    const spot = [Math.min(Math.max(x, wide / 2 + 2), box.width - wide / 2 - 2), Math.min(Math.max(y, size + 2), box.height - 4), wide, size];
    if (x < 0 || y < 0 || x > box.width || y > box.height) return;
    if (taken.some(([a, b, w, h]) => Math.abs(a - spot[0]) < (w + wide) / 2 + 3 && Math.abs(b - spot[1]) < (h + size) / 2 + 2)) return;
    taken.push(spot);
    pen.font = font;
    pen.strokeText(text, spot[0], spot[1]);
    pen.fillText(text, spot[0], spot[1]);
  };
  const close = view.scale > view.fit * 6;
  D.districts.forEach((name, d) => {
    const mine = D.communities.district.map((v, c) => (v === d ? c : -1)).filter((c) => c >= 0);
    if (!mine.length || close || (state.district >= 0 && d !== state.district)) return;
    const middle = (values) => mine.map((c) => values[c]).sort((a, b) => a - b)[mine.length >> 1];
    write(name, toX(middle(points.communities.x)), toY(middle(points.communities.y)) - 8 * CROWD, "600 13px sans-serif", 13);
  });
  if (!close) return;
  D.communities.name.forEach((name, c) => {
    if (inDistrict(c)) write(name, toX(points.communities.x[c]), toY(points.communities.y[c]) - 9, "11px sans-serif", 11);
  });
}

function drawScale(box) {
  const perPx = METRES / view.scale;
  const rough = perPx * Math.min(160, box.width / 3), power = 10 ** Math.floor(Math.log10(rough));
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= rough) || power;
  const wide = metres / perPx, y = box.height - 14;
  pen.strokeStyle = pen.fillStyle = "#222";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(14, y - 4); pen.lineTo(14, y); pen.lineTo(14 + wide, y); pen.lineTo(14 + wide, y - 4);
  pen.stroke();
  pen.textAlign = "left";
  pen.font = "12px sans-serif";
  pen.fillText(metres < 1000 ? `${metres} m` : `${metres / 1000} km`, 18, y - 5);
}
