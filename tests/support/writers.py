"""All that writes numbered frames, looking alike: what is asked of one can be asked of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from matting.cutting.lossless_writer import FrameWriter
from matting.cutting.reencode import encode_segments
from matting.delivery.output_target import OutputTarget
from matting.delivery.outputs import output_formats
from matting.delivery.segment_writer import SegmentWriter
from matting.imaging.compositor import Matte, render
from matting.imaging.frame_parts import whole_frames
from matting.imaging.planes import Planes, TimedBatch
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.colour_tags import BT709_TAGS
from matting.media.container import decode as decode_frames
from matting.media.container import open_video
from matting.media.encoders import encoder_input
from matting.media.frame_planes import planes_of
from matting.media.images.png import decode_png, encode_png
from matting.media.images.sequence import ImageSequence
from matting.media.images.writer import ImageWriter
from matting.media.probe import probe
from matting.media.source import FrameSource
from matting.media.video_source import VideoSource
from matting.media.video_writer import VideoWriter
from matting.options import CodecBackend, EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.project.entry import ProvenFile
from tests.support.clips import RATE, SIZE, decode, make_clip, number_of, picture

FRAMES = 9
CLIP, SEQUENCE = "source.mp4", "source"
SOFTWARE = EncodingOptions(VideoCodec.H264, quality=4, encoder=CodecBackend.SOFTWARE)
HARDWARE = EncodingOptions(VideoCodec.H264, encoder=CodecBackend.HARDWARE)

OnCheck = Callable[[int], None]


@dataclass(frozen=True)
class WriterCase:
    """A way to write frames 0 .. FRAMES - 1.

    Attributes:
        write: writes the frames of those numbers to a path, and finishes it; sources lie where
            `make_sources` puts them. Whatever getting the next number, or what is told of checked
            frames, raises comes out again.
        publishes: whether the frames come to the path only when all of them are checked.
        pictures: whether the path is a folder of pictures, which have no times.
    """

    write: Callable[[Path, Iterable[int], OnCheck], None]
    publishes: bool = False
    pictures: bool = False

    def numbers(self, path: Path) -> list[int]:
        """Return the numbers of the frames that were written."""
        if not self.pictures:
            return [number_of(rgb) for _, rgb in decode(path)]
        files = sorted(path.iterdir())
        return [number_of(np.asarray(decode_png(f.read_bytes()), np.uint8)) for f in files]

    def times(self, path: Path) -> list[Fraction]:
        """Return when the frames are presented, in seconds from the first."""
        times = [time for time, _ in decode(path)]
        return [time - times[0] for time in times]


def planes(number: int, sample_format: SampleFormat) -> Planes:
    """Return a numbered picture in 4:2:0 of 8 bits, or RGB."""
    rgb = picture(number)
    if sample_format.luma_coefficients is None:
        return Planes(sample_format, torch.from_numpy(rgb).permute(2, 0, 1)[None])
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    yuv = planes_of(frame.reformat(format="yuv420p", dst_color_range=BT709_TAGS.range), BT709_TAGS)
    return Planes(sample_format, yuv.luma_or_rgb, yuv.chroma)


def _video(encoding: EncodingOptions) -> WriterCase:
    def write(path: Path, numbers: Iterable[int], on_check: OnCheck) -> None:
        samples = encoder_input(
            encoding, BT709_TAGS.sample_format(8, (2, 2), SIZE[1]), BT709_TAGS, SIZE[1]
        )
        with VideoWriter(
            path,
            size_px=Size(*SIZE),
            time_base=1 / RATE,
            rate=RATE,
            colour=BT709_TAGS,
            encoding=encoding,
            samples=samples,
        ) as writer:
            for number in numbers:
                writer.write(planes(number, samples.sample_format), [number])
            writer.finish(on_check)

    return WriterCase(write)


def _write_pictures(path: Path, numbers: Iterable[int], on_check: OnCheck) -> None:
    names = [f"{number}.png" for number in range(FRAMES)]
    with ImageWriter(path, names, depth=8) as writer:
        for number in numbers:
            writer.write(planes(number, SampleFormat()), [number])
        writer.finish(on_check)


def make_sources(folder: Path) -> Path:
    """Make what the frames come from; return a folder in it for what is written."""
    make_clip(folder / CLIP, FRAMES)
    (folder / SEQUENCE).mkdir()
    for number in range(FRAMES):
        (folder / SEQUENCE / f"{number}.png").write_bytes(encode_png(picture(number)))
    (folder / "results").mkdir()
    return folder / "results"


def _frames_of_clip(clip: Path) -> list[av.VideoFrame]:
    with open_video(clip) as (container, stream):
        return list(decode_frames(container, stream))


def _intermediate(crf: int | None) -> WriterCase:
    def write(path: Path, numbers: Iterable[int], on_check: OnCheck) -> None:
        clip = path.parent.parent / CLIP
        frames = _frames_of_clip(clip)
        with FrameWriter(path, probe(clip), frames[0], crf, most_frames=len(frames)) as writer:
            for number in numbers:
                writer.write(frames[number], frames[number].pts or 0)
            writer.finish(on_check)

    return WriterCase(write)


def _write_segment(path: Path, numbers: Iterable[int], on_check: OnCheck) -> None:
    clip = path.parent.parent / CLIP
    frames = _frames_of_clip(clip)
    timed = ((frames[number].pts or 0, frames[number]) for number in numbers)
    times = [frame.pts or 0 for frame in frames]
    encode_segments(probe(clip), {path: times}, timed, damaged=(), crf=None, on_frames=on_check)


def _output(*, pictures: bool) -> WriterCase:
    def write(path: Path, numbers: Iterable[int], on_check: OnCheck) -> None:
        folder = path.parent.parent
        source: FrameSource = (
            ImageSequence(folder / SEQUENCE, RATE) if pictures else VideoSource(folder / CLIP)
        )
        targets = {OutputKind.COMPOSITE: OutputTarget(path, pictures)}
        formats = output_formats(source, SOFTWARE, targets)
        options = OutputOptions(encoding=SOFTWARE)
        writer = SegmentWriter(source, options, targets, formats, render)
        with closing(writer), closing(source.chunks(1)) as chunks:
            writer.open()
            for _, chunk in zip(numbers, chunks, strict=True):
                offset = torch.zeros(1, 4, chunk.pictures.height, chunk.pictures.width)
                offset[:, 3] = 1  # all of it is person
                matte = Matte(chunk.pictures, None, offset)
                writer.write(TimedBatch([whole_frames(chunk.pictures, matte)], chunk.pts))
            writer.finish(on_check)
            finished = writer.temporary[OutputKind.COMPOSITE]
            writer.release()
        ProvenFile(OutputKind.COMPOSITE, finished, path).give_name()

    return WriterCase(write, publishes=True, pictures=pictures)


WRITERS = {
    "video": _video(SOFTWARE),
    "video by NVENC": _video(HARDWARE),
    "pictures": WriterCase(_write_pictures, pictures=True),
    "lossless": _intermediate(None),
    "constant quality": _intermediate(12),
    "segment": WriterCase(_write_segment, publishes=True),
    "output video": _output(pictures=False),
    "output pictures": _output(pictures=True),
}
