// By hand: a channel is taken for as long as this page is open, and looked at before a run.
import { get, mayAct, post, remove } from "./api.js";
import { fail, toast } from "./ask.js";
import { fill, make, say } from "./dom.js";
import { showOutcome } from "./hand-outcome.js";
import { channels } from "./live.js";
import { isOver } from "./states.js";

const LOOK_MS = 1000;
const box = make("div", { className: "hand", id: "hand" }), results = make("div", { className: "stack", id: "hand-results" });
// A lease is this page's: a second one of the same person neither renews it nor ends it by being closed.
let lease = null, mine = "", cell = "", renewing = 0, bench = null, others = [], formsOf = "";

export function handPanel() {
  return make("section", { className: "panel" }, make("h2", {}, "By hand"),
    make("p", { className: "soft" }, "Before a run: take a channel that runs nothing, look at its cell. Nobody else can begin there meanwhile. It is given back, its cell disconnected, when you say so or when this page is closed; at the latest a minute and a half after its last word."), box, results);
}

// Called at each look of the page.
export async function showHand(seen) {
  bench = seen;
  const { leases } = await get("/api/hand");
  const own = leases.find((one) => one.lease_id === mine) ?? null;
  others = leases.filter((one) => one !== own);
  if (lease && !own) { toast(`${lease.channel}: the lease is over; the cell is disconnected`, "waiting"); }
  if (own && !renewing) begin(own);
  if (!own) end();
  lease = own;
  build();
}

function begin(own) {
  renewing = setInterval(() => post(`/api/hand/${own.lease_id}/renew`, {}).catch(lost), own.renew_every_second * 1000);
  post(`/api/hand/${own.lease_id}/renew`, {}).catch(lost);
}

function end() {
  clearInterval(renewing);
  renewing = 0;
}

function lost(failure) {
  if (failure.status === 404) end();
}

// A page that goes away says so; where it can not, the engine takes the channel back by itself.
addEventListener("pagehide", () => {
  if (lease) remove(`/api/hand/${lease.lease_id}?reason=${encodeURIComponent("the page was closed")}`, true).catch(() => {});
});

// --- the forms ------------------------------------------------------------------------------------

function build() {
  const free = Object.keys(bench.content?.channels ?? {}).filter(isFree);
  const text = JSON.stringify([lease?.lease_id, lease?.temperature_celsius, others, lease ? 0 : free]);
  if (text === formsOf) return;
  formsOf = text;
  const taken = others.map((one) => make("p", {}, make("b", {}, one.channel), ` is ${one.owner}'s${one.reason ? `: ${one.reason}` : ""}`));
  if (!mayAct()) fill(box, taken.length ? taken : make("p", { className: "soft" }, "nobody has a channel by hand"));
  else fill(box, taken, lease ? leased() : takeForm(free));
}

function isFree(name) {
  const status = [...channels.values()].find((one) => one.channel === name);
  const idle = !status || isOver(status.state) || (status.state === "paused" && !status.driven);
  return idle && !others.some((one) => one.channel === name);
}

function takeForm(free) {
  if (!free.length) return make("p", { className: "soft" }, "every channel is busy");
  const channel = make("select", { name: "channel" }, free.map((name) => make("option", { value: name }, name)));
  const reason = make("input", { type: "text", name: "why", maxLength: 400, autocomplete: "off", placeholder: "new cell, leads changed …" });
  const named = make("input", { type: "text", name: "cell", maxLength: 100, autocomplete: "off", placeholder: "none" });
  return form("Take it", { channel: labelled("channel", channel), cell: labelled("cell (its limits hold)", named), why: labelled("why (for the journal)", reason) }, async () => {
    cell = named.value.trim();
    mine = (await post("/api/hand", { channel: channel.value, reason: reason.value.trim() })).lease_id;
  });
}

function leased() {
  const chamber = bench.content?.channels?.[lease.channel]?.chamber;
  const back = make("button", { onclick: (event) => act(event.currentTarget, giveBack) }, "Give it back");
  return make("div", { className: "stack" },
    make("div", { className: "headline" }, make("span", { className: "mark well" }, `${lease.channel} is yours`), make("span", { className: "soft" }, `${cell ? `cell ${cell}, ` : ""}kept while this page is open`), make("span", { className: "spring" }), back),
    make("div", { className: "hand-forms" }, openCircuit(), spectrum(), leadCheck(), chamber ? temperature(chamber) : null));
}

const field = (label, name, value, placeholder = "") => [name, labelled(label, make("input", { type: "text", name, value, placeholder, autocomplete: "off", size: 9 }))];
const labelled = (text, input) => make("label", { className: "field" }, text, input);

const openCircuit = () => operation("Open circuit", "open circuit", [field("for", "for", "10 s")]);
const spectrum = () => operation("One spectrum", "spectrum", [field("from", "from", "100 kHz"), field("to", "to", "1 Hz"), field("amplitude, rms", "amplitude", "10 mV")]);
const leadCheck = () => operation("Lead check", "lead check", [field("amplitude, rms", "amplitude", "10 mV"), field("pulse, 2 s", "pulse", "", "none")]);

function operation(title, name, fields) {
  const labels = Object.fromEntries(fields);
  return titled(title, form("Measure", labels, async () => {
    const settings = Object.fromEntries(Object.entries(labels).map(([key, label]) => [key, label.querySelector("input").value.trim()]).filter(([, value]) => value));
    const begun = await post(`/api/hand/${lease.lease_id}/operations`, { operation: name, settings, cell });
    follow(begun.run_id, title);
  }));
}

function temperature(chamber) {
  const input = make("input", { type: "number", name: "celsius", step: "0.1", required: true, value: lease.temperature_celsius ?? "", size: 9 });
  const words = lease.temperature_celsius === null ? `${chamber} is not held` : `held at ${lease.temperature_celsius} °C`;
  return titled(`Chamber ${chamber}`, form("Hold it there", { celsius: labelled(`°C (${words})`, input) }, async () => {
    const answer = await post(`/api/hand/${lease.lease_id}/temperature`, { temperature_celsius: Number(input.value), cell });
    toast(answer.answer, "done");
  }));
}

const titled = (title, content) => make("article", {}, make("h3", {}, title), content);

function form(word, labels, send) {
  const button = make("button", { className: "primary" }, word);
  const built = make("form", { className: "row hand-form" }, Object.values(labels), button);
  built.addEventListener("submit", (event) => { event.preventDefault(); act(button, send); });
  return built;
}

async function act(button, send) {
  button.disabled = true;
  try { await send(); await showHand(bench); } catch (failure) { fail(failure); } finally { button.disabled = false; }
}

async function giveBack() {
  const answer = await remove(`/api/hand/${lease.lease_id}`);
  lease = null; // said by us: no note that it was lost
  toast(answer.answer, "done");
}

// --- what came of it ------------------------------------------------------------------------------

async function follow(runId, title) {
  const card = make("article", { className: "hand-result", "data-run": runId }, make("h3", {}, title), make("p", { role: "status" }, "measuring …"));
  results.prepend(card);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    let outcome;
    try { outcome = await get(`/api/runs/${runId}/by-hand`); } catch (failure) { say(card.lastChild, failure.message); return; }
    await showOutcome(card, title, outcome);
    if (outcome.is_over) return;
  }
}
