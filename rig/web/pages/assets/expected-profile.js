// What a checked protocol is expected to do, from a rehearsal on a simulated cell: before anything is started.
import { post } from "./api.js";
import { fill, make, say } from "./dom.js";
import { axis, colour, draw } from "./plotting.js";
import { duration, plural } from "./words.js";

const PANELS = [["voltage / V", "voltage_volt", "trace", 1, 0.46], ["current / mA", "current_ampere", "trouble", 1000, 0.28], ["chamber / °C", "ambient_temperature_celsius", "idle", 1, 0.2]];
const UNITS = [[10800, 3600, "h"], [300, 60, "min"], [0, 1, "s"]];

export class ExpectedProfile {
  constructor() {
    this.button = make("button", { type: "button", id: "rehearse", disabled: true, onclick: () => this.rehearse() }, "Show what to expect");
    this.words = make("p", { className: "soft", id: "profile-words", role: "status" });
    this.plot = make("div", { className: "plot tall", id: "profile-plot", hidden: true });
    this.element = make("section", { className: "panel", id: "profile" },
      make("div", { className: "plot-head" }, make("h2", {}, "Expected"), this.button), this.words, this.plot);
    this.offer(null, "after the check, with a channel chosen");
    addEventListener("theme", () => { if (this.profile) this.show(); });
  }

  // The body that would be rehearsed, or null and why not. What was shown of another one goes away.
  offer(body, why = "") {
    const text = JSON.stringify(body);
    if (text === this.offered) return;
    this.offered = text;
    this.body = body;
    this.profile = null;
    this.button.disabled = body === null;
    this.plot.hidden = true;
    say(this.words, body === null ? why : `A rehearsal on a simulated cell, as on ${body.channels[0]}; it takes seconds and touches no instrument.`);
  }

  async rehearse() {
    const asked = this.offered;
    this.button.disabled = true;
    say(this.words, "rehearsing on a simulated cell …");
    try {
      const profile = await post("/api/rehearsals", this.body);
      if (asked !== this.offered) return;
      this.profile = profile;
      await this.show();
    } catch (failure) {
      if (asked === this.offered) fill(this.words, make("b", {}, "No rehearsal: "), [failure.message, failure.remedy].filter(Boolean).join("; "));
    } finally { if (asked === this.offered) this.button.disabled = false; }
  }

  async show() {
    const { profile } = this, data = profile.columns, end = profile.test_time_second;
    fill(this.words, make("b", {}, `${capital(profile.words)}: `), make("span", { id: "profile-cell" }, profile.cell), `. ${lengthOf(profile)}`);
    this.plot.hidden = false;
    const [, second, unit] = UNITS.find(([least]) => end >= least), x = data.test_time_second.map((one) => one / second);
    const panels = PANELS.filter(([, name]) => data[name].some((one) => one !== null));
    const wanted = { hovermode: "x unified", showlegend: false, xaxis: axis(`test time / ${unit}`, { anchor: `y${panels.length > 1 ? panels.length : ""}` }) };
    const whole = panels.reduce((sum, panel) => sum + panel[4], 0), gap = 0.04;
    let top = 1;
    panels.forEach(([title, , , , share], at) => {
      const bottom = Math.max(0, top - (share / whole) * (1 - gap * (panels.length - 1)));
      wanted[`yaxis${at ? at + 1 : ""}`] = axis(title, { domain: [bottom, top] });
      top = bottom - gap;
    });
    await draw(this.plot, panels.map(([title, name, look, factor], at) => ({
      x, y: data[name].map((one) => (one === null ? null : one * factor)), name: title.split(" /")[0], mode: "lines", line: { color: colour(look), width: 1.4 }, yaxis: `y${at ? at + 1 : ""}`,
    })), wanted);
    this.plot.dataset.shown = x.length;
  }
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function lengthOf(profile) {
  const shown = duration(profile.test_time_second), cycles = profile.cycles ? `, ${plural(profile.cycles, "cycle")}` : "";
  if (profile.complete) return `It came to its end after ${shown}${cycles}.`;
  if (profile.cut) return `The first ${shown} of about ${duration(profile.duration_second)}${cycles}: ${profile.cut}.`;
  return `In the rehearsal the run was ${profile.state} after ${shown}: ${profile.reason}.`;
}
