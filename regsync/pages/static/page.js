"use strict";
// Renews the parts of the page in place, as the server makes them anew. Nothing is made of text here.
(() => {
  const QUICK = 2000, CALM = 10000; // milliseconds: while something runs, and else
  const LIVE = "[data-live]";
  let timer = 0, asked = 0;

  const address = () => location.pathname + location.search;
  const running = () => document.querySelector(".transfers, .mark.running") !== null;
  const held = (part) => {
    const chosen = getSelection();
    return !chosen.isCollapsed && part.contains(chosen.anchorNode);
  };

  // Where the focus is within a part: the number of its element among those that can have it, and what that links to.
  const reachable = (part) => [...part.querySelectorAll("a, button, input, summary, [tabindex]")];
  const name = (one) => one.getAttribute("href") || one.getAttribute("aria-label") || one.textContent;
  function refocus(part, at, called) {
    const found = reachable(part);
    const same = found.find((one) => name(one) === called) || found[at];
    if (same) same.focus({ preventScroll: true });
  }

  function renew(part, fresh) {
    if (part.dataset.was === undefined) part.dataset.was = part.innerHTML;
    if (part.dataset.was === fresh.innerHTML || held(part)) return;
    part.dataset.was = fresh.innerHTML;
    const focus = part.contains(document.activeElement) ? document.activeElement : null;
    const at = focus ? reachable(part).indexOf(focus) : -1, called = focus ? name(focus) : "";
    const open = [...part.querySelectorAll("details")].map((one) => one.open);
    part.replaceChildren(...document.importNode(fresh, true).childNodes);
    part.dispatchEvent(new Event("remade", { bubbles: true }));
    part.querySelectorAll("details").forEach((one, number) => { one.open = open[number] || false; });
    if (focus) refocus(part, at, called);
  }

  async function refresh() {
    const mine = ++asked, where = address();
    let page;
    try {
      const answer = await fetch(where, { headers: { Accept: "text/html" }, cache: "no-store" });
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      say("#pulse", "the server does not answer; shown as it was");
      return;
    }
    if (mine !== asked || where !== address()) return;
    if (document.querySelectorAll(LIVE).length !== page.querySelectorAll(LIVE).length) {
      const main = page.querySelector("main"), own = document.querySelector("main");
      if (!own.contains(document.activeElement) || document.activeElement === own) own.replaceChildren(...main.childNodes);
    }
    for (const part of document.querySelectorAll(LIVE)) {
      const fresh = page.getElementById(part.id);
      if (fresh) renew(part, fresh);
    }
    document.title = page.title;
    const seen = page.querySelector("footer p"), shown = document.querySelector("footer p");
    shown.firstChild.data = seen.firstChild.data;
    say("#pulse", "");
    document.dispatchEvent(new Event("renewed"));
  }

  function say(where, text) {
    const place = document.querySelector(where);
    if (place && place.textContent !== text) place.textContent = text;
  }

  async function round() {
    clearTimeout(timer);
    if (!document.hidden) await refresh();
    clearTimeout(timer);
    timer = setTimeout(round, running() ? QUICK : CALM);
  }

  function filterAsTyped() {
    const box = document.getElementById("q");
    if (!box) return;
    let wait = 0;
    box.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(() => {
        const query = new URLSearchParams(new FormData(box.form));
        for (const key of [...query.keys()]) if (!query.get(key)) query.delete(key);
        history.replaceState(null, "", query.size ? `/?${query}` : "/");
        round();
      }, 250);
    });
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) round(); });
  document.addEventListener("renew", round);
  filterAsTyped();
  timer = setTimeout(round, running() ? QUICK : CALM);
})();
