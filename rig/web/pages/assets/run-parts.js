// What is shown alike wherever a run is: its results, and the ways to take it out.
import { make } from "./dom.js";
import { withError } from "./numbers.js";
import { moment } from "./words.js";

// A table of the Battery Data Format says nothing of cell and protocol: its metadata come with it, in a zip.
const FORMATS = [["bdf-csv&with_metadata=true", "Battery Data Format, CSV"], ["bdf-parquet&with_metadata=true", "Battery Data Format, Parquet"], ["csv", "plain columns, CSV"], ["archive", "everything, archive"]];
const MOST_VALUES = 6;

export function exportsOf(runId) {
  const report = make("a", { className: "button", href: `/api/runs/${runId}/report`, target: "_blank", rel: "noopener", title: "made now; takes some seconds" }, "Report");
  return make("div", { className: "row" }, report, FORMATS.map(([format, words]) =>
    make("a", { className: "button", href: `/api/runs/${runId}/export?format=${format}`, download: "" }, words)));
}

export const RESULT_HEADS = ["what", "value", "settings", "found", "flags"];

export function resultRow(one) {
  const { settings = null, who = "", ...own } = one.values;
  const values = Object.entries(own).filter(([, value]) => ["number", "string"].includes(typeof value)).slice(0, MOST_VALUES)
    .map(([key, value]) => `${key} ${typeof value === "number" ? Number(value.toPrecision(5)) : value}`);
  const chosen = settings ? Object.entries(settings).map(([name, text]) => `${name.replaceAll("_", " ")} ${text}`).join(", ") : "as usual";
  const flags = [...new Set(one.flags.map((note) => note.code ?? note))];
  const shown = own.title && typeof own.value === "number" ? `${withError(own.value, own.standard_error)} ${own.unit}` : values.join(", ");
  return [own.title ?? one.method, shown, chosen, [moment(one.created_us), who].filter(Boolean).join(" "), flags.join(", ")];
}
