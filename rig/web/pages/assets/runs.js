// Runs: found again, compared, taken out, with their results beside them.
import { get, mayAnalyse } from "./api.js";
import { fail } from "./ask.js";
import { analyseAgain } from "./analyse-again.js";
import { exportsOf, RESULT_HEADS, resultRow } from "./run-parts.js";
import { fill, make, tableOf } from "./dom.js";
import { frame } from "./frame.js";
import { axis, draw, traceStyle } from "./plotting.js";
import { stateBadge } from "./states.js";
import { duration, moment, plural } from "./words.js";

const PAGE = 50, MOST_COMPARED = 8, POINTS = 2000;
const STATES = ["", "running", "suspended", "paused", "queued", "finished", "stopped", "tripped", "failed"];
const VIEWS = {
  "voltage against time": ["samples", "test_time_second", "voltage_volt", 1 / 3600, 1, "test time / h", "voltage / V"],
  "current against time": ["samples", "test_time_second", "current_ampere", 1 / 3600, 1000, "test time / h", "current / mA"],
  "voltage against charge": ["samples", "step_capacity_ah", "voltage_volt", 1000, 1, "charge in the step / mAh", "voltage / V"],
  "discharge capacity against cycle": ["cycles", "cycle_count", "discharging_capacity_ah", 1, 1000, "cycle", "discharge capacity / mAh"],
  "efficiency against cycle": ["cycles", "cycle_count", "efficiency", 1, 100, "cycle", "coulombic efficiency / %"],
};

const main = document.getElementById("main");
const compared = new Map();
let offset = 0, looking = 0, comparisons = 0;

await frame();
const search = make("input", { type: "search", id: "search", placeholder: "id, cell, protocol, channel, reason", size: 34 });
const state = make("select", { id: "state" }, STATES.map((one) => make("option", { value: one }, one || "any state")));
const found = make("div", { id: "found" }), count = make("span", { className: "soft" });
const view = make("select", { id: "view", "aria-label": "what to compare", onchange: compare }, Object.keys(VIEWS).map((one) => make("option", {}, one)));
const plot = make("div", { className: "plot tall", id: "compare-plot" }), chosen = make("p", { className: "soft" });
const beside = make("div", { className: "stack", id: "beside" });
const comparing = make("section", { className: "panel", hidden: true }, make("div", { className: "plot-head" }, make("h2", {}, "Compared"), view), chosen, plot);
const newer = make("button", { onclick: () => turn(-PAGE) }, "Newer"), older = make("button", { onclick: () => turn(PAGE) }, "Older");

main.append(make("h1", {}, "Runs"), make("div", { className: "filters" }, make("label", {}, "Find ", search), make("label", {}, "State ", state), count),
  make("div", { className: "stack" }, make("section", { className: "panel" }, found, make("div", { className: "row end" }, newer, older)), comparing, beside));
search.addEventListener("input", () => { clearTimeout(looking); looking = setTimeout(() => turn(-offset), 250); });
state.addEventListener("change", () => turn(-offset));
addEventListener("theme", compare);
await look();

function turn(by) {
  offset = Math.max(0, offset + by);
  look().catch(fail);
}

async function look() {
  const asked = new URLSearchParams({ q: search.value.trim(), limit: PAGE, offset });
  if (state.value) asked.set("state", state.value);
  const page = await get(`/api/runs?${asked}`);
  count.textContent = plural(page.total, "run");
  newer.disabled = offset === 0;
  older.disabled = offset + PAGE >= page.total;
  fill(found, tableOf(["compare", "state", "channel", "cell", "protocol", "began", "took", "why it ended", "run"], page.runs.map(rowOf), "no run is like that"));
}

function rowOf(run) {
  const tick = make("input", { type: "checkbox", checked: compared.has(run.run_id), "aria-label": `compare ${run.run_id.slice(0, 8)}`, onchange: () => choose(run, tick) });
  const took = run.started_us && run.ended_us ? duration((run.ended_us - run.started_us) / 1e6) : "";
  return [tick, stateBadge(run.state), run.rig ? `${run.channel}` : run.channel, run.cell ?? "", run.protocol_name, moment(run.started_us ?? run.created_us), took, run.reason ?? "",
    make("a", { href: `/run/${run.run_id}` }, run.run_id.slice(0, 8))];
}

function choose(run, tick) {
  if (tick.checked && compared.size >= MOST_COMPARED) { tick.checked = false; return; }
  if (tick.checked) compared.set(run.run_id, run); else compared.delete(run.run_id);
  compare();
  showBeside().catch(fail);
}

const nameOf = (run) => [run.cell || run.channel, run.run_id.slice(0, 6)].join(" ");

async function compare() {
  comparing.hidden = compared.size === 0;
  if (comparing.hidden) return;
  const asked = ++comparisons;
  try {
    const wanted = VIEWS[view.value], runs = [...compared.values()];
    const columns = await Promise.all(runs.map((run) => columnsOf(run.run_id, wanted)));
    if (asked !== comparisons) return; // somebody has chosen otherwise meanwhile
    const [, x, y, byX, byY, titleX, titleY] = wanted;
    const scale = (all, factor) => all.map((one) => (one === null ? null : one * factor));
    await draw(plot, columns.map((data, at) => ({ x: scale(data[x], byX), y: scale(data[y], byY), name: nameOf(runs[at]), mode: "lines", type: "scatter", line: traceStyle(at) })),
      { showlegend: true, hovermode: "closest", xaxis: axis(titleX), yaxis: axis(titleY) });
    chosen.textContent = `${plural(compared.size, "run")}, at most ${MOST_COMPARED}`;
  } catch (failure) { fail(failure); }
}

async function columnsOf(runId, [kind, x, y]) {
  if (kind === "samples") return (await get(`/api/runs/${runId}/samples?columns=${[x, y].join()}&points=${POINTS}`)).columns;
  const cycles = await everyCycle(runId);
  return { [x]: cycles.map((one) => one[x]), [y]: cycles.map((one) => (y === "efficiency" ? efficiencyOf(one) : Math.abs(one[y]))) };
}

async function everyCycle(runId) {
  const cycles = [];
  for (;;) {
    const page = await get(`/api/runs/${runId}/cycles?limit=1000&offset=${cycles.length}`);
    cycles.push(...page.cycles);
    if (page.cycles.length < 1000) return cycles;
  }
}

const efficiencyOf = (one) => (one.charging_capacity_ah > 0 ? Math.abs(one.discharging_capacity_ah) / one.charging_capacity_ah : null);

async function showBeside() {
  const parts = await Promise.all([...compared.values()].map(async (run) => {
    const { results } = await get(`/api/runs/${run.run_id}/results`);
    return make("section", { className: "panel" }, make("h2", {}, nameOf(run)),
      tableOf(RESULT_HEADS, results.map(resultRow), "no results yet: rig report or rig fit makes them"), exportsOf(run.run_id),
      mayAnalyse() ? await analyseAgain(run.run_id, () => showBeside().catch(fail)) : null);
  }));
  fill(beside, ...parts);
}
