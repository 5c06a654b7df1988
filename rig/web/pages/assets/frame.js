// What every page has around it: where one is, who one is, whether the numbers are fresh, all safe.
import { mayAct, me, post } from "./api.js";
import { order } from "./ask.js";
import { fill, make, say } from "./dom.js";
import { holdButton } from "./hold.js";
import { state, watch } from "./live.js";
import { duration } from "./words.js";

const PAGES = [["/", "Wall"], ["/start", "Start"], ["/runs", "Runs"], ["/alerts", "Alerts"], ["/health", "Health"], ["/bench", "Bench"]];

export async function frame() {
  const person = await me();
  fill(document.getElementById("header"), 
    make("a", { className: "brand", href: "/" }, "cellrig"),
    make("nav", { "aria-label": "Pages" }, PAGES.filter(([path]) => path !== "/start" || mayAct()).map(pageLink)),
    make("span", { className: "spring" }),
    linkState(),
    make("span", { className: `small soft${person.open ? " nobody" : ""}`, id: "who" }, person.open ? "open: no accounts" : `${person.name} · ${person.role}`),
    person.csrf ? make("button", { className: "quiet", onclick: signOut }, "Sign out") : null,
    make("button", { className: "quiet", title: "Light or dark", "aria-label": "Light or dark", onclick: () => globalThis.switchTheme() }, "◐"),
    mayAct() ? allSafe() : null,
  );
  watch(showNotices);
  setInterval(showNotices, 1000);
  return person;
}

function pageLink([path, word]) {
  const here = path === "/" ? location.pathname === "/" : location.pathname.startsWith(path);
  return make("a", { href: path, "aria-current": here ? "page" : null }, word);
}

async function signOut() {
  await post("/api/sign-out", {});
  location.assign("/sign-in");
}

// --- is it fresh ----------------------------------------------------------------------------------

let freshness, words;

function linkState() {
  words = make("span", {}, "connecting");
  freshness = make("span", { className: "link-state", id: "link-state" }, make("i", { className: "dot" }), words);
  return freshness;
}

function showNotices() {
  const lost = !state.connected && (state.served || Date.now() - state.lostSince > 2000);
  freshness.classList.toggle("lost", lost);
  say(words, state.connected ? "live" : lost ? "no connection" : "connecting");
  document.body.classList.toggle("stale", lost || Boolean(state.failure));
  const since = duration((Date.now() - state.lostSince) / 1000);
  notice("lost", lost, "No connection", `to the server for ${since}. What you see is old; trying again.`);
  notice("away", Boolean(state.failure) && !lost, "Database away", `${state.failure} What you see is old.`);
}

function notice(id, there, head, text) {
  let line = document.getElementById(`notice-${id}`);
  if (!there) { line?.remove(); return; }
  if (!line) {
    line = make("div", { className: "notice trouble", id: `notice-${id}` }, make("strong", {}, head), make("span"));
    document.getElementById("notices").append(line);
  }
  say(line.lastChild, text);
}

// --- all safe -------------------------------------------------------------------------------------

function allSafe() {
  return holdButton({ text: "All safe: hold", busy: "disconnecting every cell …", id: "all-safe", title: "Hold: disconnects every cell, ends every run and what is held by hand",
    act: () => order({ verb: "safe", everything: true, reason: "all safe, from the page" }) });
}
