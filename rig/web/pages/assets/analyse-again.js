// A run analysed again with settings of one's own: the result is kept beside the earlier ones.
import { get, post } from "./api.js";
import { fill, make, say } from "./dom.js";

let offered = null;

// A form that tells `done` when a result has come; `id` keeps several of them on a page apart.
export async function analyseAgain(runId, done) {
  offered ??= (await get("/api/analyses")).analyses;
  const kind = make("select", { "aria-label": "analysis", onchange: () => build() }, Object.keys(offered).map((one) => make("option", { value: one }, one)));
  const settings = make("div", { className: "settings" }), words = make("span", { className: "small", role: "status" });
  const button = make("button", {}, "Analyse again");
  const form = make("form", { className: "analyse" }, make("label", {}, "Analysis ", kind), settings, make("div", { className: "row" }, button, words));
  const build = () => fill(settings, ...Object.entries(offered[kind.value]).map(([name, one]) => make("label", {}, `${name.replaceAll("_", " ")} `, control(name, one), make("small", { className: "soft" }, one.words))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say(words, "at work, in a process of its own …");
    try {
      await post(`/api/runs/${runId}/analyses`, { kind: kind.value, settings: chosen(settings) });
      say(words, "kept beside the earlier results");
      done();
    } catch (failure) {
      say(words, (failure.problems?.length ? failure.problems.map((one) => `${one.where}: ${one.message}${one.example ? ` (as in ${one.example})` : ""}`).join("; ") : failure.message));
    } finally { button.disabled = false; }
  });
  build();
  return make("details", { className: "again" }, make("summary", {}, "Analyse again with other settings"), form);
}

function control(name, one) {
  if (!one.choices.length) return make("input", { type: "text", name, placeholder: one.example, maxLength: 200, autocomplete: "off" });
  return make("select", { name }, make("option", { value: "" }, "as usual"), one.choices.map((value) => make("option", { value }, value)));
}

function chosen(settings) {
  const given = [...settings.querySelectorAll("input, select")].map((one) => [one.name, one.value.trim()]);
  return Object.fromEntries(given.filter(([, text]) => text));
}
