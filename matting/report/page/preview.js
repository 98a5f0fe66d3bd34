// Moments of a video by several settings: what is shown of all of them at once, and where.

const CHOICES = { view: "composite", behind: "wanted", size: "fit" };
const KEYS = { c: ["view", "composite"], m: ["view", "matte"], s: ["view", "source"] };
const BEHIND = ["wanted", "dark", "light"];
const state = { ...CHOICES, split: 0, alone: 0, ...remembered("preview") };
const sections = [...document.querySelectorAll(".moment")];
const split = document.getElementById("split");
const root = document.documentElement, tools = document.querySelector(".tools");

// Each picture is in the file once.
for (const section of sections) {
  for (const name of ["source", "behind"]) {
    const [first, ...others] = section.querySelectorAll(`img.${name}`);
    for (const other of others) other.src = first.src;
  }
}

function show() {
  for (const name of Object.keys(CHOICES)) {
    document.body.dataset[name] = state[name];
    for (const button of document.querySelectorAll(`.tools [data-${name}]`))
      button.setAttribute("aria-pressed", String(button.dataset[name] === state[name]));
  }
  const shown = document.querySelector(`[data-setting="${state.alone}"]`) ? state.alone : 0;
  document.body.classList.toggle("alone", shown > 0);
  for (const figure of document.querySelectorAll("figure[data-setting]"))
    figure.hidden = shown > 0 && Number(figure.dataset.setting) !== shown;
  split.value = state.split;
  root.style.setProperty("--split", `${state.split}%`);
  remember("preview", state);
}

function change(values) {
  Object.assign(state, values);
  show();
}

// At 100 %, a pixel of the picture is one of the screen; and what is gone to lies below the tools.
function measure() {
  root.style.setProperty("--tools", `${tools.offsetHeight}px`);
  for (const stack of document.querySelectorAll(".stack")) {
    const width = stack.querySelector(".people").naturalWidth / (devicePixelRatio || 1);
    stack.style.setProperty("--pixels", `${width}px`);
  }
}

function placeOf(pane) {
  return `${pane.scrollLeft} ${pane.scrollTop}`;
}

// All panes of a moment show the same place.
function together(section) {
  const panes = [...section.querySelectorAll(".pane")];
  const places = new Map(); // where each was moved to by another: that is no news
  for (const pane of panes) {
    pane.addEventListener("scroll", () => {
      if (places.get(pane) === placeOf(pane)) return;
      for (const other of panes) {
        other.scrollTo(pane.scrollLeft, pane.scrollTop);
        places.set(other, placeOf(other));
      }
    });
    drag(pane);
  }
}

function drag(pane) {
  let from = null;
  pane.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || state.size !== "whole") return;
    from = { x: event.clientX + pane.scrollLeft, y: event.clientY + pane.scrollTop };
    pane.setPointerCapture(event.pointerId);
    event.preventDefault();
    pane.focus({ preventScroll: true });
  });
  pane.addEventListener("pointermove", (event) => {
    if (!from) return;
    pane.scrollLeft = from.x - event.clientX;
    pane.scrollTop = from.y - event.clientY;
  });
  for (const name of ["pointerup", "pointercancel"])
    pane.addEventListener(name, () => (from = null));
}

function go(step) {
  const tops = sections.map((section) => section.getBoundingClientRect().top);
  const present = tops.filter((top) => top < tools.offsetHeight + 50).length - 1;
  const target = sections[Math.min(sections.length - 1, Math.max(0, present + step))];
  target?.scrollIntoView();
}

tools.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) change({ ...button.dataset });
});
split.addEventListener("input", () => change({ split: Number(split.value) }));
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const ranged = event.target === split, paned = event.target.closest?.(".pane");
  if (event.key in KEYS) change(Object.fromEntries([KEYS[event.key]]));
  else if (event.key === "b")
    change({ behind: BEHIND[(BEHIND.indexOf(state.behind) + 1) % BEHIND.length] });
  else if (event.key === "z") change({ size: state.size === "fit" ? "whole" : "fit" });
  else if (/^[0-9]$/.test(event.key)) change({ alone: Number(event.key) });
  else if (event.key === "n" || event.key === "p") go(event.key === "n" ? 1 : -1);
  else if (/^Arrow(Left|Right)$/.test(event.key) && !ranged && !(paned && state.size === "whole"))
    change({
      split: Math.min(100, Math.max(0, state.split + (event.key === "ArrowLeft" ? -5 : 5))),
    });
});
addEventListener("load", measure);
addEventListener("resize", measure);
root.style.setProperty("--wanted", pageData().wanted);
sections.forEach(together);
show();
