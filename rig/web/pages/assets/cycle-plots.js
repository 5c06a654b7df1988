// Capacity and efficiency against cycle, and the newest spectrum with its fit and its verdict.
import { get, Refused, repeat } from "./api.js";
import { fail } from "./ask.js";
import { fill, make } from "./dom.js";
import { axis, colour, draw } from "./plotting.js";
import { shown } from "./words.js";

const PAGE = 1000;

export class CyclePlot {
  constructor(runId) {
    this.runId = runId;
    this.cycles = [];
    this.plot = make("div", { className: "plot", id: "cycle-plot" });
    this.element = make("section", { className: "panel", hidden: true }, make("h2", {}, "Cycles"), this.plot);
  }

  begin() {
    this.again = repeat(() => this.look(), 10000);
    addEventListener("theme", () => { this.drawn = 0; this.again(); });
  }

  async look() {
    for (;;) {
      const { cycles } = await get(`/api/runs/${this.runId}/cycles?limit=${PAGE}&offset=${this.cycles.length}`);
      this.cycles.push(...cycles);
      if (cycles.length < PAGE) break;
    }
    if (!this.cycles.length || this.drawn === this.cycles.length) return;
    this.drawn = this.cycles.length;
    this.element.hidden = false;
    await this.show();
  }

  async show() {
    const x = this.cycles.map((one) => one.cycle_count);
    const line = (y, name, look, symbol, more = {}) => ({ x, y, name, mode: "lines+markers", marker: { color: colour(look), symbol, size: 6 }, line: { width: 1 }, ...more });
    const milli = (name) => this.cycles.map((one) => 1000 * Math.abs(one[name]));
    const efficiency = this.cycles.map((one) => (one.charging_capacity_ah > 0 ? 100 * Math.abs(one.discharging_capacity_ah) / one.charging_capacity_ah : null));
    await draw(this.plot, [
      line(milli("charging_capacity_ah"), "charge", "waiting", "triangle-up"),
      line(milli("discharging_capacity_ah"), "discharge", "trace", "circle"),
      line(efficiency, "efficiency", "running", "square", { yaxis: "y2" }),
    ], {
      showlegend: true, xaxis: axis("cycle", { anchor: "y2" }),
      yaxis: axis("capacity / mAh", { domain: [0.36, 1], rangemode: "tozero" }), yaxis2: axis("efficiency / %", { domain: [0, 0.3] }),
    });
  }
}

export class SpectrumPlot {
  constructor(runId) {
    this.runId = runId;
    this.plot = make("div", { className: "plot", id: "nyquist-plot" });
    this.verdict = make("div", { className: "verdict", id: "verdict" });
    this.words = make("span", { className: "soft" });
    this.whole = false;
    this.extent = make("button", { type: "button", className: "quiet", hidden: true, onclick: () => { this.whole = !this.whole; this.show().catch(fail); } });
    this.element = make("section", { className: "panel", hidden: true },
      make("div", { className: "plot-head" }, make("h2", {}, "Newest spectrum"), this.words, this.extent), this.verdict, this.plot);
  }

  begin() {
    this.again = repeat(() => this.look(), 10000);
    addEventListener("theme", () => { if (this.judged) this.show(); });
  }

  async look() {
    const { spectra } = await get(`/api/runs/${this.runId}/spectra`);
    const newest = spectra.filter((one) => one.complete).at(-1)?.spectrum_count;
    if (newest === undefined || newest === this.tried) return;
    this.tried = newest;
    try {
      this.judged = await get(`/api/runs/${this.runId}/spectra/${newest}/judged`);
    } catch (refusal) {
      if (!(refusal instanceof Refused)) { this.tried = undefined; throw refusal; }
      this.verdict.textContent = refusal.message;
      return;
    } finally { this.element.hidden = false; }
    await this.show();
  }

  async show() {
    const { judged } = this, fit = judged.fit, kk = judged.kramers_kronig;
    const celsius = judged.temperature_celsius === null ? "" : ` at ${judged.temperature_celsius.toFixed(1)} °C`;
    this.words.textContent = `number ${judged.spectrum_count}${judged.cycle_count ? `, cycle ${judged.cycle_count}` : ""}${celsius}`;
    fill(this.verdict, verdictOf(kk), fitWords(fit, judged.problem));
    const flip = (all) => all.map((one) => -one);
    const measured = { x: judged.real_impedance_ohm, y: flip(judged.imaginary_impedance_ohm), name: "measured", mode: "markers",
      text: judged.frequency_hertz.map((one) => shown(one, "Hz")), marker: { size: 7, color: "rgba(0,0,0,0)", line: { width: 1.6, color: colour("trace") } } };
    const fitted = fit && { x: fit.curve.real_impedance_ohm, y: flip(fit.curve.imaginary_impedance_ohm), name: "fit", mode: "lines", line: { color: colour("trouble"), width: 1.6 } };
    const side = judged.arcs_side_ohm;
    this.extent.hidden = side === null;
    this.extent.textContent = this.whole ? "Show the arcs" : "Show the whole tail";
    const near = side !== null && !this.whole ? [{ range: [0, side] }, { range: [-0.12 * side, 0.88 * side] }] : [{}, {}];
    await draw(this.plot, fitted ? [measured, fitted] : [measured], {
      showlegend: true, xaxis: axis("Z′ / Ω", near[0]), yaxis: axis("−Z″ / Ω", { scaleanchor: "x", scaleratio: 1, ...near[1] }) });
  }
}

function verdictOf(kk) {
  const worst = (100 * Math.max(kk.max_residual_real, kk.max_residual_imaginary)).toPrecision(2);
  return make("span", {}, make("span", { className: "state", "data-look": kk.valid ? "running" : "trouble" },
    kk.valid ? "Kramers-Kronig: holds" : "Kramers-Kronig: does not hold"), make("span", { className: "soft" }, ` largest residual ${worst} %`));
}

function fitWords(fit, problem) {
  if (!fit) return make("span", { className: "soft" }, problem ? `no fit: ${problem}` : "no fit");
  return make("span", { className: "soft" }, `${fit.circuit}, residual ${(100 * fit.residual_rms_relative).toPrecision(2)} %`);
}
