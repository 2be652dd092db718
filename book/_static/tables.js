/* On a phone each row of a wide table becomes a block (report.css): each value brings its heading. */
document.addEventListener("DOMContentLoaded", () =>
  document.querySelectorAll(".bd-article table:has(thead th:nth-child(4))").forEach((table) => {
    const headings = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    table.classList.add("in-blocks");
    for (const row of table.tBodies[0].rows)
      [...row.cells].forEach((cell, at) => (cell.dataset.heading = headings[at]));
  })
);
