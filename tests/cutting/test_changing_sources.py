"""A source that is not finished, or that becomes another one, is never taken for whole."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from matting.errors import InputError, MediaError
from matting.options import CuttingOptions, OnDamage
from matting.project import source_watch
from matting.segment import segment
from matting.system import background_hash
from matting.system.background_hash import BackgroundHash
from matting.system.files import sha256
from tests.support.clips import make_clip
from tests.support.recorder import Recorder, once_done
from tests.support.segments import cut_frames, ffmpeg_copy, plan_of
from tests.support.stages import SECOND


def grow(video: Path) -> None:
    with video.open("ab") as file:
        file.write(bytes(1000))


def truncate(video: Path) -> None:
    os.truncate(video, video.stat().st_size - 1)


def halve(video: Path) -> None:
    os.truncate(video, video.stat().st_size // 2)


def replace_keeping_size_and_time(video: Path) -> None:
    other = video.with_name("other")
    shutil.copy2(video, other)
    zero_middle(other)
    shutil.copystat(video, other)
    other.replace(video)


def zero_middle(video: Path) -> None:
    content = bytearray(video.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    video.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (grow, "still being written"),
        (truncate, "was changed"),
        (zero_middle, "was changed"),
        (replace_keeping_size_and_time, "was changed"),
    ],
)
def test_a_source_that_changes_while_it_is_cut(
    change: Callable[[Path], None], reason: str, tmp_path: Path, progress: Recorder
) -> None:
    video = make_clip(tmp_path / "clip.ts", 40)

    def act(_done: int) -> None:
        if not changed:
            change(video)
            changed.append(True)

    changed: list[bool] = []
    progress.on_advance = act
    with pytest.raises(MediaError, match=reason) as refusal:
        segment(video, SECOND, None, progress)
    assert refusal.value.retry
    assert [path.name for path in tmp_path.iterdir()] == ["clip.ts"]


def test_a_change_ends_the_task_in_which_it_is_noticed(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_clip(tmp_path / "clip.ts", 40)
    monkeypatch.setattr("matting.project.source_watch.LOOK_SECONDS", 0)
    progress.on_advance = once_done(7, lambda: grow(video))
    with pytest.raises(MediaError, match="still being written"):
        segment(video, SECOND, None, progress)
    assert progress.done == 7


def test_a_source_that_another_program_writes(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 10)
    if not sys.platform.startswith(("linux", "win32")):
        pytest.skip("this system does not tell who writes a file")
    with video.open("ab"), pytest.raises(MediaError, match="still being written"):
        segment(video, SECOND, None, progress)
    with video.open("rb"):
        segment(video, SECOND, None, progress)


@pytest.mark.parametrize("spoil", [zero_middle, halve])
def test_a_better_copy_of_a_damaged_source_is_cut_anew(
    spoil: Callable[[Path], None], tmp_path: Path, progress: Recorder
) -> None:
    whole = ffmpeg_copy(
        make_clip(tmp_path / "a.mp4", 70), tmp_path / "whole.mp4", "-movflags", "faststart"
    )
    video = tmp_path / "clip.mp4"
    shutil.copy(whole, video)
    spoil(video)
    folder = segment(video, replace(SECOND, damaged=OnDamage.REPEAT), None, progress)
    assert cut_frames(folder) != list(range(70))
    (tmp_path / "other").mkdir()
    other = make_clip(tmp_path / "other" / "clip.mp4", 20)
    with pytest.raises(InputError, match="another video"):
        segment(other, CuttingOptions(), tmp_path, progress)
    shutil.copy(whole, video)
    segment(video, CuttingOptions(), None, progress)
    assert cut_frames(folder) == list(range(70))
    assert [planned.frames for planned in plan_of(folder).segments] == [30, 30, 10]


def test_a_whole_source_that_became_another_is_refused(tmp_path: Path, progress: Recorder) -> None:
    video = make_clip(tmp_path / "clip.mp4", 40)
    folder = segment(video, SECOND, None, progress)
    zero_middle(video)
    with pytest.raises(InputError, match="has changed since"):
        segment(video, SECOND, None, progress)
    assert cut_frames(folder) == list(range(40))


def test_what_changed_before_it_was_hashed_is_refused(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cutter has read one content then, and the hash is of another."""
    video = make_clip(tmp_path / "clip.ts", 40)
    changed = threading.Event()

    def late(path: Path, on_bytes: Callable[[int], None]) -> str:
        changed.wait()
        return sha256(path, on_bytes)

    def change() -> None:
        zero_middle(video)
        changed.set()

    monkeypatch.setattr(background_hash, "sha256", late)
    progress.on_advance = once_done(1, change)
    with pytest.raises(MediaError, match="was changed"):
        segment(video, SECOND, None, progress)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.ts"]


def test_a_touched_source_is_the_same(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finished(BackgroundHash):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self.result()

    monkeypatch.setattr(source_watch, "BackgroundHash", Finished)
    video = make_clip(tmp_path / "clip.mp4", 40)
    progress.on_advance = once_done(1, lambda: os.utime(video, ns=(1, 1)))
    folder = segment(video, SECOND, None, progress)
    assert cut_frames(folder) == list(range(40))
    os.utime(video, ns=(2, 2))
    segment(video, SECOND, None, progress)
    assert progress.mentions("Already cut")
