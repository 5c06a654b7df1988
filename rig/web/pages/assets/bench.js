// The bench as its file has it: what is plugged in where, which channel uses it, within which limits.
import { get, repeat } from "./api.js";
import { showChambers } from "./chambers.js";
import { fill, make, tableOf } from "./dom.js";
import { frame } from "./frame.js";
import { handPanel, showHand } from "./hand.js";
import { showInstruments } from "./instruments.js";
import { channels, watch } from "./live.js";
import { stateBadge } from "./states.js";
import { fixed } from "./words.js";

const ROLES = ["cell", "impedance", "chamber", "temperature", "pressure", "scanner"];
const main = document.getElementById("main");
await frame();

const facts = make("p", { id: "engine" }), instruments = make("div", { id: "instruments" }), chambers = make("div", { className: "chambers", id: "chambers" }), wiring = make("div", { id: "wiring" });
const panel = (title, ...content) => make("section", { className: "panel" }, make("h2", {}, title), ...content);
main.append(make("h1", {}, "Bench"), facts, make("div", { className: "stack" }, panel("Chambers", chambers), handPanel(), panel("Instruments", instruments,
  make("p", { className: "small soft" }, "Noted by the engine every ten seconds while a port is open. Identify asks an instrument that nobody has; it touches no cell.")), panel("Channels", wiring)));
let bench = null;
repeat(look, 3000);
watch((what) => what !== "trends" && bench && showWiring());

async function look() {
  const [seen, now] = await Promise.all([get("/api/bench"), get("/api/instruments")]);
  bench = seen;
  show();
  showChambers(chambers, now.chambers);
  showInstruments(instruments, now.instruments, now.looked_us);
  await showHand(bench);
}

function show() {
  const engine = bench.engine || (bench.observe ? "none: this page only looks" : "no engine of this page");
  fill(facts, make("b", {}, bench.file ?? "no bench"), `, database ${bench.database}. Engine: ${engine}. `,
    bench.simulated ? make("span", { className: "badge" }, "simulated instruments") : "");
  showWiring();
}

const pathsOf = (spec) => ROLES.flatMap((role) => (typeof spec[role] === "string" ? [[role, spec[role]]] : []));

function showWiring() {
  const entries = Object.entries(bench.content?.channels ?? {});
  const text = JSON.stringify(entries.map(([name]) => [name, statusOf(name)?.state, celsius(name)]));
  if (wiring.dataset.text === text) return;
  wiring.dataset.text = text;
  fill(wiring, tableOf(["channel", "state", "wired to", "limits", "chamber now"], entries.map(([name, spec]) => [
    make("a", { href: `/channel/${encodeURIComponent(name)}` }, name), stateBadge(statusOf(name)?.state ?? "free"),
    pathsOf(spec).map(([role, path]) => `${role} ${path}`).join(", "), limitsOf(name), celsius(name)]), "none"));
}

const statusOf = (name) => [...channels.values()].find((one) => one.channel === name);

function celsius(name) {
  const value = statusOf(name)?.ambient_temperature_celsius ?? null;
  return value === null ? "" : `${fixed(value, 1)} °C`;
}

function limitsOf(name) {
  return Object.entries(bench.content.limits?.[name] ?? {}).map(([what, value]) => `${what} ${Array.isArray(value) ? value.join(" to ") : value}`).join(", ");
}
