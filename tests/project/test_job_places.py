"""Names that are too long, and what is in a job's way, are found before any work."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from matting.add_audio import add_audio
from matting.errors import InputError, SegmentsFailedError
from matting.infer_and_deliver import infer_and_deliver
from matting.options import FormatName, OutputKind
from matting.project.job_places import Place, job_places, require_places
from matting.project.paths import MattedFolder
from matting.segment import segment
from matting.system.name_limits import NameLimits, limits_at
from matting.system.temporary_files import temporary_name
from tests.support.clips import make_clip
from tests.support.image_sequences import write_take
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matte, matting_options, processed

KINDS = (OutputKind.COMPOSITE, OutputKind.ALPHA_PNG)
WINDOWS = NameLimits(255, 259, utf_16=True)


def make(place: Place) -> None:
    """Make a file or a folder at a place as the program does; raises OSError where it cannot be."""
    place.path.parent.mkdir(parents=True, exist_ok=True)
    if place.is_folder:
        place.path.mkdir(exist_ok=True)
    for path in (temporary_name(place.path), place.path):
        path.mkdir(exist_ok=True)
        if not place.is_folder:
            path.rmdir()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(letter="x", letters=220, extra=0)
@example(letter="x", letters=255, extra=0)
@example(letter="ä", letters=120, extra=0)
@given(
    letter=st.sampled_from("xä名\U0001f3ac"),
    letters=st.integers(1, 260),
    extra=st.integers(0, 12),
)
@pytest.mark.skipif(os.name == "nt", reason="limits of other systems")
def test_a_job_that_is_accepted_can_make_all_its_files(
    tmp_path: Path, letter: str, letters: int, extra: int
) -> None:
    video = tmp_path / (letter * letters + "x" * extra + ".mp4")
    places = job_places(video, None, KINDS)
    limits = limits_at(tmp_path)
    try:
        require_places(places, video)
    except InputError as error:
        with pytest.raises(OSError, match="too long"):
            for place in places:
                make(place)
        # The way out is one: a name shorter by as many bytes is accepted.
        shorter = int(error.hint.partition("shorter by ")[2].split()[0])
        length = limits.units(video.stem) - shorter
        if length > 0:
            require_places(job_places(video.with_name("x" * length + ".mp4"), None, KINDS), video)
    else:
        for place in places:
            make(place)
    for path in tmp_path.iterdir():
        shutil.rmtree(path)


@given(stem=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_windows_counts_code_units(stem: str) -> None:
    excess = WINDOWS.excess(Path("C:") / stem.replace("/", ""))
    units = sum(2 if ord(character) > 0xFFFF else 1 for character in stem.replace("/", ""))
    assert WINDOWS.units(stem.replace("/", "")) == units
    assert bool(excess) == (units + len("C:/") > 259)


def test_a_name_that_is_too_long_is_refused_before_any_work(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 2)
    for stem, refused in (("x" * 251, True), ("x" * 249, True), ("ä" * 100, False)):
        video = clip.with_name(f"{stem}.mp4")
        shutil.copy(clip, video)
        if not refused:
            segment(video, SECOND, None, progress)
            continue
        with pytest.raises(InputError, match="too long") as refusal:
            segment(video, SECOND, None, progress)
        assert "shorter by" in refusal.value.hint
        with pytest.raises(InputError, match="too long"):
            add_audio(video, None, progress)
        folder = tmp_path / "films" / stem
        folder.mkdir(parents=True)
        shutil.copy(clip, folder / "a.mp4")
        with pytest.raises(InputError, match="too long"):
            matte(folder, opaque_checkpoint, progress)
        with pytest.raises(InputError, match="too long"):
            add_audio(folder, None, progress)
        for path in (folder.parent.rglob("*"), [video]):
            for file in sorted(path, reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
    for impossible in ("x" * 300, "x/" * 3000):
        with pytest.raises(InputError, match="too long"):
            segment(tmp_path / impossible, SECOND, None, progress)
        with pytest.raises(InputError, match="too long"):
            matte(tmp_path / impossible, opaque_checkpoint, progress)
        with pytest.raises(InputError, match="too long"):
            segment(clip, SECOND, tmp_path / impossible, progress)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"clip.mp4", "films", "ä" * 100 + ".mp4", "ä" * 100 + "_segments"}


def test_of_separate_videos_one_whose_name_is_too_long_fails_alone(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    good, long = make_clip(videos / "good.mp4", 2), videos / f"{'x' * 251}.mp4"
    shutil.copy(good, long)
    for _ in range(2):  # nothing of the first run is in the way of the second
        with pytest.raises(SegmentsFailedError, match="1 of 2") as failure:
            matte(videos, opaque_checkpoint, progress)
        [line] = failure.value.details
        assert long.name in line
        assert "too long" in line
        assert processed(MattedFolder.of(videos)) == {good.name: True, long.name: False}
    good.unlink()
    with pytest.raises(InputError, match="too long") as refusal:
        matte(videos, opaque_checkpoint, progress)
    assert "shorter by" in refusal.value.hint


def test_separate_videos_whose_names_are_too_long_keep_no_other_from_being_finished(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    videos, matted = tmp_path / "videos", tmp_path / "videos_matted"
    videos.mkdir()
    good, long, longest = (videos / f"{name}.mp4" for name in ("good", "x" * 237, "y" * 251))
    make_clip(good, 2)
    for other in (long, longest):
        shutil.copy(good, other)
    formats = (FormatName.GREEN, FormatName.PRORES)
    options = replace(matting_options(opaque_checkpoint), formats=formats)
    with pytest.raises(SegmentsFailedError, match="2 of 3") as failure:
        infer_and_deliver(videos, options, None, progress)
    assert {name: "too long" in error.what for name, error in failure.value.failed.items()} == {
        long.name: True,  # with the suffix of a format
        longest.name: True,
    }
    first, both = f"{long.stem}_MATTED.mp4", {"good_MATTED.mp4", "good_MATTED_prores4444.mov"}
    assert {path.name for path in matted.glob("*_MATTED*.m*")} == {first, *both}
    (matted / first).unlink()
    with pytest.raises(SegmentsFailedError, match="1 of 3") as failure:
        add_audio(videos, None, progress)
    assert list(failure.value.failed) == [longest.name]
    assert (matted / first).exists()


def test_what_is_in_the_way_is_named(tmp_path: Path, progress: Recorder) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 2)
    matted = tmp_path / "clip_segments_matted"
    for way in (
        tmp_path / "clip_segments",
        matted,
        matted / "COMPOSITE",
        matted / "manifest.json" / "a folder",
        matted / "COMPOSITE_SEGMENTS_COMBINED.mp4" / "a folder",
        tmp_path / "clip_MATTED.mp4" / "a folder",
        tmp_path / "out",
    ):
        way.parent.mkdir(parents=True, exist_ok=True)
        way.mkdir() if way.name == "a folder" else way.write_bytes(b"mine")
        named = way.parent if way.name == "a folder" else way
        output = tmp_path / "out" / "inner" if way.name == "out" else None
        with pytest.raises(InputError, match=f"{named} is in the way") as refusal:
            require_places(job_places(clip, output, KINDS), clip)
        assert refusal.value.option == "--output"
        shutil.rmtree(named) if named.is_dir() else named.unlink()
    (tmp_path / "clip_segments").write_bytes(b"mine")
    with pytest.raises(InputError, match="in the way"):
        segment(clip, SECOND, None, progress)


def test_a_video_and_pictures_whose_results_would_have_one_name(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = tmp_path / "both"
    write_take(folder / "a.mp4", 2)
    make_clip(folder / "a.mov", 2)
    matted = matte(folder, opaque_checkpoint, progress)
    results = matted.output_folder(OutputKind.COMPOSITE)
    assert (results / "a.mp4").is_dir() and (results / "a.mov.mp4").is_file()
    # Without the pictures, the video's result gets the name that theirs has.
    shutil.rmtree(folder / "a.mp4")
    with pytest.raises(InputError, match=r"a.mp4 is in the way: it is a folder"):
        matte(folder, opaque_checkpoint, progress)
    assert len(list((results / "a.mp4").iterdir())) == 2
