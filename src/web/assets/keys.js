// Keys for pages that work without them: j and k go from row to row, n and p follow the links to the
// next and the previous page, / goes to the search.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const step = { j: 1, k: -1 }[event.key];
  const follow = { n: "next", p: "prev" }[event.key];
  if (step) {
    const rows = [...document.querySelectorAll("[data-row] a[data-main]")];
    const here = rows.indexOf(document.activeElement);
    const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : here + step;
    if (!rows[next]) return;
    rows[next].focus();
  } else if (follow) {
    const link = document.querySelector(`a[rel="${follow}"]`);
    if (!link) return;
    link.click();
  } else if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (!search) return;
    search.focus();
  } else {
    return;
  }
  event.preventDefault();
});
