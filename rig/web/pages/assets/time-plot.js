// Voltage, current, temperature and pressure against time: any window of months, from the server, thinned
// so that no spike is lost. The window asked for is what is seen, so zooming in shows what was measured.
import { get, repeat } from "./api.js";
import { make } from "./dom.js";
import { axis, colour, draw, plotly } from "./plotting.js";

const POINTS = 3000;
const COLUMNS = ["voltage_volt", "current_ampere", "surface_temperature_celsius", "ambient_temperature_celsius", "applied_pressure_pa"];
const PANELS = [
  ["voltage / V", [["voltage_volt", "trace", "solid", 1, "voltage"]], 0.42],
  ["current / mA", [["current_ampere", "trouble", "solid", 1000, "current"]], 0.26],
  ["T / °C", [["surface_temperature_celsius", "waiting", "solid", 1, "cell"], ["ambient_temperature_celsius", "idle", "dot", 1, "chamber"]], 0.18],
  ["pressure / MPa", [["applied_pressure_pa", "coming", "solid", 1e-6, "pressure"]], 0.18],
];
const LENGTHS = [["10 min", 600], ["1 h", 3600], ["24 h", 86400], ["all", null]];
const UNITS = [[10800, 3600, "h"], [300, 60, "min"], [0, 1, "s"]];

export class TimePlot {
  constructor(runId, status) {
    this.runId = runId;
    this.status = status; // gives the newest status of the run, or null
    this.window = null; // seconds of test time, or null for all of it or the last so many
    this.last = null;
    this.choice = make("span", { className: "choice", role: "group", "aria-label": "How much" },
      LENGTHS.map(([word, second]) => make("button", { type: "button", "aria-pressed": String(second === null), onclick: () => this.follow(second) }, word)));
    this.words = make("span", { className: "small soft", id: "plot-words", role: "status" }, "reading the samples …");
    this.plot = make("div", { className: "plot tall", id: "time-plot" });
    this.element = make("section", { className: "panel" },
      make("div", { className: "plot-head" }, make("h2", {}, "Time"), this.words, this.choice), this.plot);
    this.listening = false;
  }

  begin() {
    plotly().catch(() => {}); // it is loaded while the samples are read
    this.again = repeat(() => this.look(), 2000);
    addEventListener("theme", () => this.again());
  }

  follow(second) {
    this.window = null;
    this.last = second;
    this.again();
  }

  async look() {
    const status = this.status();
    const moving = status !== null && this.window === null;
    const key = JSON.stringify([this.window, this.last, document.documentElement.dataset.theme, moving ? status.test_time_second : 0]);
    if (key === this.drawn) return;
    const choice = this.choiceText();
    const data = await get(`/api/runs/${this.runId}/samples?columns=${COLUMNS.join()}&points=${POINTS}${this.asked()}`);
    if (this.choiceText() !== choice) { this.again(); return; } // somebody has chosen another window meanwhile
    this.drawn = key;
    await this.show(data);
  }

  choiceText() {
    return JSON.stringify([this.window, this.last]);
  }

  asked() {
    const [begin, end] = this.window ?? (this.last === null ? [null, null] : [Math.max(0, (this.status()?.test_time_second ?? this.end ?? 0) - this.last), null]);
    return (begin === null ? "" : `&begin_second=${begin}`) + (end === null ? "" : `&end_second=${end}`);
  }

  async show(data) {
    const times = data.columns.test_time_second;
    this.end = times.at(-1) ?? this.end;
    if (!this.window || !this.unit) this.unit = UNITS.find(([least]) => (times.at(-1) ?? 0) - (times[0] ?? 0) >= least);
    const x = times.map((time) => time / this.unit[1]);
    const panels = PANELS.filter(([, lines]) => lines.some(([name]) => data.columns[name].some((one) => one !== null)));
    await draw(this.plot, tracesOf(panels, x, data.columns), this.layoutOf(panels));
    this.words.textContent = wordsOf(data);
    this.plot.dataset.inWindow = data.in_window;
    this.plot.dataset.shown = times.length;
    for (const [at, button] of [...this.choice.children].entries()) button.setAttribute("aria-pressed", String(!this.window && LENGTHS[at][1] === this.last));
    if (!this.listening) this.listen();
  }

  layoutOf(panels) {
    const gap = 0.03, whole = panels.reduce((sum, panel) => sum + panel[2], 0);
    const wanted = { hovermode: "x unified", dragmode: "zoom", uirevision: "kept" };
    let top = 1;
    panels.forEach(([title, , share], at) => {
      const bottom = top - (share / whole) * (1 - gap * (panels.length - 1));
      wanted[`yaxis${at ? at + 1 : ""}`] = axis(title, { domain: [Math.max(0, bottom), top], fixedrange: true });
      top = bottom - gap;
    });
    wanted.xaxis = axis(`test time / ${this.unit[2]}`, { anchor: `y${panels.length > 1 ? panels.length : ""}`, autorange: !this.window });
    if (this.window) wanted.xaxis.range = this.window.map((second) => second / this.unit[1]);
    return wanted;
  }

  // Dragging chooses a window; a double click shows everything again.
  listen() {
    this.listening = true;
    this.plot.on("plotly_relayout", (change) => {
      const [begin, end] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (begin !== undefined) this.zoom(begin * this.unit[1], end * this.unit[1]);
    });
    this.plot.on("plotly_doubleclick", () => this.follow(null));
  }

  zoom(begin, end) {
    this.window = [Math.max(0, begin), end];
    this.again();
  }
}

function tracesOf(panels, x, columns) {
  return panels.flatMap(([, lines], at) => lines
    .filter(([name]) => columns[name].some((one) => one !== null))
    .map(([name, look, dash, factor, words]) => ({
      x, y: columns[name].map((one) => (one === null ? null : one * factor)), name: words, mode: "lines", type: "scatter",
      line: { color: colour(look), dash, width: 1.5 }, yaxis: `y${at ? at + 1 : ""}`,
    })));
}

function wordsOf(data) {
  const count = data.in_window.toLocaleString("en");
  return data.thinned ? `${count} samples; lowest and highest of every stretch shown` : `${count} samples`;
}
