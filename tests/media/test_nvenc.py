"""Encoding by NVENC, as far as it can be tested without a GPU: x264 stands in for it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from av.video.frame import VideoFrame

from matting.errors import MachineError
from matting.imaging.planes import Planes, dtype_of, same_samples
from matting.imaging.sample_format import SampleFormat, Size
from matting.media import encoder_table, encoders
from matting.media.colour_tags import BT709_TAGS, ColourTags
from matting.media.cuda import SurfacePool
from matting.media.encoder_table import encoder_spec
from matting.media.encoders import encoder_input, grey_input
from matting.media.frame_planes import planes_of
from matting.media.hardware_probe import HardwareProbe, ramp_picture
from matting.media.video_writer import VideoWriter
from matting.options import (
    CodecBackend,
    EncodingOptions,
    VideoCodec,
)
from tests.support.fake_nvenc import put_x264_in_place_of_nvenc
from tests.support.markers import gpu_has_nvenc, without_gpu

CPU = torch.device("cpu")
BY_HARDWARE = EncodingOptions(VideoCodec.H264, encoder=CodecBackend.HARDWARE)
HEVC_BY_HARDWARE = EncodingOptions(VideoCodec.HEVC, encoder=CodecBackend.HARDWARE)
SIZE = Size(64, 48)


@pytest.fixture
def nvenc(monkeypatch: pytest.MonkeyPatch) -> None:
    put_x264_in_place_of_nvenc(monkeypatch)


def probe_of(
    size: tuple[int, int] = SIZE,
    encoding: EncodingOptions = BY_HARDWARE,
    colour: ColourTags = BT709_TAGS,
) -> HardwareProbe:
    sample_format = colour.sample_format(8, (2, 2), size[1])
    samples = encoder_input(encoding, sample_format, colour, size[1])
    ticks, rate = Fraction(1, 15360), Fraction(30)
    return HardwareProbe(encoding, samples, Size(*size), colour, ticks, rate, "cpu")


def random_planes(sample_format: SampleFormat, width: int, height: int) -> Planes:
    columns, rows = sample_format.chroma_size(Size(width, height))
    values, padding = sample_format.max_code_value + 1, sample_format.lsb_padding
    luma = torch.randint(0, values, (1, 1, height, width), dtype=torch.int32)
    chroma = torch.randint(0, values, (1, 2, rows, columns), dtype=torch.int32)
    dtype = dtype_of(sample_format)
    return Planes(sample_format, (luma << padding).to(dtype), (chroma << padding).to(dtype))


def decoded(frame: VideoFrame) -> Planes:
    return planes_of(frame, BT709_TAGS)


@pytest.mark.parametrize(("name", "bits", "shift"), [("nv12", 8, 0), ("p010le", 10, 6)])
@pytest.mark.parametrize("interleaved", [False, True])
def test_a_surface_holds_the_picture(name: str, bits: int, shift: int, interleaved: bool) -> None:
    sample_format = replace(BT709_TAGS.sample_format(bits, (2, 2), 48), lsb_padding=shift)
    picture = random_planes(sample_format, *SIZE)
    if interleaved:
        assert picture.chroma is not None
        beside = picture.chroma.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        picture = Planes(sample_format, picture.luma_or_rgb, beside)
    frame = SurfacePool(name, CPU).frame(picture)
    assert frame.format.name == name
    assert same_samples(picture, decoded(frame))


def test_chroma_lies_right_below_luma() -> None:
    """NVENC learns where luma is and how long a line is, nothing else."""
    sample_format = BT709_TAGS.sample_format(8, (2, 2), 48)
    luma, chroma = SurfacePool("nv12", CPU).frame(random_planes(sample_format, 62, 48)).planes
    assert chroma.buffer_ptr - luma.buffer_ptr == 48 * luma.line_size
    assert chroma.line_size == luma.line_size == 256


def test_an_odd_size_grows_by_repeating_its_edge() -> None:
    picture = random_planes(BT709_TAGS.sample_format(8, (2, 2), 47), 63, 47)
    grown = decoded(SurfacePool("nv12", CPU).frame(picture))
    assert (grown.width, grown.height) == SIZE
    assert torch.equal(grown.luma_or_rgb[..., :47, :63], picture.luma_or_rgb)
    assert torch.equal(grown.luma_or_rgb[..., :47, 63], picture.luma_or_rgb[..., 62])
    assert torch.equal(grown.luma_or_rgb[..., 47, :], grown.luma_or_rgb[..., 46, :])


def test_grey_has_no_colour() -> None:
    sample_format = replace(BT709_TAGS.sample_format(10, (2, 2), 48), lsb_padding=6)
    picture = Planes(sample_format, random_planes(sample_format, *SIZE).luma_or_rgb)
    chroma = decoded(SurfacePool("p010le", CPU).frame(picture)).chroma
    assert chroma is not None
    assert chroma.unique().tolist() == [512]


def test_a_surface_is_reused_only_after_its_frame_has_come_out() -> None:
    surfaces = SurfacePool("nv12", CPU)
    picture = random_planes(BT709_TAGS.sample_format(8, (2, 2), 48), *SIZE)
    first, second = (surfaces.frame(picture).planes[0].buffer_ptr for _ in range(2))
    assert first != second
    surfaces.release(1)
    assert surfaces.frame(picture).planes[0].buffer_ptr == first
    assert surfaces.frame(picture).planes[0].buffer_ptr not in {first, second}


@pytest.mark.parametrize(
    ("codec", "bits", "expected", "shift"),
    [("hevc", 8, "nv12", 0), ("hevc", 10, "p010le", 6), ("hevc", 12, "p010le", 6),
     ("h264", 10, "nv12", 0), ("av1", 10, "p010le", 6)],
)  # fmt: skip
def test_the_samples_for_nvenc(codec: str, bits: int, expected: str, shift: int) -> None:
    encoding = EncodingOptions(VideoCodec(codec), encoder=CodecBackend.HARDWARE)
    source = BT709_TAGS.sample_format(bits, (2, 2), 1080)
    samples = encoder_input(encoding, source, BT709_TAGS, 1080)
    assert (samples.pixel_format, samples.sample_format.lsb_padding) == (expected, shift)
    alpha = grey_input(encoding, samples, BT709_TAGS, 1080)
    assert (alpha.pixel_format, alpha.sample_format) == (expected, samples.sample_format)
    assert bool(samples.note) == (bits > samples.sample_format.bits)


def test_quality_and_bit_rate_become_nvencs_options() -> None:
    def options_for(quality: int | None = None, bitrate_bps: int | None = None) -> dict[str, str]:
        encoding = replace(HEVC_BY_HARDWARE, quality=quality, bitrate_bps=bitrate_bps)
        return encoder_spec(encoding).options_for(encoding, None, avx512=False)

    assert options_for() == {**encoder_table.NVENC_OPTIONS, "cq": "20", "b": "0"}
    assert options_for(quality=30)["cq"] == "30"
    assert options_for(quality=0)["cq"] == "1"
    assert options_for(bitrate_bps=10**7) == encoder_table.NVENC_OPTIONS


def test_nvenc_knows_all_options_that_it_is_given() -> None:
    generic = {"bf", "b"}
    for codec, spec in encoder_table.NVENC_ENCODERS.items():
        context = av.CodecContext.create(spec.encoder, "w")
        known = {option.name for option in context.supported_options.private}
        encoding = EncodingOptions(VideoCodec(codec), encoder=CodecBackend.HARDWARE)
        assert set(spec.options_for(encoding, None, avx512=False)) - generic <= known
        formats = {known.name for known in context.codec.video_formats or []}
        assert set(encoders.NVENC_FORMATS.values()) | {"cuda"} <= formats


@pytest.mark.usefixtures("nvenc")
@pytest.mark.parametrize("size", [SIZE, (63, 47)])
def test_a_probe_that_succeeds(size: tuple[int, int]) -> None:
    assert probe_of(size).run() == ""


def test_how_many_frames_nvenc_may_hold() -> None:
    sample_format = SampleFormat(
        10, (0.2126, 0.0722), False, (2, 2), lsb_padding=6, semi_planar=True
    )
    assert encoders.surface_count(Size(1920, 1080), sample_format) == 12
    assert encoders.surface_count(Size(8192, 4096), sample_format) == 5
    assert encoders.surface_count(Size(16384, 8192), sample_format) == 4


@pytest.mark.gpu
@pytest.mark.parametrize("codec", ["hevc", "h264", "av1"])
@pytest.mark.parametrize("device", ["cuda:0", "cpu"])
def test_nvenc_itself(codec: str, device: str) -> None:
    encoding = EncodingOptions(VideoCodec(codec), encoder=CodecBackend.HARDWARE)
    probe = replace(probe_of((642, 359), encoding), device=device)
    if not gpu_has_nvenc(VideoCodec(codec)):
        pytest.skip(f"{torch.cuda.get_device_name(0)} has no encoder of {codec}")
    assert probe.run() == ""


@pytest.mark.usefixtures("nvenc")
def test_a_probe_notices_exchanged_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = SurfacePool.frame

    def exchange(self: SurfacePool, picture: Planes) -> VideoFrame:
        assert picture.chroma is not None
        return frame(
            self, Planes(picture.sample_format, picture.luma_or_rgb, picture.chroma.flip(1))
        )

    monkeypatch.setattr(SurfacePool, "frame", exchange)
    assert "other pictures" in probe_of().run()


@pytest.mark.usefixtures("nvenc")
def test_a_probe_notices_lost_colour_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ColourTags, "apply_to", lambda *_: None)
    assert "other colour tags" in probe_of().run()


@without_gpu
def test_without_a_driver_the_reason_is_ffmpegs_own() -> None:
    for _ in range(2):
        reason = probe_of(encoding=HEVC_BY_HARDWARE).run()
        assert "libcuda" in reason or "nvcuda" in reason
        assert "\n" not in reason


def test_a_failure_of_nvenc_is_a_machine_error(tmp_path: Path) -> None:
    probe = probe_of(encoding=HEVC_BY_HARDWARE)
    picture = ramp_picture(probe.samples.sample_format, SIZE)
    with (
        pytest.raises(MachineError, match="cannot be encoded by NVENC"),
        VideoWriter(
            tmp_path / "a.mp4",
            size_px=SIZE,
            time_base=Fraction(1, 30),
            rate=Fraction(30),
            colour=BT709_TAGS,
            encoding=probe.encoding,
            samples=probe.samples,
        ) as writer,
    ):
        writer.write(picture, [0])
