// Changing a running run: its protocol as it is in force, what another text would change, and asking for it.
import { get, post } from "./api.js";
import { toast } from "./ask.js";
import { fill, make } from "./dom.js";
import { moment } from "./words.js";

const EFFECTS = { wider: ["▲ wider", "ill"], tighter: ["▼ tighter", "well"] };

// Opens the dialog; resolves when it is closed, to whether the run goes on by another text.
export async function changeRun(run) {
  const known = await get(`/api/runs/${run.run_id}/revisions`);
  return new Promise((resolve) => new Change(run, known, resolve));
}

class Change {
  constructor(run, known, done) {
    [this.path, this.known, this.shown, this.applied] = [`/api/runs/${run.run_id}/revisions`, known, null, false];
    this.text = make("textarea", { className: "code", id: "revised", spellcheck: false, oninput: () => this.changed(), "aria-label": "protocol" });
    this.text.value = known.protocol_text;
    this.reason = make("input", { type: "text", name: "reason", maxLength: 400, autocomplete: "off", oninput: () => this.look() });
    this.result = make("div", { id: "difference", "aria-live": "polite" }, make("p", { className: "soft" }, "Change the text, then look at the difference. The run goes on meanwhile."));
    this.apply = make("button", { type: "button", className: "danger", onclick: () => this.ask() }, "Apply");
    const title = `Change: ${run.channel}, protocol revision ${known.number}`;
    this.dialog = make("dialog", { className: "wide", "aria-label": title }, make("form", { method: "dialog", onsubmit: (event) => event.preventDefault() },
      make("h2", {}, title),
      make("p", { className: "soft small" }, "What is over stays as it was. What is still to come may change: steps, loop counts, ends, record rules, limits. An operator may tighten a limit, only an admin widen it."),
      this.text, make("div", { className: "row" }, make("button", { type: "button", id: "show-difference", onclick: () => this.check() }, "Show difference")),
      this.result, this.past(),
      make("label", { className: "field" }, "Why? It goes into the journal.", this.reason),
      make("div", { className: "row end" }, make("button", { type: "button", onclick: () => this.dialog.close() }, "Cancel"), this.apply)));
    this.dialog.addEventListener("close", () => { this.dialog.remove(); done(this.applied); });
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.look();
  }

  past() {
    const rows = this.known.revisions.slice(1);
    if (!rows.length) return null;
    return make("details", {}, make("summary", {}, `${rows.length} earlier ${rows.length === 1 ? "change" : "changes"}`),
      make("ul", { className: "notes small" }, rows.map((one) => make("li", {}, `${one.number}: ${moment(one.applied_us)}, ${one.who}: ${one.reason || "no reason given"}. ${(one.difference ?? []).join("; ")}`))));
  }

  body() {
    const { protocol_file: file, protocol_sha256: sha256 } = this.known;
    return { text: this.text.value, file: file.split(/[\\/]/).pop().replaceAll(/[^\w .()+-]/g, "_"), instead_of_sha256: sha256 };
  }

  // What was shown was of another text: nobody says yes to what was not seen.
  changed() {
    if (this.shown === null) return;
    this.shown = null;
    fill(this.result, make("p", { className: "soft" }, "The text has changed since: look at the difference again."));
    this.look();
  }

  look() {
    const ready = this.shown?.may_apply && this.shown.changes.length && this.reason.value.trim();
    this.apply.disabled = !ready;
    this.apply.title = ready ? "" : "first the difference, then a reason";
  }

  async check() {
    const body = this.body();
    try {
      const shown = await post(`${this.path}/check`, body);
      if (body.text === this.text.value) { this.shown = shown; fill(this.result, differenceOf(shown)); }
    } catch (failure) { this.refuse(failure); }
    this.look();
  }

  refuse(failure) {
    this.shown = null;
    const rows = failure.problems?.length ? failure.problems : [{ where: "", message: failure.message }];
    fill(this.result, make("ul", { className: "problems", id: "revision-problems" }, rows.map((one) => make("li", {}, make("code", {}, one.where), one.where ? " " : "", one.message,
      one.suggestion ? ` Did you mean ${one.suggestion}?` : "", one.example ? make("div", { className: "soft small" }, `for example: ${one.example}`) : null))),
    failure.remedy ? make("p", { className: "soft" }, failure.remedy) : null);
  }

  async ask() {
    this.apply.disabled = true;
    try {
      const answer = await post(this.path, { ...this.body(), reason: this.reason.value.trim() });
      this.applied = true;
      toast(`${answer.channel}: ${answer.answer}`, "done");
      this.dialog.close();
    } catch (failure) { this.refuse(failure); this.look(); }
  }
}

function differenceOf({ changes, may_apply: may, remedy }) {
  if (!changes.length) return make("p", {}, "Nothing changes for the run.");
  return [
    make("ul", { className: "changes" }, changes.map((one) => {
      const [word, look] = EFFECTS[one.effect] ?? [];
      return make("li", {}, make("span", { className: "soft" }, `${one.where} `), make("b", {}, one.words), word ? make("span", { className: `mark ${look}` }, word) : null);
    })),
    may ? null : make("p", { className: "refused" }, `You may not widen a limit: ${remedy}.`),
  ];
}
