"""The page of a preview, as a reader uses it: views, backgrounds, zoom, slider, keys, copying."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matting.errors import InputError
from matting.imaging.sample_format import Size
from matting.report.pictures import data_uri, window_on_people
from matting.report.preview_page import PreviewPage, ResultPicture, SettingRow, ShownMoment
from tests.support.browser import ShownPage

HOSTILE = "<img src=x onerror=document.title=1>.mp4"
SIZE = Size(1200, 900)


@pytest.fixture(scope="module")
def pictures() -> tuple[str, str]:
    """Return a source and a person cut out of it, as data URIs."""
    rows, columns = np.mgrid[0 : SIZE.height, 0 : SIZE.width]
    source = np.dstack([rows % 256, columns % 256, (rows + columns) % 256]).astype(np.uint8)
    alpha = np.zeros((SIZE.height, SIZE.width), np.uint8)
    alpha[300:600, 400:800] = 255
    return data_uri(source), data_uri(np.dstack([source, alpha]))


def preview(
    path: Path, pictures: tuple[str, str], *, is_finished: bool = True, behind: str = ""
) -> PreviewPage:
    rows = [
        SettingRow(name, 0.4, f"run clip.mp4 --number {name}", f"preview --choose {name}")
        for name in ("one", "two")
    ]
    source, people = pictures
    moments = [
        ShownMoment(
            frame,
            f"0:00:{frame:02d}.000",
            "in between",
            source,
            behind,
            results=[ResultPicture(1, "one", people), ResultPicture(2, "two", people)],
        )
        for frame in (10, 20, 30)
    ]
    return PreviewPage(path, HOSTILE, "facts", "#78ff9b", rows, moments, is_finished=is_finished)


@pytest.fixture
def opened(tmp_path: Path, pictures: tuple[str, str], shown: ShownPage) -> ShownPage:
    page = preview(tmp_path / "page.html", pictures)
    page.write()
    shown.open(page.path)
    return shown


def test_it_can_be_read_by_everybody_at_every_width(opened: ShownPage) -> None:
    assert opened.page.inner_text("h1") == f"Preview of {HOSTILE}"
    for scheme, size in (("dark", Size(360, 640)), ("light", Size(3840, 2160))):
        opened.look("dark" if scheme == "dark" else "light", size)
        assert not opened.is_wider_than_window
        assert opened.faults() == []


def test_in_a_narrow_window_each_value_has_its_name_and_no_word_is_broken(
    opened: ShownPage,
) -> None:
    opened.look("light", Size(360, 640))
    heights = opened.page.locator(".folds [data-title]").evaluate_all(
        "all => all.map((one) => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight))"
    )
    assert len(heights) == 8
    assert max(heights) < 1.5  # one line each
    titles = opened.page.locator("#setting-1 [data-title]").evaluate_all(
        "all => all.map((one) => getComputedStyle(one, '::before').content)"
    )
    assert titles[0].startswith('"Ratio')
    rows = opened.page.locator(".folds tbody tr").evaluate_all(
        "all => all.map((row) => row.clientHeight - row.querySelector('.line').clientHeight)"
    )
    assert max(rows) < 180


def test_views_and_backgrounds_are_chosen_by_buttons_and_keys(opened: ShownPage) -> None:
    page = opened.page
    after, people = page.locator(".after").first, page.locator(".people").first

    def colour() -> str:
        return str(after.evaluate("element => getComputedStyle(element).backgroundColor"))

    assert colour() == "rgb(120, 255, 155)"
    page.get_by_role("button", name="Dark").click()
    assert colour() == "rgb(16, 18, 20)"
    page.keyboard.press("b")
    assert colour() == "rgb(244, 244, 240)"
    page.keyboard.press("m")
    assert colour() == "rgb(0, 0, 0)"
    assert people.evaluate("element => getComputedStyle(element).filter") != "none"
    page.keyboard.press("s")
    assert not after.is_visible()
    page.reload()
    assert page.get_by_role("button", name="Source").get_attribute("aria-pressed") == "true"


def test_the_slider_uncovers_the_source_in_all_panes(opened: ShownPage) -> None:
    page = opened.page
    page.get_by_role("slider").fill("40")
    clips = page.locator(".after").evaluate_all(
        "elements => elements.map((element) => getComputedStyle(element).clipPath)"
    )
    assert clips == ["inset(0px 0px 0px 40%)"] * 6
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider").input_value() == "45"


def test_at_full_size_all_panes_of_a_moment_move_together(opened: ShownPage) -> None:
    page = opened.page
    page.keyboard.press("z")
    widths = page.locator(".stack").evaluate_all("all => all.map((one) => one.clientWidth)")
    assert set(widths) == {SIZE.width}
    panes = page.locator("#moment-10 .pane")
    box = panes.first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 150, steps=3)
    page.mouse.up()
    moved = [200, 200, 0, 0, 0, 0]
    page.wait_for_function(
        """moved => [...document.querySelectorAll(".pane")].every(
             (pane, index) => pane.scrollLeft === moved[index])""",
        arg=moved,
    )


def test_one_setting_alone_and_the_next_moment_by_keys(opened: ShownPage) -> None:
    page = opened.page
    page.keyboard.press("2")
    visible = page.locator("figure:visible")
    assert visible.count() == 3
    assert page.locator("figure:visible figcaption").first.inner_text() == "2 two"
    page.keyboard.press("0")
    assert visible.count() == 6
    before = page.evaluate("scrollY")
    page.keyboard.press("n")
    page.wait_for_function("before => scrollY > before", arg=before)


def test_the_line_of_a_setting_is_copied(opened: ShownPage) -> None:
    opened.page.get_by_role("button", name="Copy the line of setting 2").click()
    opened.page.get_by_text("Copied").first.wait_for()
    copied = opened.page.evaluate("navigator.clipboard.readText()")
    assert copied == "run clip.mp4 --number two"


def test_on_paper_there_is_nothing_to_press_and_all_is_on_the_sheet(opened: ShownPage) -> None:
    opened.look("light", Size(720, 1000))
    opened.page.emulate_media(media="print")
    assert opened.page.locator("button:visible, input:visible, summary:visible").count() == 0
    assert opened.page.locator("img.people:visible").count() == 6
    assert not opened.is_wider_than_window


def test_a_page_that_is_not_finished_reads_itself_again(
    tmp_path: Path, pictures: tuple[str, str]
) -> None:
    page = preview(tmp_path / "page.html", pictures, is_finished=False, behind=pictures[0])
    page.require_free()
    page.write()
    assert "data-refresh-seconds" in page.path.read_text(encoding="utf-8")
    page.require_free()  # it is our own
    page.is_finished = True
    page.write()
    text = page.path.read_text(encoding="utf-8")
    assert "data-refresh-seconds" not in text
    assert text.count(pictures[0]) == 2 * len(page.moments)  # each picture once
    page.path.write_text("<!doctype html><title>mine</title>", encoding="utf-8")
    with pytest.raises(InputError, match="in the way"):
        page.require_free()


def test_what_is_missing_is_said_beside_the_moment_and_for_all(
    tmp_path: Path, pictures: tuple[str, str]
) -> None:
    page = preview(tmp_path / "page.html", pictures)
    page.expected = 3
    assert [page.missing(moment) for moment in page.moments] == ["", "", ""]
    complete = page.progress
    page.moments[1].results.pop()
    page.expected = 5
    page.write()
    text = page.path.read_text(encoding="utf-8")
    assert text.count("2 (two)</p>") == 1
    assert page.progress != complete
    assert "2 other moments" in page.progress
    assert "1 of them by setting 2 (two)" in page.progress


def test_of_a_large_frame_the_part_with_people_is_shown() -> None:
    alpha = np.zeros((2160, 4096), np.uint8)
    alpha[1500:2000, 3600:3900] = 255
    rows, columns = window_on_people(alpha, Size(4096, 2160))
    assert alpha[rows, columns].size == 1920 * 1088
    assert alpha[rows, columns].sum() == alpha.sum()
    small = Size(1920, 1080)
    assert window_on_people(alpha[:1080, :1920], small) == (slice(0, 1080), slice(0, 1920))


def test_of_two_eyes_the_part_is_in_the_first() -> None:
    alpha = np.zeros((2000, 8000), np.uint8)
    alpha[900:1100, 1000:2800] = alpha[900:1100, 5000:6800] = 255
    rows, columns = window_on_people(alpha, Size(4000, 2000))
    assert columns.stop <= 4000
    assert alpha[rows, columns].sum() == alpha.sum() / 2
