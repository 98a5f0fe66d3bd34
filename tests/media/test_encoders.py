"""Which samples an encoder is given: the source's where it can take them, else the nearest."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest

from matting.delivery.output_target import OutputTarget
from matting.delivery.outputs import create_writer, output_formats
from matting.errors import MediaError
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.colour_tags import (
    BT709_TAGS,
    ColourTags,
    Matrix,
    Primaries,
    Transfer,
)
from matting.media.encoders import encoder_input, grey_input
from matting.media.hardware_probe import HardwareProbe, ramp_picture
from matting.media.source_notes import source_notes
from matting.media.video_source import VideoSource
from matting.options import Chroma, CodecBackend, EncodingOptions, OutputKind, VideoCodec
from tests.support.clips import make_clip

PQ_TAGS = ColourTags(Matrix.BT2020, transfer=Transfer.PQ, primaries=Primaries.BT2020)
NAMES = {(2, 2): "420", (2, 1): "422", (1, 1): "444", (1, 2): "440", (4, 1): "411"}


def format_and_note(
    codec: VideoCodec,
    sample_format: SampleFormat,
    chroma: Chroma = Chroma.SOURCE,
    tags: ColourTags = BT709_TAGS,
) -> list[str]:
    """Return the encoder's pixel format, and the note for the user."""
    samples = encoder_input(EncodingOptions(codec, chroma=chroma), sample_format, tags, 1080)
    assert samples.pixel_format.startswith(f"yuv{NAMES[samples.sample_format.subsampling]}p")
    return [samples.pixel_format, samples.note]


@pytest.mark.parametrize(
    ("codec", "bits", "subsampling", "expected", "words"),
    [
        ("hevc", 8, (2, 2), "yuv420p", ""),
        ("hevc", 10, (2, 2), "yuv420p10le", ""),
        ("av1", 10, (2, 2), "yuv420p10le", ""),
        ("hevc", 12, (2, 2), "yuv420p12le", "4:2:0 in 12 bits, as the source is"),
        ("hevc", 10, (2, 1), "yuv422p10le", "4:2:2 in 10 bits, as the source is"),
        ("hevc", 8, (1, 1), "yuv444p", "4:4:4 in 8 bits, as the source is"),
        ("hevc", 9, (2, 2), "yuv420p10le", "results are 4:2:0 in 10 bits, the nearest"),
        ("hevc", 16, (1, 1), "yuv444p12le", "results are 4:4:4 in 12 bits, the nearest"),
        ("hevc", 8, (1, 2), "yuv444p", "results are 4:4:4 in 8 bits, the nearest"),
        ("hevc", 8, (4, 1), "yuv422p", "results are 4:2:2 in 8 bits, the nearest"),
        ("h264", 10, (2, 2), "yuv420p10le", "Few players"),
        ("h264", 12, (2, 1), "yuv422p10le", "results are 4:2:2 in 10 bits, the nearest"),
        ("av1", 12, (1, 1), "yuv420p10le", "4:2:0 in 10 bits, the nearest that av1 has."),
    ],
)
def test_the_nearest_format_is_chosen(
    codec: str, bits: int, subsampling: tuple[int, int], expected: str, words: str
) -> None:
    name, note = format_and_note(
        VideoCodec(codec), BT709_TAGS.sample_format(bits, subsampling, 1080)
    )
    assert name == expected
    assert words in note
    assert bool(note) == bool(words)


@pytest.mark.parametrize(
    ("codec", "bits", "expected"),
    [("hevc", 12, "yuv420p10le"), ("hevc", 8, "yuv420p"), ("h264", 10, "yuv420p")],
)
def test_a_format_that_all_players_take(codec: str, bits: int, expected: str) -> None:
    name, note = format_and_note(
        VideoCodec(codec), BT709_TAGS.sample_format(bits, (1, 1), 1080), Chroma.YUV420
    )
    assert name == expected
    assert "Few players" not in note
    assert f"The source is 4:4:4 in {bits} bits" in note


def test_hdr_has_ten_bits() -> None:
    assert (
        format_and_note(VideoCodec.HEVC, PQ_TAGS.sample_format(8, (2, 2), 1080), tags=PQ_TAGS)[0]
        == "yuv420p10le"
    )


def test_rgb_keeps_its_colours() -> None:
    name, note = format_and_note(VideoCodec.HEVC, SampleFormat(8))
    assert name == "yuv444p10le"
    assert "RGB in 8 bits" in note


def test_alpha_is_grey_in_as_many_bits() -> None:
    encoding = EncodingOptions(VideoCodec.HEVC)
    source = BT709_TAGS.sample_format(10, (2, 1), 1080)
    colours = encoder_input(encoding, source, BT709_TAGS, 1080)
    alpha = grey_input(encoding, colours, BT709_TAGS, 1080)
    assert (alpha.pixel_format, alpha.note) == ("yuv420p10le", "")


def test_the_same_pictures_make_the_same_file_each_time(tmp_path: Path) -> None:
    """With its AVX-512 code, x264 differs in a tenth of the runs at this size."""
    video = make_clip(tmp_path / "clip.mp4", 60, size=(272, 128))
    source = VideoSource(video)
    encoding = EncodingOptions(VideoCodec.H264, quality=4)
    formats = output_formats(source, encoding, {OutputKind.COMPOSITE: OutputTarget(video)})
    contents = set()
    for _ in range(20):
        target = OutputTarget(tmp_path / "result.mp4")
        with (
            create_writer(
                OutputKind.COMPOSITE,
                target.path,
                target,
                source=source,
                encoding=encoding,
                output_format=formats[OutputKind.COMPOSITE],
            ) as writer,
            closing(source.chunks(1)) as chunks,
        ):
            for chunk in chunks:
                writer.write(chunk.pictures, chunk.pts)
            writer.finish()
        contents.add(target.path.read_bytes())
    assert len(contents) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux lists them")
def test_an_encoder_ends_when_its_file_is_finished(tmp_path: Path) -> None:
    """Not only when its writer is freed: others need its memory and its threads before that."""
    probe = HardwareProbe.synthetic(VideoCodec.H264, CodecBackend.SOFTWARE, "cpu")
    picture = ramp_picture(probe.samples.sample_format, probe.size_px)
    before = threads()
    with probe.writer(tmp_path / "video.mp4") as writer:
        for number in range(20):
            writer.write(picture, [number])
        assert threads() > before
        writer.finish()
        assert threads() == before


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.parametrize(
    ("codec", "size", "is_taken"),
    [
        (VideoCodec.HEVC, Size(15, 64), False),
        (VideoCodec.HEVC, Size(64, 16), True),
        (VideoCodec.AV1, Size(4096, 16), False),
        (VideoCodec.AV1, Size(32, 32), True),
        (VideoCodec.H264, Size(2, 2), True),
    ],
)
def test_pictures_too_small_for_a_codec_are_refused_at_the_start(
    codec: VideoCodec, size: Size, is_taken: bool, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mkv", 1, size=size, codec="ffv1")
    encoding = EncodingOptions(codec=codec)
    if is_taken:
        source_notes(clip, encoding)
        return
    with pytest.raises(MediaError) as caught:
        source_notes(clip, encoding)
    assert f"{size.width}x{size.height}" in caught.value.what
    assert "--codec h264" in caught.value.hint
