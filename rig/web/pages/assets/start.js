// Start: channels, cells, a protocol, its variables. Nothing begins that was not checked as it stands.
import { get, mayAct, post } from "./api.js";
import { fail } from "./ask.js";
import { cells, makeCell } from "./cell-form.js";
import { fill, make, say, tableOf } from "./dom.js";
import { ExpectedProfile } from "./expected-profile.js";
import { frame } from "./frame.js";
import { channels, watch } from "./live.js";
import { isOver, showState } from "./states.js";
import { duration, plural } from "./words.js";

const CHECK_MS = 500, MOST_BYTES = 200_000;
const main = document.getElementById("main");
const choices = new Map();
const wanted = new Set(new URLSearchParams(location.search).getAll("channel"));
let file = "protocol.yaml", checked = null, pending = 0, asking = 0;

await frame();
const [{ protocols }, bench] = await Promise.all([get("/api/protocols"), get("/api/bench")]);

const text = make("textarea", { className: "code", id: "protocol", spellcheck: false, oninput: changed, "aria-label": "protocol" });
const library = make("select", { id: "library", onchange: fromLibrary }, make("option", { value: "" }, "choose …"),
  protocols.map((one) => make("option", { value: one.file }, one.file.replace(".yaml", "").replaceAll("_", " "))));
const upload = make("input", { type: "file", id: "upload", accept: ".yaml,.yml,text/yaml", onchange: fromFile });
const variables = make("textarea", { id: "variables", rows: 3, placeholder: "cycles = 500\nrate = C/2", oninput: changed });
const list = make("div", { className: "channels", id: "channels" });
const reason = make("input", { type: "text", id: "reason", maxLength: 400, placeholder: "optional; goes into the journal" });
const result = make("div", { id: "check", "aria-live": "polite" }, make("p", { className: "soft" }, "Choose a protocol; it is checked as you go."));
const profile = new ExpectedProfile();
const cellNames = make("datalist", { id: "cell-names" });
const startButton = make("button", { className: "primary", id: "start", disabled: true, onclick: start }, "Start");
const startWhy = make("span", { className: "soft", id: "start-why" });

main.append(make("h1", {}, "Start"), bench.file === null ? make("p", { className: "panel" }, "This page has no bench: begin rig serve with --bench FILE.") : form());
watch((what) => what !== "trends" && showChannels());
changed();
showNames().catch(fail);

function form() {
  const field = (name, control, note = "") => make("div", { className: "field" }, make("label", { htmlFor: control.id }, name), control, note ? make("small", {}, note) : null);
  return make("div", { className: "columns" },
    make("div", { className: "stack" },
      make("section", { className: "panel form-grid" }, make("h2", {}, "Protocol"),
        make("div", { className: "row" }, field("From the library", library), field("or a file", upload)), field("as it will be run", text)),
      make("section", { className: "panel" }, make("h2", {}, "Check"), result), mayAct() ? profile.element : null),
    make("div", { className: "stack" },
      make("section", { className: "panel" }, make("h2", {}, "Channels"), list, cellNames),
      make("section", { className: "panel form-grid" }, field("Variables", variables, "one a line, as name = value; those of the file are used where none is given"), field("Why", reason),
        mayAct() ? make("div", { className: "row" }, startButton, startWhy) : make("p", {}, "You may check, not start."))));
}

// --- channels -------------------------------------------------------------------------------------

function showChannels() {
  const served = Object.keys(bench.content?.channels ?? {});
  for (const status of channels.values()) {
    if (!served.includes(status.channel)) continue;
    const choice = choices.get(status.channel) ?? build(status.channel);
    const free = isOver(status.state) && !status.by_hand;
    showState(choice.state, status.state);
    choice.tick.disabled = !free;
    say(choice.hand, status.by_hand);
    choice.box.title = free ? "" : status.by_hand || `${status.channel} has a run: ${status.next}`;
    if (!free && choice.tick.checked) { choice.tick.checked = false; choice.cell.hidden = choice.fresh.hidden = true; changed(); }
  }
}

function build(name) {
  const tick = make("input", { type: "checkbox", checked: wanted.has(name), "aria-label": name, onchange: () => { cell.hidden = fresh.hidden = !tick.checked; changed(); } });
  const state = make("span", { className: "state" });
  const cell = make("input", { type: "text", placeholder: "cell, e.g. LPS-17", "aria-label": `cell on ${name}`, maxLength: 100, hidden: !wanted.has(name), list: "cell-names", oninput: changed });
  const fresh = make("button", { type: "button", className: "quiet", hidden: !wanted.has(name), onclick: () => newCell(cell) }, "New cell …");
  const hand = make("span", { className: "mark by-hand" });
  const box = make("div", { className: "channel-choice", "data-channel": name }, tick, make("b", {}, name), make("span", {}, state), hand, cell, fresh);
  list.append(box);
  choices.set(name, { tick, state, hand, cell, fresh, box });
  if (wanted.has(name)) changed();
  return choices.get(name);
}

