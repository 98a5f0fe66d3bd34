"""A PyAV that was built without a codec: one sentence that names it, and exit code 3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
from av.codec.codec import UnknownCodecError

from matting.cli.main import main
from matting.errors import MissingError
from matting.media.colour_tags import BT709_TAGS
from matting.media.encoders import encoder_input
from matting.media.images.png import encode_png
from matting.media.video_source import VideoSource
from matting.options import EncodingOptions, VideoCodec
from tests.support.clips import make_clip
from tests.support.fake_nvdec import FAKE_NVDEC

BuildWithout = Callable[[str], None]


@pytest.fixture
def build_without(monkeypatch: pytest.MonkeyPatch) -> BuildWithout:
    """Let PyAV behave like one whose FFmpeg was built without a codec, which is named to it."""

    def build(missing: str) -> None:
        really_find = av.Codec

        def find(name: str, mode: Literal["r", "w"]) -> av.Codec:
            if name == missing:
                raise UnknownCodecError(name)
            return really_find(name, mode)

        monkeypatch.setattr(av, "Codec", find)

    return build


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
    build_without: BuildWithout,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video = make_clip(tmp_path / "clip.nut", 4, codec="rawvideo")
    build_without(missing)
    assert main(["segment", str(video), *arguments]) == 3
    error = capsys.readouterr().err
    assert missing in error
    assert "--codec" not in error  # segment has no such option
    assert not list((tmp_path / "clip_segments").rglob("*.mp4"))


@pytest.mark.parametrize(
    ("codec", "encoder"),
    [
        (VideoCodec.HEVC, "libx265"),
        (VideoCodec.H264, "libx264"),
        (VideoCodec.AV1, "libsvtav1"),
    ],
)
def test_every_encoder_of_results(
    codec: VideoCodec, encoder: str, build_without: BuildWithout
) -> None:
    build_without(encoder)
    with pytest.raises(MissingError, match=f"(?s){encoder}.*--codec"):
        encoder_input(
            EncodingOptions(codec), BT709_TAGS.sample_format(8, (2, 2), 48), BT709_TAGS, 48
        )


def test_the_decoder_of_transparent_vp9(tmp_path: Path, build_without: BuildWithout) -> None:
    """FFmpeg's own decoder of VP9 would leave the transparency out, so another is asked for."""
    options = {"deadline": "realtime", "cpu-used": "8"}
    clip = make_clip(
        tmp_path / "clip.webm", 3, codec="libvpx-vp9", pixel_format="yuva420p", options=options
    )
    build_without("libvpx-vp9")
    with pytest.raises(MissingError, match="libvpx-vp9"):
        VideoSource(clip)


def test_the_codec_of_png_files(build_without: BuildWithout) -> None:
    build_without("png")
    with pytest.raises(MissingError, match="encoder png"):
        encode_png(np.zeros((4, 4), np.uint8))


def test_a_decoder_for_nvdec_leaves_the_video_to_software(
    tmp_path: Path, build_without: BuildWithout
) -> None:
    own = VideoSource(make_clip(tmp_path / "clip.mp4", 3))
    build_without("h264")
    source, reason = own.decoded_by(FAKE_NVDEC)
    assert source is own
    assert "h264" in reason
