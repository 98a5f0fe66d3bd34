"""Decoding by NVDEC, as far as it can be tested without a GPU: software fills its surfaces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from matting.errors import MachineError
from matting.imaging.planes import same_samples
from matting.media.cuda import Nvdec
from matting.media.video_source import VideoSource
from tests.support.clips import crop_by_header, make_clip, without_usability
from tests.support.fake_nvdec import FAKE_NVDEC, FakeNvdec
from tests.support.markers import without_gpu


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("codec", "pixel_format", "shift"),
    [("libx264", "yuv420p", 0), ("libx265", "yuv420p10le", 6), ("libx265", "yuv420p12le", 4)],
)
def test_surfaces_hold_the_samples_of_software_decoding(
    codec: str, pixel_format: str, shift: int, rotation: int, tmp_path: Path
) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        7,
        codec=codec,
        pixel_format=pixel_format,
        rotation=rotation,
        mirrored=rotation > 90,
    )
    own = VideoSource(clip)
    source, reason = own.decoded_by(FAKE_NVDEC)
    assert (reason, source is own) == ("", False)
    assert source.sample_format == replace(own.sample_format, lsb_padding=shift, semi_planar=True)
    count = 0
    for ours, theirs in zip(own.chunks(3), source.chunks(3), strict=True):
        assert ours.pts == theirs.pts
        assert theirs.pictures.sample_format == source.sample_format
        assert same_samples(ours.pictures, theirs.pictures)
        count += len(theirs.pts)
    assert count == own.frames == 7


def test_h264_that_does_not_say_how_far_it_reorders(tmp_path: Path) -> None:
    options = {"profile": "main", "x264-params": "bframes=3:b-pyramid=normal:b-adapt=0"}
    clip = make_clip(tmp_path / "clip.mp4", 60, gop=60, options=options)
    source, reason = VideoSource(without_usability(clip)).decoded_by(FAKE_NVDEC)
    assert reason == ""
    assert sum(len(chunk.pts) for chunk in source.chunks(8)) == 60


@pytest.mark.gpu
@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize(
    ("codec", "pixel_format"), [("libx264", "yuv420p"), ("libx265", "yuv420p10le")]
)
def test_nvdec_itself(codec: str, pixel_format: str, rotation: int, tmp_path: Path) -> None:
    own = VideoSource(
        make_clip(
            tmp_path / "clip.mp4",
            40,
            size=(640, 360),
            codec=codec,
            pixel_format=pixel_format,
            rotation=rotation,
        )
    )
    source, reason = own.decoded_by(Nvdec(torch.device("cuda", 0)))
    assert reason == ""
    for ours, theirs in zip(own.chunks(3), source.chunks(3), strict=True):
        assert theirs.pictures.luma_or_rgb.is_cuda
        assert same_samples(ours.pictures, theirs.pictures)


def test_chroma_stays_side_by_side(tmp_path: Path) -> None:
    """As NVENC takes it, without a pass over memory; in memory that is not the decoder's."""
    source, _ = VideoSource(make_clip(tmp_path / "clip.mp4", 3)).decoded_by(FAKE_NVDEC)
    first, second, _ = source.chunks(1)
    chroma = first.pictures.chroma
    assert chroma is not None
    assert chroma.stride()[1:] == (1, 64, 2)
    assert first.pictures.luma_or_rgb.is_contiguous()
    assert first.pictures.luma_or_rgb.data_ptr() != second.pictures.luma_or_rgb.data_ptr()


@pytest.mark.parametrize(
    ("fake", "reason"),
    [
        (FakeNvdec(wrong=2), "other pictures"),
        (FakeNvdec(broken=1), "CUDA_ERROR_UNKNOWN"),
        (FakeNvdec(missing=0), "frames are missing"),
    ],
)
def test_the_first_frames_are_compared(fake: FakeNvdec, reason: str, tmp_path: Path) -> None:
    own = VideoSource(make_clip(tmp_path / "clip.mp4", 7))
    source, why = own.decoded_by(fake)
    assert source is own
    assert reason in why


@pytest.mark.parametrize(
    ("pixel_format", "size", "reason"),
    [
        ("yuv422p", (64, 48), "yuv422p"),
        ("yuv444p", (63, 48), "yuv444p"),
        ("yuv420p", (64, 48), "cropped"),
    ],
)
def test_what_only_software_decodes(
    pixel_format: str, size: tuple[int, int], reason: str, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mkv", 5, size=size, pixel_format=pixel_format)
    if reason == "cropped":
        clip = crop_by_header(clip, left=8, bottom=8)
    own = VideoSource(clip)
    source, why = own.decoded_by(FAKE_NVDEC)
    assert source is own
    assert reason in why


@pytest.mark.parametrize("fake", [FakeNvdec(broken=5), FakeNvdec(missing=6)])
def test_a_later_failure_is_a_machine_error(fake: FakeNvdec, tmp_path: Path) -> None:
    source, reason = VideoSource(make_clip(tmp_path / "clip.mp4", 9)).decoded_by(fake)
    assert reason == ""
    with pytest.raises(MachineError, match="decoded by NVDEC"):
        list(source.chunks(1))


@without_gpu
def test_without_a_gpu_the_reason_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By FFmpeg, once torch's own part is skipped, which this machine may lack."""
    monkeypatch.setattr("matting.media.cuda.make_current", lambda _: None)
    own = VideoSource(make_clip(tmp_path / "clip.mp4", 5))
    source, reason = own.decoded_by(Nvdec(torch.device("cuda", 0)))
    assert source is own
    assert reason.startswith("NVDEC cannot decode it (")
    assert str(own.path) not in reason
