// What an operation by hand gave: the rest, the verdicts on the leads, the spectrum as it came in.
import { get } from "./api.js";
import { fill, make } from "./dom.js";
import { nyquistDrawing } from "./small-nyquist.js";
import { fixed, scaled, shown } from "./words.js";

const VERDICTS = { well: ["well", "✓ ok"], ill: ["ill", "✕ ill"], "not seen": ["", "– not seen"] };

export async function showOutcome(card, title, outcome) {
  const points = outcome.spectrum_count === null ? [] : await pointsOf(outcome);
  const ended = outcome.is_over ? outcome.state : "measuring …";
  fill(card, make("div", { className: "headline" }, make("h3", {}, `${title}, ${outcome.channel}`), mark(outcome, ended), make("span", { className: "spring" }),
    make("a", { href: `/run/${outcome.run_id}` }, "all of it")),
  outcome.is_over && outcome.state !== "finished" ? make("p", { className: "last-error" }, outcome.reason) : null,
  resting(outcome.open_circuit), outcome.resistance_ohm === null ? null : make("p", {}, `ac resistance ${shown(outcome.resistance_ohm, "Ω")}`),
  outcome.leads.length ? make("ul", { className: "verdicts" }, outcome.leads.map(verdict)) : null,
  points.length ? nyquistDrawing(points) : null);
}

function mark(outcome, ended) {
  const bad = outcome.is_over && (outcome.state !== "finished" || outcome.leads_well === false);
  const words = outcome.leads_well === false ? "leads: look here" : outcome.leads_well ? "leads ok" : ended;
  return make("span", { className: `mark ${bad ? "ill" : outcome.is_over ? "well" : ""}`, role: "status" }, words);
}

function resting(rest) {
  if (!rest) return null;
  const more = rest.readings < 4 ? "" : `; scatter ${scaled(rest.standard_deviation_volt, "V", 2).join(" ")}, drift ${fixed(1000 * rest.drift_volt_per_hour, 1)} mV/h, ${rest.readings} readings`;
  return make("p", {}, make("b", {}, `${fixed(rest.voltage_volt, 4)} V`), make("span", { className: "soft" }, ` at open circuit${more}`));
}

function verdict(one) {
  const [look, word] = VERDICTS[one.verdict];
  return make("li", {}, make("span", { className: `mark ${look}` }, word), make("b", {}, ` ${one.what}: `), one.words);
}

async function pointsOf(outcome) {
  const { points } = await get(`/api/runs/${outcome.run_id}/spectra/${outcome.spectrum_count}`);
  return points.filter((one) => !one.repeated && one.real_impedance_ohm !== null);
}
