// Chambers: what the air is, what was asked, by whom, who waits; and stopping all cells in one.
import { mayAct } from "./api.js";
import { order } from "./ask.js";
import { fill, make, say } from "./dom.js";
import { holdButton } from "./hold.js";
import { fixed } from "./words.js";

const cards = new Map();

export function showChambers(box, list) {
  for (const [name, card] of cards) if (!list.some((one) => one.name === name)) { card.box.remove(); cards.delete(name); }
  for (const one of list) showCard(cardOf(box, one), one);
  if (!list.length) fill(box, make("p", { className: "soft" }, "no channel of this bench is in a chamber"));
}

function cardOf(box, one) {
  if (!cards.has(one.name)) {
    const parts = { now: make("p", { className: "chamber-now" }), told: make("p", {}), trouble: make("p", { className: "last-error" }), asking: make("ol", { className: "asking" }) };
    const stop = mayAct() ? holdButton({ text: "Stop its cells: hold", busy: "disconnecting …", title: `Hold: disconnects and ends every run in ${one.name}`, act: () => stopCells(one.name) }) : null;
    parts.box = make("article", { className: "chamber", "data-chamber": one.name }, make("div", { className: "headline" }, make("h3", {}, one.name), make("span", { className: "spring" }), stop),
      make("p", { className: "small soft" }, `in it: ${one.channels.join(", ")}`), parts.now, parts.told, parts.trouble, parts.asking);
    cards.set(one.name, parts);
    box.append(parts.box);
  }
  return cards.get(one.name);
}

const stopCells = (chamber) => order({ verb: "stop", chamber, reason: `all cells of ${chamber} stopped, from the page` });

function showCard(parts, one) {
  say(parts.now, one.temperature_celsius === null ? (one.is_open ? "not read yet" : "–") : `${fixed(one.temperature_celsius, 1)} °C`);
  say(parts.told, told(one));
  parts.trouble.hidden = !one.fault && !one.alarms.length;
  say(parts.trouble, [one.alarms.length ? `alarm ${one.alarms.join(", ")}` : "", one.fault].filter(Boolean).join("; "));
  const text = JSON.stringify(one.asking);
  if (parts.asking.dataset.text === text) return;
  parts.asking.dataset.text = text;
  fill(parts.asking, one.asking.length ? one.asking.map(wish) : make("li", { className: "soft nobody-asks" }, one.is_open ? "nobody asks for a temperature" : "nobody uses it"));
}

function told(one) {
  if (!one.is_open) return "not in use now";
  if (one.setpoint_celsius === null) return "";
  return one.is_running ? `told ${fixed(one.setpoint_celsius, 1)} °C` : "in standby";
}

function wish(one) {
  const who = one.channel ? make("a", { href: `/channel/${encodeURIComponent(one.channel)}` }, one.who) : make("b", {}, one.who);
  return make("li", {}, who, one.granted ? " holds it at " : " waits for ", make("b", {}, `${fixed(one.temperature_celsius, 1)} °C`));
}
