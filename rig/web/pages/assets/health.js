// Did we lose anything? One answer, and what it rests on.
import { get, repeat } from "./api.js";
import { fill, make, say, tableOf } from "./dom.js";
import { frame } from "./frame.js";
import { moment } from "./words.js";

const main = document.getElementById("main");
await frame();

const answer = make("p", { className: "answer", id: "answer", role: "status" }, "looking …");
const note = make("p", { className: "soft" }, "A gap is time in which nobody looked at a cell: it happens, and is on record. A missing sample is one that was acknowledged and is not there: that must never be.");
const runs = make("div", { id: "runs" }), delivery = make("div"), events = make("div");
const panel = (title, ...content) => make("section", { className: "panel" }, make("h2", {}, title), ...content);
main.append(make("h1", {}, "Did we lose anything?"), answer, note,
  make("div", { className: "stack" }, panel("Runs on the channels", runs), panel("On the way to a server", delivery), panel("What was not measured, or not stored at once", events)));
repeat(look, 3000);

async function look() {
  const health = await get("/api/data-health");
  say(answer, health.well ? `No: ${health.words}.` : `Look here: ${health.words}.`);
  answer.className = `answer ${health.well ? "well" : "ill"}`;
  fill(runs, tableOf(["channel", "state", "samples", "missing", "gaps", "links lost", "engine", "run"], health.runs.map((one) => [
    one.channel, one.state, one.samples.toLocaleString("en"), missing(one), String(one.gaps), String(one.links_lost), one.engine_died ? "died" : "",
    make("a", { href: `/run/${one.run_id}` }, one.run_id.slice(0, 8))]), "no run in this database"));
  fill(delivery, health.delivery === null ? make("p", { className: "soft" }, "This database is a file on this computer: there is no way that data could wait on.") : facts(health.delivery));
  const lines = health.runs.flatMap((run) => run.events.map((one) => [one.ts_us, run.channel, one])).sort((a, b) => b[0] - a[0]);
  fill(events, tableOf(["when", "channel", "what", ""], lines.map(([when, channel, one]) => [moment(when), channel, one.kind, one.message]), "nothing"));
}

const missing = (one) => (one.missing_samples ? make("b", {}, `${one.missing_samples} MISSING`) : "0");

function facts(object) {
  const rows = Object.entries(object).map(([key, value]) => [key.replaceAll("_", " "), value === null || typeof value !== "object" ? String(value ?? "–") : JSON.stringify(value)]);
  return tableOf(["", ""], rows);
}
