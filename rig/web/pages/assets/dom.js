// Making and changing elements. Text goes in as text, never as HTML: a cell may be called <b>.

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && name !== "form" && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...there(children));
  return element;
}

// What is not there is null: so a part may be left out where it stands.
const there = (children) => children.flat().filter((child) => child !== null && child !== undefined && child !== "");

export function fill(element, ...children) {
  element.replaceChildren(...there(children));
}

// Changes a text only when it differs: what stays is neither laid out nor read out again.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function tableOf(heads, rows, none = "nothing yet") {
  if (!rows.length) return make("p", { className: "soft" }, none);
  const head = make("tr", {}, heads.map((one) => make("th", { scope: "col" }, one)));
  const body = rows.map((row) => make("tr", {}, row.map((cell) => make("td", {}, cell))));
  return make("div", { className: "table-box" }, make("table", {}, make("thead", {}, head), make("tbody", {}, body)));
}

const NS = "http://www.w3.org/2000/svg";

export function drawing(viewBox, d, className = "") {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", viewBox);
  svg.setAttribute("aria-hidden", "true");
  if (className) svg.setAttribute("class", className);
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}
