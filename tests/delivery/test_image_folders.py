"""Folders of result pictures when `infer` runs again: after damage, interruptions, new options."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from matting.combine import combine
from matting.errors import InputError
from matting.infer import infer
from matting.options import MattingOptions, OutputKind, OutputOptions
from matting.project.paths import MattedFolder
from matting.system import atomic_files
from matting.system.temporary_files import create_temporary_folder, temporary_name
from tests.support.clips import numbers
from tests.support.image_sequences import pictures, write_take
from tests.support.recorder import Recorder, carry_on
from tests.support.snapshots import snapshot
from tests.support.stages import (
    FAST,
    composites,
    matting_options,
    processed,
    with_compute,
    with_output,
)


def at_rate(options: MattingOptions, rate: int | None) -> MattingOptions:
    return with_output(options, frame_rate=None if rate is None else Fraction(rate))


@pytest.mark.parametrize("damage", ["damaged", "missing", "additional", "renamed", "swapped"])
def test_a_folder_that_is_not_what_was_recorded_is_done_again(
    damage: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    write_take(tmp_path / "shots" / "a")
    write_take(tmp_path / "shots" / "b")
    folder = infer(tmp_path / "shots", matting_options(opaque_checkpoint), None, progress)
    outputs = folder.output_folder(OutputKind.COMPOSITE)
    untouched, whole = snapshot((outputs / "a").iterdir()), pictures(outputs / "b")
    first, second = outputs / "b" / "A001.0.png", outputs / "b" / "A001.5.png"
    if damage == "damaged":
        content = bytearray(first.read_bytes())
        content[-20] ^= 1
        first.write_bytes(content)
    elif damage == "missing":
        first.unlink()
    elif damage == "additional":
        (outputs / "b" / "A001.1.png").write_bytes(first.read_bytes())
    elif damage == "renamed":
        first.rename(outputs / "b" / "A001.1.png")
    else:
        contents = first.read_bytes(), second.read_bytes()
        first.write_bytes(contents[1])
        second.write_bytes(contents[0])
    with pytest.raises(InputError, match="nothing to join"):
        combine(folder.root, None, progress)
    progress.totals.clear()
    infer(tmp_path / "shots", matting_options(opaque_checkpoint), None, progress)
    assert progress.totals == [4]
    assert snapshot((outputs / "a").iterdir()) == untouched
    again = pictures(outputs / "b")
    assert list(again) == list(whole)
    assert all(np.array_equal(again[name], whole[name]) for name in whole)
    # What is of another size is no such result, and so is kept.
    resized = ["b (found)"] if damage in {"missing", "additional"} else []
    assert sorted(p.name for p in outputs.iterdir()) == ["a", "b", *resized]


def test_files_left_by_a_file_manager_do_not_matter(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take")
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "._A001.0.png"):
        (folder.output_folder(OutputKind.COMPOSITE) / "take" / name).write_bytes(b"seen")
    progress.totals.clear()
    infer(take, matting_options(opaque_checkpoint), None, progress)
    assert progress.totals == []


def test_from_pictures_to_a_video_and_back(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take")
    options = matting_options(opaque_checkpoint)
    folder = infer(take, options, None, progress)
    infer(take, at_rate(options, 25), None, progress)
    assert len([line for line in progress.said if "have changed: --frame-rate" in line]) == 1
    assert [p.name for p in composites(folder)] == ["take.mp4"]
    assert numbers(composites(folder)[0]) == list(range(4))
    infer(take, at_rate(options, None), None, progress)
    assert len([line for line in progress.said if "have changed: --frame-rate" in line]) == 2
    assert not (folder.output_folder(OutputKind.COMPOSITE) / "file_list.txt").exists()
    assert len(pictures(folder.output_folder(OutputKind.COMPOSITE) / "take")) == 4
    # How videos are encoded changes nothing of pictures.
    progress.totals.clear()
    other = replace(options, output=OutputOptions(encoding=replace(FAST, quality=30)))
    infer(take, other, None, progress)
    assert progress.totals == []


def test_interrupted_pictures_leave_the_last_whole_ones(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take")
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    outputs = folder.output_folder(OutputKind.COMPOSITE)
    before = snapshot((outputs / "take").iterdir())

    def interrupt(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    progress.on_advance = interrupt
    with pytest.raises(KeyboardInterrupt):
        one_by_one = with_compute(matting_options(empty_checkpoint), largest_chunk=1)
        infer(take, one_by_one, None, progress)
    assert snapshot((outputs / "take").iterdir()) == before
    assert [p.name for p in outputs.iterdir()] == ["take"]
    assert processed(folder) == {"take": True}  # the old result, which is proven
    progress.on_advance = carry_on
    infer(take, matting_options(empty_checkpoint), None, progress)
    for values in pictures(outputs / "take").values():
        assert (values == (120, 255, 155)).all()


def test_a_crash_between_the_renames_is_healed(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take")
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    outputs = folder.output_folder(OutputKind.COMPOSITE)
    # The old one is moved aside, the new one not there yet: what a power failure may leave.
    atomic_files.publish(outputs / "take", temporary_name(outputs / "take"))
    half = create_temporary_folder(outputs / "take")
    (half / "A001.0.png").write_bytes(b"half")
    assert not (outputs / "take").exists()
    infer(take, matting_options(empty_checkpoint), None, progress)
    assert [p.name for p in outputs.iterdir()] == ["take"]
    for values in pictures(outputs / "take").values():
        assert (values == (120, 255, 155)).all()


def test_a_manifest_of_pictures_is_read_again(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take")
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    entry = manifest["segments"]["take"]
    assert entry["outputs"][OutputKind.COMPOSITE]["file"] == "take"
    assert entry["settings"]["frame_rate"] == "pictures"
    assert MattedFolder.of(take) == folder
    infer(take, matting_options(opaque_checkpoint), None, progress)
    assert progress.mentions("1 of 1 are done already")
