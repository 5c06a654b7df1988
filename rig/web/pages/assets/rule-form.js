// A rule in the making: what it would have told of so far is shown before anybody keeps it.
import { post, put } from "./api.js";
import { toast } from "./ask.js";
import { fill, make, say, tableOf } from "./dom.js";
import { moment, plural } from "./words.js";

const TRY_MS = 600;
const SILENCE = "silence";
const DAYS = [[30, "the last 30 days"], [90, "the last 90 days"], [365, "a year"], [3650, "everything"]];
// Where many a lab begins; each is only a beginning.
const BEGINNINGS = {
  "Low efficiency": { quantity: "coulombic_efficiency", comparison: "below", threshold: "99 %", consecutive: 3, first_cycle: 4 },
  "Capacity below 80 %": { quantity: "discharging_capacity_ah", statistic: "ratio to cycle", reference_cycle: 4, comparison: "below", threshold: "80 %" },
  "Resistance has doubled": { quantity: "dc_resistance_ohm", statistic: "ratio to cycle", reference_cycle: 4, comparison: "above", threshold: "200 %" },
  "Unlike its repeats": { quantity: "discharging_capacity_ah", statistic: "ratio to median", comparison: "below", threshold: "95 %", runs_where: "protocol = '...'" },
  "Spectra refused": { quantity: "refused_spectra", comparison: "above", threshold: "0", severity: "notice" },
  "Dead man": { quantity: SILENCE, comparison: "above", threshold: "10 min", severity: "alarm" },
};
const EMPTY = { name: "", quantity: "coulombic_efficiency", statistic: "value", reference_cycle: null, first_cycle: 1, comparison: "below", threshold: "", consecutive: 1, severity: "warning", runs_where: "", recipients: [], enabled: true };

