/* Figures to point at.

A chapter's cell leaves the drawing as data; here it takes the place of the still figure, which
remains for print and wherever this script does not run. The library is fetched from the book's own
files, and only by pages that have such a figure. */
(() => {
  const library = new URL("plotly.min.js", document.currentScript.src).href;
  const narrow = () => window.matchMedia("(max-width: 40rem)").matches;

  const load = () =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: library, onload: resolve, onerror: reject });
      document.head.append(script);
    });

  /* A label with an alignment is as wide as a telephone: there it goes below the figure. */
  const describeBelow = (plot, points) => {
    const note = document.createElement("pre");
    note.className = "pointed-at";
    note.tabIndex = 0;
    note.textContent = "Touch a point to see the two proteins and their alignment.";
    plot.after(note);
    points.hovertemplate = "%{x:.3f}, %{y:.4f}<extra></extra>";
    return (event) => {
      note.innerHTML = event.points[0].customdata;
    };
  };

  const draw = async (holder) => {
    const still = document.getElementById(holder.dataset.inPlaceOf).querySelector("img");
    const { data, layout } = JSON.parse(holder.querySelector("script").textContent);
    await load();
    const plot = document.createElement("div");
    plot.className = "interactive-plot";
    plot.setAttribute("role", "figure");
    plot.setAttribute("aria-label", `${still.alt} Interactive version.`);
    still.before(plot);
    const below = narrow() && describeBelow(plot, data[0]);
    await Plotly.newPlot(plot, data, layout, { responsive: true, displaylogo: false });
    if (below) plot.on("plotly_hover", below);
    still.classList.add("print-only");
    holder.remove();
  };

  document.addEventListener("DOMContentLoaded", () =>
    document.querySelectorAll(".interactive-figure").forEach(draw)
  );
})();
