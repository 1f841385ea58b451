/* Selecting rows of a list: the whole page at once, and how many are selected, said aloud.
   The list works without this file: the style sheet shows the bar and counts, the form posts the rows. */
(() => {
  "use strict";

  const rowsOf = (form) => [...form.elements].filter((field) => field.matches(".pick"));

  const say = (form) => {
    const rows = rowsOf(form);
    const picked = rows.filter((row) => row.checked).length;
    const page = [...form.elements].find((field) => field.matches("[data-pick-page]"));
    const all = form.elements.all;
    page.checked = picked > 0 && picked === rows.length;
    page.indeterminate = picked > 0 && picked < rows.length;
    const words = all?.checked ? form.querySelector(".bulk-all").textContent : `${picked} selected`;
    document.getElementById("live").textContent = words;
  };

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.id !== "bulk-form") return;
    if (event.target.matches("[data-pick-page]")) {
      for (const row of rowsOf(form)) row.checked = event.target.checked;
    }
    say(form);
  });

  // The fields are cleared after the event.
  document.addEventListener("reset", (event) => {
    if (event.target.id === "bulk-form") setTimeout(() => say(event.target));
  });
})();
