"""A refusal leaves nothing behind: no folder, no lock, no record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matting.add_audio import add_audio
from matting.combine import combine
from matting.errors import MattingError
from matting.infer import infer
from matting.options import CuttingOptions, OnDamage
from matting.run import run
from matting.segment import segment
from tests.support.clips import make_audio, make_clip
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, matting_options

Attempt = Callable[[Path, Path | None, Recorder], object]


STOP = CuttingOptions(damaged=OnDamage.STOP)
ATTEMPTS: dict[str, Attempt] = {
    "segment text": lambda video, out, say: segment(text(video), SECOND, out, say),
    "segment audio": lambda video, out, say: segment(make_audio(video), SECOND, out, say),
    "segment damage": lambda video, out, say: segment(damaged(video), STOP, out, say),
    "infer nothing": lambda video, out, say: infer(
        text(video).parent.parent / "none", matting_options(video), out, say
    ),
    "infer wrong weights": lambda video, out, say: infer(
        make_clip(video, 2).parent, matting_options(video), out, say
    ),
    "infer no weights": lambda video, out, say: infer(
        make_clip(video, 2).parent, matting_options(None), out, say
    ),
    "combine nothing": lambda video, out, say: combine(text(video).parent, out, say),
    "add audio to nothing": lambda video, out, say: add_audio(make_clip(video, 2), out, say),
    "run wrong weights": lambda video, out, say: run(
        make_clip(video, 2), SECOND, matting_options(video), out, say
    ),
}


def text(path: Path) -> Path:
    path.write_text("no video", encoding="utf-8")
    return path


def damaged(path: Path) -> Path:
    content = bytearray(make_clip(path, 10).read_bytes())
    at = len(content) // 3
    content[at : at + 400] = bytes(400)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_refusal_leaves_nothing_behind(
    attempt: str, elsewhere: bool, tmp_path: Path, progress: Recorder
) -> None:
    video = tmp_path / "in" / "clip.mp4"
    video.parent.mkdir()
    output = tmp_path / "new" / "folder" if elsewhere else None
    with pytest.raises(MattingError):
        ATTEMPTS[attempt](video, output, progress)
    assert sorted(tmp_path.rglob("*")) == [video.parent, video]
