// What the theme leaves out for readers who use a keyboard or a screen reader.
document.addEventListener("DOMContentLoaded", async () => {
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
