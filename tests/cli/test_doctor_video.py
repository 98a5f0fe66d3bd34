"""Of a video, the doctor says how it is meant to be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from matting.cli.doctor_probes import Machine
from matting.cli.main import main
from matting.errors import MattingError, MediaError
from matting.media.view_detection import FoundView, Origin
from matting.view import parse_view
from tests.support.clips import make_clip
from tests.support.made_up_computer import Computer, ask
from tests.support.recorder import Recorder

FOUND = FoundView(parse_view("left-right,180"), Origin.NAME, Origin.NAME)


@dataclass
class Viewer(Computer):
    """A computer that reads any file as one and the same video."""

    found: FoundView | MattingError | ImportError = FOUND

    def view(self, video: Path) -> FoundView:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (FOUND, "ok", FOUND.describe()),
        (replace(FOUND, notes=("Its name says otherwise.",)), "note", "says otherwise"),
        (MediaError("clip.mp4 cannot be read as a video (no)."), "note", "cannot be read"),
        (ImportError("No module named 'av'"), "note", "No module named 'av'"),
    ],
)
def test_the_row_of_a_video(
    found: FoundView | MattingError | ImportError,
    state: str,
    words: str,
    tmp_path: Path,
    progress: Recorder,
) -> None:
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"one")
    report = ask(Viewer(found=found), video, progress)
    assert report.rows["Video"][0] == state
    assert words in report.rows["Video"][1]
    assert report.rows["Video"][1].startswith("clip.mp4")
    assert "clip.mp4" not in report.rows["Free disk"][1]
    assert report.end == ""


def test_a_folder_is_no_video(tmp_path: Path, progress: Recorder) -> None:
    assert "Video" not in ask(Computer(), tmp_path, progress).rows


def test_a_video_is_really_looked_at(tmp_path: Path) -> None:
    video = make_clip(tmp_path / "clip_TB_360.mp4", 2, size=(64, 64))
    assert Machine().view(video).view == parse_view("top-bottom,360")


def test_a_path_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(tmp_path / "gone.mp4")]) == 2
    assert "gone.mp4" in capsys.readouterr().err
