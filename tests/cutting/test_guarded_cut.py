"""A file that crashes or hangs the decoder while it is cut is named; nothing goes on or is left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faults.program import running
from matting.errors import MattingError, MediaError, OutOfMemoryError
from matting.media.foreign_files import guarded_reading
from matting.options import OnDamage
from matting.project.paths import UNFINISHED
from matting.segment import segment
from tests.support import harmful_cuts
from tests.support.clips import make_clip
from tests.support.harmful_cuts import PID_NAME, wait_for_pid
from tests.support.opens import OpenCounter
from tests.support.recorder import Recorder
from tests.support.segments import cut_frames
from tests.support.stages import SECOND

SECONDS = 3.0  # of silence; what works is never silent so long, on a busy machine either
UNGUARDED, GUARDED = "first", "second"  # folders
END_SECONDS = 20.0

pytestmark = pytest.mark.timeout(60)


def clip_in(folder: Path) -> Path:
    folder.mkdir()
    return make_clip(folder / "clip.mp4", 70)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_another_process_decodes_and_all_that_it_says_is_said(
    tmp_path: Path, open_counter: OpenCounter
) -> None:
    def demuxed(folder: Path, video: Path) -> int:
        return open_counter.demuxed(video) + open_counter.demuxed(
            folder / UNFINISHED / "output_000.mp4"
        )

    recorders = {}
    for name in (UNGUARDED, GUARDED):
        video = clip_in(tmp_path / name)
        recorders[name] = Recorder()
        if name == UNGUARDED:
            folder = segment(video, SECOND, None, recorders[name])
            assert demuxed(folder, video)
        else:
            with guarded_reading():
                folder = segment(video, SECOND, None, recorders[name])
            assert not demuxed(folder, video)
    assert cut_frames(folder) == list(range(70))
    here, guarded = recorders[UNGUARDED], recorders[GUARDED]
    assert (here.titles, here.totals, here.done) == (guarded.titles, guarded.totals, guarded.done)
    assert guarded.said == [line.replace(UNGUARDED, GUARDED) for line in here.said]


@pytest.mark.parametrize(
    ("harm", "outcome"),
    [
        (harmful_cuts.crash, (MediaError, "crashed")),
        (harmful_cuts.hang, (MediaError, "Nothing moved")),
        (harmful_cuts.take_all_memory, (OutOfMemoryError, "Memory ran out")),
        (harmful_cuts.end_as_linux_does, (OutOfMemoryError, "was killed")),
    ],
)
def test_what_does_not_come_back_is_named(
    harm: Callable[..., object],
    outcome: tuple[type[MattingError], str],
    tmp_path: Path,
    progress: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error, words = outcome
    video = make_clip(tmp_path / "clip.mp4", 40)
    silence = SECONDS if harm is harmful_cuts.hang else END_SECONDS
    with guarded_reading(END_SECONDS, silence):
        with monkeypatch.context() as patch, pytest.raises(error) as caught:
            patch.setattr("matting.segment.cut_source", harm)
            segment(video, SECOND, None, progress)
        assert words in caught.value.what
        assert str(video) in caught.value.what
        assert caught.value.retry
        assert progress.done == 3
        assert progress.said[-1] == "It goes on."
        assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", PID_NAME]
        folder = segment(video, SECOND, None, progress)
    assert cut_frames(folder) == list(range(40))


def test_a_fault_shows_where_it_was(
    tmp_path: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 10)
    monkeypatch.setattr("matting.segment.cut_source", harmful_cuts.fail)
    with guarded_reading(), pytest.raises(ZeroDivisionError) as caught:
        segment(video, SECOND, None, progress)
    assert "harmful_cuts.py" in str(caught.value.__cause__)


def test_damage_that_is_to_stop_it(tmp_path: Path) -> None:
    messages = []
    for name in (UNGUARDED, GUARDED):
        video = clip_in(tmp_path / name)
        content = bytearray(video.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 400] = bytes(400)
        video.write_bytes(content)
        options = replace(SECOND, damaged=OnDamage.STOP)
        with pytest.raises(MediaError) as caught:
            if name == UNGUARDED:
                segment(video, options, None, Recorder())
            else:
                with guarded_reading():
                    segment(video, options, None, Recorder())
        messages.append(str(caught.value).replace(name, UNGUARDED))
        assert caught.value.option == "--damaged"
    assert messages[0] == messages[1]
    again = Recorder()
    with guarded_reading():
        segment(video, SECOND, None, again)
    assert "Cutting" not in again.titles  # what is intact was kept


def test_a_source_that_changes_is_not_worked_on_any_longer(
    tmp_path: Path, progress: Recorder
) -> None:
    def grow(_done: int) -> None:
        with video.open("ab") as file:
            file.write(b"1")

    video = make_clip(tmp_path / "clip.mp4", 40)
    progress.on_advance = grow
    with guarded_reading(), pytest.raises(MediaError, match="still being written"):
        segment(video, SECOND, None, progress)
    assert progress.titles[-1] == "Cutting"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_an_interruption_ends_both(tmp_path: Path, progress: Recorder) -> None:
    def interrupt(_done: int) -> None:
        raise KeyboardInterrupt

    video = make_clip(tmp_path / "clip.mp4", 40)
    progress.on_advance = interrupt
    with guarded_reading():
        with pytest.raises(KeyboardInterrupt):
            segment(video, SECOND, None, progress)
        assert not multiprocessing.active_children()
        assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="forks the program")
@pytest.mark.parametrize("is_killed", [True, False])
def test_a_command_that_is_ended_leaves_nobody_behind(is_killed: bool, tmp_path: Path) -> None:
    video = clip_in(tmp_path / "in")
    arguments = ["segment", str(video), "--seconds", "1"]
    prepare = harmful_cuts.hang_in_this_program
    with running(arguments, tmp_path / "log", prepare=prepare) as command:
        pid = wait_for_pid(video.parent, END_SECONDS)
        assert pid != command.pid
        if is_killed:
            command.kill_alone()
        else:
            os.kill(command.pid, signal.SIGINT)
            assert command.wait_for_end().code == 130
            assert sorted(path.name for path in video.parent.iterdir()) == ["clip.mp4", PID_NAME]
        deadline = time.monotonic() + END_SECONDS
        while is_alive(pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)
