// The one way to the server. A refusal is an Error with the words and problems of RFC 9457.

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `the server answers ${status}`);
    this.status = status;
    this.problems = problem.problems ?? [];
    this.remedy = problem.remedy ?? "";
  }
}

let person = null;

export async function me() {
  person ??= await get("/api/me");
  return person;
}

// A page that shows a server's database steers nothing: orders reach a run on the computer that runs it.
export const mayAct = () => person !== null && person.role !== "viewer" && person.steers;

// Analysing again steers nothing: on a server's page, too.
export const mayAnalyse = () => person !== null && person.role !== "viewer";

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const remove = (path, keepalive = false) => ask("DELETE", path, undefined, keepalive);

async function ask(method, path, body, keepalive = false) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && person?.csrf) headers["X-CSRF-Token"] = person.csrf;
  const answer = await fetch(path, { method, headers, keepalive, body: body === undefined ? undefined : JSON.stringify(body) });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  if (answer.status === 401 && path !== "/api/sign-in") return signIn();
  throw new Refused(answer.status, content);
}

// Leaves the page; whoever waits for an answer waits no longer than that.
function signIn() {
  const here = location.pathname + location.search;
  location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
  return new Promise(() => {});
}

// Calls again and again, never two at once, and no more often than the server bears: a look that takes
// long is followed by a longer pause. Returns a function that calls at once.
export function repeat(look, everyMs) {
  let timer = 0, busy = false, again = false;
  const once = async () => {
    if (busy) { again = true; return; }
    clearTimeout(timer);
    busy = true;
    const began = performance.now();
    try { await look(); } catch (error) { if (!(error instanceof Refused) && !(error instanceof TypeError)) console.error(error); }
    busy = false;
    const pause = again ? 0 : Math.max(everyMs, 5 * (performance.now() - began));
    again = false;
    timer = setTimeout(once, pause);
  };
  once();
  return once;
}
