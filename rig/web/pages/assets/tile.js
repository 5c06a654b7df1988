// One channel as a tile. It is built once; afterwards only what differs is written.
import { drawing, make, say } from "./dom.js";
import { isAlive, lookOf, showState, wordOf } from "./states.js";
import { ampere, duration, fixed, NONE, percent, scaled } from "./words.js";

const SPARK_WIDTH = 240, SPARK_HEIGHT = 40;

export function buildTile(status, tick) {
  const part = (name, tag = "div") => make(tag, { className: name });
  const tile = make("article", { className: "tile" });
  const parts = {
    name: part("tile-name", "span"), state: make("span", { className: "state" }),
    simulated: make("span", { className: "badge sim", title: "simulated instruments", hidden: true }, "SIM"),
    hand: part("tile-hand line"), cell: part("tile-cell line soft"), volt: part("tile-volt", "span"), ampere: part("tile-ampere", "span"), more: part("tile-more"),
    spark: drawing(`0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, "", "spark"), doing: part("tile-doing line"),
    next: part("tile-next"), bar: part("bar"), place: part("tile-place"),
  };
  parts.spark.setAttribute("preserveAspectRatio", "none");
  parts.bar.append(make("i"));
  parts.place.append(make("span", { className: "line" }), make("span"));
  const top = make("div", { className: "tile-top" }, parts.name, parts.state, parts.simulated);
  const numbers = make("div", { className: "tile-numbers" }, parts.volt, parts.ampere);
  const body = make("a", { className: "tile-body", href: addressOf(status) }, top, parts.hand, parts.cell, numbers, parts.more,
    parts.spark, parts.doing, parts.next, parts.bar, parts.place);
  tile.append(body);
  if (tick) {
    parts.tick = make("input", { type: "checkbox", className: "tile-tick", "aria-label": `choose ${status.channel}`, onchange: tick });
    tile.append(parts.tick);
  }
  tile.parts = parts;
  tile.body = body;
  return tile;
}

const addressOf = (status) =>
  `/channel/${encodeURIComponent(status.channel)}${status.rig_id ? `?rig=${encodeURIComponent(status.rig_id)}` : ""}`;

export function showTile(tile, status) {
  if (tile.status === status) return;
  tile.status = status;
  const { parts } = tile, alarm = status.alarms[0];
  tile.dataset.look = lookOf(status.state);
  tile.dataset.channel = status.channel;
  tile.classList.toggle("alarmed", Boolean(alarm));
  tile.classList.toggle("held", Boolean(status.by_hand));
  say(parts.hand, status.by_hand);
  say(parts.name, status.channel);
  showState(parts.state, status.state);
  parts.simulated.hidden = !status.simulated;
  say(parts.cell, [status.cell, status.protocol].filter(Boolean).join(" · ") || "no run yet");
  showNumber(parts.volt, ...(status.run_id ? [fixed(status.voltage_volt, 4), "V"] : ["", ""]));
  showNumber(parts.ampere, ...(status.current_ampere === null ? ["", ""] : ampere(status.current_ampere)));
  showMore(parts.more, status);
  say(parts.doing, status.doing);
  say(parts.next, alarm ? alarm.message : whyAndNext(status));
  parts.next.classList.toggle("tile-alarm", Boolean(alarm) || lookOf(status.state) === "trouble");
  parts.bar.firstChild.style.width = `${100 * (status.progress_fraction ?? 0)}%`;
  parts.bar.hidden = parts.place.hidden = !status.run_id;
  say(parts.place.firstChild, placeOf(status));
  say(parts.place.lastChild, isAlive(status.state) && status.left_second ? `${duration(status.left_second)} left` : "");
  tile.body.setAttribute("aria-label", spoken(status, alarm));
}

function showNumber(element, text, unit) {
  if (!element.firstChild) element.append("", make("span", { className: "unit" }));
  const [value, unitElement] = element.childNodes;
  if (value.data !== text) value.data = text;
  say(unitElement, unit);
}

function celsiusOf(status) {
  return status.surface_temperature_celsius ?? status.ambient_temperature_celsius;
}

// Pressure as a press shows it.
export const pressureOf = (status) => scaled(status.applied_pressure_pa, "Pa", 3);

function showMore(element, status) {
  const wanted = [];
  const celsius = celsiusOf(status);
  if (celsius !== null) wanted.push([fixed(celsius, 1), "°C", false]);
  if (status.applied_pressure_pa !== null) wanted.push([...pressureOf(status), true]);
  if (status.capacity_retention !== null) wanted.push([percent(status.capacity_retention), "of capacity", true]);
  while (element.children.length < wanted.length) element.append(make("span"));
  while (element.children.length > wanted.length) element.lastChild.remove();
  wanted.forEach(([text, unit, minor], at) => {
    element.children[at].className = minor ? "minor" : "";
    showNumber(element.children[at], text, unit);
  });
}

function whyAndNext(status) {
  return status.then ? `${status.next} → ${status.then}` : status.next || status.reason;
}

export function placeOf(status) {
  const of = (number, total) => (total ? `${number}/${total}` : `${number}`);
  const words = [];
  if (status.cycle_count) words.push(`cycle ${of(status.cycle_count, status.cycle_total)}`);
  if (status.step_address !== null) words.push(`step ${status.step_address}`);
  return words.join(" · ") || NONE;
}

function spoken(status, alarm) {
  const words = [status.channel, wordOf(status.state), status.by_hand, status.cell, `${fixed(status.voltage_volt, 3)} volt`, whyAndNext(status)];
  return (alarm ? ["alarm", ...words] : words).filter(Boolean).join(", ");
}

export function showSpark(tile, trend) {
  if (tile.trend === trend) return;
  tile.trend = trend;
  tile.parts.spark.firstChild.setAttribute("d", trend ? sparkPath(trend) : "");
}

// Lowest to highest of what is shown, and at least 2 mV: noise must not look like news.
function sparkPath({ test_time_second: times, voltage_volt: volts }) {
  const known = times.map((time, at) => [time, volts[at]]).filter(([, volt]) => volt !== null);
  if (known.length < 2) return "";
  const all = known.map(([, volt]) => volt);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const span = Math.max(high - low, 0.002), middle = (high + low) / 2;
  const [first, last] = [known[0][0], known.at(-1)[0]];
  const x = (time) => ((time - first) / (last - first || 1)) * SPARK_WIDTH;
  const y = (volt) => SPARK_HEIGHT / 2 - ((volt - middle) / span) * (SPARK_HEIGHT - 6);
  return known.map(([time, volt], at) => `${at ? "L" : "M"}${x(time).toFixed(1)} ${y(volt).toFixed(1)}`).join("");
}
