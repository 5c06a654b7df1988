// One channel, or one run: what it does and why, its plots, its steps, what happened, and every verb.
import { get, mayAct, mayAnalyse, repeat } from "./api.js";
import { analyseAgain } from "./analyse-again.js";
import { ArrheniusPlot } from "./arrhenius-plot.js";
import { acknowledge, askReason, fail, nameOf, orderRun, VERBS } from "./ask.js";
import { CycleCurves } from "./cycle-curves.js";
import { CyclePlot, SpectrumPlot } from "./cycle-plots.js";
import { fill, make, say, tableOf } from "./dom.js";
import { frame } from "./frame.js";
import { channels, watch } from "./live.js";
import { changeRun } from "./revise.js";
import { exportsOf, RESULT_HEADS, resultRow } from "./run-parts.js";
import { isOver, showState, stateBadge } from "./states.js";
import { placeOf, pressureOf } from "./tile.js";
import { TimePlot } from "./time-plot.js";
import { ampere, duration, fixed, moment, NONE, percent } from "./words.js";

const main = document.getElementById("main");
const place = location.pathname.split("/");
const [kind, wanted] = [place[1], decodeURIComponent(place.slice(2).join("/"))];
const rig = new URLSearchParams(location.search).get("rig") ?? "";

let shownRun = null, run = null, parts = null, steps = null, again = () => {};

await frame();
if (kind === "run") await open(wanted).catch((failure) => main.append(make("h1", {}, "Run"), make("p", {}, failure.message)));
watch(show);

function mine(one) {
  return kind === "run" ? one.run_id === shownRun : one.channel === wanted && (!rig || one.rig_id === rig);
}

function find() {
  return [...channels.values()].find(mine) ?? null;
}

function show(what) {
  if (what === "lost" || what === "trends") return;
  const status = find();
  if (status?.run_id && status.run_id !== shownRun) { open(status.run_id).catch(fail); return; }
  if (parts && status) showStatus(status);
  else if (kind === "channel" && !status?.run_id && !parts) showFree(status);
}

function showFree(status) {
  const there = status ? "Nothing has run here yet." : `There is no channel ${wanted}.`;
  fill(main, make("div", { className: "headline" }, make("h1", {}, wanted), status ? stateBadge(status.state) : null, make("span", { className: "mark by-hand" }, status?.by_hand ?? "")), make("p", {}, there),
    status && !status.by_hand && mayAct() ? make("a", { className: "button", href: `/start?channel=${encodeURIComponent(wanted)}` }, "Start a run") : "");
}

// --- built once for each run ----------------------------------------------------------------------

async function open(runId) {
  shownRun = runId;
  run = await get(`/api/runs/${runId}`);
  shownRun = run.run_id;
  document.title = `${run.channel} · cellrig`;
  steps = await get(`/api/runs/${shownRun}/program`).catch(() => ({ steps: null, numbers: {} }));
  build();
  const status = find() ?? run.now;
  if (status) showStatus(status); else showEnded();
}

function build() {
  const time = new TimePlot(shownRun, find), cycles = new CyclePlot(shownRun), spectrum = new SpectrumPlot(shownRun);
  const curves = new CycleCurves(shownRun), arrhenius = new ArrheniusPlot(shownRun);
  parts = {
    state: make("span", { className: "state" }), hand: make("span", { className: "mark by-hand", id: "by-hand" }), alarms: make("div", { className: "alarm-list" }), doing: make("p", { className: "why" }), next: make("p", { id: "next" }),
    readings: make("dl", { className: "readings" }), verbs: make("div", { className: "verbs", id: "verbs" }), why: make("p", { className: "verb-why small soft", role: "status" }),
    revision: make("span"), steps: make("ol", { className: "steps" }), events: make("div", { className: "events" }), journal: make("div", { className: "events" }), results: make("div"), again: make("div"), time, cycles, spectrum,
  };
  fill(main, headline(), parts.alarms, make("div", { className: "columns" },
    make("div", { className: "stack" }, time.element, cycles.element, curves.element, arrhenius.element, spectrum.element,
      panel("Results", parts.results, parts.again), panel("Events", parts.events)),
    make("div", { className: "stack" },
      make("section", { className: "panel" }, parts.doing, parts.next, parts.readings),
      mayAct() ? panel("Do", parts.verbs, parts.why) : null, panel("Steps", parts.steps), panel("Asked by people", parts.journal), panel("Data", exportsOf(shownRun)))));
  buildSteps();
  if (mayAct()) buildVerbs();
  if (mayAnalyse()) analyseAgain(shownRun, () => again()).then((form) => parts.again.append(form), fail);
  for (const one of [time, cycles, curves, arrhenius, spectrum]) one.begin();
  again = repeat(tables, 5000);
}

