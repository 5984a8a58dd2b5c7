// Signing in and up.

import * as api from "./api.js";
import { element } from "./elements.js";
import { say } from "./language.js";
import { problemNotice } from "./problem-notice.js";

let visited = false;

export function accountView() {
  let creating = !visited && !/^#\/(analysis|compare)\//.test(location.hash);
  visited = true;
  const notice = problemNotice();
  const email = element("input", { type: "email", id: "email", required: true, autocomplete: "username", maxLength: 254 });
  const password = element("input", { type: "password", id: "password", required: true, maxLength: 1024 });
  const hint = element("p.hint", { id: "password-hint", say: "passwordHint" });
  const title = element("h1");
  const submit = element("button.primary", { type: "submit" });
  const other = element("button.link", { type: "button", onclick: () => turn(!creating) });
  const form = element(
    "form.card",
    { onsubmit: send, id: "account" },
    title,
    element("label", { htmlFor: "email", say: "email" }),
    email,
    element("label", { htmlFor: "password", say: "password" }),
    password,
    hint,
    notice.node,
    submit,
    other,
  );

  function turn(create) {
    creating = create;
    notice.clear();
    say(title, creating ? "signUp" : "signIn");
    say(submit, creating ? "signUp" : "signIn");
    say(other, creating ? "haveAccount" : "noAccount");
    hint.hidden = !creating;
    password.autocomplete = creating ? "new-password" : "current-password";
    if (creating) password.setAttribute("aria-describedby", "password-hint");
    else password.removeAttribute("aria-describedby");
  }

  async function send(event) {
    event.preventDefault();
    notice.clear();
    submit.disabled = true;
    say(submit, "busy");
    try {
      if (creating) await api.register(email.value, password.value);
      await api.signIn(email.value, password.value);
    } catch (problem) {
      notice.show(problem);
    } finally {
      submit.disabled = false;
      say(submit, creating ? "signUp" : "signIn");
    }
  }

  turn(creating);
  const pitch = element("div.pitch", {}, element("p.tagline", { say: "tagline" }), element("p", { say: "pitch" }));
  return { node: element("div.account", {}, pitch, form) };
}
