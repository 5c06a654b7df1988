// Chosen cycles laid over each other: voltage against charge, or dQ/dV, of the cell, per area or per mass.
import { get, Refused, repeat } from "./api.js";
import { make, say } from "./dom.js";
import { axis, colour, draw } from "./plotting.js";

const VIEWS = [["charge", "V against Q"], ["rate", "dQ/dV"]];
const STEPS = [0.002, 0.005, 0.01, 0.02];
const DASHES = ["solid", "dash", "dot", "dashdot"];
// What capacity is divided by: name, unit of charge, factor from Ah, key of the cell's record.
const BASES = [["cell", "mAh", null], ["area", "mAh/cm²", "area_square_centimetre"], ["mass", "mAh/g", "mass_gram"]];

export class CycleCurves {
  constructor(runId) {
    this.runId = runId;
    [this.view, this.base, this.step] = ["charge", "cell", 0.005];
    this.cycles = make("input", { type: "text", id: "curve-cycles", placeholder: "a few of all", size: 18, maxLength: 200, autocomplete: "off", onchange: () => this.again() });
    this.steps = make("select", { id: "curve-step", "aria-label": "bins of voltage", hidden: true, onchange: () => { this.step = Number(this.steps.value); this.again(); } },
      STEPS.map((one) => make("option", { value: one, selected: one === this.step }, `bins of ${1000 * one} mV`)));
    this.views = choice("What to show", VIEWS, (one) => { this.view = one; this.show(); });
    this.bases = choice("Per what", BASES.map(([name, unit]) => [name, unit]), (one) => { this.base = one; this.show(); });
    this.words = make("p", { className: "small soft", id: "curve-words", role: "status" });
    this.plot = make("div", { className: "plot tall", id: "curve-plot" });
    this.element = make("section", { className: "panel", id: "curves", hidden: true },
      make("div", { className: "plot-head" }, make("h2", {}, "Cycles compared"), this.views, this.bases),
      make("div", { className: "row" }, make("label", {}, "Cycles ", this.cycles), make("span", { className: "small soft" }, "as in 1, 2, 10-50/10, last, now"), this.steps),
      this.words, this.plot);
  }

  begin() {
    this.again = repeat(() => this.look(), 20000);
    addEventListener("theme", () => this.show());
  }

  async look() {
    const asked = String(new URLSearchParams({ cycles: this.cycles.value.trim(), voltage_step_volt: this.step }));
    if (asked === this.asked && !(await this.hasNews())) return;
    try {
      this.data = await get(`/api/runs/${this.runId}/curves?${asked}`);
      this.asked = asked;
    } catch (refusal) {
      if (!(refusal instanceof Refused)) throw refusal;
      say(this.words, refusal.problems.map((one) => one.message).join("; ") || refusal.message);
      this.words.classList.add("refused");
      this.asked = null;
      return;
    }
    this.words.classList.remove("refused");
    const text = JSON.stringify(this.data);
    if (text === this.drawn) { this.tell(); return; }
    this.drawn = text;
    await this.show();
  }

  // Cycles that have ended do not change: there is news when another one has, or of the one that goes on.
  async hasNews() {
    if (this.data.cycles.some((one) => !one.ended) || !this.data.cycles.length) return true;
    const { cycles } = await get(`/api/runs/${this.runId}/cycles?limit=1&offset=${this.data.ended}`);
    return cycles.length > 0;
  }

  async show() {
    if (!this.data?.cycles.length) return;
    this.element.hidden = false;
    this.offer();
    this.tell();
    const [, unit, key] = BASES.find(([name]) => name === this.base);
    const per = 1000 / (key ? this.data.cell[key] : 1);
    const traces = this.data.cycles.flatMap((cycle, at) => this.tracesOf(cycle, at, per));
    const titles = this.view === "charge" ? [`charge of each half cycle / ${unit}`, "voltage / V"] : ["voltage / V", `dQ/dV / (${unit}/V)`];
    await draw(this.plot, traces, { showlegend: true, hovermode: "closest", uirevision: `${this.view} ${this.base}`, xaxis: axis(titles[0]), yaxis: axis(titles[1]),
      ...roomFor(this.plot) });
  }

  tracesOf(cycle, at, per) {
    const line = { color: cycleColour(this.data.cycles.length > 1 ? at / (this.data.cycles.length - 1) : 0), dash: DASHES[at % DASHES.length], width: 1.6 };
    const name = `cycle ${cycle.cycle_count}${cycle.ended ? "" : ", now"}`;
    return ["charge", "discharge"].filter((half) => cycle[half]).map((half, which) => ({
      ...this.curveOf(cycle[half], half, per), name, legendgroup: name, showlegend: which === 0 || !cycle.charge, mode: "lines", type: "scatter", line,
      hovertemplate: `%{x:.4g}, %{y:.4g}<extra>${name}, ${half}</extra>`,
    }));
  }

  curveOf(half, kind, per) {
    if (this.view === "charge") return { x: half.capacity_ah.map((one) => one * per), y: half.voltage_volt };
    const sign = kind === "charge" ? per : -per, bins = half.incremental_capacity;
    return { x: bins.voltage_volt, y: bins.incremental_capacity_ah_per_volt.map((one) => one * sign) };
  }

  // What cannot be reckoned is grey, and says why.
  offer() {
    this.steps.hidden = this.view !== "rate";
    BASES.forEach(([name, , key], at) => {
      const button = this.bases.children[at], missing = key !== null && !this.data.cell[key];
      button.disabled = missing;
      button.title = missing ? `the cell's record has no ${name}` : "";
    });
    for (const [group, chosen] of [[this.views, this.view], [this.bases, this.base]]) {
      for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.value === chosen));
    }
  }

  tell() {
    const { ended, cycle_now: now, method } = this.data;
    const there = `${ended} ended${now === null ? "" : `, cycle ${now} goes on`}`;
    say(this.words, this.view === "rate" ? `${there}. dQ/dV: ${method}; a discharge is drawn below zero.` : there);
  }
}

// The legend beside the curves; on a phone below them.
function roomFor(plot) {
  const beside = plot.clientWidth > 520, look = { traceorder: "normal", font: { size: 12 } };
  return beside ? { margin: { l: 64, r: 12, t: 10, b: 44 }, legend: { ...look, orientation: "v", x: 1.01, xanchor: "left", y: 1, yanchor: "top" } }
    : { margin: { l: 56, r: 8, t: 10, b: 44 }, legend: { ...look, orientation: "h", x: 0, y: -0.16, yanchor: "top" } };
}

function choice(label, options, chosen) {
  return make("span", { className: "choice", role: "group", "aria-label": label },
    options.map(([value, words]) => make("button", { type: "button", "data-value": value, "aria-pressed": "false", onclick: () => chosen(value) }, words)));
}

// From the first cycle's colour over the middle one to the last: order is seen, dashes tell neighbours apart.
function cycleColour(share) {
  const stops = ["cycle-first", "cycle-middle", "cycle-last"].map((name) => parts(colour(name)));
  const at = Math.min(share, 0.9999) * 2, low = Math.floor(at);
  const mixed = stops[low].map((one, channel) => Math.round(one + (stops[low + 1][channel] - one) * (at - low)));
  return `rgb(${mixed.join()})`;
}

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
