"""Two folders of one name, given one place for their results, do not take each other's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from matting.combine import combine
from matting.errors import InputError
from matting.project.ledger import Ledger
from matting.segment import segment
from tests.support.clips import make_clip, numbers
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, composites, matte, processed


def test_another_folders_results_are_not_replaced(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    first, second, out = tmp_path / "X" / "take", tmp_path / "Y" / "take", tmp_path / "out"
    for folder, frames in ((first, 3), (second, 4)):
        folder.mkdir(parents=True)
        make_clip(folder / "a.mp4", frames)
        make_clip(folder / "same.mp4", 2)
    matted = matte(first, opaque_checkpoint, progress, out)
    results = [path.read_bytes() for path in composites(matted)]
    with pytest.raises(InputError, match="holds the results of .*X.take") as refusal:
        matte(second, opaque_checkpoint, progress, out)
    assert refusal.value.option == "--output"
    assert [path.read_bytes() for path in composites(matted)] == results
    assert all(processed(matted).values())

    # The first, changed, is still the first; moved, too.
    make_clip(first / "a.mp4", 5)
    matte(first, opaque_checkpoint, progress, out)
    assert len(numbers(composites(matted)[0])) == 5
    moved = shutil.move(first, tmp_path / "Z" / "take")
    progress.totals.clear()
    matte(Path(moved), opaque_checkpoint, progress, out)
    assert progress.totals == []
    with pytest.raises(InputError, match="holds the results of .*Z.take"):
        matte(second, opaque_checkpoint, progress, out)


def test_another_videos_results_are_not_replaced(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    folders = []
    for name, frames in (("X", 33), ("Y", 32)):
        (tmp_path / name).mkdir()
        video = make_clip(tmp_path / name / "clip.mp4", frames)
        folders.append(segment(video, SECOND, None, progress))
    matted = matte(folders[0], opaque_checkpoint, progress, out)
    with pytest.raises(InputError, match="holds the results of"):
        matte(folders[1], opaque_checkpoint, progress, out)
    joined = combine(matted.root, elsewhere, progress)
    other = matte(folders[1], opaque_checkpoint, progress)
    for place in (out, elsewhere):
        with pytest.raises(InputError, match=r"holds the results of another video \(clip.mp4\)"):
            combine(other.root, place, progress)
    assert numbers(joined) == list(range(33))

    # An earlier version's job does not say where its segments were.
    manifest = matted.manifest.read_text(encoding="utf-8")
    lines = [line for line in manifest.splitlines() if '"origin"' not in line]
    matted.manifest.write_text("\n".join(lines), encoding="utf-8")
    assert Ledger(matted).origin is None
    with pytest.raises(InputError, match="holds the results of clip.mp4"):
        matte(folders[1], opaque_checkpoint, progress, out)
