"""A page: all in one file, nothing from outside runs in it, and it can be read by everybody."""

from __future__ import annotations

import json
from pathlib import Path
from types import CodeType

import pytest
from jinja2 import Environment

from matting.imaging.sample_format import Size
from matting.report import page
from matting.report.page import json_in_element, render_page
from tests.support.browser import ShownPage

HOSTILE = '<img src=x onerror="document.title=1">.mp4</script><script>document.title=2</script>'
TEMPLATE = """{% extends "page.html.j2" %}
{% from "command.html.j2" import words %}
{% block content %}
<h2>Over time</h2>
<p id="name">{{ name }}</p>
<p><code id="command" class="line">{{ words(command) }}</code>
<button data-copies="command">Copy the line</button></p>
<div class="scrolls"><table><thead><tr><th>What</th><th class="number">Times</th></tr></thead>
<tbody><tr><td class="good">good</td><td class="number">1</td></tr>
<tr><td class="bad">bad</td><td class="number">2</td></tr></tbody></table></div>
<button aria-pressed="true">Pressed</button> <button>Not</button>
<div id="curves"></div>
{% endblock %}
"""
SCRIPT = """
const data = pageData();
const picked = [];
const curves = new Curves(document.getElementById("curves"), {
  label: "Curves",
  times: data.times,
  lanes: [
    { name: "rising", values: data.times, text: (value) => value.toFixed(1) },
    { name: "none", values: data.times.map(() => null), text: String },
  ],
  marks: [{ seconds: 3, name: "a mark" }],
  onPick: (frame) => picked.push(frame),
});
document.getElementById("name").dataset.name = data.name;
"""
COMMAND = "python program.py --downsample-ratio 1,2"
TIMES = [number / 10 for number in range(1001)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of a page's parts, with a template and a script of the test's own."""
    for part in page.FOLDER.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    (tmp_path / "test.html.j2").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "test.js").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    return tmp_path


def written(folder: Path, *, name: str = HOSTILE, refresh_seconds: int | None = None) -> Path:
    path = folder / "page.html"
    text = render_page(
        "test.html.j2",
        title=name,
        scripts=("curves.js", "test.js"),
        data={"name": name, "times": TIMES},
        refresh_seconds=refresh_seconds,
        name=name,
        command=COMMAND,
    )
    path.write_text(text, encoding="utf-8")
    return path


def test_a_template_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str | None] = []
    compile_template = Environment._compile

    def counted(self: Environment, source: str, filename: str) -> CodeType:
        compiled.append(filename)
        return compile_template(self, source, filename)

    monkeypatch.setattr(Environment, "_compile", counted)
    first = written(folder).read_text(encoding="utf-8")
    assert str(folder / "test.html.j2") in compiled
    compiled.clear()
    assert written(folder).read_text(encoding="utf-8") == first
    assert compiled == []
    assert "another" in written(folder, name="another").read_text(encoding="utf-8")


def test_names_are_text_whatever_they_hold(folder: Path, shown: ShownPage) -> None:
    shown.open(written(folder))
    assert shown.page.inner_text("#name") == HOSTILE
    assert shown.page.title() == HOSTILE
    assert shown.page.get_attribute("#name", "data-name") == HOSTILE
    assert shown.page.locator("img").count() == 0


def test_what_is_not_the_pages_own_does_not_run(folder: Path, shown: ShownPage) -> None:
    """Even if a name came through unescaped, the page's policy would stop it."""
    path = written(folder)
    text = path.read_text(encoding="utf-8")
    planted = "<script>document.title='x'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>"
    path.write_text(text.replace("<h2>", f"{planted}<h2>"), encoding="utf-8")
    shown.open(path)
    assert shown.page.title() == HOSTILE
    refused = [error for error in shown.errors if "Content Security Policy" in error]
    assert len(refused) >= 2
    assert not any(error.startswith("asked for") for error in shown.errors)
    shown.errors.clear()


def test_data_says_the_same_in_an_element() -> None:
    value = {"<b>": ["</script>", "&amp;", "\u2028", "ä", "\udc80"]}
    text = json_in_element(value)
    assert text.isascii()
    assert not {"<", ">", "&"} & set(text)
    assert json.loads(text) == value


def test_turned_text_is_shown_as_what_it_is(folder: Path) -> None:
    text = written(folder, name="clip\u202e4pm.exe").read_text(encoding="utf-8")
    assert "\u202e" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_well_from_phone_to_4k(scheme: str, folder: Path, shown: ShownPage) -> None:
    shown.open(written(folder))
    for size in (Size(360, 640), Size(3840, 2160)):
        shown.look("dark" if scheme == "dark" else "light", size)
        assert not shown.is_wider_than_window
        assert shown.faults() == []


def test_a_line_to_type_is_broken_between_its_words(folder: Path, shown: ShownPage) -> None:
    shown.open(written(folder))
    shown.page.set_viewport_size({"width": 320, "height": 640})
    heights = shown.page.locator("#command span").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert len(heights) == 4
    assert max(heights) < 1.5 * min(heights)
    assert shown.page.inner_text("#command") == COMMAND


def test_a_button_copies_a_line(folder: Path, shown: ShownPage) -> None:
    shown.open(written(folder))
    shown.page.get_by_role("button", name="Copy the line").click()
    shown.page.get_by_role("button", name="Copied").wait_for()
    assert shown.page.evaluate("navigator.clipboard.readText()") == COMMAND


def test_curves_are_hovered_zoomed_and_picked(folder: Path, shown: ShownPage) -> None:
    shown.open(written(folder))
    canvas = shown.page.get_by_role("slider", name="Curves")
    box = canvas.bounding_box()
    assert box is not None
    left, middle = box["x"], box["y"] + 40
    mouse, values = shown.page.mouse, shown.page.locator("#curves p")
    mouse.move(left + box["width"] / 2, middle)
    assert values.inner_text().startswith("0:00:50.0 · rising 50.0 · none")
    mouse.click(left + box["width"] / 4, middle)
    mouse.move(left + box["width"] / 2, middle)
    mouse.down()
    mouse.move(left + box["width"] * 3 / 4, middle)
    mouse.up()
    assert shown.page.evaluate("[curves.first, curves.last]") == [500, 750]
    shown.page.get_by_role("button", name="Whole video").click()
    canvas.press("Home")
    canvas.press("ArrowRight")
    canvas.press("Enter")
    assert shown.page.evaluate("picked") == [250, 1]
    assert shown.page.evaluate("curves.first") == 0


def test_the_times_below_the_curves_are_round_however_little_is_shown(
    folder: Path, shown: ShownPage
) -> None:
    shown.open(written(folder))

    def labels(first: int, last: int) -> list[str]:
        texts = shown.page.evaluate(
            """([first, last]) => {
                 const pen = CanvasRenderingContext2D.prototype, fill = pen.fillText, texts = [];
                 pen.fillText = function (text, ...place) { texts.push(text); };
                 curves.show(first, last);
                 pen.fillText = fill;
                 return texts; }""",
            [first, last],
        )
        return [str(text) for text in texts if ":" in str(text)]

    assert labels(0, 1000)[:3] == ["0:00:00", "0:00:10", "0:00:20"]
    assert labels(7, 1000)[:2] == ["0:00:10", "0:00:20"]
    assert labels(500, 510)[:3] == ["0:00:50.0", "0:00:50.1", "0:00:50.2"]
    shown.look("light", Size(360, 640))
    assert labels(0, 1000) == ["0:00:00", "0:01:00"]


def test_on_paper_all_of_the_curves_is_there(folder: Path, shown: ShownPage) -> None:
    # A sheet is narrower than the window for which they were drawn, and nobody draws them anew.
    shown.page.add_init_script("ResizeObserver = class { observe() {} }")
    shown.open(written(folder))
    shown.page.evaluate("curves.draw()")
    shown.page.emulate_media(media="print")
    shown.page.locator("#curves").evaluate("element => { element.style.width = '500px'; }")
    canvas = shown.page.locator("#curves canvas")
    assert canvas.evaluate("element => element.clientWidth") <= 500


@pytest.mark.parametrize("seconds", [0.004, 0.3, 7, 61, 4000, 50_000, 1_000_000])
def test_a_round_time_is_not_much_more_than_what_is_asked(
    seconds: float, folder: Path, shown: ShownPage
) -> None:
    shown.open(written(folder))
    step = shown.page.evaluate("(seconds) => roundStep(seconds)", seconds)
    assert seconds <= step <= 2.6 * seconds


def test_an_open_page_follows_its_file_until_that_is_finished(
    folder: Path, shown: ShownPage
) -> None:
    shown.open(written(folder, name="begun", refresh_seconds=1))
    assert shown.page.title() == "begun"
    written(folder, name="finished")
    shown.page.get_by_role("heading", name="finished").wait_for()
    assert shown.page.get_attribute("body", "data-refresh-seconds") is None
