// The live stream: every channel as it is now. After a lost connection it comes back by itself.
import { get } from "./api.js";

const SILENT_MS = 6000; // the server sends something every 1.5 s at least
const RETRY_MS = [500, 1000, 2000, 4000];

export const channels = new Map(); // "rig/channel" -> its newest status
export const trends = new Map();
export const state = { connected: false, lookedUs: 0, failure: "", alarms: [], news: {}, lostSince: Date.now(), served: false };

const watchers = new Set();
let source = null, silence = 0, tries = 0, wait = 0;

export function watch(changed) {
  watchers.add(changed);
  if (!source && !wait) connect();
}

const tell = (what) => watchers.forEach((changed) => changed(what));
export const keyOf = (status) => `${status.rig_id}/${status.channel}`;

function connect() {
  wait = 0;
  source?.close();
  source = new EventSource("/api/live");
  source.addEventListener("wall", (event) => heard(event, (data) => { channels.clear(); take(data); }));
  source.addEventListener("changes", (event) => heard(event, (data) => { leaveFree(data); take(data); }));
  source.addEventListener("trends", (event) => heard(event, (data) => {
    for (const [key, trend] of Object.entries(data)) trends.set(key, trend);
    return "trends";
  }));
  source.onerror = lost;
  listen();
}

function heard(event, apply) {
  const first = !state.connected;
  state.connected = state.served = true;
  tries = 0;
  listen();
  const what = apply(JSON.parse(event.data)) ?? event.type;
  tell(first ? "wall" : what);
}

function take(data) {
  state.lookedUs = data.looked_us;
  state.failure = data.failure;
  state.alarms = data.bench_alarms;
  state.news = data.news;
  for (const status of data.channels) channels.set(keyOf(status), status);
}

// A channel on which nothing had ever run has no rig's id yet: with its first run it gets another key.
function leaveFree(data) {
  for (const status of data.channels) if (status.rig_id && !channels.has(keyOf(status))) channels.delete(`/${status.channel}`);
}

function listen() {
  clearTimeout(silence);
  silence = setTimeout(lost, SILENT_MS);
}

async function lost() {
  if (wait) return;
  source?.close();
  clearTimeout(silence);
  if (state.connected) state.lostSince = Date.now();
  state.connected = false;
  tell("lost");
  wait = setTimeout(connect, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
  tries += 1;
  // A stream that is refused says nothing of why: asking leads to the door where that is it.
  get("/api/me").catch(() => {});
}

addEventListener("online", () => { if (!state.connected) { clearTimeout(wait); connect(); } });
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !state.connected) { clearTimeout(wait); connect(); }
});
addEventListener("pagehide", () => { clearTimeout(silence); source?.close(); });
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
