// The bench as its file has it: what is plugged in where, which channel uses it, within which limits.
import { get, repeat } from "./api.js";
import { fill, make, tableOf } from "./dom.js";
import { frame } from "./frame.js";
import { channels, watch } from "./live.js";
import { stateBadge } from "./states.js";
import { fixed } from "./words.js";

const ROLES = ["cell", "impedance", "chamber", "temperature", "pressure", "scanner"];
const main = document.getElementById("main");
await frame();

const facts = make("p", { id: "engine" }), instruments = make("div"), wiring = make("div");
const panel = (title, ...content) => make("section", { className: "panel" }, make("h2", {}, title), ...content);
main.append(make("h1", {}, "Bench"), facts, make("div", { className: "stack" }, panel("Instruments", instruments), panel("Channels", wiring),
  make("p", { className: "soft" }, "To ask every instrument who it is: rig bench check. While runs go on, links that are lost and come back are on the page Health.")));
let bench = null;
repeat(async () => { bench = await get("/api/bench"); show(); }, 5000);
watch((what) => what !== "trends" && bench && showWiring());

function show() {
  const engine = bench.engine || (bench.observe ? "none: this page only looks" : "no engine of this page");
  fill(facts, make("b", {}, bench.file ?? "no bench"), `, database ${bench.database}. Engine: ${engine}. `,
    bench.simulated ? make("span", { className: "badge" }, "simulated instruments") : "");
  const entries = Object.entries(bench.content?.instruments ?? {});
  fill(instruments, tableOf(["name", "driver", "connected by", "used by"], entries.map(([name, one]) => [name, one.driver, one.connect, usedBy(name).join(", ")]), "none"));
  showWiring();
}

const pathsOf = (spec) => ROLES.flatMap((role) => (typeof spec[role] === "string" ? [[role, spec[role]]] : []));
const usedBy = (name) => Object.entries(bench.content.channels).filter(([, spec]) => pathsOf(spec).some(([, path]) => path.split("/")[0] === name)).map(([channel]) => channel);

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
