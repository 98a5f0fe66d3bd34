"""A PyAV that was built without a codec: one sentence that names it, and exit code 3."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matting.errors import MissingError
from matting.media.colour_tags import BT709_TAGS
from matting.media.encoders import encoder_input
from matting.media.images.png import encode_png
from matting.media.video_source import VideoSource
from matting.options import EncodingOptions, VideoCodec
from tests.support.clips import make_clip
from tests.support.fake_nvdec import FAKE_NVDEC
from tests.support.missing_codecs import build_without


@pytest.mark.parametrize(
    ("codec", "encoder"),
    [
        (VideoCodec.HEVC, "libx265"),
        (VideoCodec.H264, "libx264"),
        (VideoCodec.AV1, "libsvtav1"),
    ],
)
def test_every_encoder_of_results(
    codec: VideoCodec, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_without(monkeypatch, encoder)
    with pytest.raises(MissingError, match=f"(?s){encoder}.*--codec"):
        encoder_input(
            EncodingOptions(codec), BT709_TAGS.sample_format(8, (2, 2), 48), BT709_TAGS, 48
        )


def test_the_decoder_of_transparent_vp9(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's own decoder of VP9 would leave the transparency out, so another is asked for."""
    options = {"deadline": "realtime", "cpu-used": "8"}
    clip = make_clip(
        tmp_path / "clip.webm", 3, codec="libvpx-vp9", pixel_format="yuva420p", options=options
    )
    build_without(monkeypatch, "libvpx-vp9")
    with pytest.raises(MissingError, match="libvpx-vp9"):
        VideoSource(clip)


def test_the_codec_of_png_files(monkeypatch: pytest.MonkeyPatch) -> None:
    build_without(monkeypatch, "png")
    with pytest.raises(MissingError, match="encoder png"):
        encode_png(np.zeros((4, 4), np.uint8))


def test_a_decoder_for_nvdec_leaves_the_video_to_software(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = VideoSource(make_clip(tmp_path / "clip.mp4", 3))
    build_without(monkeypatch, "h264")
    source, reason = own.decoded_by(FAKE_NVDEC)
    assert source is own
    assert "h264" in reason
