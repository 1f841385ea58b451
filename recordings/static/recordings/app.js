/* The little that htmx does not do. Every page works without this file.
   Regions are refreshed by one element, [data-poll], whose answer names them (hx-swap-oob). */
(() => {
  "use strict";

  const MISSES_BEFORE_STALE = 2;
  let misses = 0;
  let lastAnswerAt = Date.now();
  let isPollAnswer = false;

  const isPoll = (event) => event.detail.elt instanceof Element && event.detail.elt.matches("[data-poll]");

  // A region somebody is using stays as it is: focus inside, or a form with something typed into it.
  const isInUse = (region) =>
    region.contains(document.activeElement) ||
    [...region.querySelectorAll("textarea")].some((field) => field.value !== "");

  // What stays may speak of facts that are no longer so: then it says that.
  const sayFactsChanged = (region, fragment) => {
    const note = region.querySelector("[data-facts-changed]");
    const fresh = fragment.querySelector("[data-facts]");
    if (note && fresh && fresh.dataset.facts !== region.dataset.facts) note.hidden = false;
  };

  const ageInWords = () => {
    const seconds = Math.round((Date.now() - lastAnswerAt) / 1000);
    return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  };

  const showStale = (isStale) => {
    const note = document.getElementById("stale");
    if (!note) return;
    note.hidden = !isStale;
    if (isStale) document.getElementById("stale-age").textContent = ageInWords();
  };

  const missed = (event) => {
    if (isPoll(event)) {
      misses += 1;
      showStale(misses >= MISSES_BEFORE_STALE);
      return;
    }
    const form = event.detail.elt.closest("form");
    const note = document.getElementById("no-answer");
    if (form && note && !form.querySelector("[data-no-answer]")) {
      form.prepend(note.content.cloneNode(true));
      form.firstElementChild.dataset.noAnswer = "";
    }
  };

  const dress = (root) => {
    for (const hidden of root.querySelectorAll("[data-copy], [data-dismiss], [data-print]")) hidden.hidden = false;
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isPoll(event) && document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    isPollAnswer = event.detail.requestConfig.elt.matches("[data-poll]");
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    // What was said already is not said again.
    const { target, fragment } = event.detail;
    if (target.id === "live" && target.textContent === fragment.textContent) event.detail.shouldSwap = false;
    if (!isPollAnswer || !isInUse(target)) return;
    event.detail.shouldSwap = false;
    sayFactsChanged(target, fragment);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isPoll(event) || !event.detail.successful) return;
    misses = 0;
    lastAnswerAt = Date.now();
    showStale(false);
  });
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) document.addEventListener(name, missed);
  document.addEventListener("htmx:load", (event) => {
    dress(event.detail.elt);
    const wrong = event.detail.elt.querySelector('[aria-invalid="true"], [data-focus]');
    if (wrong) (wrong.matches("fieldset") ? wrong.querySelector("input:enabled") : wrong)?.focus();
  });

  // The forms that lead back to this page (theme, pause) follow its address.
  document.addEventListener("htmx:pushedIntoHistory", (event) => {
    for (const field of document.querySelectorAll("[data-here]")) field.value = event.detail.path;
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-dismiss], [data-print]");
    if (!button) return;
    if (button.matches("[data-print]")) window.print();
    if (button.matches("[data-dismiss]")) button.closest(".toast").remove();
    if (button.matches("[data-copy]") && navigator.clipboard) {
      await navigator.clipboard.writeText(button.dataset.copy);
      document.getElementById("live").textContent = "Copied.";
    }
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, textarea, select, [contenteditable]");
    const find = document.getElementById("find");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey || !find) return;
    event.preventDefault();
    find.focus();
  });

  // Paper shows what the screen folds away, and when it was printed; the clock is this computer's.
  const opened = new Set();
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  window.addEventListener("beforeprint", () => {
    const at = new Date();
    const day = `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
    for (const place of document.querySelectorAll("[data-printed-at]"))
      place.textContent = `, ${day} ${at.toISOString().slice(11, 19)} UTC by the clock of their computer`;
    for (const folded of document.querySelectorAll("details.data-t:not([open])")) {
      folded.open = true;
      opened.add(folded);
    }
  });
  window.addEventListener("afterprint", () => {
    for (const folded of opened) folded.open = false;
    opened.clear();
  });

  document.addEventListener("DOMContentLoaded", () => dress(document));
})();
