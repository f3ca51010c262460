"use strict";
/* Headline figures, worst communities, remedies, before and after, simulations. */
const TERM_COLOURS = { unserved: BLACK, late: ORANGE, walk: BLUE, finish: "#56b4e9" };

function card(word, value, below = "", bad = false) {
  return node("div", { class: bad ? "card bad" : "card" }, node("span", {}, word), node("b", {}, value), node("span", {}, below));
}

function drawCards() {
  const f = figures(), city = state.district < 0;
  const cards = [
    card(W.people, num(f.people), `${W.communities} ${num(f.communities)} · ${say("blocksOf", { n: num(f.blocks) })}`),
    card(W.called, num(f.called), `${W.home} ${num(f.home)}`),
    card(W.unserved, num(f.unserved), share(ratio(f.unserved, f.people), 2), f.unserved > 0),
    card(W.sites, num(f.sites), say("sitesUsed", { n: num(f.sitesUsed), m: num(f.lanes) })),
    card(W.labs, num(f.labs), say("labsUsed", { n: num(f.labsUsed), m: num(f.tubes) })),
    card(W.first, at(f.first)),
    card(W.last, at(f.last), say("lastResult", { t: at(f.lastResult) })),
    card(W.promise, say("promiseHours", { n: D.meta.promiseHours }), f.late ? say("late", { n: num(f.late) }) : W.lateNone, f.late > 0),
    card(W.walkMean, say("metres", { n: num(f.walkMean) }), say("walkP95", { n: num(f.walkP95) })),
  ];
  if (city) cards.push(gapCard(), breachCard());
  const covered = city ? D.coverage.city : (D.coverage.districts || {})[D.districts[state.district]];
  if (covered) cards.push(card(W.coverage, share(covered.coverage, 1), say("coverageOf", { n: num(covered.sampled), m: num(covered.target), t: covered.hour.slice(5) })));
  byId("cards").replaceChildren(...cards);
}

function gapCard() {
  if (D.meta.gap === null || D.meta.gap === undefined) return card(W.gap, W.gapUnknown);
  return card(W.gap, share(D.meta.gap, 2), say("gapPerPerson", { n: D.meta.gapPerPerson.toFixed(3) }));
}

function breachCard() {
  const n = D.breaches.length;
  return card(W.breaches, num(n), n ? W.breachesSome : W.breachesNone, n > 0);
}

const MOST_BREACHES = 8;
function drawAlarm() {
  if (!D.breaches.length) return;
  const lines = D.breaches.slice(0, MOST_BREACHES).map((text) => node("div", {}, text));
  if (D.breaches.length > MOST_BREACHES) lines.push(node("div", {}, say("breachesMore", { n: num(D.breaches.length) })));
  byId("alarm").append(node("div", { class: "alarm" }, lines));
}

const NUM_WORST = 10;
function drawWorst() {
  const here = D.worst.filter(({ community }) => inDistrict(community)).slice(0, NUM_WORST);
  byId("worstlist").replaceChildren(...here.map(worstItem));
}

function worstItem(entry) {
  const c = entry.community, sum = Math.max(entry.burden, 1e-9);
  const parts = Object.entries(entry.terms).filter(([, v]) => v > 0);
  const bar = node("div", { class: "bar" }, parts.map(([name, v]) => node("i", { style: `width:${(100 * v) / sum}%;background:${TERM_COLOURS[name]}` })));
  const key = node("div", { class: "key" }, parts.map(([name, v]) => node("span", {}, node("i", { style: `background:${TERM_COLOURS[name]}` }), `${W["term_" + name]} ${dec(v)}`)));
  const link = node("a", { href: "#map", onclick: () => showCommunity(c) }, D.communities.name[c]);
  return node("li", {}, link, ` ${D.districts[D.communities.district[c]]} ${D.communities.street[c]} · ${num(D.communities.people[c])} `,
    node("b", {}, say("perPerson", { n: dec(entry.burden) })), bar, key, node("ul", {}, reasons(entry).map((text) => node("li", {}, text))));
}

