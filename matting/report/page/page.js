"use strict";
// What every page has: its data, buttons that copy, and a file that may still grow.

// What `render_page` was given for the scripts.
function pageData() {
  return JSON.parse(document.getElementById("data").textContent);
}

// Says something to those who do not see the page.
function say(text) {
  document.getElementById("said").textContent = text;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Of a page from the disk, not every browser lets it; this way is older.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("the browser does not let this page copy");
  }
}

// What a page remembers while it is read again: a browser may forbid that, too.
function remembered(key) {
  try {
    return JSON.parse(sessionStorage.getItem(location.pathname + key));
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    sessionStorage.setItem(location.pathname + key, JSON.stringify(value));
  } catch {
    // Then it begins anew.
  }
}

// A button with data-copies="ID" copies the text of that element.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copies]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copies).textContent.trim();
  let result = "Copied";
  try {
    await copyText(text);
  } catch {
    result = "Not copied: select it, and press Ctrl-C";
  }
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = result;
  say(result);
  setTimeout(() => (button.textContent = label), 2000);
});

// Not while something is pressed or typed: that would be lost.
const refreshSeconds = Number(document.body.dataset.refreshSeconds);
if (refreshSeconds) {
  let busy = 0;
  for (const name of ["pointerdown", "pointermove", "keydown", "wheel"])
    addEventListener(name, () => (busy = Date.now()), { passive: true });
  setInterval(() => {
    if (Date.now() - busy > 1000) location.reload();
  }, 1000 * refreshSeconds);
}
