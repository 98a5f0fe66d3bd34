"""A format whose finished file is there is not made again, whatever became of its parts."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from matting.deliver import deliver
from matting.delivery.formats import FORMATS, DeliveryFormat
from matting.errors import InputError, MattingError, SegmentsFailedError
from matting.job_option import CleanUp
from matting.options import CuttingOptions, FormatName, MattingOptions
from matting.project.cleaning import FinishedJob, clean_up
from matting.project.paths import MattedFolder
from matting.run import run
from tests.support.clips import make_clip
from tests.support.recorder import Recorder
from tests.support.stages import matting_options, with_output

ROWS = [FORMATS[name] for name in (FormatName.GREEN, FormatName.PRORES, FormatName.PNG)]
PRORES = FORMATS[FormatName.PRORES]


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> Path:
    """Return the folder of a finished job without its working files."""
    folder = tmp_path_factory.mktemp("cleaned")
    video = make_clip(folder / "clip.mp4", 4, gop=2)
    options = matting_options(light_checkpoint)
    options = replace(options, formats=tuple(row.name for row in ROWS))
    cutting = CuttingOptions(seconds=Fraction(2, 30))
    run(video, cutting, options, None, Recorder(), cleaning=CleanUp.ALL_BUT_MATTE)
    assert not list(folder.glob("*_segments/*.mp4"))
    return folder


@pytest.fixture
def folder(cleaned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cleaned, tmp_path / "job"))


@pytest.fixture
def options(light_checkpoint: Path) -> MattingOptions:
    return matting_options(light_checkpoint)


def redeliver(folder: Path, rows: list[DeliveryFormat], options: MattingOptions) -> Recorder:
    progress = Recorder()
    matted = MattedFolder.of(folder / "clip_segments")
    finished = deliver(matted.root, rows, options, None, progress)
    assert all(path.parent == folder for path in finished) and len(finished) == len(rows)
    return progress


def finished_files(folder: Path) -> dict[str, int]:
    paths = [*folder.glob("clip_MATTED*"), *folder.glob("clip_MATTED_png/*")]
    return {path.name: path.stat().st_mtime_ns for path in paths}


@pytest.mark.parametrize("mattes", ["stay", "go"])
def test_what_is_finished_needs_no_parts(
    mattes: str, folder: Path, options: MattingOptions
) -> None:
    if mattes == "go":
        segments = folder / "clip_segments"
        names = folder / "clip.mp4", segments, MattedFolder.of(segments)
        clean_up(FinishedJob(*names, folder / "clip_MATTED.mp4"), Recorder(), mattes_too=True)
        assert not list(folder.rglob("*.mkv"))
    before = finished_files(folder)
    progress = redeliver(folder, ROWS, options)
    for name in ("clip_MATTED.mp4", "clip_MATTED_prores4444.mov", "clip_MATTED_png"):
        assert progress.mentions(f"Already delivered: {folder / name}")
    assert finished_files(folder) == before
    assert not list(folder.glob("*_matted/PRORES4444/*"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.name))
def test_one_that_is_damaged_is_not_taken_for_finished(
    row: DeliveryFormat, folder: Path, options: MattingOptions
) -> None:
    if row.pictures:
        path = next((folder / "clip_MATTED_png").iterdir())
    else:
        (path,) = folder.glob("clip_MATTED.mp4" if row.name == "green" else "*prores4444.mov")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(MattingError):
        redeliver(folder, [row], options)


@pytest.mark.parametrize("changed", ["edges", "video", "matte"])
@pytest.mark.parametrize("row", ROWS[:2], ids=lambda row: str(row.name))
def test_one_that_would_come_out_otherwise_is_not_either(
    row: DeliveryFormat, changed: str, folder: Path, options: MattingOptions
) -> None:
    if changed == "edges":
        options = with_output(options, key_cutoff=0.25)
    elif changed == "video":
        make_clip(folder / "clip.mp4", 33)
    else:
        manifest = folder / "clip_segments_matted" / "manifest.json"
        records = json.loads(manifest.read_text(encoding="utf-8"))
        records["agreed"]["ratio"] = 0.5
        manifest.write_text(json.dumps(records), encoding="utf-8")
    with pytest.raises((SegmentsFailedError, InputError)):
        redeliver(folder, [row], options)