function panel(title, ...content) {
  return make("section", { className: "panel" }, make("h2", {}, title), ...content);
}

function headline() {
  return make("div", { className: "headline" }, make("h1", {}, run.channel), parts.state, parts.hand,
    run.now?.simulated ? make("span", { className: "badge" }, "simulated instruments") : null,
    make("span", {}, make("b", {}, run.cell ?? ""), run.cell ? " · " : "", run.protocol_name, parts.revision),
    make("span", { className: "soft small" }, `run ${run.run_id.slice(0, 8)}, ${moment(run.started_us ?? run.created_us)}`));
}

// --- what moves -----------------------------------------------------------------------------------

function showStatus(status) {
  if (status.protocol_revision && parts.revised !== status.protocol_revision) showRevision(status.protocol_revision).catch(fail);
  showState(parts.state, status.state);
  say(parts.hand, status.by_hand ?? "");
  say(parts.doing, status.doing || (isOver(status.state) ? `${status.state}: ${status.reason || "no reason given"}` : ""));
  say(parts.next, [isOver(status.state) ? "" : status.next, status.then && `Then: ${status.then}.`].filter(Boolean).join(". "));
  showReadings(status);
  showAlarms(status.alarms);
  if (mayAct()) showVerbs(status);
  if (parts.step !== status.step_count || parts.wasIn !== status.state) {
    [parts.step, parts.wasIn] = [status.step_count, status.state];
    showStep(status);
    again();
  }
}

// Another text of the protocol is in force: its steps are others.
async function showRevision(number) {
  const first = parts.revised === undefined;
  parts.revised = number;
  say(parts.revision, number > 1 ? `, revision ${number}` : "");
  if (first) return;
  steps = await get(`/api/runs/${shownRun}/program`);
  buildSteps();
  parts.step = null;
  again();
}

function showEnded() {
  showState(parts.state, run.state);
  say(parts.doing, run.reason ?? "");
  say(parts.why, "An older run: it takes no orders.");
}

function showReadings(status) {
  const rows = [
    ["Voltage", `${fixed(status.voltage_volt, 4)} V`], ["Current", ampere(status.current_ampere).join(" ")],
    ["Cell", `${fixed(status.surface_temperature_celsius, 2)} °C`], ["Chamber", `${fixed(status.ambient_temperature_celsius, 2)} °C`],
    ["Pressure", pressureOf(status).join(" ")], ["Retention", percent(status.capacity_retention, 2)],
    ["Test time", duration(status.test_time_second)], ["Left", isOver(status.state) ? NONE : duration(status.left_second)], ["Place", placeOf(status)],
  ];
  if (!parts.readings.children.length) parts.readings.append(...rows.map(([name]) => make("div", {}, make("dt", {}, name), make("dd"))));
  rows.forEach(([, text], at) => say(parts.readings.children[at].lastChild, text));
}

function showAlarms(alarms) {
  const text = JSON.stringify(alarms.map((one) => [one.alarm_id, one.times]));
  if (parts.alarms.dataset.text === text) return;
  parts.alarms.dataset.text = text;
  fill(parts.alarms, ...alarms.map((alarm) => make("div", { className: "alarm", role: "alert" },
    make("span", { className: "severity" }, alarm.severity),
    make("span", {}, make("b", {}, alarm.message), ` ${alarm.measured ?? ""} `, make("span", { className: "soft" }, `${alarm.remedy} ${moment(alarm.raised_us)}`)),
    mayAct() ? make("button", { onclick: () => acknowledge(alarm) }, "Acknowledge") : null)));
}

// --- steps ----------------------------------------------------------------------------------------

