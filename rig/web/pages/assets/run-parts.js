// What is shown alike wherever a run is: its results, and the ways to take it out.
import { make } from "./dom.js";

const FORMATS = [["bdf-csv", "Battery Data Format, CSV"], ["bdf-parquet", "Battery Data Format, Parquet"], ["csv", "plain columns, CSV"]];
const MOST_VALUES = 6;

export function exportsOf(runId) {
  return make("div", { className: "row" }, FORMATS.map(([format, words]) =>
    make("a", { className: "button", href: `/api/runs/${runId}/export?format=${format}`, download: "" }, words)));
}

export function resultRow(one) {
  const values = Object.entries(one.values).filter(([, value]) => ["number", "string"].includes(typeof value)).slice(0, MOST_VALUES)
    .map(([key, value]) => `${key} ${typeof value === "number" ? Number(value.toPrecision(5)) : value}`);
  return [one.method, values.join(", "), one.flags.map((note) => note.code ?? note).join(", ")];
}
