"use strict";
/* The charts, drawn by Apache ECharts as SVG so that they print sharp. Colours are those of Okabe
   and Ito and of viridis, which colour-blind readers can tell apart; lines also differ in dash. */
const BLUE = "#0072b2", ORANGE = "#d55e00", GREEN = "#009e73", GREY = "#8a97a3", BLACK = "#1b2733";
const VIRIDIS = ["#edf3e8", "#b8de29", "#55c667", "#238a8d", "#404788", "#440154"];
const charts = {};

const BASE = {
  animation: false,
  textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: BLACK },
  grid: { left: 8, right: 14, top: 34, bottom: 6, containLabel: true },
  legend: { top: 0, left: 0, itemWidth: 20, itemHeight: 9, textStyle: { fontSize: 12 } },
};

function chart(id, option) {
  const box = byId(id);
  if (!box) return;
  charts[id] = echarts.init(box, null, { renderer: "svg" });
  const draw = () => charts[id].setOption({ ...BASE, ...option() }, true);
  onDistrict(draw);
}

function hourAxis(labels = D.hours.labels) {
  return {
    type: "category", data: labels,
    axisLabel: { fontSize: 11, hideOverlap: true, formatter: (t) => t.replace(" ", "\n") },
    axisTick: { show: false },
  };
}

const amountAxis = (format = (v) => whole.format(v)) => ({
  type: "value", axisLabel: { fontSize: 11, formatter: format }, splitLine: { lineStyle: { color: "#e6eaed" } },
});
const overHours = (unit = (v) => num(v)) => ({ trigger: "axis", valueFormatter: unit, confine: true });
const bars = (name, data, color) => ({ name, type: "bar", data, itemStyle: { color }, barCategoryGap: "15%" });
const line = (name, data, color, dash = "solid") => ({
  name, type: "line", data, step: "middle", symbol: "none",
  lineStyle: { color, width: 2, type: dash }, itemStyle: { color },
});

/* Hours in which somebody is swabbed or may be: nights after the round need no room. */
function samplingHours() {
  const open = add(D.hours.capacity).map((c, h) => c + add(D.hours.people)[h]);
  return open.reduce((last, value, hour) => (value > 0 ? hour : last), 0) + 1;
}

function drawHours() {
  const last = samplingHours();
  chart("sampling", () => ({
    tooltip: overHours(), xAxis: hourAxis(D.hours.labels.slice(0, last)), yAxis: amountAxis(),
    series: [
      bars(W.swabbed, pick(D.hours.people).slice(0, last), BLUE),
      line(W.siteCapacity, pick(D.hours.capacity).slice(0, last), ORANGE, "dashed"),
    ],
  }));
  const capacity = add(D.hours.labCapacity.length ? D.hours.labCapacity : [[0]]);
  chart("testing", () => ({
    tooltip: overHours(), xAxis: hourAxis(), yAxis: amountAxis(),
    series: [
      bars(W.started, pick(D.hours.started), GREEN),
      line(W.arrived, pick(D.hours.arrived), BLACK, "dotted"),
      ...(state.district < 0 ? [line(W.labCapacity, capacity, ORANGE, "dashed")] : []),
    ],
  }));
  chart("pile", () => {
    const swabbed = running(pick(D.hours.people)), out = running(pick(D.hours.resulted));
    const total = Math.max(swabbed[swabbed.length - 1], 1);
    const shares = (row) => row.map((v) => v / total);
    const smooth = (series) => ({ ...series, step: false });
    return {
      tooltip: overHours((v) => share(v, 1)), xAxis: hourAxis(),
      yAxis: { ...amountAxis((v) => share(v)), max: 1 },
      series: [
        { ...smooth(line(W.swabbedShare, shares(swabbed), BLUE)), areaStyle: { color: "#cfe4f2" } },
        { ...smooth(line(W.resultShare, shares(out), GREEN, "dashed")), areaStyle: { color: "#b6dfd2" } },
      ],
    };
  });
}

function running(row) {
  let sum = 0;
  return row.map((value) => (sum += value));
}

