"use strict";
// Buttons that run, cancel, pause and resume entries, for whoever has entered the token. It is kept for this tab alone.
(() => {
  const KEY = "regsync-token", REST = 700; // milliseconds until what was asked for can be seen
  const tools = document.getElementById("tools");
  const token = () => sessionStorage.getItem(KEY) || "";

  function made(kind, text, more = {}) {
    const one = document.createElement(kind);
    one.textContent = text;
    for (const [name, value] of Object.entries(more)) one.setAttribute(name, value);
    return one;
  }

  const toast = made("p", "", { class: "toast", role: "status" });
  document.body.append(toast);
  let fading = 0;
  function say(text) {
    clearTimeout(fading);
    toast.textContent = text;
    fading = setTimeout(() => { toast.textContent = ""; }, 6000);
  }

  // The dialog that asks for the token.
  const dialog = made("dialog", "", { "aria-labelledby": "ask-title" });
  const form = made("form", "", { method: "dialog" });
  const field = made("input", "", { id: "token", type: "password", autocomplete: "off", required: "", "aria-describedby": "ask-why" });
  const why = made("p", "", { id: "ask-why" });
  const buttons = made("div", "");
  const cancel = made("button", "Cancel", { type: "button" });
  buttons.append(cancel, made("button", "Unlock", { type: "submit" }));
  form.append(made("h2", "Unlock the buttons", { id: "ask-title" }), why, made("label", "Token", { for: "token" }), field, buttons);
  dialog.append(form);
  document.body.append(dialog);
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, field.value.trim());
    field.value = "";
    dialog.close();
    show();
  });
  function ask(text) {
    why.textContent = text;
    dialog.showModal();
    field.focus();
  }

  function show() {
    const lock = made("button", token() ? "Lock" : "Unlock", { type: "button" });
    lock.addEventListener("click", () => {
      if (!token()) { ask("Enter server.token of the configuration. It is kept until this tab is closed."); return; }
      sessionStorage.removeItem(KEY);
      show();
    });
    tools.replaceChildren(lock);
    decorate(document);
  }

  function decorate(where) {
    for (const old of where.querySelectorAll(".acts")) old.remove();
    if (!token()) return;
    for (const one of where.querySelectorAll("[data-entry]")) {
      const acts = made("span", "", { class: "acts" });
      const wanted = [
        one.hasAttribute("data-running") ? ["cancel", "Cancel"] : ["run", "Run now"],
        one.hasAttribute("data-paused") ? ["resume", "Resume"] : ["pause", "Pause"],
      ];
      for (const [command, word] of wanted) {
        const button = made("button", word, { type: "button", "aria-label": `${word}: ${one.dataset.entry}` });
        button.addEventListener("click", () => order(button, command, word, one));
        acts.append(button);
      }
      (one.querySelector(".named") || one).append(acts);
    }
  }

  async function order(button, command, word, one) {
    button.disabled = true;
    const link = one.querySelector("a[href^='/entries/']");
    const path = link ? link.pathname : location.pathname;
    let text = "the server does not answer";
    try {
      const answer = await fetch(`/api/v1${path}/${command}`, { method: "POST", headers: { Authorization: `Bearer ${token()}` } });
      const said = await answer.json();
      text = said.result || said.error;
      if (answer.status === 401) {
        sessionStorage.removeItem(KEY);
        show();
        ask("The token is another one. Enter server.token of the configuration.");
        return;
      }
    } catch { /* it is told below */ }
    say(`${word}, ${one.dataset.entry}: ${text}`);
    button.disabled = false;
    setTimeout(() => document.dispatchEvent(new Event("renew")), REST);
  }

  document.addEventListener("remade", (event) => decorate(event.target));
  show();
})();
