"""What storing the matte takes, in bytes and in processor time, against the plain choice.

python -m benchmarks.matte_size CLIP... --checkpoint PATH [--frames 3] [--write]

The network mattes the first frames of every clip. Their mattes are then stored as `infer` does,
alone and with the correction of the foreground; and plainly: alpha as FFV1 of 10-bit grey, the
correction as another FFV1 stream of the source's own chroma subsampling. The times are those of the
processor, on one thread, the least of several tries. Clips are in Y'CbCr.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch

from benchmarks.results import measured_on, table, write_section
from matting.demo import CHECKPOINT
from matting.imaging.matte_planes import ALPHA_BITS, MAX_ALPHA, MattePlanes
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes, signed_view
from matting.imaging.sample_format import Size
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.weights import VARIABLE, load_checkpoint
from matting.media.codecs import add_video_stream
from matting.media.container import decode, open_video
from matting.media.frame_planes import frame_of
from matting.media.matte_file import MatteFile, MatteWriter
from matting.media.video_source import VideoSource
from matting.network_choice import Subject
from matting.options import Precision

TITLE = "The stored matte"
WARM_UP_FRAMES = 3  # the network's first mattes are not its best
TRIES = 3
HOUR_FRAMES = 30 * 3600
RANGE_CODER = {"level": "3", "coder": "1", "context": "0", "slicecrc": "1", "slices": "16"}
PLAIN_CORRECTION = {(2, 2): "yuv420p", (2, 1): "yuv422p", (1, 1): "yuv444p"}
HEAD = ["clip", "size", "soft", "", "KiB a frame", "GB an hour at 30", "write ms", "read ms"]
SIGN = 128  # what is added to a correction where samples have no sign


@dataclass(frozen=True)
class Cost:
    """What a frame takes: bytes in the file, milliseconds of the processor."""

    size_bytes: float
    write_ms: float
    read_ms: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.size_bytes + other.size_bytes,
            self.write_ms + other.write_ms,
            self.read_ms + other.read_ms,
        )

    def cells(self) -> list[str]:
        hour = self.size_bytes * HOUR_FRAMES / 1e9
        return [
            f"{self.size_bytes / 1024:.1f}",
            f"{hour:.1f}",
            f"{self.write_ms:.1f}",
            f"{self.read_ms:.1f}",
        ]


def measure_clip(clip: Path, checkpoint: Path, frames: int, folder: Path) -> list[list[str]]:
    """Return the table's rows for one clip."""
    mattes = matte_clip(clip, checkpoint, frames)
    alone = [
        replace(
            matte,
            luma_or_rgb=torch.zeros_like(matte.luma_or_rgb),
            chroma=None if matte.chroma is None else torch.zeros_like(matte.chroma),
        )
        for matte in mattes
    ]
    plain_alpha = store_plainly([_grey(matte) for matte in mattes], "gray10le", folder)
    correction = [_unsigned(matte) for matte in mattes]
    ways = {
        "alpha": store(alone, folder),
        "alpha and correction": store(mattes, folder),
        "plain: alpha": plain_alpha,
        "plain: alpha and correction": plain_alpha
        + store_plainly(
            correction, PLAIN_CORRECTION[correction[0].sample_format.subsampling], folder
        ),
    }
    height, width = mattes[0].alpha.shape[2:]
    soft = float(np.mean([_soft_share(matte) for matte in mattes]))
    about = [clip.stem, f"{width}x{height}", f"{soft:.1%}"]
    return [[*about, way, *cost.cells()] for way, cost in ways.items()]


def matte_clip(clip: Path, checkpoint: Path, frames: int) -> list[MattePlanes]:
    """Return the mattes of the first frames of a clip, after a few that are left out."""
    session = MattingSession(
        load_checkpoint(checkpoint).network, torch.device("cpu"), Precision.FP32
    )
    mattes = []
    for chunk in islice(VideoSource(clip).chunks(1), WARM_UP_FRAMES + frames):
        ratio = automatic_ratio(chunk.pictures.size, Subject.FULL_BODY)
        mattes += [
            render_planes(replace(matte, fused=True))
            for matte in session.mattes(chunk.pictures, ratio)
        ]
    return mattes[WARM_UP_FRAMES:]


