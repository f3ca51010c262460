"use strict";
/* Pointing at the map: what is near, what is told of it, moving and zooming; and the map's start. */
function nearest(x, y) {
  let best = null, least = REACH_PX;
  const kinds = [["labs", -4], ["communities", 0], ["sites", 1]].filter(([kind]) => view.show[kind]);
  if (view.show.communities && view.scale > view.fit * BLOCK_ZOOM) kinds.push(["blocks", 5]);
  for (const [kind, handicap] of kinds) {
    const { x: xs, y: ys } = points[kind];
    for (let i = 0; i < xs.length; i += 1) {
      const far = Math.hypot(toX(xs[i]) - x, toY(ys[i]) - y) + handicap;
      if (far < least) { least = far; best = { kind, index: i }; }
    }
  }
  return best;
}

const TIPS = {
  communities: (c) => [D.communities.name[c],
    `${D.communities.id[c]} · ${D.districts[D.communities.district[c]]} ${D.communities.street[c]} · ${D.zones[D.communities.zone[c]]}`,
    `${W.people} ${num(D.communities.people[c])} · ${say("tip_goes", { n: D.communities.sites[c] })}`,
    say("firstCall", { a: at(D.communities.first[c]), b: at(D.communities.last[c]) }),
    `${W.col_walk} ${num(D.communities.walk[c])} · ${W.col_result} ${dec(D.communities.result[c] / 60)}`],
  sites: (s) => [D.sites.name[s], `${D.sites.id[s]} · ${D.districts[D.sites.district[s]]} ${D.sites.address[s]}`,
    say("tip_serves", { n: D.sites.communities[s], m: num(D.sites.people[s]) }),
    `${say("tip_load", { n: share(siteLoad[s]) })} · ${W.col_lanes} ${D.sites.lanes[s]}`,
    siteWait(s) === null || siteWait(s) === undefined ? "" : `${W.wait} ${dec(siteWait(s))}`,
    say("firstCall", { a: at(D.sites.first[s]), b: at(D.sites.last[s]) })],
  labs: (l) => [D.labs.name[l], D.labs.id[l],
    say("tip_gets", { n: links({ kind: "labs", index: l }).length, m: num(D.labs.tubes[l]) }),
    say("tip_load", { n: share(labLoad[l]) })],
  blocks: (b) => [D.sites.name[D.blocks.site[b]] || NONE,
    say("tip_block", { c: D.communities.name[D.blocks.community[b]], n: num(D.blocks.people[b]), t: at(D.blocks.first[b]) }),
    `${W.col_walk} ${num(D.blocks.walk[b])}`],
};

function tell(focus) {
  const tip = byId("tip");
  tip.hidden = focus === null;
  if (focus === null) return;
  const [title, ...lines] = TIPS[focus.kind](focus.index);
  tip.replaceChildren(node("b", {}, title), ...lines.filter(Boolean).map((text) => node("div", {}, text)));
  const box = canvas.getBoundingClientRect();
  const x = toX(points[focus.kind].x[focus.index]), y = toY(points[focus.kind].y[focus.index]);
  const right = x + 16 + tip.offsetWidth < box.width, below = y + 16 + tip.offsetHeight < box.height;
  tip.style.left = Math.min(Math.max(right ? x + 14 : x - tip.offsetWidth - 14, 4), Math.max(box.width - tip.offsetWidth - 4, 4)) + "px";
  tip.style.top = Math.min(Math.max(below ? y + 14 : y - tip.offsetHeight - 14, 4), Math.max(box.height - tip.offsetHeight - 4, 4)) + "px";
}

const same = (a, b) => (a && b ? a.kind === b.kind && a.index === b.index : a === b);

function point(x, y) {
  const found = nearest(x, y);
  if (same(found, view.hover)) return;
  view.hover = found;
  draw();
  tell(found || view.pinned);
}

function showCommunity(c) {
  view.pinned = { kind: "communities", index: c };
  view.hover = null;
  const box = canvas.getBoundingClientRect();
  view.scale = Math.max(view.scale, view.fit * 8);
  view.x = box.width / 2 - points.communities.x[c] * view.scale;
  view.y = box.height / 2 - points.communities.y[c] * view.scale;
  draw();
  tell(view.pinned);
}

function listen() {
  const fingers = new Map();
  let moved = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, place(event));
    moved = 0;
    if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = place(event), before = fingers.get(event.pointerId);
    if (!before) { point(x, y); return; }
    const apart = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, [x, y]);
    moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
    if (fingers.size === 2) zoom(spread() / Math.max(apart, 1), x, y);
    else { view.x += x - before[0]; view.y += y - before[1]; draw(); tell(view.pinned); }
  });
  const lift = (event) => {
    fingers.delete(event.pointerId);
    if (event.type !== "pointerup" || moved > 6) return;
    view.pinned = nearest(...place(event));
    view.hover = null;
    draw();
    tell(view.pinned);
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => { view.hover = null; draw(); tell(view.pinned); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), ...place(event));
    tell(view.pinned);
  }, { passive: false });
  byId("in").addEventListener("click", () => zoom(1.7));
  byId("out").addEventListener("click", () => zoom(1 / 1.7));
  byId("all").addEventListener("click", () => { view.pinned = null; tell(null); fitAll(); });
  window.addEventListener("resize", fitAll);
}

function legend() {
  const { text } = METRICS[view.metric];
  const range = (k) => (!breaks.length ? W.city : k === 0 ? `< ${text(breaks[0])}` : k === breaks.length ? `≥ ${text(breaks[k - 1])}` : `${text(breaks[k - 1])} – ${text(breaks[k])}`);
  const item = (shape, fill, word) => node("span", {}, node("i", { class: shape, style: `background:${fill}` }), word);
  byId("legend").replaceChildren(
    node("b", {}, `● ${W.communities}${COLON}${W[view.metric]}`), ...[...breaks, 0].map((_, k) => item("", classColour(k), range(k))),
    node("b", {}, `■ ${W.sites} ◆ ${W.labs}${COLON}${W.load}`),
    ...LOADS.map((c, k) => item("square", c, W[["loadLow", "loadMid", "loadHigh"][k]])));
}

function startMap() {
  for (const name of Object.keys(METRICS)) byId("metric").append(node("option", { value: name }, W[name]));
  byId("metric").addEventListener("change", (event) => { view.metric = event.target.value; classify(); legend(); draw(); });
  for (const kind of Object.keys(view.show)) {
    const tick = node("input", { type: "checkbox", checked: "", onchange: (e) => { view.show[kind] = e.target.checked; draw(); } });
    byId("layers").append(node("label", {}, tick, ` ${W[kind]}`));
  }
  byId("names").append(...D.communities.name.map((name, c) => node("option", { value: name }, `${D.communities.id[c]} ${D.communities.street[c]}`)));
  byId("find").addEventListener("change", (event) => {
    const wanted = event.target.value.trim();
    const c = D.communities.name.findIndex((name, i) => wanted && (name === wanted || D.communities.id[i] === wanted));
    if (c >= 0) showCommunity(c);
  });
  classify();
  legend();
  listen();
  onDistrict(() => { view.pinned = null; view.hover = null; tell(null); fitAll(); });
}
