// The report: curves of what was seen, and the pictures of the most doubtful moments.

const { curves: curveData, bands, shots, moments: pictured } = pageData();
const moments = pictured.map(([seconds]) => seconds);
const UNKNOWN = 255, LARGEST_CODE = 254;

// The times of all points, between those that are written out.
function pointTimes({ frames, step, knots }) {
  const times = new Float64Array(Math.ceil(frames / step));
  let knot = 0;
  for (let point = 0; point < times.length; point++) {
    const frame = point * step;
    while (knot + 2 < knots.length && knots[knot + 1][0] <= frame) knot++;
    const [first, seconds] = knots[knot], [last, end] = knots[knot + 1] ?? knots[knot];
    const share = last > first ? (frame - first) / (last - first) : 0;
    times[point] = seconds + share * (end - seconds);
  }
  return times;
}

function laneValues({ top, points }) {
  const codes = Uint8Array.from(atob(points), (character) => character.charCodeAt(0));
  return Float32Array.from(codes, (code) =>
    code === UNKNOWN ? NaN : top * (code / LARGEST_CODE) ** 2);
}

// The number of the moment that is nearest to a time; -1 where there is none.
function nearestMoment(seconds) {
  let nearest = -1;
  moments.forEach((moment, number) => {
    const known = moments[nearest];
    if (known === undefined || Math.abs(moment - seconds) < Math.abs(known - seconds))
      nearest = number;
  });
  return nearest;
}

const dialog = document.getElementById("large");
const byTime = moments.map((_, number) => number).sort((a, b) => moments[a] - moments[b]);
let shown = -1;

// What to say where the picture is of another frame than the one that was asked for.
function otherFrame(number, point) {
  const { step, frames } = curveData, frame = pictured[number][1], first = point * step;
  const last = Math.min(frames, first + step) - 1;
  if (first <= frame && frame <= last) return "";
  const wanted = step === 1 ? `frame ${first}` : `frames ${first} to ${last}`;
  const away = Math.abs(times[point] - moments[number]);
  return `There is no picture of ${wanted}, at ${clockText(times[point])}; this is of frame ` +
    `${frame}, ${away.toFixed(2)} s ${frame < first ? "before" : "after"} it.`;
}

// point: of the curves, where it was asked for.
function showMoment(number, point = null) {
  const button = document.querySelector(`[data-moment="${number}"]`);
  if (!button) return;
  shown = number;
  document.getElementById("large-title").textContent =
    button.parentElement.querySelector("strong").textContent;
  document.getElementById("large-note").textContent = point === null ? "" : otherFrame(number, point);
  const figures = [...button.querySelectorAll("img")].map((image) => {
    const figure = document.createElement("figure"), large = new Image();
    large.src = image.src;
    large.alt = image.alt;
    figure.append(large);
    return figure;
  });
  dialog.querySelector(".large").replaceChildren(...figures);
  const place = byTime.indexOf(number);
  document.getElementById("earlier").disabled = place === 0;
  document.getElementById("later").disabled = place === byTime.length - 1;
  if (!dialog.open) dialog.showModal();
}

function showNext(step) {
  const next = byTime[byTime.indexOf(shown) + step];
  if (next !== undefined) showMoment(next);
}

const place = document.getElementById("curves"), times = pointTimes(curveData);
if (times.length) {
  const shownCurves = new Curves(place, {
    label: "What was seen of the mattes, over time",
    times,
    lanes: curveData.lanes.map((lane) => ({
      name: lane.name,
      values: laneValues(lane),
      text: (value) => `${value.toFixed(lane.digits)} ${lane.unit}`,
    })),
    bands,
    marks: shots.map((seconds) => ({ seconds, name: "shot" })),
    onPick: (point) => showMoment(nearestMoment(times[point]), point),
  });
  for (const link of document.querySelectorAll(".minute")) {
    link.addEventListener("click", () => {
      const point = Math.floor(Number(link.dataset.frame) / curveData.step);
      const end = shownCurves.frameAtTime(times[point] + 60);
      shownCurves.show(point, end);
      shownCurves.move(point);
    });
  }
}

for (const button of document.querySelectorAll("[data-moment]"))
  button.addEventListener("click", () => showMoment(Number(button.dataset.moment)));
document.getElementById("earlier").addEventListener("click", () => showNext(-1));
document.getElementById("later").addEventListener("click", () => showNext(1));
document.getElementById("shut").addEventListener("click", () => dialog.close());
dialog.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) showNext(step);
});
