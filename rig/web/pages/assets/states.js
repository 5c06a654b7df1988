// How a state looks: a colour, a shape and its word, so that nobody depends on one of them.
import { drawing, fill, make } from "./dom.js";

const SHAPES = {
  play: "M3 1.5v13l11-6.5z",
  bars: "M3 2h4v12H3zM9 2h4v12H9z",
  square: "M3 3h10v10H3z",
  tick: "M6.2 13.6 1.4 8.8l2-2 2.8 2.8 6.4-6.4 2 2z",
  warning: "M8 .8 15.6 14.5H.4zM7 6v4h2V6zm0 5v2h2v-2z",
  cross: "m3.4 1.4 4.6 4.6 4.6-4.6 2 2L10 8l4.6 4.6-2 2L8 10l-4.6 4.6-2-2L6 8 1.4 3.4z",
  ring: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z",
  clock: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm1 3v3.6l2.4 2.4-1.4 1.4L7 8.4V4z",
  dots: "M1.5 6.5h3v3h-3zM6.5 6.5h3v3h-3zM11.5 6.5h3v3h-3z",
};

const LOOKS = {
  running: ["running", "play"],
  suspended: ["waiting", "clock"],
  paused: ["waiting", "bars"],
  pausing: ["waiting", "bars"],
  queued: ["coming", "dots"],
  starting: ["coming", "dots"],
  stopping: ["idle", "square"],
  stopped: ["idle", "square"],
  finished: ["done", "tick"],
  tripped: ["trouble", "warning"],
  failed: ["trouble", "cross"],
  free: ["idle", "ring"],
};

const OTHER = ["idle", "ring"];
export const lookOf = (state) => (LOOKS[state] ?? OTHER)[0];
export const ORDER = Object.keys(LOOKS);
export const isOver = (state) => ["finished", "stopped", "tripped", "failed", "free"].includes(state);
export const isAlive = (state) => ["starting", "running", "suspended", "pausing", "stopping"].includes(state);

// Of a suspended run people say that it waits.
const WORDS = { suspended: "waiting" };
export const wordOf = (state) => WORDS[state] ?? state;

// Where there is little room (wall.css): still a word, and never a colour alone.
const SHORT = {
  running: "run", suspended: "wait", paused: "pause", pausing: "pause", queued: "next", starting: "start",
  stopping: "stop", stopped: "stop", finished: "done", tripped: "trip", failed: "fail", free: "free",
};

// A badge of any other word: colour, shape and word, too.
export function badge(look, shape, word) {
  return make("span", { className: "state", "data-look": look }, drawing("0 0 16 16", SHAPES[shape]), make("span", {}, word));
}

export function stateBadge(state) {
  const badge = make("span", { className: "state" });
  showState(badge, state);
  return badge;
}

export function showState(badge, state) {
  if (badge.dataset.state === state) return;
  badge.dataset.state = state;
  badge.dataset.look = lookOf(state);
  badge.dataset.short = SHORT[state] ?? state;
  badge.title = state;
  fill(badge, drawing("0 0 16 16", SHAPES[(LOOKS[state] ?? OTHER)[1]]), make("span", {}, wordOf(state)));
}
