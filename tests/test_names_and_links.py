"""Names of any kind go through all stages, and so do links to videos and folders."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from matting.add_audio import add_audio
from matting.errors import InputError
from matting.project.ledger import Ledger
from matting.segment import segment
from tests.support.clips import make_clip, numbers
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matte

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no such names, and links for administrators only"
)
NAMES = [
    *("-i.mp4", "--output.mp4", "-.mp4", "@file.mp4", "~.mp4", "$HOME.mp4", "`id`.mp4", "!x!.mp4"),
    *("a;b.mp4", "a&b.mp4", "a|b.mp4", "<a>.mp4", "*.mp4", "[a-z]?.mp4", "{a,b}.mp4", "#a.mp4"),
    *(
        "%03d.mp4",
        "100%.mp4",
        "a'b\"c.mp4",
        "a\\b.mp4",
        "file:a.mp4",
        "http:a.mp4",
        "concat:a|b.mp4",
    ),
    *("a\nb.mp4", "a\rb\t.mp4", "\x1b[31m.mp4", "\x9b31m.mp4", "a\u202eb.mp4", "a\u2028b.mp4"),
    *("映画 😀.mp4", "e\u0301.mp4", " a .mp4", "a..mp4", "CON.mp4", "A.MP4", "\udcff.mp4"),
]


def test_names_through_all_stages(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 2, audio=True)
    folder, cuts = tmp_path / "all", tmp_path / "cuts"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(clip, folder / name)
        assert numbers(segment(folder / name, SECOND, cuts, progress) / "output_000.mp4") == [0, 1]
    matted = matte(folder, opaque_checkpoint, progress)
    ledger = Ledger(matted)
    assert set(ledger.names) == set(NAMES)
    assert all(map(ledger.is_done, NAMES))
    add_audio(folder, None, progress)
    finals = [path for path in matted.root.glob("*_MATTED.mp4") if numbers(path) == [0, 1]]
    assert len(finals) == len(NAMES)
    assert {path.name for path in folder.iterdir()} == set(NAMES)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "all", "cuts", "all_matted"}


def test_links_to_what_is_read_are_followed(tmp_path: Path, progress: Recorder) -> None:
    there = tmp_path / "there"
    there.mkdir()
    clip = make_clip(there / "clip.mp4", 2)
    here = tmp_path / "here"
    here.mkdir()
    (here / "file.mp4").symlink_to(clip)
    (here / "relative.mp4").symlink_to("../there/clip.mp4")
    (here / "chain.mp4").symlink_to(here / "relative.mp4")
    (here / "hard.mp4").hardlink_to(clip)
    (here / "folder").symlink_to(there)
    (here / "out").symlink_to(there)
    for video in (*sorted(here.glob("*.mp4")), here / "folder" / "clip.mp4"):
        folder = segment(video, SECOND, None, progress)
        assert folder.parent == video.parent
        assert numbers(folder / "output_000.mp4") == [0, 1]
    assert segment(here / "file.mp4", SECOND, here / "out", progress).is_dir()
    (here / "dangling.mp4").symlink_to(here / "gone.mp4")
    (here / "loop.mp4").symlink_to(here / "loop.mp4")
    for name in ("dangling.mp4", "loop.mp4"):
        with pytest.raises(InputError, match="is not there"):
            segment(here / name, SECOND, None, progress)
    assert clip.is_file() and not clip.is_symlink()
