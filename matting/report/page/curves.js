// Bands and curves over a video's time, one below the other, with one time axis: to hover, zoom
// and pick.

const LANE_PX = 72, AXIS_PX = 24, TITLE_PX = 20, BAND_PX = 12, BAND_GAP_PX = 6, FEWEST_SHOWN = 8;
const LEAST_SPAN_PX = 3;

const LABEL_PX = 120, TICK_PX = 5, MOST_DIGITS = 3;
const ROUND_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600];

// The least round time that is not below a time, in seconds.
function roundStep(seconds) {
  const decade = 10 ** Math.floor(Math.log10(seconds)), hours = 43200;
  const steps = seconds < 1 ? [1, 2, 5, 10].map((times) => times * decade) : ROUND_SECONDS;
  return steps.find((step) => step >= seconds) ?? Math.ceil(seconds / hours) * hours;
}

// digits: of a second.
function clockText(seconds, digits = 0) {
  const unit = 10 ** digits, ticks = Math.floor(seconds * unit + 1e-6);
  const whole = Math.floor(ticks / unit), two = (number) => String(number).padStart(2, "0");
  const clock = `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return digits ? `${clock}.${String(ticks % unit).padStart(digits, "0")}` : clock;
}

class Curves {
  // element: where they are put; it gets a canvas, a line of values and a button.
  // times: rising, in seconds, as many as each lane has values; a value may be null or NaN.
  // lanes: [{name, values, text: (value) => string}]
  // marks: [{seconds, name}], drawn as lines.
  // bands: [{name, spans: [[start, end, text]]}] in seconds, drawn above the lanes.
  // onPick: called with the number of a frame that is clicked, or at which Enter is pressed.
  constructor(element, { label, times, lanes, marks = [], bands = [], onPick = () => {} }) {
    Object.assign(this, { times, lanes, marks, bands, onPick });
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "slider");
    this.canvas.setAttribute("aria-label", label);
    this.canvas.setAttribute("aria-valuemin", "0");
    this.canvas.setAttribute("aria-valuemax", String(times.length - 1));
    this.values = document.createElement("p");
    this.values.className = "quiet";
    this.whole = document.createElement("button");
    this.whole.textContent = "Whole video";
    this.whole.addEventListener("click", () => this.show(0, this.times.length - 1));
    element.classList.add("curves");
    element.replaceChildren(this.canvas, this.values, this.whole);
    this.at = 0;
    this.dragged = null;
    this.listen();
    this.show(0, times.length - 1);
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => {
      this.dragged = { from: this.frameAt(event), to: this.frameAt(event) };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.dragged) this.dragged.to = this.frameAt(event);
      this.move(this.frameAt(event));
    });
    canvas.addEventListener("pointercancel", () => (this.dragged = null));
    canvas.addEventListener("pointerup", (event) => {
      const { from, to } = this.dragged ?? {};
      this.dragged = null;
      if (from === undefined) return;
      const shown = this.last - this.first;
      if (Math.abs(to - from) * canvas.clientWidth > 5 * shown)
        this.show(Math.min(from, to), Math.max(from, to));
      else this.pick(this.frameAt(event));
    });
    canvas.addEventListener("dblclick", () => this.show(0, this.times.length - 1));
    canvas.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  press(event) {
    const shown = this.last - this.first, page = Math.max(1, Math.round(shown / 20));
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -page, PageUp: page };
    if (event.key in steps) this.move(this.at + steps[event.key]);
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(this.times.length - 1);
    else if (event.key === "Enter" || event.key === " ") this.pick(this.at);
    else if (event.key === "+" || event.key === "-") {
      const half = Math.round(shown * (event.key === "+" ? 0.25 : 1));
      this.show(this.at - half, this.at + half);
    } else return;
    event.preventDefault();
  }

  pick(frame) {
    this.move(frame);
    this.onPick(this.at);
  }

  // Shows the frames from one to another, or a little more where these are few.
  show(first, last) {
    const end = this.times.length - 1, missing = Math.max(0, FEWEST_SHOWN - (last - first)) / 2;
    this.first = Math.max(0, Math.floor(first - missing));
    this.last = Math.min(end, Math.ceil(last + missing));
    this.whole.disabled = this.first === 0 && this.last === end;
    this.move(Math.min(this.last, Math.max(this.first, this.at)));
  }

  move(frame) {
    this.at = Math.min(this.times.length - 1, Math.max(0, frame));
    if (this.at < this.first || this.at > this.last) {
      const shown = this.last - this.first, first = this.at - Math.round(shown / 2);
      this.first = Math.max(0, Math.min(this.times.length - 1 - shown, first));
      this.last = this.first + shown;
    }
    const texts = this.lanes.map(({ name, values, text }) => {
      const value = values[this.at];
      return `${name} ${value === null || Number.isNaN(value) ? "–" : text(value)}`;
    });
    const least = (this.times.at(-1) - this.times[0]) / (this.times.length - 1) || 1;
    const words = [clockText(this.times[this.at], this.digits(least)), ...texts, ...this.said()].join(" · ");
    this.values.textContent = words;
    this.canvas.setAttribute("aria-valuenow", String(this.at));
    this.canvas.setAttribute("aria-valuetext", words);
    this.draw();
  }

  // What the bands say of the point that is looked at.
  said() {
    const start = this.times[this.at], end = this.times[this.at + 1] ?? Infinity;
    const before = (end === Infinity ? 1 : end - start) / 1000;  // times are rounded
    return this.bands.flatMap(({ name, spans }) =>
      [...new Set(spans.filter(([from, to]) => from < end - before && to > start + before)
        .map(([, , text]) => `${name}: ${text}`))]);
  }

  frameAt(event) {
    const share = event.offsetX / Math.max(1, this.canvas.clientWidth);
    return this.frameAtTime(this.seconds(Math.min(1, Math.max(0, share))));
  }

  // The time at a share of what is shown.
  seconds(share) {
    const first = this.times[this.first], last = this.times[this.last];
    return first + share * (last - first);
  }

  // How many digits of a second tell times apart that lie so far from each other.
  digits(seconds) {
    return Math.min(MOST_DIGITS, Math.max(0, Math.ceil(-Math.log10(seconds))));
  }

  // The number of the last frame at or before a time.
  frameAtTime(seconds) {
    let low = 0, high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  draw() {
    const canvas = this.canvas, scale = devicePixelRatio || 1;
    // Of letters of 16 px; where these are larger, so is all else.
    const letter = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const width = canvas.parentElement.clientWidth / letter;
    const bandsHeight = this.bands.length * (TITLE_PX + BAND_PX + BAND_GAP_PX);
    const height = bandsHeight + this.lanes.length * (LANE_PX + TITLE_PX) + AXIS_PX;
    if (!width) return;
    canvas.style.width = `${width * letter}px`;
    canvas.style.height = `${height * letter}px`;
    canvas.width = Math.round(width * letter * scale);
    canvas.height = Math.round(height * letter * scale);
    const pen = canvas.getContext("2d");
    pen.scale(letter * scale, letter * scale);
    const colours = getComputedStyle(document.documentElement);
    const colour = (name) => colours.getPropertyValue(name).trim();
    pen.font = `13px ${getComputedStyle(canvas).fontFamily}`;
    const from = this.times[this.first], span = this.times[this.last] - from || 1;
    const place = (seconds) => ((seconds - from) / span) * width;
    this.bands.forEach((band, index) => {
      const top = index * (TITLE_PX + BAND_PX + BAND_GAP_PX);
      pen.fillStyle = colour("--ink");
      pen.fillText(band.name, 0, top + 14);
      band.spans.forEach(([start, end], number) => {
        pen.fillStyle = colour(number % 2 ? "--line" : "--accent");
        const left = place(start);
        pen.fillRect(left, top + TITLE_PX, Math.max(LEAST_SPAN_PX, place(end) - left), BAND_PX);
      });
    });
    this.lanes.forEach((lane, index) => {
      const top = bandsHeight + index * (LANE_PX + TITLE_PX);
      pen.fillStyle = colour("--ink");
      pen.fillText(lane.name, 0, top + 14);
      pen.strokeStyle = pen.fillStyle = colour(`--curve-${(index % 6) + 1}`);
      this.drawLane(pen, lane, top + TITLE_PX, width, place);
      pen.fillStyle = colour("--faint-line");
      pen.fillRect(0, top + TITLE_PX + LANE_PX - 1, width, 1);
    });
    const bottom = height - AXIS_PX;
    pen.fillStyle = colour("--line");
    for (const mark of this.marks) pen.fillRect(place(mark.seconds), 0, 1, bottom);
    pen.fillStyle = colour("--ink");
    pen.fillRect(place(this.times[this.at]), 0, 1, bottom);
    pen.fillStyle = colour("--soft-ink");
    const step = roundStep((span * LABEL_PX) / width), digits = this.digits(step);
    for (let i = Math.ceil(from / step - 1e-6); i * step <= from + span; i++) {
      const left = place(i * step);
      pen.fillRect(left, bottom, 1, TICK_PX);
      if (left + LABEL_PX / 2 < width) pen.fillText(clockText(i * step, digits), left, height - 7);
    }
  }

  // Each column of pixels shows the least and the largest value in it: no peak is lost.
  drawLane(pen, { values, top: most }, top, width, place) {
    const columns = Math.ceil(width);
    const least = new Float64Array(columns).fill(Infinity);
    const largest = new Float64Array(columns).fill(-Infinity);
    let highest = most ?? 0;
    for (let i = this.first; i <= this.last; i++) {
      const value = values[i];
      if (value === null || Number.isNaN(value)) continue;
      const column = Math.min(columns - 1, Math.max(0, Math.floor(place(this.times[i]))));
      least[column] = Math.min(least[column], value);
      largest[column] = Math.max(largest[column], value);
      if (most === undefined) highest = Math.max(highest, value);
    }
    const height = (value) => top + LANE_PX - 2 - (value / (highest || 1)) * (LANE_PX - 4);
    const few = this.last - this.first < columns / 4;
    pen.lineWidth = 1.5;
    pen.beginPath();
    let before = false;
    for (let column = 0; column < columns; column++) {
      if (largest[column] < 0) continue;
      const x = column + 0.5;
      if (before) pen.lineTo(x, height(largest[column]));
      else pen.moveTo(x, height(largest[column]));
      if (least[column] < largest[column]) pen.lineTo(x, height(least[column]));
      before = true;
    }
    pen.stroke();
    if (!few) return;
    for (let column = 0; column < columns; column++) {
      if (largest[column] >= 0) pen.fillRect(column - 1, height(largest[column]) - 2, 4, 4);
    }
  }
}
