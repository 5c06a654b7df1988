// The wall: all channels at a glance, alarms first.
import { mayAct } from "./api.js";
import { acknowledge, askReason, nameOf, order, VERBS } from "./ask.js";
import { fill, make, say } from "./dom.js";
import { frame } from "./frame.js";
import { channels, keyOf, state, trends, watch } from "./live.js";
import { isAlive, lookOf, ORDER, stateBadge } from "./states.js";
import { buildTile, showSpark, showTile } from "./tile.js";
import { duration, moment, plural } from "./words.js";

const SILENT_SECOND = 30; // a rig whose runs are alive and of which nothing came for so long
const BELOW = 50; // pixels under the tiles, where the bar of the chosen ones comes
const CROWDED = 40; // channels: what stands above the tiles is then small
const GROUP_VERBS = ["pause", "resume", "skip", "stop"];
const RANK = { trouble: 1, waiting: 2 };

const tiles = new Map(), sections = new Map(), ticked = new Set();
const main = document.getElementById("main");
const tally = make("div", { className: "tally", id: "tally" });
const alarms = make("div", { className: "alarm-list", id: "alarms" });
const board = make("div", { id: "board" });
const group = make("div", { className: "group-bar", id: "group", hidden: true, role: "group", "aria-label": "chosen channels" });

await frame();
main.append(make("h1", { className: "skip-link" }, "Wall"), tally, alarms, board, group);
watch(show);
new ResizeObserver(arrange).observe(main);
addEventListener("resize", arrange);

function show(what) {
  if (what === "lost") return;
  if (what !== "trends") showChannels();
  for (const [key, tile] of tiles) showSpark(tile, trends.get(key));
}

function showChannels() {
  const all = [...channels.values()];
  for (const [key, tile] of tiles) if (!channels.has(key)) { tile.remove(); tiles.delete(key); ticked.delete(key); }
  for (const status of all) showTile(tileOf(status), status);
  showTally(all);
  showAlarms(all);
  showSections(all);
  showGroup();
}

function tileOf(status) {
  const key = keyOf(status);
  if (!tiles.has(key)) tiles.set(key, buildTile(status, mayAct() ? (event) => tick(key, event.target.checked) : null));
  return tiles.get(key);
}

// --- order and room -------------------------------------------------------------------------------

const rankOf = (status) => (status.alarms.length ? 0 : RANK[lookOf(status.state)] ?? 3);

