// Numbers as people write them by hand: with their error, and with powers of ten.
const SUPER = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

export const tenTo = (power) => `10${[...String(power)].map((one) => SUPER[one]).join("")}`;

// A value with its error to two digits: 0.3482 ± 0.0035, (1.66 ± 0.05)·10⁻³.
export function withError(value, error) {
  if (!(error > 0)) return value.toPrecision(4);
  const power = Math.abs(value) >= 1e-2 && Math.abs(value) < 1e5 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  const scale = 10 ** power, digits = Math.max(0, 1 - Math.floor(Math.log10(error / scale)));
  const text = `${(value / scale).toFixed(digits)} ± ${(error / scale).toFixed(digits)}`;
  return power ? `(${text})·${tenTo(power)}` : text;
}
