// A pellet's conductivities as they come, and the law through them as soon as they support one.
import { get, Refused, repeat } from "./api.js";
import { fill, make } from "./dom.js";
import { tenTo, withError } from "./numbers.js";
import { axis, colour, draw } from "./plotting.js";
import { fixed, plural } from "./words.js";

const ZERO = 273.15;
// What is plotted: its name, its axis, and what conductivity is multiplied by.
const CONVENTIONS = { ln_sigma_t: ["ln σT (hopping)", "σT / (S K/cm)", (kelvin) => kelvin], ln_sigma: ["ln σ (data sheets)", "σ / (S/cm)", () => 1] };
const TICKS = [-60, -40, -20, 0, 25, 40, 60, 80, 100, 150];

export class ArrheniusPlot {
  constructor(runId) {
    this.runId = runId;
    this.plot = make("div", { className: "plot", id: "arrhenius-plot" });
    this.words = make("div", { className: "answers", id: "arrhenius-words", role: "status" });
    this.notes = make("ul", { className: "notes small" });
    this.convention = make("select", { "aria-label": "convention", onchange: () => this.again() },
      Object.entries(CONVENTIONS).map(([value, [words]]) => make("option", { value }, words)));
    this.element = make("section", { className: "panel", id: "arrhenius", hidden: true },
      make("div", { className: "plot-head" }, make("h2", {}, "Arrhenius"), this.convention), this.words, this.plot, this.notes);
  }

  begin() {
    this.again = repeat(() => this.look(), 15000);
    addEventListener("theme", () => { if (this.data?.points.length) this.show(); });
  }

  async look() {
    try {
      this.data = await get(`/api/runs/${this.runId}/arrhenius?convention=${this.convention.value}`);
    } catch (refusal) {
      if (refusal instanceof Refused) return; // no series, no panel
      throw refusal;
    }
    const text = JSON.stringify(this.data);
    if (text === this.drawn || !this.data.points.length) return;
    this.drawn = text;
    this.element.hidden = false;
    await this.show();
  }

  async show() {
    const { points, fit } = this.data, [, title, times] = CONVENTIONS[this.data.convention];
    this.tell();
    const place = (celsius, sigma) => [1000 / (celsius + ZERO), sigma * times(celsius + ZERO)];
    const measured = points.map((one) => place(one.temperature_celsius, one.conductivity_siemens_per_centimetre));
    const traces = [...(fit ? lawOf(fit.line, place) : []), {
      x: measured.map(([x]) => x), y: measured.map(([, y]) => y), name: "measured", mode: "markers",
      error_y: { type: "data", array: points.map((one, at) => measured[at][1] * one.relative_uncertainty), color: colour("soft"), thickness: 1 },
      marker: { size: 9, color: "rgba(0,0,0,0)", line: { width: 1.8, color: colour("trace") } },
      text: points.map((one) => `spectrum ${one.spectrum_count}, ${fixed(one.temperature_celsius, 1)} °C`), hovertemplate: "%{text}<br>%{y:.3e}<extra></extra>",
    }, { x: [measured[0][0]], y: [measured[0][1]], xaxis: "x2", mode: "markers", marker: { opacity: 0 }, showlegend: false, hoverinfo: "skip" }];
    await draw(this.plot, traces, { showlegend: Boolean(fit), legend: { x: 1, xanchor: "right", y: 0.98, yanchor: "top" }, margin: { l: 74, r: 12, t: 46, b: 44 },
      xaxis: axis("1000 K / T"), yaxis: axis(title, { type: "log", ...decadeTicks(measured) }),
      xaxis2: axis("T / °C", { overlaying: "x", side: "top", matches: "x", showgrid: false, tickvals: TICKS.map((one) => 1000 / (one + ZERO)), ticktext: TICKS.map(String) }) });
  }

  tell() {
    const { points, fit, problem, quantities, left_out: leftOut, flags } = this.data;
    const answers = quantities.map((one) => make("div", {}, make("span", { className: "soft" }, `${one.title} `), `${withError(one.value, one.standard_error)} ${one.unit}`));
    fill(this.words, fit && answers.length ? answers : fit ? `${fit.model.replace("_", " ")}: no single activation energy` : `${plural(points.length, "point")}; ${problem}`);
    fill(this.notes, ...flags.map((note) => make("li", {}, make("b", {}, `${note.level} ${note.code}`), `: ${note.message}`)),
      ...leftOut.map((words) => make("li", { className: "soft" }, `left out: ${words}`)));
  }
}

function lawOf(line, place) {
  const along = (name) => line.temperature_celsius.map((celsius, at) => place(celsius, line[name][at]));
  const trace = (name, more) => ({ x: along(name).map(([x]) => x), y: along(name).map(([, y]) => y), mode: "lines", hoverinfo: "skip", ...more });
  const edge = { line: { width: 0 }, showlegend: false };
  return [trace("low_95_siemens_per_centimetre", edge), trace("high_95_siemens_per_centimetre", { ...edge, fill: "tonexty", fillcolor: "rgba(130,140,150,0.25)", showlegend: true, name: "95 % band" }),
    trace("conductivity_siemens_per_centimetre", { name: "law", line: { color: colour("trouble"), width: 1.6 } })];
}

// 1, 2, 5 of every decade while there are few, else every power of ten.
function decadeTicks(measured) {
  const [low, high] = [Math.min, Math.max].map((extreme) => Math.floor(Math.log10(extreme(...measured.map(([, y]) => y)))));
  const powers = Array.from({ length: high - low + 3 }, (_, at) => low - 1 + at);
  const ticks = powers.flatMap((power) => (high - low < 3 ? [1, 2, 5] : [1]).map((one) => [one, power]));
  return { tickvals: ticks.map(([one, power]) => one * 10 ** power), ticktext: ticks.map(([one, power]) => (Math.abs(power) < 3 ? String(Number((one * 10 ** power).toPrecision(1))) : `${one === 1 ? "" : `${one}·`}${tenTo(power)}`)) };
}