export class RuleForm {
  constructor(words, kept) {
    this.words = words;
    this.kept = kept;
    this.changing = null;
    this.asking = this.timer = 0;
    this.busy = false;
    this.fields = {};
    this.controls();
    this.element = make("form", { className: "stack", id: "rule-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); this.keep(); } },
      make("section", { className: "panel form-grid" }, this.head, this.grid(), this.problems, this.row()),
      make("section", { className: "panel", "aria-live": "polite" }, make("div", { className: "plot-head" }, make("h2", {}, "Would have fired"), make("label", { className: "small" }, "in ", this.days)), this.trial));
    this.element.addEventListener("input", () => this.changed());
    this.fill(EMPTY);
  }

  controls() {
    const { quantities, statistics, comparisons, severities, recipients } = this.words;
    const choice = (entries) => make("select", {}, entries.map(([value, text]) => make("option", { value }, text)));
    const same = (values) => choice(values.map((one) => [one, one]));
    const number = () => make("input", { type: "number", min: 1, max: 1000000, step: 1, inputMode: "numeric" });
    this.head = make("h2", {}, "New rule");
    this.fields = {
      name: make("input", { type: "text", maxLength: 60, autocomplete: "off" }), quantity: choice(quantities.map((one) => [one.name, one.words])),
      statistic: same(statistics), reference_cycle: number(), comparison: same(comparisons), threshold: make("input", { type: "text", autocomplete: "off" }),
      consecutive: number(), first_cycle: number(), severity: same(severities),
      runs_where: make("input", { type: "text", maxLength: 2000, autocomplete: "off", spellcheck: false, placeholder: "every run" }),
    };
    for (const [name, field] of Object.entries(this.fields)) field.id = `rule-${name.replaceAll("_", "-")}`;
    this.told = recipients.map((name) => make("input", { type: "checkbox", value: name, id: `tell-${name}` }));
    this.beginning = make("select", { id: "beginning", "aria-label": "begin with", onchange: () => this.begin() }, make("option", { value: "" }, "begin with …"), Object.keys(BEGINNINGS).map((name) => make("option", {}, name)));
    this.days = make("select", { "aria-label": "how far back" }, DAYS.map(([value, text]) => make("option", { value }, text)));
    this.problems = make("ul", { className: "problems", id: "rule-problems", hidden: true });
    this.trial = make("div", { id: "trial" });
    this.keepButton = make("button", { className: "primary", id: "keep-rule" }, "Keep this rule");
    this.cancel = make("button", { type: "button", onclick: () => this.fill(EMPTY), hidden: true }, "Leave it as it was");
  }

  grid() {
    const box = (label, name, note = "") => make("div", { className: "field", "data-field": name }, make("label", { htmlFor: this.fields[name].id }, label), this.fields[name], note ? make("small", {}, note) : null);
    const columns = `SQL, as for rig analyse: chemistry = 'NMC' and cycles > 5. Columns: ${this.words.columns.join(", ")}`;
    const whom = make("fieldset", { className: "field", hidden: !this.told.length }, make("legend", {}, "Told to"), make("div", { className: "row" }, this.told.map((tick) => make("label", { className: "row" }, tick, tick.value))), make("small", {}, "nobody ticked: all whom it is bad enough for"));
    return make("div", { className: "form-grid" }, this.beginning,
      make("div", { className: "cell-fields" }, box("What is looked at", "quantity"), box("Compared as", "statistic"), box("Reference cycle", "reference_cycle")),
      make("div", { className: "cell-fields" }, box("It is", "comparison"), box("Threshold", "threshold", "with its unit"), box("Cycles in a row", "consecutive"), box("From cycle", "first_cycle", "leaves formation out")),
      box("Of which runs", "runs_where", columns),
      make("div", { className: "cell-fields" }, box("Name", "name"), box("Severity", "severity", "critical: the channel starts nothing before somebody has acknowledged")), whom);
  }

  row() { return make("div", { className: "row" }, this.keepButton, this.cancel); }

  begin() {
    const chosen = this.beginning.value;
    if (chosen) this.fill({ ...EMPTY, ...BEGINNINGS[chosen], name: chosen });
  }

  take(rule) {
    this.fill({ ...rule, threshold: rule.threshold_text }, rule);
    this.element.scrollIntoView({ block: "start", behavior: "smooth" });
    this.fields.threshold.focus({ preventScroll: true });
  }

  fill(values, rule = null) {
    this.changing = rule;
    for (const [name, field] of Object.entries(this.fields)) field.value = values[name] ?? "";
    for (const tick of this.told) tick.checked = values.recipients.includes(tick.value);
    this.enabled = values.enabled;
    this.beginning.value = "";
    this.cancel.hidden = rule === null;
    say(this.head, rule ? `Change: ${rule.name}` : "New rule");
    say(this.keepButton, rule ? "Keep the change" : "Keep this rule");
    this.changed();
  }

  // A rule as it came, as it is sent back.
  bodyOf(rule) {
    return Object.fromEntries(Object.keys(EMPTY).map((name) => [name, name === "threshold" ? rule.threshold_text : rule[name]]));
  }

  body() {
    const value = (name) => this.fields[name].value.trim();
    const isSilence = value("quantity") === SILENCE;
    const whole = (name) => (value(name) === "" ? 0 : Math.trunc(Number(value(name))));
    return {
      name: value("name"), quantity: value("quantity"), threshold: value("threshold"), severity: value("severity"), runs_where: value("runs_where"), enabled: this.enabled,
      statistic: isSilence ? "value" : value("statistic"), comparison: isSilence ? "above" : value("comparison"),
      reference_cycle: this.needsCycle() ? whole("reference_cycle") : null,
      consecutive: isSilence ? 1 : whole("consecutive"), first_cycle: isSilence ? 1 : whole("first_cycle"),
      recipients: this.told.filter((tick) => tick.checked).map((tick) => tick.value),
    };
  }

  needsCycle() { return this.fields.quantity.value !== SILENCE && this.fields.statistic.value.endsWith("to cycle"); }

  changed() {
    const about = this.words.quantities.find((one) => one.name === this.fields.quantity.value);
    const isSilence = about?.name === SILENCE, isRatio = this.fields.statistic.value.startsWith("ratio");
    for (const option of this.fields.statistic.options) option.disabled = option.value.startsWith("ratio") && !about?.ratio;
    for (const name of ["statistic", "comparison", "consecutive", "first_cycle"]) this.boxOf(name).hidden = isSilence;
    this.boxOf("reference_cycle").hidden = !this.needsCycle();
    this.fields.threshold.placeholder = isRatio ? "80 %" : about?.example ?? "";
    clearTimeout(this.timer);
    if (this.fields.threshold.value.trim()) this.timer = setTimeout(() => this.tryIt(), TRY_MS);
    else { this.asking += 1; this.complain([]); fill(this.trial, make("p", { className: "soft" }, "Say a threshold, and it is tried on the runs that are stored.")); }
  }

  boxOf(name) { return this.fields[name].closest("[data-field]") ?? this.fields[name]; }

  // One trial at a time, the newest words last: months of cells are not looked at for every letter.
  async tryIt() {
    const number = ++this.asking;
    if (this.busy) return;
    this.busy = true;
    await this.tryOnce(number);
    this.busy = false;
    if (number !== this.asking && this.fields.threshold.value.trim()) this.tryIt();
  }

  async tryOnce(number) {
    const body = this.body();
    say(this.trial, "looking …");
    try {
      const trial = await post("/api/alert-rules/trial", { ...body, name: body.name || "preview", days: Number(this.days.value) });
      if (number !== this.asking) return;
      this.complain([]);
      fill(this.trial, ...shown(trial));
    } catch (refusal) {
      if (number !== this.asking) return;
      this.complain(refusal.problems?.length ? refusal.problems : [{ where: "", message: refusal.message }]);
      fill(this.trial, make("p", { className: "soft" }, "Not before what is wrong above is mended."));
    }
  }

  complain(problems) {
    for (const [name, field] of Object.entries(this.fields)) field.setAttribute("aria-invalid", String(problems.some((one) => one.where === name)));
    this.problems.hidden = problems.length === 0;
    fill(this.problems, problems.map((one) => make("li", {}, one.where ? make("b", {}, `${labelOf(one.where)}: `) : null, one.message,
      one.suggestion ? `; did you mean ${one.suggestion}?` : "", one.example ? make("div", { className: "soft" }, "for example ", make("code", {}, one.example)) : null)));
  }

  async keep() {
    const body = this.body(), rule = this.changing;
    this.keepButton.disabled = true;
    try {
      if (rule) await put(`/api/alert-rules/${rule.rule_id}`, body);
      else await post("/api/alert-rules", body);
      toast(`${body.name}: ${rule ? "changed" : "looked at from now on"}`, "done");
      this.fill(EMPTY);
      this.kept();
    } catch (refusal) {
      this.complain(refusal.problems?.length ? refusal.problems : [{ where: "", message: refusal.message }]);
      this.problems.scrollIntoView({ block: "nearest" });
    } finally { this.keepButton.disabled = false; }
  }
}

const LABELS = { quantity: "What is looked at", statistic: "Compared as", comparison: "It is", runs_where: "Of which runs", consecutive: "Cycles in a row", first_cycle: "From cycle", recipients: "Told to" };
const labelOf = (where) => LABELS[where] ?? where.charAt(0).toUpperCase() + where.slice(1).replaceAll("_", " ");

function shown(trial) {
  const more = trial.total - trial.firings.length;
  return [
    make("p", { className: "soft" }, trial.rule_words),
    make("p", { className: "why", id: "trial-words" }, trial.words),
    trial.firings.length ? make("div", { className: "trial-box" }, tableOf(["when", "cell", "cycle", "value", "run"], trial.firings.map((one) => [
      moment(one.ts_us), one.cell ?? one.channel, one.cycle_count === null ? "–" : String(one.cycle_count), one.value_words, make("a", { href: `/run/${one.run_id}` }, one.run_id.slice(0, 8))]))) : null,
    more > 0 ? make("p", { className: "soft" }, `and ${plural(more, "time")} before`) : null,
  ];
}
