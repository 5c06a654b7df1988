// A Nyquist plot of one spectrum, drawn small: to see at once whether it looks like a cell.
import { make } from "./dom.js";
import { shown } from "./words.js";

const NS = "http://www.w3.org/2000/svg";
const [WIDTH, LOWEST, HIGHEST, EDGE] = [320, 70, 240, 14];

export function nyquistDrawing(points) {
  const real = points.map((one) => one.real_impedance_ohm), minus = points.map((one) => -one.imaginary_impedance_ohm);
  const low = Math.min(...real), bottom = Math.min(0, ...minus);
  const wide = Math.max(...real) - low, tall = Math.max(...minus) - bottom;
  // The same on both axes: a semicircle is one.
  const scale = Math.min((WIDTH - 2 * EDGE) / Math.max(wide, 1e-12), (HIGHEST - 2 * EDGE) / Math.max(tall, 1e-12));
  const height = Math.max(LOWEST, tall * scale + 2 * EDGE);
  const place = (at) => [EDGE + (real[at] - low) * scale, height - EDGE - (minus[at] - bottom) * scale];
  const words = `${points.length} points, ${shown(points[0].frequency_hertz, "Hz")} to ${shown(points.at(-1).frequency_hertz, "Hz")}; real part ${shown(low, "Ω")} to ${shown(Math.max(...real), "Ω")}`;
  const svg = part("svg", { viewBox: `0 0 ${WIDTH} ${height}`, class: "small-nyquist", role: "img", "aria-label": `Nyquist plot: ${words}` });
  const zero = height - EDGE + bottom * scale;
  svg.append(part("line", { x1: EDGE, x2: WIDTH - EDGE, y1: zero, y2: zero, class: "axis" }),
    part("polyline", { points: points.map((_, at) => place(at).join()).join(" "), class: "trace" }),
    ...points.map((_, at) => { const [cx, cy] = place(at); return part("circle", { cx, cy, r: 2.5, class: "dot" }); }));
  return make("figure", {}, svg, make("figcaption", { className: "small soft" }, `−Im against Re, ${words}`));
}

function part(tag, attributes) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