def store(mattes: Sequence[MattePlanes], folder: Path) -> Cost:
    """Store mattes as `infer` does, and read them."""
    path = folder / "matte.mkv"
    height, width = mattes[0].alpha.shape[2:]
    count = len(mattes)

    def write() -> float:
        with MatteWriter(
            path,
            size_px=Size(width, height),
            time_base=Fraction(1, 30),
            rate=Fraction(30),
            sample_format=mattes[0].sample_format,
        ) as writer:
            writer.write(mattes[0], [-1])  # each frame is encoded when the next one comes
            start = time.process_time()
            for pts, matte in enumerate(mattes):
                writer.write(matte, [pts])
            seconds = time.process_time() - start
            writer.finish()
        return seconds

    def read() -> float:
        with closing(MatteFile.open(path).chunks(1)) as chunks:
            next(chunks)  # by which the file is opened
            return seconds_of(chunks)

    return least_cost(write, read, path, count, frames_in_file=count + 1)


def store_plainly(frames: Sequence[Planes], pixel_format: str, folder: Path) -> Cost:
    """Store frames as FFV1 with the range coder, and read them."""
    path = folder / "plain.mkv"

    def write() -> float:
        with av.open(str(path), "w") as container:
            stream = add_video_stream(container, "ffv1", rate=30, options=RANGE_CODER)
            stream.width, stream.height = frames[0].size
            stream.pix_fmt = pixel_format
            stream.codec_context.gop_size = stream.codec_context.thread_count = 1
            start = time.process_time()
            for planes in [*frames, frames[0]]:
                container.mux(stream.encode(frame_of(planes, pixel_format)))
            seconds = time.process_time() - start
            container.mux(stream.encode(None))
        return seconds * len(frames) / (len(frames) + 1)

    def read() -> float:
        with open_video(path) as (container, stream):
            stream.codec_context.thread_count, stream.thread_type = 1, "SLICE"
            decoded = decode(container, stream)
            next(decoded)
            return seconds_of(decoded)

    return least_cost(write, read, path, len(frames), frames_in_file=len(frames) + 1)


def seconds_of(items: Iterator[object]) -> float:
    """Return the processor time of what an iterator does to its end."""
    start = time.process_time()
    for _ in items:
        pass
    return time.process_time() - start


def least_cost(
    write: Callable[[], float],
    read: Callable[[], float],
    path: Path,
    frames: int,
    *,
    frames_in_file: int,
) -> Cost:
    """Return what the cheapest of several tries took, for each frame."""
    writes, reads = zip(*((write(), read()) for _ in range(TRIES)), strict=True)
    return Cost(
        path.stat().st_size / frames_in_file, min(writes) * 1e3 / frames, min(reads) * 1e3 / frames
    )


def _grey(matte: MattePlanes) -> Planes:
    """Return the alpha as grey frames."""
    return Planes(replace(matte.sample_format, bits=ALPHA_BITS), matte.alpha)


def _unsigned(matte: MattePlanes) -> Planes:
    """Return the corrections as frames of samples without a sign."""
    luma = (matte.luma_or_rgb.short() + SIGN).byte()
    chroma = None if matte.chroma is None else (matte.chroma.short() + SIGN).byte()
    return Planes(replace(matte.sample_format, bits=8), luma, chroma)


def _soft_share(matte: MattePlanes) -> float:
    alpha = signed_view(matte.alpha)
    return float(((alpha > 0) & (alpha < MAX_ALPHA)).float().mean())


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matte_size", description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP")
    parser.add_argument("--checkpoint", type=Path, default=os.environ.get(VARIABLE) or CHECKPOINT)
    parser.add_argument("--frames", type=int, default=3, help="of each clip; default: 3")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    torch.set_num_threads(1)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="matte_size_") as folder:
        for clip in options.clips:
            rows += measure_clip(clip, Path(options.checkpoint), options.frames, Path(folder))
            print(table(HEAD, rows[-4:]), flush=True)
    text = (
        f"{Path(options.checkpoint).name}, {options.frames} frames of each clip, one thread. "
        f"{measured_on()}\n\n{table(HEAD, rows)}"
    )
    if options.write:
        write_section(TITLE, text)


if __name__ == "__main__":
    main()
