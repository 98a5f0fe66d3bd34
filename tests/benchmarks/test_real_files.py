"""Real files against the ffmpeg program's tolerant decoding: what is equal, refused or worse."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.faults.program import CommandResult
from benchmarks.real_files import __main__ as bench
from benchmarks.real_files import written_clock
from benchmarks.real_files.outcome import (
    Kind,
    Outcome,
    audio_differences,
    outcome_of,
    picture_differences,
)
from benchmarks.real_files.shown import SIDE_PX, NotShownError, Shown, show
from benchmarks.real_files.trial import Trial
from matting.errors import MediaError
from tests.support.clips import make_clip
from tests.support.stream_sources import make, opened, tone

FRAMES = 8
VIDEO = Path("clip.mp4")


def shown(times: list[float | None], *, loudness: list[float] | None = None) -> Shown:
    """Return frames of which each is brighter than the one before."""
    pictures = np.zeros((len(times), 3, SIDE_PX, SIDE_PX), np.uint8)
    pictures += np.arange(len(times), dtype=np.uint8)[:, None, None, None] * 20
    exact = [None if time is None else Fraction(time) for time in times]
    return Shown(pictures, exact, np.array(loudness or []), [])


def test_a_cut_is_compared_with_what_ffmpeg_shows(tmp_path: Path) -> None:
    make_clip(tmp_path / "whole.mp4", FRAMES)
    (tmp_path / "notes.dat").write_bytes(b"no video at all, but long enough to be looked at")
    assert [path.name for path in bench.media_files(tmp_path)].count("whole.mp4") == 1
    outcome = Trial(None, "1")(tmp_path / "whole.mp4")
    assert outcome is not None
    assert (outcome.kind, outcome.silent, outcome.reason) == (Kind.EQUAL, True, "")
    assert Trial(None, "1")(tmp_path / "notes.dat") is None


def test_ffmpeg_shows_every_frame_at_its_time(tmp_path: Path) -> None:
    video = show(make_clip(tmp_path / "whole.mp4", FRAMES), audio=True)
    assert len(video.pictures) == len(video.times) == FRAMES
    times = [time for time in video.times if time is not None]
    assert len({later - earlier for earlier, later in pairwise(times)}) == 1


def test_audio_far_beyond_the_file_is_heard_as_in_a_wav_file(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "picture.mp4")
    phone = ["-c:v", "copy", "-c:a", "g726", "-ar", "8000", "-ac", "1"]
    video = make(tmp_path / "clip.avi", *opened(picture), *tone(440), *phone)
    heard = show(video, audio=True)
    assert 20 <= len(heard.loudness) <= 22
    assert heard.is_unclocked


def test_a_clock_that_ffmpeg_alone_starts_anew_is_named(tmp_path: Path) -> None:
    """Packets without a picture let its times run ahead of those that the file holds."""
    film = ["-f", "lavfi", "-i", "testsrc2=s=80x60:r=15:d=2.2", *tone(440, 2), "-bf", "2"]
    try:
        video = make(tmp_path / "clip.vob", *film, "-c:v", "libxvid", "-g", "12", "-c:a", "mp2")
    except MediaError as error:
        if "ncoder" not in str(error):
            raise
        pytest.skip("this ffmpeg has no Xvid")
    assert written_clock.goes_on(video)
    outcome = Trial(None, "2")(video)
    assert outcome is not None
    assert (outcome.kind, outcome.silent) == (Kind.EQUAL_WHERE_TIMED, True)
    assert "a clock that starts anew" in outcome.reason


def test_a_clock_that_starts_anew_in_the_file_is_none_of_ffmpegs(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.ts", FRAMES)
    assert written_clock.goes_on(clip)
    twice = tmp_path / "twice.ts"
    twice.write_bytes(clip.read_bytes() * 2)
    assert not written_clock.goes_on(twice)


def test_a_text_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text " * 99, encoding="utf-8")
    with pytest.raises(NotShownError):
        show(tmp_path / "text", audio=False)


def test_a_missing_a_late_and_another_frame_are_different() -> None:
    reference = shown([0, 1, 2, 3])
    assert picture_differences(reference, shown([7, 8, 9, 10])) == ""
    assert "frames" in picture_differences(reference, shown([0, 1, 2]))
    assert "frame 2 is" in picture_differences(reference, shown([0, 1, 2.5, 3]))
    other = shown([0, 1, 2, 3])
    other.pictures[1] = 255
    assert "the first is frame 1" in picture_differences(reference, other)


def test_times_that_ffmpeg_itself_does_not_know_are_not_compared_but_named() -> None:
    reference = shown([0, 1, 1, None, 3])
    assert picture_differences(reference, shown([0, 0.5, 1, 2, 3])) == ""
    assert "frame 4 is" in picture_differences(reference, shown([0, 0.5, 1, 2, 4]))
    assert "frame 2 does" in picture_differences(reference, shown([0, 1, 1, 2, 3]))
    outcome = outcome_of(VIDEO, reference, CommandResult(0, "Cut", 1.0), lambda: "")
    assert outcome.kind is Kind.EQUAL_WHERE_TIMED
    assert "3 of 5 frames" in outcome.reason


def test_audio_that_ffmpeg_puts_at_impossible_times_is_named() -> None:
    reference = replace(shown([0]), is_unclocked=True)
    outcome = outcome_of(VIDEO, reference, CommandResult(0, "Cut", 1.0), lambda: "")
    assert outcome.kind is Kind.EQUAL_WHERE_TIMED
    assert "audio" in outcome.reason


def test_audio_that_is_gone_or_elsewhere_is_different() -> None:
    beep = shown([0], loudness=[0, 0, 0.5, 0.5, 0, 0])
    assert audio_differences(beep, beep) == ""
    assert audio_differences(beep, shown([0], loudness=[0.5, 0.5, 0, 0, 0, 0]))
    assert audio_differences(beep, shown([0], loudness=[0] * 6))
    assert audio_differences(shown([0]), shown([0])) == ""


def test_the_outcome_is_by_exit_code_message_and_difference() -> None:
    def kind_of(code: int, output: str, difference: str = "") -> Kind:
        result = CommandResult(code, output, 1.0)
        return outcome_of(VIDEO, shown([0]), result, lambda: difference).kind

    assert kind_of(0, "Cut") is Kind.EQUAL
    assert kind_of(0, "Cut", "7 frames, not 8") is Kind.DIFFERENT
    assert kind_of(2, "/videos/clip.mp4 is empty.") is Kind.REFUSED
    assert kind_of(2, "something is wrong") is Kind.FAULT
    assert kind_of(70, "/videos/clip.mp4: report this") is Kind.FAULT
    assert kind_of(0, "Traceback (most recent call last):\n ...") is Kind.FAULT


def test_reasons_are_counted_without_names_and_numbers() -> None:
    outcomes = [
        Outcome(Path(f"/videos/{name}.ts"), Kind.REFUSED, True, f"/videos/{name}.ts ends at {at}")
        for name, at in (("a1", "0:01"), ("b2", "0:22"))
    ]
    assert len({outcome.reason_class for outcome in outcomes}) == 1
    assert "| 2 |" in bench.table_of(outcomes)


@pytest.mark.parametrize(
    ("kind", "of", "met"),
    [
        (Kind.EQUAL, 100, True),
        (Kind.REFUSED, 50, True),
        (Kind.REFUSED, 49, False),
        (Kind.DIFFERENT, 1000, False),
        (Kind.HANG, 1000, False),
    ],
)
def test_the_bars(kind: Kind, of: int, *, met: bool) -> None:
    others = [Outcome(VIDEO, Kind.EQUAL, True)] * (of - 1)
    assert bench.bars_met([Outcome(VIDEO, kind, True), *others]) is met
