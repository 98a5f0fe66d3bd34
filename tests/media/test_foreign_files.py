"""Files of others are opened where they can hang, crash or take all memory, and refused by name."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from benchmarks.hostile_images import endless_png, png
from matting.cli.main import main
from matting.errors import MediaError, SegmentsFailedError
from matting.infer import infer
from matting.media import foreign_files, packet_limits
from matting.media.foreign_files import guarded_reading, known_refusal, read_guarded
from matting.media.media_index import IndexCache, IndexPart
from tests.support.clips import make_clip
from tests.support.edit_lists import with_edits
from tests.support.harmful_reads import (
    SECONDS,
    crash,
    fail,
    hang,
    read_pid,
    refuse,
    take_all_memory,
    take_long,
)
from tests.support.recorder import Recorder
from tests.support.stages import matting_options

pytestmark = pytest.mark.timeout(60)


def test_what_does_not_come_back_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"1")
    with guarded_reading(SECONDS):
        first = read_guarded(path, partial(read_pid, path))
        assert first != os.getpid()
        assert read_guarded(path, partial(take_long, path)) == "read"
        with pytest.raises(MediaError, match="is refused"):
            read_guarded(path, partial(refuse, path))
        with pytest.raises(ZeroDivisionError):  # in this process, with its own traceback
            read_guarded(path, partial(fail, path))
        assert read_guarded(path, partial(read_pid, path)) == first
        assert known_refusal(path) is None
        for harm, words in ((hang, "no end"), (crash, "crashes"), (take_all_memory, "memory")):
            other = tmp_path / f"{words}.mp4"
            other.write_bytes(b"2")
            with pytest.raises(MediaError, match=rf"{other.name}.*{words}"):
                read_guarded(other, partial(harm, other))
            started = time.monotonic()
            with pytest.raises(MediaError, match=words):  # nobody waits for it again
                read_guarded(other, partial(hang, other))
            assert time.monotonic() - started < SECONDS / 2
            assert known_refusal(other) is not None
        assert known_refusal(tmp_path) is not None
        last = read_guarded(path, partial(read_pid, path))
    assert last not in {first, os.getpid()}
    if Path("/proc").is_dir():
        assert not Path(f"/proc/{first}").exists()
        assert not Path(f"/proc/{last}").exists()
    assert read_guarded(path, partial(read_pid, path)) == os.getpid()


def test_a_picture_that_comes_to_no_end_fails_alone(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    for name, content in {"good": png(), "slow": endless_png()}.items():
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "1.png").write_bytes(content)
    with guarded_reading(SECONDS), pytest.raises(SegmentsFailedError) as caught:
        infer(tmp_path / "in", matting_options(opaque_checkpoint), tmp_path / "out", progress)
    [line] = caught.value.details
    assert "slow" in line
    assert "no end" in line
    assert list((tmp_path / "out").glob("**/COMPOSITE/good/1.png"))


def test_edits_that_show_the_same_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_limits, "MORE_PACKETS", 1000)
    clip = make_clip(tmp_path / "clip.mp4", 30, gop=30)
    few, many = (
        with_edits(clip, tmp_path / f"{count}.mp4", [(0, 30)] * count) for count in (3, 300)
    )
    index = IndexCache().get(few, IndexPart.PACKETS)
    assert len(index.packets.pts) == 90
    with pytest.raises(MediaError, match=r"300\.mp4 lists more"):
        IndexCache().get(many, IndexPart.PACKETS)


@pytest.mark.parametrize("command", ["segment", "infer", "combine", "add-audio", "run"])
def test_every_command_is_guarded(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = []

    @contextmanager
    def recorded() -> Iterator[None]:
        entered.append(command)
        yield

    monkeypatch.setattr(foreign_files, "guarded_reading", recorded)
    assert main([command, str(tmp_path / "gone.mp4")]) != 0
    assert entered == [command]
