"""What the program did not make is never overwritten, and asked before much is made again."""

from __future__ import annotations

import io
import json
import os
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from matting.add_audio import add_audio
from matting.cli.console import Console
from matting.combine import combine
from matting.errors import InputError
from matting.options import CuttingOptions
from matting.run import run
from matting.segment import segment
from matting.system.invocation import BATCH_VARIABLE
from tests.support.clips import make_clip, numbers
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, cut, matte, matting_options

OWN = b"the user's own"


def test_joined_and_final_files_are_known_again(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 40, audio=True)
    final, options = tmp_path / "clip_MATTED.mp4", matting_options(opaque_checkpoint)
    final.write_bytes(OWN)
    with pytest.raises(InputError, match=r"clip_MATTED.mp4 is in the way"):
        run(video, SECOND, options, None, progress)
    assert not (tmp_path / "clip_segments").exists()  # before any work
    segments = segment(video, SECOND, None, progress)
    assert progress.mentions("clip_MATTED.mp4 is in the way")
    folder = matte(segments, opaque_checkpoint, progress)
    folder.combined().write_bytes(OWN)
    with pytest.raises(InputError, match=r"COMBINED.mp4 is in the way"):
        combine(folder.root, None, progress)
    folder.combined().unlink()
    combine(folder.root, None, progress)
    with pytest.raises(InputError, match=r"clip_MATTED.mp4 is in the way"):
        add_audio(video, None, progress)
    assert final.read_bytes() == OWN
    final.unlink()
    if os.name == "posix":  # elsewhere not everybody may make links
        final.symlink_to(tmp_path / "on a disk that is not there" / "film.mp4")
        with pytest.raises(InputError, match=r"clip_MATTED.mp4 is in the way"):
            add_audio(video, None, progress)
        final.unlink()
    add_audio(video, None, progress)

    # Its own it may replace, also after the segments were matted and joined once more.
    matte(tmp_path / "clip_segments", empty_checkpoint, progress)
    combine(folder.root, None, progress)
    run(video, SECOND, matting_options(empty_checkpoint), None, progress)
    assert numbers(final) != list(range(40))
    # Of versions before, which took no note of it, it has the very packets of the joined file.
    record = folder.combined().with_suffix(".json")
    content = json.loads(record.read_text(encoding="utf-8"))
    for new in ("finals", "replaced"):
        content.pop(new, None)
    record.write_text(json.dumps(content), encoding="utf-8")
    add_audio(video, None, progress)
    # What has been changed since is somebody else's.
    final.write_bytes(final.read_bytes() + b"more")
    with pytest.raises(InputError, match=r"clip_MATTED.mp4 is in the way"):
        add_audio(video, None, progress)
    folder.combined().write_bytes(OWN)
    combine(folder.root, None, progress)
    kept = folder.root / "COMPOSITE_SEGMENTS_COMBINED (found).mp4"
    assert kept.read_bytes() == OWN and progress.mentions(str(kept))


def test_other_lengths_are_asked_for(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = cut(tmp_path, progress, 60)
    matte(folder, opaque_checkpoint, progress)
    video, shorter = tmp_path / "clip.mp4", CuttingOptions(seconds=Fraction(1, 2))
    with pytest.raises(InputError, match=r"segments of 1 second\.") as caught:
        segment(video, shorter, None, progress)
    assert caught.value.option == "--overwrite"
    progress.answer = False
    with pytest.raises(InputError, match="Nothing was changed"):
        segment(video, shorter, None, progress)
    assert len(list(folder.glob("*.mp4"))) == 2
    progress.answer = True
    segment(video, shorter, None, progress)
    assert len(list(folder.glob("*.mp4"))) == 4
    assert "2 matted segments would have to be matted again" in progress.asked[-1]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), (" Yes \n", True), ("perhaps\n\nn\n", False), ("", None), ("perhaps\n", None)],
)
def test_a_question_in_a_batch_files_window(
    typed: str, answer: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    monkeypatch.delenv(BATCH_VARIABLE, raising=False)
    assert Console().confirm("Is it?") is None  # a pipe
    monkeypatch.setenv(BATCH_VARIABLE, "2_infer.bat")
    assert Console(quiet=True).confirm("Is it?") is answer
    monkeypatch.setattr(sys, "stdin", None)
    assert Console().confirm("Is it?") is None
