// Keys for pages that work without them. The dialog that ? opens lists them. An element with a data-key
// answers to that key: a choice is chosen, a button pressed, a field entered. No key sends a choice: that
// takes Enter, or Ctrl and Enter from within a text.
"use strict";

const isTyping = (element) => element.matches("textarea, select, input:not([type=radio])");

const step = (by) => {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by;
  const stop = rows[next]?.querySelector("[data-main], input:checked");
  stop?.focus();
  return Boolean(stop);
};

const press = (selector) => {
  const found = document.querySelector(selector);
  found?.click();
  return Boolean(found);
};

const choose = (key) => {
  const named = `[data-key="${CSS.escape(key)}"]`;
  const row = document.activeElement.closest("[data-row]");
  const found =
    row?.querySelector(named) ??
    [...document.querySelectorAll(named)].find((element) => element.checkVisibility());
  if (!found) return false;
  if (!found.matches("input, textarea")) {
    found.click();
    return true;
  }
  if (found.type === "radio") found.checked = true;
  (document.getElementById(found.dataset.leadsTo) ?? found).focus();
  return true;
};

const act = (key) => {
  switch (key) {
    case "?":
      document.querySelector("dialog").showModal();
      return true;
    case "j":
      return step(1);
    case "k":
      return step(-1);
    case "n":
      return press("a[rel=next]");
    case "p":
      return press("a[rel=prev]");
    case "/": {
      const search = document.querySelector("input[type=search]");
      search?.focus();
      return Boolean(search);
    }
    case "Enter":
      return document.activeElement.matches("body, main") && press("[data-send]");
    default:
      return key.length === 1 && choose(key);
  }
};

document.addEventListener("keydown", (event) => {
  // A key that is held down goes on through rows, and acts on nothing.
  if (event.repeat && !["j", "k"].includes(event.key) && !isTyping(event.target)) return;
  if (event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const here = event.target;
  if (event.ctrlKey) {
    if (event.key === "Enter" && here.matches("textarea")) here.form?.requestSubmit();
    return;
  }
  if (isTyping(here)) {
    if (event.key === "Escape" && here.matches("textarea")) here.blur();
    return;
  }
  if (act(event.key)) event.preventDefault();
});