function showSections(all) {
  const rigs = Map.groupBy(all, (status) => status.rig_id || own(all));
  const several = rigs.size > 1;
  for (const [rig, section] of sections) if (!rigs.has(rig)) { section.box.remove(); sections.delete(rig); }
  for (const [rig, statuses] of rigs) {
    const section = sectionOf(rig);
    section.head.hidden = !several && !state.news[rig];
    say(section.name, statuses.find((one) => one.rig)?.rig || "this rig");
    say(section.silent, state.news[rig] || (several ? silence(statuses) : ""));
    const wanted = [...statuses].map((one, at) => [rankOf(one), at, tiles.get(keyOf(one))]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    wanted.forEach(([, , tile], at) => { if (section.grid.children[at] !== tile) section.grid.insertBefore(tile, section.grid.children[at] ?? null); });
  }
  arrange();
}

// A channel on which nothing has run has no rig yet: it belongs to the one that is served.
const own = (all) => all.find((one) => one.rig_id)?.rig_id ?? "";

function sectionOf(rig) {
  if (!sections.has(rig)) {
    const [name, silent] = [make("h2"), make("span", { className: "silent" })];
    const head = make("div", { className: "rig-head" }, name, silent);
    const grid = make("div", { className: "wall" });
    const box = make("section", { className: "rig" }, head, grid);
    board.append(box);
    sections.set(rig, { box, head, name, silent, grid });
  }
  return sections.get(rig);
}

// The clock of a rehearsal runs at its own speed: nothing is said of it.
function silence(statuses) {
  const alive = statuses.filter((one) => isAlive(one.state) && !one.simulated && one.sampled_us);
  if (!alive.length) return "";
  const second = (state.lookedUs - Math.max(...alive.map((one) => one.sampled_us))) / 1e6;
  return second > SILENT_SECOND ? `no news for ${duration(second)}` : "";
}

function arrange() {
  const counts = [...sections.values()].map((one) => one.grid.children.length);
  const count = counts.reduce((sum, one) => sum + one, 0);
  if (!count) return;
  const gap = count > 100 ? 6 : count > 24 ? 8 : 12;
  const height = innerHeight - board.getBoundingClientRect().top - scrollY - BELOW - (counts.length > 1 ? 48 * counts.length : 0);
  const [columns, tall] = innerWidth <= 640 ? onPhone(count) : fit(counts, main.clientWidth - 32, height, gap, count > 100 ? [112, 48] : [176, 100]);
  board.style.setProperty("--columns", columns);
  board.style.setProperty("--tile-height", `${tall}px`);
  board.style.setProperty("--gap", `${gap}px`);
}

// A thumb scrolls: a few are shown whole, many two abreast, very many with name, state and voltage.
function onPhone(count) {
  if (count <= 12) return [1, 216];
  return [2, count > CROWDED * 2 ? 68 : 112];
}

// As large as they can be with all on one screen; where that would be too small, the wall is scrolled.
function fit(counts, width, height, gap, [narrowest, lowest]) {
  let best = [1, 0, -Infinity];
  for (let columns = 1; columns <= Math.max(...counts); columns += 1) {
    const wide = (width - gap * (columns - 1)) / columns;
    if (wide < narrowest && columns > 1) break;
    const rows = counts.reduce((sum, one) => sum + Math.ceil(one / columns), 0);
    const tall = Math.floor(Math.min(380, wide / 1.3, Math.max(lowest, (height - gap * (rows - 1)) / rows)));
    const over = Math.max(0, rows * (tall + gap) - gap - height);
    const score = Math.min(wide / 1.7, tall) - over;
    if (score > best[2]) best = [columns, tall, score];
  }
  return best;
}

// --- above the tiles ------------------------------------------------------------------------------

function showTally(all) {
  const counts = new Map();
  for (const one of all) counts.set(one.state, (counts.get(one.state) ?? 0) + 1);
  const inOrder = [...counts].sort(([one], [other]) => ORDER.indexOf(one) - ORDER.indexOf(other));
  const simulated = all.filter((one) => one.simulated).length;
  const text = JSON.stringify([inOrder, simulated]);
  if (tally.dataset.text === text) return;
  tally.dataset.text = text;
  fill(tally, ...inOrder.map(([name, count]) => make("span", { className: "row" }, make("b", {}, `${count}`), stateBadge(name))));
  if (simulated) tally.append(make("span", { className: "row soft" }, make("b", {}, `${simulated}`), make("span", { className: "badge" }, "SIM"), "simulated"));
}

function showAlarms(all) {
  const standing = [...state.alarms, ...all.flatMap((one) => one.alarms)];
  const text = JSON.stringify(standing.map((one) => [one.alarm_id, one.times]));
  if (alarms.dataset.text === text) return;
  alarms.dataset.text = text;
  const crowded = all.length > CROWDED, most = crowded ? 2 : 4, rest = standing.length - most;
  main.classList.toggle("crowded", crowded);
  fill(alarms, ...standing.slice(0, most).map(alarmLine));
  if (rest > 0) alarms.append(make("p", {}, `and ${plural(rest, "more alarm")}, on the tiles below`));
}

function alarmLine(alarm) {
  const light = ["notice", "warning"].includes(alarm.severity);
  const times = alarm.times > 1 ? `, ${alarm.times} times` : "";
  return make("div", { className: `alarm${light ? " notice-level" : ""}`, role: "alert" },
    make("span", { className: "severity" }, alarm.severity),
    make("span", {}, make("b", {}, `${alarm.channel || "bench"}: ${alarm.message}`),
      make("span", { className: "soft" }, ` ${alarm.remedy} ${moment(alarm.raised_us)}${times}`)),
    mayAct() ? make("button", { onclick: () => acknowledge(alarm) }, "Acknowledge") : null);
}

// --- several at once ------------------------------------------------------------------------------

function tick(key, chosen) {
  if (chosen) ticked.add(key); else ticked.delete(key);
  showGroup();
}

const chosen = () => [...ticked].map((key) => channels.get(key)).filter((one) => one?.run_id);

function showGroup() {
  group.hidden = ticked.size === 0;
  const text = chosen().map((one) => one.channel + one.state).join();
  if (group.hidden || group.dataset.text === text) return;
  group.dataset.text = text;
  fill(group, make("b", {}, plural(ticked.size, "channel")), ...GROUP_VERBS.map(groupButton),
    make("button", { className: "quiet", onclick: untick }, "None"), make("button", { className: "quiet", onclick: tickAll }, "All"));
}

function groupButton(verb) {
  const able = chosen().filter((one) => one.verbs.includes(verb));
  const why = able.length === ticked.size ? "" : `possible for ${able.length} of ${ticked.size}`;
  return make("button", { className: verb === "stop" ? "danger" : "", title: why, "aria-disabled": able.length ? null : "true",
    onclick: () => able.length && askGroup(verb, able) }, nameOf(verb));
}

async function askGroup(verb, able) {
  const names = able.map((one) => one.channel);
  const [title, text, needed] = VERBS[verb];
  const said = await askReason({ title: `${title}: ${names.join(", ")}`, text, needed, confirm: `${title} ${plural(names.length, "channel")}`, danger: verb !== "resume" });
  if (said) await order({ verb, channels: names, reason: said.reason });
}

function untick() {
  ticked.clear();
  for (const tile of tiles.values()) tile.parts.tick.checked = false;
  showGroup();
}

function tickAll() {
  for (const [key, tile] of tiles) { tile.parts.tick.checked = true; ticked.add(key); }
  showGroup();
}
