// Numbers and times as people read them. What nobody has measured is a dash.
export const NONE = "–";

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];

export function fixed(value, decimals) {
  if (value === null || value === undefined) return NONE;
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−"); // noise has no sign
}

// A current: what is less than a nanoampere is a source meter's noise, and not worth its digits.
export function ampere(value) {
  if (value !== null && value !== undefined && Math.abs(value) < 1e-9) return [fixed(value * 1e9, 3), "nA"];
  return scaled(value, "A");
}

// A value with four digits and the prefix that suits it: [text, unit].
export function scaled(value, unit, digits = 4) {
  if (value === null || value === undefined) return [NONE, unit];
  if (value === 0) return ["0", unit];
  const size = Math.abs(value);
  const [factor, prefix] = PREFIXES.find(([limit]) => size >= limit * 0.99995) ?? PREFIXES.at(-1);
  return [(value / factor).toPrecision(digits).replace("-", "−"), prefix + unit];
}

export function shown(value, unit) {
  return scaled(value, unit).join(" ");
}

export function duration(second) {
  if (second === null || second === undefined) return NONE;
  const whole = Math.round(second);
  const [d, h, m, s] = [Math.floor(whole / 86400), Math.floor((whole % 86400) / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${String(m).padStart(2, "0")} min`;
  return m ? `${m} min ${String(s).padStart(2, "0")} s` : `${s} s`;
}

export function moment(us) {
  if (!us) return NONE;
  const date = new Date(us / 1000);
  const two = (number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function percent(fraction, decimals = 1) {
  return fraction === null || fraction === undefined ? NONE : `${(100 * fraction).toFixed(decimals)} %`;
}

export const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;
