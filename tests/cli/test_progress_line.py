"""The line of progress: what it says, and what it leaves out in a narrow window."""

from __future__ import annotations

import re

import pytest

from matting.cli.progress_line import ProgressLine
from matting.system.humanize import clock

HOURS = 450_000  # frames: four hours
ENDLESS = 10_000_000


def matting(
    done: int, total: int = HOURS, seconds: float = 100, segments: int = 160
) -> ProgressLine:
    """Return the line of a task of which so much is done after so many seconds."""
    progress_line = ProgressLine("Matting", total, "frame", segments, 0.0)
    progress_line.advance(done, seconds)
    return progress_line


def test_a_wide_window_shows_all() -> None:
    progress_line = matting(48_000, seconds=10_000)
    for _ in range(17):
        progress_line.end_segment()
    line = progress_line.render(100, "#")
    assert line.startswith("Matting 10% |#")
    assert line.endswith("| 48000/450000, 4.8 fps, 23:15:50 left, segment 18/160")


@pytest.mark.parametrize("done", [0, 1, 812, 449_999, 450_000, 450_001])
@pytest.mark.parametrize("total", [0, HOURS, ENDLESS])
def test_no_line_is_wider_than_its_window(done: int, total: int) -> None:
    for width in range(1, 160):
        for cell in ("", "#"):
            line = matting(done, total).render(width, cell)
            assert len(line) <= width
            assert line.isascii()


def test_a_narrow_window_keeps_what_matters_most() -> None:
    line = matting(48_000, seconds=10_000).render(39, "#")
    assert line == "Matting 10% 48000/450000 23:15:50 left"
    assert matting(48_000, seconds=10_000).render(27, "#") == "Matting 10%, 23:15:50 left"
    assert matting(48_000).render(12, "#") == "Matting 10%"


def test_it_is_complete_only_when_all_is_done() -> None:
    assert "99%" in matting(HOURS - 1).render(80, "")
    assert "100%" in matting(HOURS).render(80, "")
    assert "left" not in matting(HOURS).render(80, "")


def test_the_speed_is_recent() -> None:
    progress_line = matting(1000, seconds=10)
    progress_line.advance(300, 310)
    assert "1.0 fps" in progress_line.render(80, "")


def test_units_to_be_done_again_do_not_count_for_the_speed() -> None:
    progress_line = matting(1000, seconds=10)
    before = progress_line.render(80, "")
    progress_line.advance(-900, 10.0)
    assert "100/450000" in progress_line.render(80, "")
    assert re.findall(r"[\d.]+ fps", before) == re.findall(
        r"[\d.]+ fps", progress_line.render(80, "")
    )


def test_a_download_is_counted_in_megabytes() -> None:
    progress_line = ProgressLine("Download", 15_000_000, "B", 0, 0.0)
    progress_line.advance(6_000_000, 4)
    assert progress_line.render(80, "") == "Download 40%, 6.0 of 15.0 MB, 1.5 MB/s, 0:06 left"


def test_a_task_of_unknown_length_shows_its_count() -> None:
    progress_line = ProgressLine("Trying out some frames", 0, "frame", 0, 0.0)
    assert progress_line.render(80, "#") == "Trying out some frames"
    progress_line.advance(24, 3)
    assert progress_line.render(80, "#") == "Trying out some frames, 24 frames"


def test_a_per_cent_sign_in_a_title_makes_no_bar() -> None:
    progress_line = ProgressLine("Reading 100%.mp4", 0, "frame", 0, 0.0)
    progress_line.advance(24, 3)
    assert progress_line.render(80, "#") == "Reading 100%.mp4, 24 frames"


def test_segments_that_turn_up_are_counted() -> None:
    progress_line = matting(10, 20, segments=2)
    progress_line.extend(20, 1)
    assert "25%" in progress_line.render(80, "")
    assert "segment 1/3" in progress_line.render(80, "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7, "0:07"), (320, "5:20"), (5025, "1:23:45")]
)
def test_times_are_shown_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
