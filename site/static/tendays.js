// What the theme leaves out for readers who use a keyboard or a screen reader.
document.addEventListener("DOMContentLoaded", async () => {
  for (const figure of document.querySelectorAll(".frames")) addSlider(figure);
  for (const button of document.querySelectorAll("button[aria-label], summary[aria-label]")) {
    const shown = button.innerText.replace(/\s+/g, " ").trim();
    if (shown && !button.ariaLabel.includes(shown)) button.ariaLabel = shown;
  }
  for (const summary of document.querySelectorAll("summary")) {
    if (!summary.innerText.trim()) summary.ariaLabel = "Pages of this section";
  }
  await window.MathJax?.startup?.promise;
  // What scrolls sideways can be scrolled by the keyboard.
  for (const frame of document.querySelectorAll(".math, mjx-container")) {
    if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
  }
});

// Small multiples in one image become a slider that shows one frame at a time: tendays.css puts the image behind a
// window of one frame's size, on screens only. Printed, the image is whole.
function addSlider(figure) {
  const { title, labels, columns, header, width, height } = JSON.parse(figure.dataset.grid);
  const imageHeight = header + Math.ceil(labels.length / columns) * height;
  const range = Object.assign(document.createElement("input"), { type: "range", max: labels.length - 1, value: 0 });
  range.autocomplete = "off"; // a reloaded page begins with the first frame
  const label = document.createElement("label");
  label.append(title, range);
  const view = document.createElement("div");
  view.className = "frames-view";
  view.append(...figure.childNodes);
  figure.append(label, view);
  const set = (name, value) => figure.style.setProperty(name, value);
  set("--columns", columns);
  set("--width", `${width}px`);
  set("--shape", `${width} / ${height}`);
  const show = () => {
    const row = Math.floor(range.value / columns);
    set("--left", `${(-100 * (range.value % columns)) / columns}%`);
    set("--top", `${(-100 * (header + row * height)) / imageHeight}%`);
    range.setAttribute("aria-valuetext", labels[range.value]);
  };
  range.addEventListener("input", show);
  show();
}
