"""A final file that lacks something, or has it at another time, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from matting.delivery.mux_check import check_mux
from matting.delivery.muxing import MuxRequest
from matting.errors import EncodeError
from tests.support.clips import make_clip
from tests.support.stream_sources import make, opened, with_two_audio_tracks


def test_missing_and_late_frames_are_refused(tmp_path: Path, picture: Path) -> None:
    video = with_two_audio_tracks(tmp_path / "clip.mp4", picture, ("aac", "aac"))
    request = MuxRequest.of(video, picture)
    tracks = ["-map", "0:v", "-map", "1:a", "-c", "copy"]
    shorter = make_clip(tmp_path / "shorter.mp4", 29)
    with pytest.raises(EncodeError, match="30 frames went in, 29 came out"):
        check_mux(request, make(tmp_path / "short.mp4", *opened(shorter), *opened(video), *tracks))
    uneven = make_clip(tmp_path / "uneven.mp4", 30, pts=[*range(20), *range(21, 31)])
    with pytest.raises(EncodeError, match="or at other times"):
        check_mux(request, make(tmp_path / "late.mp4", *opened(uneven), *opened(video), *tracks))


def test_a_final_file_without_its_audio_is_refused(tmp_path: Path, picture: Path) -> None:
    video = with_two_audio_tracks(tmp_path / "clip.mp4", picture, ("aac", "aac"))
    request = MuxRequest.of(video, picture)

    silent = make(
        tmp_path / "silent.mp4", *opened(video), "-map", "0:v", "-map", "0:a:0", "-c", "copy"
    )
    with pytest.raises(EncodeError, match="came out"):
        check_mux(request, silent)
    late = make(
        tmp_path / "late.mp4",
        *opened(video),
        "-itsoffset",
        "0.03",
        *opened(video),
        "-map",
        "0:v",
        "-map",
        "0:a:0",
        "-map",
        "1:a:1",
        "-c",
        "copy",
    )
    with pytest.raises(EncodeError, match="track 3 .* at another time"):
        check_mux(request, late)
