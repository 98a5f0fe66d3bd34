"""Links that somebody has put where the program writes: what they point to stays as it is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from matting.errors import MattingError
from matting.run import run
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matting_options

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")

# What is beside a final name while it is made or held, in this version or an earlier one.
SUFFIXES = (".partial", ".replaced", ".holder", ".present")
OTHERS = (".lock", ".worker.lock", "job.log", "job.1.log", ".lock.present")


def plant(made: Path, folder: Path, link: Callable[[Path], None]) -> None:
    """Put links beside all names that a job takes, which `made` shows, but for the video's own."""
    for path in [p for p in made.rglob("*") if p.name != "clip.mp4"]:
        place = folder / path.relative_to(made)
        if path.is_dir():
            place.mkdir(exist_ok=True)
            names = [place / name for name in OTHERS]
        else:
            names = [place.with_name(place.name + suffix) for suffix in SUFFIXES]
        for name in names:
            if not os.path.lexists(name):
                link(name)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, opaque_checkpoint: Path) -> Path:
    """Make a whole job; return its video."""
    video = make_clip(tmp_path_factory.mktemp("made") / "clip.mp4", 12, audio=True)
    run(video, SECOND, matting_options(opaque_checkpoint), None, Recorder())
    return video


@pytest.mark.parametrize("kind", ["symbolic", "hard", "dangling"])
def test_what_links_point_to_stays_as_it_is(
    kind: str, job: Path, tmp_path: Path, opaque_checkpoint: Path
) -> None:
    precious, nowhere = tmp_path / "precious", tmp_path / "nowhere"
    precious.write_bytes(b"precious")
    links: dict[str, Callable[[Path], None]] = {
        "symbolic": lambda name: name.symlink_to(precious),
        "hard": lambda name: name.hardlink_to(precious),
        "dangling": lambda name: name.symlink_to(nowhere),
    }
    options = matting_options(opaque_checkpoint)
    video = job
    copy = tmp_path / "attacked" / video.name
    copy.parent.mkdir()
    copy.write_bytes(video.read_bytes())
    plant(video.parent, copy.parent, links[kind])
    for number in range(2):
        # It may refuse to work there, until the locks are gone.
        with contextlib.suppress(*[MattingError] * (1 - number)):
            run(copy, SECOND, options, None, Recorder())
        assert precious.read_bytes() == b"precious"
        assert not nowhere.exists()
        for path in list(copy.parent.rglob("*")):
            if path.name in OTHERS:
                path.unlink()