/* Sites used are told farthest first: they are what makes the walk long. */
const MOST_USED = 3;
function reasons(entry) {
  const c = entry.community, lines = Object.entries(entry.rest).map(([why, n]) => say("rest_" + why, { n: num(n) }));
  for (const [lab, margin] of entry.labs) if (margin < 0) lines.push(say("lateBy", { lab, n: num(-margin) }));
  if (D.communities.first[c] >= 0) lines.push(say("firstCall", { a: at(D.communities.first[c]), b: at(D.communities.last[c]) }));
  const used = [...entry.used].sort((a, b) => b[1] - a[1]).slice(0, MOST_USED);
  for (const [site, m, n] of used) lines.push(say("goesTo", { site, m: num(m), n: num(n) }));
  for (const [site, m, why] of entry.nearer) lines.push(say("why_" + why, { site, m: num(m) }));
  if (used.length && !entry.nearer.length) lines.push(W.noNearer);
  return lines;
}

function drawRemedies() {
  const box = byId("remedylist");
  if (!box) return;
  const words = (each) => (each.text ? each.text[D.meta.language] : `${each.kind} ${each.amount} ${each.unit}`);
  const short = (D.size.shortfalls || []).map((s) => node("li", {}, words(s)));
  const ways = (D.size.remedies || []).map((r) => node("li", {}, words(r), " ", node("b", {}, r.keeps_promise ? W.keeps : W.keepsNot)));
  box.append(short.length ? node("ul", {}, short) : node("p", {}, W.remediesNone), node("ol", {}, ways));
}

function plainTable(head, rows) {
  const cells = (tag, row) => node("tr", {}, row.map((text, k) => node(tag, { class: k ? null : "text" }, text)));
  return node("table", {}, node("thead", {}, cells("th", head)), node("tbody", {}, rows.map((row) => cells("td", row))));
}

function drawBefore() {
  const box = byId("beforetable");
  if (!box) return;
  const { before, after } = D.before.figures;
  const show = (name, v) => (v === null || v === undefined ? NONE : typeof v === "string" ? v.slice(5) : name === "gap" ? share(v, 2) : name === "objective" ? v.toFixed(2) : num(v));
  const change = (name) => {
    const [a, b] = [before[name], after[name]];
    if (typeof a !== "number" || typeof b !== "number") return a === b ? "=" : "";
    const delta = name === "gap" ? 100 * (b - a) : b - a;
    if (Math.abs(delta) < 0.005) return "=";
    return (delta > 0 ? "+" : "−") + (name === "gap" || name === "objective" ? Math.abs(delta).toFixed(2) : num(Math.abs(delta)));
  };
  box.append(plainTable(["", say("was", { n: D.before.revision }), say("revision", { n: D.meta.revision }), W.change],
    Object.keys(before).map((name) => [W["fig_" + name], show(name, before[name]), show(name, after[name]), change(name)])));
}

function drawSimulated() {
  const box = byId("simtable");
  if (!box) return;
  const three = (figure, show) => (figure === null || figure === undefined ? NONE
    : typeof figure === "object" ? show(figure.p50) + brackets(`${show(figure.p5)}–${show(figure.p95)}`) : show(figure));
  const row = (name, c) => [name, three(c.share_in_time, (v) => share(v, 1)), three(c.peak_queue, num), three(c.wait_min, dec),
    three(c.sites_beyond_ground, num), three(c.last_result, moment)];
  const rows = D.simulations.flatMap((s) => [
    row(`${W["case_" + s.case] || s.case} · ${say("runs", { n: num(s.replications) })}`, s.city || {}),
    ...(s.no_schedule ? [row(W.case_no_schedule, s.no_schedule.city || s.no_schedule)] : []),
  ]);
  box.append(plainTable([W.case, W.inTime, W.peakQueue, W.waitMin, W.beyondGround, W.lastResultAt], rows));
}

const moment = (v) => (typeof v === "string" ? v.slice(5, 16).replace("T", " ") : v === null || v === undefined ? NONE : near(v));