function buildSteps() {
  const rows = steps.steps ?? [];
  fill(parts.steps, ...rows.map((row) => {
    const item = make("li", { "data-address": row.address }, row.words, row.phase ? make("span", { className: "badge" }, row.phase) : null);
    item.style.setProperty("--depth", row.depth);
    return item;
  }));
  if (!rows.length) parts.steps.append(make("li", {}, "This version cannot read the run's protocol."));
}

function showStep(status) {
  const now = `${status.step_address}`;
  for (const item of parts.steps.children) {
    const here = item.dataset.address === now && !isOver(status.state);
    item.classList.toggle("now", here);
    if (here) { item.setAttribute("aria-current", "step"); parts.steps.scrollTop = item.offsetTop - parts.steps.offsetTop - 60; }
    else item.removeAttribute("aria-current");
  }
}

// --- verbs ----------------------------------------------------------------------------------------

const DANGEROUS = ["stop", "safe"];

function textOf(status, verb) {
  return verb === "safe" && status && isOver(status.state) ? "Disconnects the cell by every instrument once more. The run is over already." : VERBS[verb][1];
}

function buildVerbs() {
  fill(parts.verbs, ...Object.keys(VERBS).map((verb) => make("button", {
    "data-verb": verb, onclick: () => press(verb), onfocus: () => tellWhy(verb), onpointerenter: () => tellWhy(verb),
  }, nameOf(verb))));
}

function showVerbs(status) {
  for (const button of parts.verbs.children) {
    const why = whyNot(status, button.dataset.verb);
    if (why) button.setAttribute("aria-disabled", "true"); else button.removeAttribute("aria-disabled");
    button.title = why || textOf(status, button.dataset.verb);
    button.classList.toggle("danger", DANGEROUS.includes(button.dataset.verb) && !isOver(status.state));
  }
}

function whyNot(status, verb) {
  if (!status) return "an older run: it takes no orders";
  if (verb === "resume" && status.state === "running" && !status.leaving) return "it is running";
  if (status.verbs.includes(verb)) return "";
  if (verb === "stop" && isOver(status.state)) return `it is ${status.state} already: there is nothing to stop`;
  return `a run that is ${status.state} cannot ${verb}; possible: ${status.verbs.join(", ") || "nothing"}`;
}

function tellWhy(verb) {
  say(parts.why, whyNot(find(), verb) || textOf(find(), verb));
}

async function press(verb) {
  if (whyNot(find(), verb)) { tellWhy(verb); return; }
  if (verb === "revise") { if (await changeRun(run).catch(fail)) again(); return; }
  const [title, , needed] = VERBS[verb], text = textOf(find(), verb);
  const extra = verb === "go to" ? make("label", {}, "Step", make("select", {}, (steps.steps ?? []).filter((row) => row.address in steps.numbers)
    .map((row) => make("option", { value: String(row.address) }, `${row.address}: ${row.words}`)))) : null;
  const said = await askReason({ title: `${title}: ${run.channel}`, text, needed, extra, confirm: title, danger: !["resume", "pause after step"].includes(verb) });
  if (!said) return;
  await orderRun(shownRun, { verb, reason: said.reason, argument: said.extra });
  again();
}

// --- tables ---------------------------------------------------------------------------------------

async function tables() {
  const path = `/api/runs/${shownRun}`;
  const [{ events }, { journal }, { results }] = await Promise.all([get(`${path}/events?newest=true&limit=200`), get(`${path}/journal`), get(`${path}/results`)]);
  showRows(parts.events, ["when", "test time", "what", ""], events.map((one) => [moment(one.ts_us), duration(one.test_time_second), one.kind, one.message]));
  showRows(parts.journal, ["when", "who", "asked", "answer"], [...journal].reverse().map((one) => [moment(one.ts_us), one.who, [one.verb, one.reason].filter(Boolean).join(": "), [one.outcome, one.answer].filter(Boolean).join(": ")]));
  showRows(parts.results, RESULT_HEADS, results.map(resultRow), "none yet: rig report or rig fit makes them");
}

function showRows(element, heads, rows, none) {
  const text = JSON.stringify(rows);
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  fill(element, tableOf(heads, rows, none));
}
