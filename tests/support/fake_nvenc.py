"""A stand-in for NVENC."""

from __future__ import annotations

from dataclasses import replace

import pytest

from matting.media import encoder_table
from matting.media.encoder_table import SOFTWARE_ENCODERS
from matting.options import VideoCodec


def put_x264_in_place_of_nvenc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let x264 encode what NVENC should: it, too, takes NV12, and nothing else tells them apart."""
    x264 = replace(
        SOFTWARE_ENCODERS[VideoCodec.H264], options={"preset": "ultrafast", "bf": "0"}, hdr=None
    )
    monkeypatch.setitem(encoder_table.NVENC_ENCODERS, VideoCodec.H264, x264)
