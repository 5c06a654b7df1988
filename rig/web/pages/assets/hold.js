// A button that is held, not clicked: a stray click must not end a month's work, and a dialog must not
// stand between a person and safety.
import { make, say } from "./dom.js";

const HOLD_MS = 1200;

// `act` is awaited; meanwhile the button says `busy` and can not be held again.
export function holdButton({ text, busy, title, id = null, act }) {
  const button = make("button", { className: "danger hold", id, title }, make("span", {}, text));
  button.style.setProperty("--hold", `${HOLD_MS}ms`);
  let timer = 0;
  const begin = () => {
    if (timer || button.disabled) return;
    button.classList.add("holding");
    timer = setTimeout(() => { end(); run(button, text, busy, act); }, HOLD_MS);
  };
  const end = () => { clearTimeout(timer); timer = 0; button.classList.remove("holding"); };
  const isKey = (event) => event.key === " " || event.key === "Enter";
  button.addEventListener("pointerdown", begin);
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(name, end);
  button.addEventListener("keydown", (event) => { if (isKey(event)) { event.preventDefault(); begin(); } });
  button.addEventListener("keyup", (event) => { if (isKey(event)) end(); });
  return button;
}

async function run(button, text, busy, act) {
  button.disabled = true;
  say(button.firstChild, busy);
  try {
    await act();
  } finally {
    button.disabled = false;
    say(button.firstChild, text);
  }
}
