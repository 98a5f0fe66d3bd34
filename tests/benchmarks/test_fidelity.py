"""The fidelity table: each row, and that the bench finds the errors it is there for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks import results
from benchmarks.fidelity import bench, decoded_audio, measure
from benchmarks.fidelity.bench import ROWS, Runnable, run_row, table_of
from benchmarks.fidelity.clip import Clip
from benchmarks.fidelity.decoded_video import decode_video
from benchmarks.fidelity.job import Networks
from benchmarks.fidelity.program import run_ffmpeg
from benchmarks.fidelity.reference import LUMA, to_codes, to_rgb
from benchmarks.fidelity.row import Result, Row, colour_faults
from benchmarks.fidelity.rows_times import FILES

# Other people's files take minutes, and are not everywhere: `python -m benchmarks.fidelity`.
MADE = [row for row in ROWS if row not in FILES]


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    return Networks(tmp_path_factory.mktemp("networks"))


@pytest.mark.timeout(400)  # seconds; the largest, on a busy machine
@pytest.mark.parametrize("row", MADE, ids=lambda row: row.name)
def test_what_went_in_comes_back(row: Runnable, networks: Networks) -> None:
    result = run_row(row, networks)
    if result.skipped:
        pytest.skip(result.skipped)
    assert list(result.broken) == []


def test_a_file_differs_from_itself_in_nothing(tmp_path: Path) -> None:
    path = Clip().write(tmp_path / "clip")
    video, audio = decode_video(path), decoded_audio.decode_audio(path)
    assert audio is not None
    same = measure.colour_errors(video, video)
    assert (same.mean, same.largest, same.bias) == (0, 0, (0, 0, 0))
    assert measure.pts_error(video, video, (Fraction(0), Fraction(0))) == 0
    assert not any(measure.audio_offset((video, audio), (video, audio)))
    # The clip itself is in step: each beep is at its flash.
    flashes = measure.flash_times(video)
    assert len(flashes) == 3
    for flash, beep in zip(flashes, audio.beeps, strict=True):
        assert abs(flash - beep) < Fraction(1, 10_000)


def test_audio_that_comes_late_is_measured(tmp_path: Path) -> None:
    path = Clip().write(tmp_path / "clip")
    late = tmp_path / "late.mp4"
    parts = ["-i", str(path), "-itsoffset", "0.0405", "-i", str(path), "-map", "0:v", "-map", "1:a"]
    run_ffmpeg([*parts, "-c", "copy", str(late)])
    tracks = decoded_audio.decode_audio(path), decoded_audio.decode_audio(late)
    assert tracks[0] is not None
    assert tracks[1] is not None
    offset, _ = measure.audio_offset(
        (decode_video(path), tracks[0]), (decode_video(late), tracks[1])
    )
    assert abs(offset - Fraction(405, 10_000)) < Fraction(1, 10_000)


def test_times_colours_and_tags_that_are_wrong_are_found(tmp_path: Path) -> None:
    path = Clip().write(tmp_path / "clip")
    other = tmp_path / "other.mp4"
    filters = "lutyuv=y=val+2,setpts=PTS+0.1/TB,setparams=colorspace=smpte170m"
    lossless = ["-fps_mode", "passthrough", "-c:v", "libx264", "-qp", "0"]
    run_ffmpeg(["-i", str(path), "-vf", filters, *lossless, str(other)])
    a, b = decode_video(path), decode_video(other)
    found = measure.colour_errors(a, b)
    assert found.bias[0] == pytest.approx(2, abs=0.01)
    assert "bias" in colour_faults(found)
    zero = Fraction(0)
    assert measure.pts_error(a, b, (zero, zero)) == Fraction(1, 10)
    assert (a.facts["matrix"], b.facts["matrix"]) == ("bt709", "smpte170m")


def test_a_row_without_what_it_is_about_does_not_hold(tmp_path: Path, networks: Networks) -> None:
    row = Row("nothing", Clip(frames=4, every=4, audio=None), about=("spherical",), said="green")
    broken = row.run(tmp_path, networks).broken
    assert "the clip itself has no spherical" in broken
    assert "said: green" in broken


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", LUMA)
def test_the_reference_is_its_own_inverse(matrix: str, full: bool) -> None:
    rgb = np.random.default_rng(5).random((16, 16, 3))
    codes = to_codes(rgb, LUMA[matrix], 12, full=full)
    back = to_rgb(codes, LUMA[matrix], 12, full=full)
    assert np.abs(back - rgb * 255).max() < 0.2
    white = to_codes(np.ones((1, 1, 3)), LUMA[matrix], 8, full=full)
    assert [plane.item() for plane in white] == [255 if full else 235, 128, 128]


def test_what_is_lost_stands_in_the_table() -> None:
    held = Result("one", ["8 bits"], colours=measure.ColourErrors(0.25, 1.0, (0.0, -0.5, 0.001)))
    lost = replace(
        held, name="two", broken=["depth: 10 bits, now 8 bits"], audio_offset=Fraction(1)
    )
    text = table_of([held, lost, Result("three", skipped="not here")])
    assert "| one | 8 bits | 0.25 | 1.0 | +0.00 -0.50 +0.00 | - | - |" in text
    assert "| two | 8 bits; **LOST: depth: 10 bits, now 8 bits** |" in text
    assert "| 1000.000 |" in text
    assert "skipped: not here" in text


def test_the_table_is_written_between_the_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "promises.md"
    page.write_text("before\n<!-- fidelity -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(bench, "PAGE", page)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    first, second, *_ = (row.name for row in ROWS)
    bench.write([Result(second, broken=["all"])])
    bench.write([Result(first, ["8 bits"], broken=["much"])])
    bench.write([Result(first, ["8 bits"])])
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- fidelity -->\n| format |")
    assert text.endswith("|\n<!-- end -->\nafter\n")
    assert "old" not in text
    assert "much" not in text
    assert text.index(first) < text.index(second)
    assert "1 of 2 rows hold." in results.section(bench.TITLE)


def test_the_page_quotes_the_table() -> None:
    page = bench.PAGE.read_text(encoding="utf-8")
    lines = [line for line in results.section(bench.TITLE).splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0][2:] for line in lines[2:]] == [row.name for row in ROWS]
    assert "\n".join(lines) in page
