// Alerts: alarms that stand, the rules that say when a result is one, and a form that tries a rule first.
import { get, put, remove, repeat } from "./api.js";
import { acknowledge, fail, toast } from "./ask.js";
import { fill, make } from "./dom.js";
import { frame } from "./frame.js";
import { RuleForm } from "./rule-form.js";
import { badge } from "./states.js";
import { moment, plural } from "./words.js";

const LOOKS = { critical: ["trouble", "warning"], alarm: ["trouble", "warning"], warning: ["waiting", "warning"], notice: ["done", "ring"] };
const main = document.getElementById("main");
const person = await frame();
const mayRule = person.role !== "viewer";

const standing = make("div", { className: "rules", id: "standing" }), list = make("div", { className: "rules", id: "rules" });
const told = make("p", { className: "soft", id: "told" });
const panel = (title, ...content) => make("section", { className: "panel" }, make("h2", {}, title), ...content);
const { words } = await get("/api/alert-rules");
const form = mayRule ? new RuleForm(words, () => look()) : null;

main.append(make("h1", {}, "Alerts"), make("div", { className: form ? "columns even" : "stack" },
  make("div", { className: "stack" }, panel("Alarms that stand", standing), panel("Rules on results", told, list)), form?.element));
const look = repeat(async () => {
  const [{ alarms }, { rules, words: now }] = await Promise.all([get("/api/alarms"), get("/api/alert-rules")]);
  show(standing, alarms, showAlarms);
  show(list, rules, showRules);
  fill(told, now.tells ? whoIsTold(now.recipients) : "Nobody is told of them by mail or chat here (no notify:, or simulated cells): look at this page, or at the wall.");
}, 3000);

// What has not changed is not built anew: a button must not go from under somebody's finger.
function show(element, data, build) {
  const text = JSON.stringify(data);
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  build(data);
}

const whoIsTold = (names) => `Told as notify: says${names.length ? `; a rule may name ${names.join(", ")}` : ""}.`;

function showAlarms(alarms) {
  fill(standing, alarms.length ? alarms.map(alarmCard) : make("p", { className: "soft" }, "None: everything was seen to."));
}

function alarmCard(one) {
  const times = one.times > 1 ? `, ${one.times} times, last ${moment(one.last_us)}` : "";
  return make("article", { className: "rule", "aria-label": `${one.kind} on ${one.channel || "the bench"}` },
    make("div", { className: "rule-head" }, badge(...(LOOKS[one.severity] ?? LOOKS.warning), one.severity), make("b", {}, placeOf(one)), make("span", { className: "soft small" }, `since ${moment(one.raised_us)}${times}`)),
    make("div", { className: "row" }, make("p", { className: "grow" }, one.message), mayRule ? make("button", { onclick: () => acknowledge(one).then(look) }, "Acknowledge") : null));
}

function placeOf(alarm) {
  if (!alarm.channel) return "the bench";
  return alarm.run_id ? make("a", { href: `/run/${alarm.run_id}` }, alarm.channel) : alarm.channel;
}

function showRules(rules) {
  fill(list, rules.length ? rules.map(ruleCard) : make("p", { className: "soft" }, mayRule ? "No rule yet. Choose a quantity: it is tried on what is stored before you keep it." : "No rule yet."));
}

function ruleCard(rule) {
  const runs = rule.runs_where ? make("code", {}, rule.runs_where) : "every run";
  const last = rule.last_fired_us ? `fired ${plural(rule.fired, "time")}, last ${moment(rule.last_fired_us)}` : "never fired so far";
  return make("article", { className: "rule", "aria-label": rule.name },
    make("div", { className: "rule-head" }, make("h3", {}, rule.name), stateOf(rule), make("span", { className: "badge" }, rule.severity)),
    make("p", {}, rule.words, ", of ", runs),
    rule.trouble ? make("p", { className: "refused" }, `Cannot be judged: ${rule.trouble}`) : null,
    rule.firing.length ? make("ul", { className: "notes" }, rule.firing.slice(0, 20).map((one) => firingLine(one))) : null,
    make("div", { className: "row" }, make("span", { className: "soft small" }, [last, rule.recipients.length ? `told to ${rule.recipients.join(", ")}` : ""].filter(Boolean).join(" · ")),
      make("span", { className: "spring" }), mayRule ? buttonsOf(rule) : null));
}

function stateOf(rule) {
  if (!rule.enabled) return badge("idle", "bars", "off");
  if (rule.trouble) return badge("waiting", "warning", "not judged");
  return rule.firing.length ? badge("trouble", "warning", `broken by ${plural(rule.firing.length, "run")}`) : badge("running", "tick", "quiet");
}

function firingLine(one) {
  const where = one.cycle_count === null ? `no data for ${one.value_words} when told` : `cycle ${one.cycle_count}: ${one.value_words}`;
  return make("li", {}, make("a", { href: `/run/${one.run_id}` }, one.run_id.slice(0, 8)), ` ${where}, since ${moment(one.fired_us)}`);
}

function buttonsOf(rule) {
  const address = `/api/alert-rules/${rule.rule_id}`;
  const done = async (what, words) => { try { await what(); toast(words, "done"); look(); } catch (failure) { fail(failure); } };
  return [
    make("button", { onclick: () => form.take(rule) }, "Change"),
    make("button", { onclick: () => done(() => put(address, { ...form.bodyOf(rule), enabled: !rule.enabled }), `${rule.name} is ${rule.enabled ? "off" : "on"}`) }, rule.enabled ? "Switch off" : "Switch on"),
    make("button", { className: "danger", onclick: () => confirm(`Take the rule "${rule.name}" away? Its alarms stay.`) && done(() => remove(address), `${rule.name} is gone`) }, "Remove"),
  ];
}