function drawHeat() {
  const labs = D.labs.name.length, box = byId("heat");
  box.style.height = Math.min(Math.max(150 + labs * 15, 200), 1150) + "px";
  chart("heat", () => {
    const cells = heatCells();
    return {
      legend: { show: false },
      grid: { left: 4, right: 14, top: 44, bottom: 6, containLabel: true },
      tooltip: {
        confine: true,
        formatter: ({ data }) => heatTip(data),
      },
      xAxis: hourAxis(),
      yAxis: {
        type: "category", data: D.labs.name, inverse: true, axisTick: { show: false },
        axisLabel: { fontSize: 11, width: window.innerWidth < 640 ? 90 : 190, overflow: "truncate", interval: 0 },
      },
      visualMap: {
        type: "continuous", min: 0, max: 1, calculable: false, orient: "horizontal", left: 0, top: 0,
        itemWidth: 12, itemHeight: 120, text: ["100%", "0%"], dimension: 2, inRange: { color: VIRIDIS },
      },
      series: [{ type: "heatmap", data: cells, itemStyle: { borderWidth: 0.5, borderColor: "#fff" } }],
    };
  });
}

/* [hour, lab, load, tubes] for every hour that a lab is open; tubes of the chosen district. */
function heatCells() {
  const width = D.hours.labels.length, tubes = {};
  const { district, lab, hour, tubes: amount } = D.hours.labs;
  amount.forEach((n, i) => {
    if (state.district >= 0 && district[i] !== state.district) return;
    const key = lab[i] * width + hour[i];
    tubes[key] = (tubes[key] || 0) + n;
  });
  const cells = [];
  D.hours.labCapacity.forEach((row, l) => row.forEach((most, h) => {
    const n = tubes[l * width + h] || 0;
    if (most > 0 || n > 0) cells.push([h, l, ratio(n, most), n]);
  }));
  return cells;
}

function heatTip([hour, lab, load, tubes]) {
  const most = D.hours.labCapacity[lab][hour];
  const name = echarts.format.encodeHTML(D.labs.name[lab]);
  return `<b>${name}</b><br>${D.hours.labels[hour]}<br>${num(tubes)} / ${num(most)} ${W.tubes}${brackets(share(load))}`;
}

function drawSpread() {
  histogram("walking", D.spread.walk, 1, W.unitM);
  histogram("turnaround", D.spread.turnaround, 60, W.unitH);
}

function histogram(id, spread, unit, word) {
  const last = spread.people[0] ? spread.people[0].length - 1 : 0;
  const edge = (n) => dec((n * spread.step) / unit);
  const name = (n) => (spread.overflow && n === last ? `> ${edge(n)}` : `${edge(n)}–${edge(n + 1)}`);
  const inside = (n) => (n + 1) * spread.step <= spread.limit + 1e-9;
  chart(id, () => {
    const people = pick(spread.people);
    const part = (ok) => people.map((v, n) => (inside(n) === ok ? v : 0));
    const stacked = (series) => ({ ...series, stack: "all", barCategoryGap: "8%" });
    return {
      tooltip: overHours(),
      xAxis: { ...hourAxis(people.map((_, n) => name(n))), name: word, nameLocation: "end", nameGap: 4,
        axisLabel: { fontSize: 11, hideOverlap: true } },
      yAxis: amountAxis(),
      grid: { ...BASE.grid, right: 34 },
      series: [stacked(bars(W.within, part(true), BLUE)), stacked(bars(W.beyond, part(false), ORANGE))],
    };
  });
}

function drawFates() {
  if (!D.before) return;
  chart("fates", () => ({
    legend: { show: false }, tooltip: { trigger: "axis", valueFormatter: (v) => num(v), confine: true },
    grid: { ...BASE.grid, top: 8, right: 70 },
    xAxis: amountAxis(),
    yAxis: { type: "category", inverse: true, data: D.before.fates.map((f) => W["fate_" + f]) },
    series: [{
      type: "bar", data: state.district < 0 ? D.before.city : D.before.people[state.district],
      itemStyle: { color: BLUE }, label: { show: true, position: "right", formatter: ({ value }) => num(value) },
    }],
  }));
}

/* On paper a chart is as wide as its box there; A4 less its margins is about 700 px wide. */
const PAPER_PX = { wide: 700, half: 342, high: 200, page: 880 };
function paperSize(id) {
  if (id === "heat") return { width: PAPER_PX.wide, height: Math.min(byId(id).offsetHeight, PAPER_PX.page) };
  const half = byId(id).closest(".grid") !== null && id !== "pile";
  return { width: half ? PAPER_PX.half : PAPER_PX.wide, height: PAPER_PX.high };
}
function resizeCharts(paper) {
  for (const [id, each] of Object.entries(charts)) {
    each.resize(paper ? paperSize(id) : { width: "auto", height: "auto" });
    each.getZr().flush(); // the print is taken before the next frame
  }
}
window.addEventListener("resize", () => { if (!window.matchMedia("print").matches) resizeCharts(false); });
window.addEventListener("beforeprint", () => resizeCharts(true));
window.addEventListener("afterprint", () => resizeCharts(false));
