// Asking: a dialog that wants a reason, orders on their way, and what became of them.
import { post, Refused } from "./api.js";
import { make } from "./dom.js";

// What a verb does to the cell, said before it is done; whether a reason is wanted.
export const VERBS = {
  "pause": ["Pause", "Disconnects the cell now. The run can be resumed where it stands.", false],
  "pause after step": ["Pause after step", "Lets this step end, then disconnects the cell.", false],
  "resume": ["Resume", "Connects the cell again and goes on with what remains of the step.", false],
  "skip": ["Skip step", "Ends this step here and goes on with the next. What was not measured is lost.", true],
  "restart step": ["Restart step", "Begins this step again. Charge that has passed stays passed.", true],
  "go to": ["Go to …", "Leaves this step for another one.", true],
  "stop after cycle": ["Stop after cycle", "Lets this cycle end as programmed, then disconnects the cell and ends the run. It can be resumed.", false],
  "finish gracefully": ["Finish gracefully", "Lets this cycle, or outside of cycles this step, end as programmed; then the run is finished for good.", true],
  "revise": ["Change …", "Shows the protocol, and what another text of it would change. The run goes on meanwhile.", false],
  "stop": ["Stop", "Disconnects the cell and ends the run.", true],
  "safe": ["Make safe", "Disconnects the cell by every instrument, whatever the run is doing, and ends it.", true],
};

export const nameOf = (verb) => VERBS[verb]?.[0] ?? verb;

// Resolves to {reason, extra}, or to null when somebody thinks better of it.
export function askReason({ title, text, confirm, needed = true, extra = null, danger = true }) {
  const reason = make("input", { type: "text", name: "reason", required: needed, maxLength: 400, autocomplete: "off" });
  const form = make("form", { method: "dialog" },
    make("h2", {}, title), make("p", {}, text), extra,
    make("label", {}, needed ? "Why? It goes into the journal." : "Why? (may stay empty)", reason),
    make("div", { className: "row end" },
      make("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
      make("button", { className: danger ? "danger" : "primary", value: "yes" }, confirm)));
  const dialog = make("dialog", { "aria-label": title }, form);
  document.body.append(dialog);
  dialog.showModal();
  (extra?.querySelector("input, select") ?? reason).focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes" ? { reason: reason.value.trim(), extra: extra?.querySelector("select")?.value ?? "" } : null);
  }));
}

// Sends an order to several at once and tells what became of each.
export async function order(body) {
  try {
    const answer = await post("/api/orders", body);
    const refused = [...answer.orders, ...answer.leases].filter((one) => one.outcome !== "done");
    for (const one of refused) toast(`${one.channel}: ${one.answer}`, "trouble");
    const told = [
      answer.orders.length ? `${body.verb}: ${answer.orders.map((one) => one.channel).join(", ")} done` : "",
      answer.leases.length ? `no longer by hand: ${answer.leases.map((one) => `${one.channel} (${one.owner})`).join(", ")}` : "",
    ].filter(Boolean);
    if (!refused.length) toast(told.join("; ") || "no run is alive: nothing was asked of any instrument", "done");
  } catch (failure) { fail(failure); }
}

export async function orderRun(runId, body) {
  try {
    const answer = await post(`/api/runs/${runId}/orders`, body);
    toast(`${answer.channel}: ${answer.answer}`, "done");
  } catch (failure) { fail(failure); }
}

export function fail(failure) {
  const away = failure instanceof Refused ? "" : "The server could not be reached: ";
  toast(`${away}${failure.message}${failure.remedy ? ` (${failure.remedy})` : ""}`, "trouble");
}

// Trouble stays until somebody takes it away; what is done goes by itself.
export function toast(text, look = "done") {
  const heads = { done: "Done", trouble: "Not done", waiting: "Note" };
  const line = make("div", { className: `notice ${look} toast` }, make("strong", {}, heads[look]), make("span", {}, text));
  line.append(make("span", { className: "spring" }), make("button", { className: "quiet", "aria-label": "Take away", onclick: () => line.remove() }, "✕"));
  document.getElementById("notices").append(line);
  if (look === "done") setTimeout(() => line.remove(), 8000);
}

export async function acknowledge(alarm) {
  const said = await askReason({
    title: `Acknowledge: ${alarm.channel || "the bench"}`, text: `${alarm.message}. ${alarm.remedy}`,
    confirm: "Acknowledge", needed: true, danger: false,
  });
  if (!said) return;
  try {
    await post(`/api/alarms/${alarm.alarm_id}/acknowledge`, { reason: said.reason });
    toast("acknowledged", "done");
  } catch (failure) { fail(failure); }
}
