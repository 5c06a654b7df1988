// Name and password; where nobody has an account there is nothing to do here.
import { post } from "./api.js";
import { make } from "./dom.js";

const main = document.getElementById("main");
const name = make("input", { type: "text", name: "name", required: true, autocomplete: "username", autofocus: true });
const password = make("input", { type: "password", name: "password", required: true, autocomplete: "current-password" });
const said = make("p", { className: "notice trouble", role: "alert", hidden: true });
const form = make("form", { onsubmit: signIn }, make("label", {}, "Name", name), make("label", {}, "Password", password),
  said, make("button", { className: "primary" }, "Sign in"));

main.append(make("section", { className: "panel sign-in" }, make("h1", {}, "cellrig"),
  make("p", { className: "soft" }, "Control of this rig's cells. Accounts are made with rig users add."), form));

async function signIn(event) {
  event.preventDefault();
  try {
    await post("/api/sign-in", { name: name.value.trim(), password: password.value });
    location.assign(whereTo());
  } catch (refusal) {
    said.hidden = false;
    said.textContent = refusal.message;
    password.select();
  }
}

// Only to a page of ours: an address from a link must not lead elsewhere.
function whereTo() {
  const next = new URL(new URLSearchParams(location.search).get("next") || "/", location.origin);
  return next.origin === location.origin ? next.pathname + next.search : "/";
}
