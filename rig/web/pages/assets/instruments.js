// Every instrument: who it is, how its link is, who uses it; and asking one who it is.
import { mayAct, post } from "./api.js";
import { fail, toast } from "./ask.js";
import { fill, make, tableOf } from "./dom.js";
import { moment, NONE, scaled } from "./words.js";

const FRESH_US = 60e6; // what is noted every ten seconds while a port is open
const shown = { text: "" };

export function showInstruments(box, list, lookedUs) {
  const text = JSON.stringify(list.map((one) => ({ ...one, noted_us: isOld(one, lookedUs) })));
  if (shown.text === text) return;
  shown.text = text;
  fill(box, tableOf(["instrument", "port", "round trip: half, 99 of 100", "answered", "failed", "who it is", ""], list.map((one) => [
    make("div", {}, make("b", {}, one.name), make("div", { className: "small soft" }, `${one.driver} · ${one.connect}`),
      make("div", { className: "small soft" }, one.channels.length ? `used by ${one.channels.join(", ")}` : "used by no channel")),
    port(one, lookedUs), roundTrip(one.link), counted(one.link.exchanges), failures(one.link), identity(one),
    mayAct() ? make("button", { onclick: (event) => ask(one, event.currentTarget), "aria-label": `Identify ${one.name}` }, "Identify") : ""]), "this page has no bench of its own"));
}

const isOld = (one, lookedUs) => one.is_open && lookedUs - one.noted_us > FRESH_US;
const counted = (number) => make("span", { className: "number" }, number.toLocaleString("en"));

function port(one, lookedUs) {
  if (isOld(one, lookedUs)) return make("span", { className: "mark ill" }, "open, no news");
  return make("span", { className: one.is_open ? "mark well" : "mark" }, one.is_open ? "open" : "closed");
}

function roundTrip(link) {
  const [half, most, longest] = [link.round_trip_p50_second, link.round_trip_p99_second, link.round_trip_longest_second];
  if (half === null) return NONE;
  return make("span", { title: `longest ${time(longest)}; of the last ten to twenty minutes` }, `${time(half)}, ${time(most)}`);
}

const time = (second) => (second < 1e-6 ? "< 1 µs" : scaled(second, "s", 2).join(" "));

function failures(link) {
  if (!link.failures && !link.reopened) return "0";
  const words = [`${link.failures}`, link.reopened ? `opened anew ${link.reopened}×` : ""].filter(Boolean).join(", ");
  return make("div", {}, make("b", {}, words), make("div", { className: "small last-error" }, `${moment(link.last_error_us)} ${link.last_error}`));
}

function identity(one) {
  if (!one.identity) return make("span", { className: "soft" }, "nobody has asked yet");
  const { maker, model, serial, firmware } = one.identity;
  return make("div", {}, `${maker} ${model}`, make("div", { className: "small soft" }, `${serialWords(serial)}, firmware ${firmware || NONE}`));
}

const serialWords = (serial) => (serial ? `serial ${serial}` : "tells no serial");

async function ask(one, button) {
  button.disabled = true;
  try {
    const found = await post(`/api/instruments/${encodeURIComponent(one.name)}/identify`, {});
    const who = found.identity ? `${found.identity.maker} ${found.identity.model}, ${serialWords(found.identity.serial)}, firmware ${found.identity.firmware || NONE}` : "";
    const when = found.is_fresh || !found.asked_us ? "" : ` (noted ${moment(found.asked_us)})`;
    toast(`${one.name}: ${[found.problem, who, found.words].filter(Boolean).join("; ")}${when}`, found.problem || found.before ? "trouble" : "done");
  } catch (failure) { fail(failure); } finally { button.disabled = false; }
}
