// A cell's record made from the page: chemistry, area, thickness, masses, rated capacity, each with its unit.
import { get, post } from "./api.js";
import { toast } from "./ask.js";
import { fill, make } from "./dom.js";

let known = null;

// The cells there are, for a list to choose from, and the fields of a new one.
export async function cells() {
  known ??= await get("/api/cells?limit=1000");
  return known;
}

// Resolves to the name of the cell that was made, or to null when somebody thinks better of it.
export async function makeCell(name = "") {
  const { fields } = await cells();
  const inputs = { name: make("input", { type: "text", name: "name", value: name, required: true, maxLength: 100, autocomplete: "off", placeholder: "LPS-17" }) };
  for (const [field, { example }] of Object.entries(fields)) inputs[field] = make("input", { type: "text", name: field, autocomplete: "off", placeholder: example });
  const problems = make("div", { role: "alert" });
  const form = make("form", { method: "dialog" }, make("h2", {}, "A new cell"),
    make("p", { className: "small soft" }, "Only what is known; each with its unit. Protocols, C-rates and results are reckoned from this record."),
    make("div", { className: "cell-fields" }, labelled("name", "what protocols and runs know it by", inputs.name),
      Object.entries(fields).map(([field, { words }]) => labelled(field.replaceAll("_", " "), words, inputs[field]))),
    problems,
    make("div", { className: "row end" }, make("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), make("button", { className: "primary" }, "Make the cell")));
  const dialog = make("dialog", { "aria-label": "A new cell", className: "wide", id: "cell-form" }, form);
  form.noValidate = true; // the server says all that is wrong at once
  form.addEventListener("submit", (event) => { event.preventDefault(); send(inputs, problems, dialog); });
  document.body.append(dialog);
  dialog.showModal();
  inputs.name.focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue || null); }));
}

function labelled(name, words, input) {
  return make("label", {}, name, input, make("small", { className: "soft" }, words));
}

async function send(inputs, problems, dialog) {
  const { name, ...rest } = Object.fromEntries(Object.entries(inputs).map(([field, input]) => [field, input.value.trim()]));
  const fields = Object.fromEntries(Object.entries(rest).filter(([, text]) => text));
  try {
    const made = await post("/api/cells", { name, fields });
    known = null;
    toast(`cell ${made.name} has a record`, "done");
    dialog.close(made.name);
  } catch (failure) { show(failure, inputs, problems); }
}

// Every problem at once, and the field that it is about marked.
function show(failure, inputs, problems) {
  const found = failure.problems?.length ? failure.problems : [{ where: "", message: failure.message }];
  for (const [field, input] of Object.entries(inputs)) input.setAttribute("aria-invalid", String(found.some((one) => one.where === field)));
  fill(problems, make("ul", { className: "problems" }, found.map((one) => make("li", {}, one.where ? make("b", {}, `${one.where.replaceAll("_", " ")}: `) : null, one.message,
    one.example ? make("span", { className: "soft" }, ` (as in ${one.example})`) : null))));
}
