"""`segment` keeps what headers say of frames: range, light levels, siting, cropping, rotation."""

from __future__ import annotations

import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.media import ffmpeg
from matting.media.colour_tags import ChromaLocation, ColourRange
from matting.media.container import open_video
from matting.media.display_matrix import display_matrix
from matting.media.hdr_metadata import HdrMetadata
from matting.media.matroska_header import read_header
from matting.media.probe import probe
from matting.media.video_source import VideoSource
from matting.options import CuttingOptions
from matting.segment import segment
from tests.support.clips import crop_by_header, make_clip, picture
from tests.support.recorder import Recorder

Plane = NDArray[np.integer]
HALF = CuttingOptions(seconds=Fraction(1, 2))
X265 = {"x265-params": "log-level=none:scenecut=0"}


def test_full_range_without_other_tags_stays_full(tmp_path: Path, progress: Recorder) -> None:
    """FFV1 does not say it itself."""
    video = tmp_path / "clip.mkv"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv411p"
        stream.codec_context.color_range = 2
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame = frame.reformat(format="yuv411p", dst_color_range=2)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path = segment(video, CuttingOptions(), None, progress) / "output_000.mp4"
    assert probe(path).colour == probe(video).colour
    assert probe(path).colour.range == ColourRange.FULL


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv420p12le"])
def test_light_levels_and_chroma_siting_stay(
    pixel_format: str, tmp_path: Path, progress: Recorder
) -> None:
    """Also where the segments are re-encoded, in H.264 and H.265, all of them."""
    light = HdrMetadata(None, (800, 300))
    options = {"x265-params": f"{X265['x265-params']}:chromaloc=2:{light.x265()}"}
    clip = make_clip(
        tmp_path / "clip.mkv", 40, codec="libx265", pixel_format=pixel_format, options=options
    )
    cropped = crop_by_header(clip, left=8, bottom=6)
    folder = segment(cropped, HALF, None, progress)
    paths = sorted(folder.glob("*.mp4"))
    assert len(paths) == 3
    for path in paths:
        with open_video(path) as (container, stream):
            assert read_header(stream).chroma_location == ChromaLocation.TOPLEFT
            assert HdrMetadata.of(next(container.decode(stream))) == light


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p", "gbrp"])
@pytest.mark.parametrize(("left", "bottom"), [(8, 6), (7, 6), (8, 5), (7, 5)])
def test_cropping_by_the_header(
    pixel_format: str, left: int, bottom: int, tmp_path: Path, progress: Recorder
) -> None:
    """Where the cut goes through pixels that share a chroma sample, each has it for itself."""
    clip = make_clip(tmp_path / "clip.mkv", 4, codec="libx265", pixel_format=pixel_format)
    cropped = crop_by_header(clip, left=left, bottom=bottom)
    folder = segment(cropped, CuttingOptions(), None, progress)
    assert progress.mentions(f"{left} pixels at the left")
    with open_video(clip) as (container, stream):
        whole = list(container.decode(stream))
    with open_video(folder / "output_000.mp4") as (container, stream):
        assert (stream.width, stream.height) == (64 - left, 48 - bottom)
        assert not read_header(stream).crop
        visible = list(container.decode(stream))
    for before, after in zip(whole, visible, strict=True):
        assert "444" in after.format.name or after.format.name == pixel_format
        for old, new in zip(arrays(before), arrays(after), strict=True):
            assert np.array_equal(
                spread(new, after)[: 48 - bottom], spread(old, before)[: 48 - bottom, left:]
            )


def spread(plane: Plane, frame: av.VideoFrame) -> Plane:
    """Return a plane at the frame's size, each sample repeated."""
    rows, columns = -(-frame.height // plane.shape[0]), -(-frame.width // plane.shape[1])
    return plane.repeat(rows, 0).repeat(columns, 1)[: frame.height, : frame.width]


def arrays(frame: av.VideoFrame) -> list[Plane]:
    """Return the planes of a frame, [H, W]."""
    dtype = np.dtype(np.uint8 if frame.format.components[0].bits == 8 else "<u2")
    planes = []
    for plane in frame.planes:
        samples: Plane = np.frombuffer(bytes(plane), dtype)
        lines = samples.reshape(-1, plane.line_size // dtype.itemsize)
        planes.append(lines[: plane.height, : plane.width])
    return planes


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_come_upright_as_from_ffmpeg(
    degrees: int, mirrored: bool, tmp_path: Path, progress: Recorder
) -> None:
    """Of segments that were copied, and of those that were encoded again."""
    clip = make_clip(tmp_path / "clip.mp4", 2, rotation=degrees, mirrored=mirrored, size=(80, 48))
    copied = segment(clip, CuttingOptions(), None, progress) / "output_000.mp4"
    first = next(VideoSource(copied).chunks(1)).pictures
    assert first.chroma is not None
    shown = b"".join(plane.numpy().tobytes() for plane in (first.luma_or_rgb, first.chroma))
    assert shown == shown_by_ffmpeg(clip)
    again = segment(clip, CuttingOptions(reencode=True, overwrite=True), None, progress)
    with (
        av.open(str(clip)) as source,
        av.open(str(again / "output_000.mp4")) as encoded,
    ):
        matrices = [display_matrix(next(file.decode(video=0))) for file in (source, encoded)]
    assert matrices[0] == matrices[1]


@pytest.mark.parametrize("orientation", [1, 2, 5, 6])
def test_exif_in_a_camera_s_motion_jpeg(
    orientation: int, tmp_path: Path, progress: Recorder
) -> None:
    """PyAV has no name for it; its orientation turns and mirrors the picture."""
    directory = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x112, 3, 1, orientation, 0, 0)
    content = b"Exif\0\0" + directory
    segment_of_jpeg = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    plain = make_clip(tmp_path / "plain.mkv", 2, codec="mjpeg", pixel_format="yuvj420p")
    clip = tmp_path / "clip.mkv"
    with av.open(str(plain)) as source, av.open(str(clip), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                jpeg = bytes(packet)
                copy = av.Packet(jpeg[:2] + segment_of_jpeg + jpeg[2:])
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.stream, copy.is_keyframe = stream, True
                target.mux(copy)
    copied = segment(clip, CuttingOptions(), None, progress) / "output_000.mp4"
    source = VideoSource(copied)
    assert (source.size_px.width, source.size_px.height) == (
        (48, 64) if orientation > 4 else (64, 48)
    )
    first = next(source.chunks(1)).pictures
    assert first.chroma is not None
    shown = b"".join(plane.numpy().tobytes() for plane in (first.luma_or_rgb, first.chroma))
    assert shown == shown_by_ffmpeg(clip)


def shown_by_ffmpeg(clip: Path) -> bytes:
    """Return the planes of the first frame as the ffmpeg program shows it."""
    command = [str(ffmpeg.program()), "-v", "error", "-i", str(clip)]
    command += ["-frames:v", "1", "-f", "rawvideo", "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
