"""The report of a job: what it says of the whole, which moments it shows, and what they do."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from matting.errors import StorageError
from matting.imaging.sample_format import Size
from matting.project.entry import OutputFile
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.report.doubtful_parts import around, doubtful_minutes, doubtful_moments
from matting.report.frame_clock import FrameClock
from matting.report.job_report import report_page, write_report
from matting.report.upkeep import kept_report
from matting.system.fingerprint import Fingerprint
from tests.support.browser import ShownPage
from tests.support.recorder import Recorder
from tests.support.reported_job import RATE, reported_job, write_signs

HOSTILE = "<img src=x onerror=alert(1)>_matted"
# In the second and the third segment, of 100 frames each: two peaks, and one beside the first.
DOUBTS = {150: 0.09, 149: 0.08, 148: 0.02, 220: 0.06}


def verdict(page: str) -> str:
    return re.search(r'<p class="verdict \w+">([^<]*)', page)[1]  # type: ignore[index]


def test_all_is_well_where_nothing_is_doubtful(tmp_path: Path) -> None:
    assert verdict(report_page(reported_job(tmp_path / "a_matted")).text) == (
        "All is well: nothing to doubt in 300 frames."
    )


def test_the_minutes_and_moments_to_look_at_are_named(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted", 2, 60 * RATE, doubts={30: 0.2, 60 * RATE + 9: 0.1})
    page = report_page(ledger).text
    assert verdict(page) == "Look at 2 minutes."
    assert "0:00:00</a> (1 frame)" in page
    assert "0:01:00</a> (1 frame)" in page
    assert write_report(ledger.folder, Recorder()).summary == (
        "Look at 2 minutes. They begin at 0:00:00, 0:01:00."
    )
    assert page.index("0:00:01.200</strong>") < page.index("0:01:00.360</strong>")


def test_moments_are_apart_and_their_command_holds_what_is_doubtful_with_them(
    tmp_path: Path,
) -> None:
    ledger = reported_job(tmp_path / "a_matted", doubts=DOUBTS, shots=(140,))
    signs = JobSigns.read(ledger)
    clock = FrameClock.of(ledger, signs.segments)
    moments = doubtful_moments(signs, clock)
    assert [moment.frame for moment in moments] == [150, 220]
    # Half a second around, and not beyond the start of the shot.
    assert around(moments[0], signs, clock).arguments == [
        "--from",
        "0:00:05.600",
        "--to",
        "0:00:06.520",
    ]
    assert [minute.frames for minute in doubtful_minutes(signs, clock)] == [3]
    assert "rematte" in report_page(ledger).text


@pytest.mark.parametrize(("segments", "frames", "shown"), [(1, 10, 10), (3, 8, 3)])
def test_a_short_video_shows_several_moments(
    segments: int, frames: int, shown: int, tmp_path: Path
) -> None:
    doubts = dict.fromkeys(range(frames), 0.09)
    ledger = reported_job(tmp_path / "a_matted", segments, frames, doubts=doubts)
    signs = JobSigns.read(ledger)
    assert len(doubtful_moments(signs, FrameClock.of(ledger, signs.segments))) == shown


def test_moments_that_are_a_second_apart_are_all_shown(tmp_path: Path) -> None:
    """Their times are no round numbers, and so is no difference between them."""
    doubts = dict.fromkeys(range(1, 500, RATE), 0.09)
    ledger = reported_job(tmp_path / "a_matted", 1, 500, doubts=doubts)
    signs = JobSigns.read(ledger)
    assert len(doubtful_moments(signs, FrameClock.of(ledger, signs.segments))) == 20


def test_what_is_not_done_or_not_known_is_said(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted")
    ledger.folder.segment_signs("output_001.mp4").unlink()
    ledger.reopen(["output_002.mp4"])
    page = report_page(ledger).text
    assert verdict(page) == (
        "1 segment not finished; of 1 segment it is not known, which earlier versions matted."
    )
    assert verdict(report_page(ledger, running=True).text).startswith("of 1 segment")


def test_separate_videos_have_each_their_own_times(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted", 2, 50, doubts={60: 0.3})
    ledger.begin([*ledger.names, "c.mp4"], None)  # which is not matted, so that little is known
    ledger.save()
    page = report_page(Ledger(ledger.folder)).text
    assert verdict(page).startswith("Look at 1 minute; 1 segment not finished")
    assert "output_001.mp4 0:00:00</a>" in page
    line = re.sub("</?span>", "", page)
    assert "--from 0:00:00.000 --to 0:00:00.867 --video output_001.mp4" in line


def test_the_shots_in_which_the_eyes_differ_are_shown_where_there_are_two(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted", shots=(150,))
    assert "the eyes differ" not in report_page(ledger).text
    name = "output_001.mp4"
    path = ledger.folder.segment_signs(name)
    write_signs(path, 100, {}, eyes=0.125)
    signs = OutputFile.of(path, Fingerprint.of(path))
    ledger.amend(name, replace(ledger.entry(name), signs=signs))
    page = report_page(ledger).text
    assert page.count("12.5 %</td>") == 4  # the end of a shot, and the beginning of the next
    assert "Difference of the eyes" in page
    assert "Difference of both views" not in page
    write_signs(path, 100, {}, views=0.25)
    signs = OutputFile.of(path, Fingerprint.of(path))
    ledger.amend(name, replace(ledger.entry(name), signs=signs))
    assert "Difference of both views" in report_page(ledger).text


@pytest.mark.parametrize(
    ("made_by", "of_all", "of_each"),
    [
        (("STUDIO, a card, fp16",) * 2 + ("",), "By a card, fp16.", []),
        (
            ("STUDIO, a card, fp16", "STUDIO, a card, fp32", ""),
            "",
            ["a card, fp16", "a card, fp32"],
        ),
        (("A, a card, fp16", "B, a card, fp16", ""), "", ["A, a card, fp16", "B, a card, fp16"]),
    ],
)
def test_what_made_all_is_said_once_and_computers_are_named_where_there_are_several(
    made_by: tuple[str, ...], of_all: str, of_each: list[str], tmp_path: Path
) -> None:
    page = report_page(reported_job(tmp_path / "a_matted", made_by=made_by)).text
    assert ("By a card" in page, of_all in page) == (bool(of_all), True)
    assert ('<th scope="col">by</th>' in page) == bool(of_each)
    assert all(f'<td data-title="by">{text}</td>' in page for text in of_each)


def test_what_has_its_name_and_is_no_report_is_kept(tmp_path: Path) -> None:
    ledger, progress = reported_job(tmp_path / "a_matted"), Recorder()
    path = write_report(ledger.folder, progress).path
    assert write_report(ledger.folder, progress).path == path
    assert not progress.mentions("was not made here")
    path.write_text("mine", encoding="utf-8")
    write_report(ledger.folder, progress)
    assert progress.mentions("was not made here")
    assert "mine" in [own.read_text() for own in ledger.folder.root.glob("report*")]


def test_a_folder_with_the_report_s_name_stays(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted")
    (ledger.folder.report / "mine").mkdir(parents=True)
    assert write_report(ledger.folder, Recorder()).path.is_file()
    assert [own.name for own in ledger.folder.root.glob("report*/*")] == ["mine"]


def test_a_report_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    ledger, progress = reported_job(tmp_path / "a_matted"), Recorder()
    with (
        patch("matting.report.job_report.write_report", side_effect=ZeroDivisionError),
        kept_report(ledger.folder, progress) as refresh,
    ):
        refresh()
    assert progress.mentions("by a fault of this program")
    ledger.folder.report.mkdir()
    (ledger.folder.report / "in the way").touch()
    with kept_report(ledger.folder, progress) as refresh:
        ledger.folder.manifest.write_text("{")
        refresh()
    assert progress.mentions("The report was not written: ")


def test_a_report_of_records_that_have_not_changed_stays(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a <&> b_matted", doubts=DOUBTS)
    summaries = []
    for _ in range(2):
        progress = Recorder()
        with kept_report(ledger.folder, progress):
            pass
        summaries.append(progress.said[-1])
        before = ledger.folder.report.stat().st_mtime_ns
    assert summaries[0] == summaries[1]
    assert "Look at" in summaries[0]
    assert ledger.folder.report.stat().st_mtime_ns == before
    ledger.reopen(ledger.names[:1])
    with kept_report(ledger.folder, Recorder()):
        pass
    assert "not finished" in ledger.folder.report.read_text(encoding="utf-8")


def test_a_report_is_written_of_what_failed_before_any_record_changed(tmp_path: Path) -> None:
    ledger = reported_job(tmp_path / "a_matted")
    write_report(ledger.folder, Recorder())
    before = ledger.folder.report.stat().st_ino
    with suppress(StorageError), kept_report(ledger.folder, Recorder()):
        raise StorageError("full")
    assert ledger.folder.report.stat().st_ino != before


def test_the_page_does_what_it_says(tmp_path: Path, shown: ShownPage) -> None:
    ledger = reported_job(tmp_path / HOSTILE, doubts=DOUBTS, shots=(140,))
    shown.open(write_report(ledger.folder, Recorder()).path)
    page = shown.page
    assert page.locator("img").count() == 6
    page.click('[data-moment="1"]')
    assert page.locator("dialog img").count() == 3
    assert page.inner_text("#large-title") == "0:00:08.800"
    page.click("#earlier")
    assert page.inner_text("#large-title") == "0:00:06.000"
    page.keyboard.press("Escape")
    canvas = page.locator(".curves canvas")
    canvas.focus()
    page.keyboard.press("End")
    assert "0:00:11" in str(canvas.get_attribute("aria-valuetext"))
    assert "haze beyond edges 1.0" in str(canvas.get_attribute("aria-valuetext"))
    assert "Segments: output_002.mp4: done" in str(canvas.get_attribute("aria-valuetext"))
    page.keyboard.press("Enter")
    note = page.inner_text("#large-note")
    assert note.startswith("There is no picture of frame 299") and note.endswith(
        "3.16 s before it."
    )
    page.keyboard.press("Escape")
    for _ in range(79):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert page.inner_text("#large-note") == ""  # it is the frame that was asked for
    assert shown.faults() == []
    page.keyboard.press("Escape")
    page.click("[data-copies=command-0]")
    assert "rematte" in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_it_can_be_read_on_any_screen(scheme: str, tmp_path: Path, shown: ShownPage) -> None:
    ledger = reported_job(tmp_path / "a_matted", doubts=DOUBTS)
    shown.open(write_report(ledger.folder, Recorder()).path)
    for size in (Size(360, 740), Size(3840, 2160)):
        shown.look("dark" if scheme == "dark" else "light", size)
        assert not shown.is_wider_than_window
    assert shown.faults() == []


def test_in_a_narrow_window_segments_are_paragraphs_without_what_is_empty(
    tmp_path: Path, shown: ShownPage
) -> None:
    maker = f"a computer of a long name, {'a device' * 5}, the network in fp16"
    ledger = reported_job(tmp_path / "a_matted", made_by=(maker, "another, a device", ""))
    shown.open(write_report(ledger.folder, Recorder()).path)
    segments = shown.page.locator("section[aria-labelledby=segments]")
    assert segments.get_by_text("by", exact=True).is_visible()
    shown.look("light", Size(360, 740))
    assert not segments.get_by_text("remarks", exact=True).is_visible()
    assert segments.locator("td:empty:visible").count() == 0
    height = segments.locator("tbody tr").nth(1).evaluate("row => row.clientHeight")
    assert height < 200
    assert not shown.is_wider_than_window
    is_scrolled = "all => all.some((one) => one.scrollWidth > one.clientWidth)"
    assert not shown.page.locator(".scrolls").evaluate_all(is_scrolled)


def test_hours_of_video_make_a_small_page_that_opens_at_once(
    tmp_path: Path, shown: ShownPage
) -> None:
    ledger = reported_job(tmp_path / "a_matted", 4, 125_000, doubts=DOUBTS)
    path = write_report(ledger.folder, Recorder()).path
    assert path.stat().st_size < 4_000_000  # and a megabyte of pictures
    # What is there as soon as the file is read does not wait for anything but a processor.
    shown.page.add_init_script(
        "addEventListener('DOMContentLoaded', () => "
        "(window.isDrawn = document.querySelector('.curves canvas')?.width > 0))"
    )
    assert shown.processor_seconds_to_open(path) < 2
    assert shown.page.evaluate("isDrawn")
