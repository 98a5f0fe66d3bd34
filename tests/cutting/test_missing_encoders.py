"""Where PyAV lacks an encoder that segments need, `segment` names it and writes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.cli.main import main
from tests.support.clips import make_clip
from tests.support.missing_codecs import build_without


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [
        ("libx265", ["--reencode"]),
        ("libx264", []),  # mp4 holds no raw video: it is written again without loss
        ("libx264", ["--damaged", "repeat"]),
    ],
)
def test_segments_that_have_to_be_encoded(
    missing: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video = make_clip(tmp_path / "clip.nut", 4, codec="rawvideo")
    build_without(monkeypatch, missing)
    assert main(["segment", str(video), *arguments]) == 3
    error = capsys.readouterr().err
    assert missing in error
    assert "--codec" not in error  # segment has no such option
    assert not list((tmp_path / "clip_segments").rglob("*.mp4"))