async function newCell(cell) {
  const name = await makeCell(cell.value.trim()).catch(fail);
  if (!name) return;
  cell.value = name;
  showNames().catch(fail);
  changed();
}

async function showNames() {
  fill(cellNames, ...(await cells()).cells.map((one) => make("option", { value: one.name }, one.chemistry ?? "")));
}

function chosen() {
  return [...choices].filter(([, one]) => one.tick.checked).map(([name]) => name);
}

// --- protocol -------------------------------------------------------------------------------------

function fromLibrary() {
  const one = protocols.find((protocol) => protocol.file === library.value);
  if (one) take(one.file, one.text);
}

async function fromFile() {
  const [one] = upload.files;
  if (!one) return;
  if (one.size > MOST_BYTES) { fill(result, make("p", {}, `${one.name} has ${one.size} bytes; a protocol has at most ${MOST_BYTES}.`)); return; }
  take(one.name, await one.text());
}

function take(name, content) {
  file = name.replaceAll(/[^\w .()+-]/g, "_");
  text.value = content;
  changed();
}

function variablesGiven() {
  const lines = variables.value.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split("=")).map(([name, ...value]) => [name.trim(), value.join("=").trim()]));
}

function body() {
  const cells = Object.fromEntries(chosen().map((name) => [name, choices.get(name).cell.value.trim()]).filter(([, cell]) => cell));
  return { text: text.value, file, variables: variablesGiven(), channels: chosen(), cells };
}

// --- check ----------------------------------------------------------------------------------------

function changed() {
  checked = null;
  allow();
  clearTimeout(pending);
  if (text.value.trim()) pending = setTimeout(check, CHECK_MS);
}

async function check() {
  const asked = body(), number = ++asking;
  try {
    const answer = await post("/api/check", asked);
    if (number !== asking || JSON.stringify(asked) !== JSON.stringify(body())) return;
    checked = asked;
    fill(result, ...described(answer));
  } catch (refusal) {
    if (number === asking) fill(result, ...problemsOf(refusal));
  }
  allow();
}

function described(answer) {
  return [
    make("p", { id: "duration" }, make("b", {}, answer.name), `: about ${duration(answer.duration_second)}, needs ${answer.needs.join(", ") || "nothing but a cell"}`),
    answer.warnings.length ? make("ul", { className: "problems" }, answer.warnings.map((one) => make("li", {}, one))) : "",
    tableOf(["step", "", "kept", "phase"], answer.steps.map((row) => [String(row.address), indented(row), row.record, row.phase])),
  ];
}

function indented(row) {
  const words = make("span", {}, row.words);
  words.style.paddingLeft = `${row.depth * 20}px`;
  return words;
}

function problemsOf(refusal) {
  const problems = refusal.problems?.length ? refusal.problems : [{ where: "", message: refusal.message }];
  return [make("p", {}, make("b", {}, plural(problems.length, "problem"))), make("ul", { className: "problems", id: "problems" }, problems.map((one) => make("li", {},
    one.where ? make("code", {}, one.where) : null, one.where ? ": " : "", one.message,
    one.suggestion ? `; did you mean ${one.suggestion}?` : "", one.example ? make("div", { className: "soft" }, "for example ", make("code", {}, one.example)) : null)))];
}

// --- start ----------------------------------------------------------------------------------------

function whyNot() {
  if (!text.value.trim()) return "first a protocol";
  if (!chosen().length) return "first a channel";
  return checked ? "" : "not before the check has passed";
}

function allow() {
  const why = whyNot();
  startButton.disabled = Boolean(why);
  say(startWhy, why);
  offer();
  say(startButton, chosen().length > 1 ? `Start on ${chosen().join(", ")}` : `Start ${chosen().join("")}`.trim());
}

// What would be rehearsed: the protocol that was checked, on the first of the channels, with its cell.
function offer() {
  const [first] = chosen();
  const body = checked && first ? { ...checked, channels: [first] } : null;
  profile.offer(body, "after the check, with a channel chosen");
}

async function start() {
  startButton.disabled = true;
  say(startWhy, "asking the engine …");
  try {
    const { runs } = await post("/api/runs", { ...checked, reason: reason.value.trim() });
    location.assign(runs.length === 1 ? `/channel/${encodeURIComponent(runs[0].channel)}` : "/");
  } catch (failure) {
    fail(failure);
    fill(result, ...problemsOf(failure));
    allow();
  }
}
