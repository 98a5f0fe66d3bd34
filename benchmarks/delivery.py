"""What delivering costs, against decoding and encoding alone; and what storing the matte costs.

python -m benchmarks.delivery CLIP --checkpoint PATH [--frames 16] [--rounds 2] [--write]

The network mattes the first frames of a clip once. Then, in turns, every other round in the
reversed order, and each with the check of what was written:
- the composite is written as `infer` does, with the stored matte (--keep-matte) and without;
- of source and stored matte, formats are written as `deliver` does; against decoding the source
  and encoding the same pictures, which are ready in memory.
Times are those of the processor, and by the clock; the least of all rounds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.results import measured_on, table, write_section
from benchmarks.seconds import Seconds
from matting.delivery.format_writers import FormatWriter, create_format_writer, format_input
from matting.delivery.formats import FORMATS, DeliveryFormat
from matting.delivery.output_target import OutputTarget
from matting.delivery.outputs import output_formats
from matting.delivery.segment_writer import SegmentWriter
from matting.demo import CHECKPOINT
from matting.imaging.compositor import Matte
from matting.imaging.delivered_frames import DeliveredFrames
from matting.imaging.delivered_rendering import straight_foregrounds
from matting.imaging.frame_parts import whole_frames
from matting.imaging.planes import TimedBatch
from matting.imaging.renderer import Renderer, StoredFrames, compose_outputs
from matting.imaging.sample_format import SampleFormat
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.weights import VARIABLE, load_checkpoint
from matting.media.frame_chunks import take_frames
from matting.media.matte_file import MatteFile
from matting.media.source import FrameChunk
from matting.media.video_source import VideoSource
from matting.network_choice import Subject
from matting.options import (
    CodecBackend,
    EncodingOptions,
    FormatName,
    OutputKind,
    OutputOptions,
    Precision,
    RendererBackend,
    VideoCodec,
)
from matting.progress import ignore
from matting.system.device import share_cores

TITLE = "Delivering, and storing the matte"
CPU = torch.device("cpu")
COLOUR = (0, 255, 0)
DELIVERED_SETS = (
    (FormatName.GREEN,),
    (FormatName.PRORES,),
    (FormatName.FFV1,),
    (FormatName.GREEN, FormatName.PRORES, FormatName.FFV1),
)
CODECS = (VideoCodec.HEVC, VideoCodec.H264)
INFER_HEAD = ["", "processor, ms a frame", "clock, ms a frame"]
DELIVER_HEAD = [
    "formats in one go",
    "decoding and encoding alone: processor, ms a frame",
    "delivered",
    "ratio",
    "ratio by the clock",
]


@dataclass(frozen=True)
class Bench:
    """The clip, its matte when that is stored, and where results go."""

    source: VideoSource
    frames: int
    rounds: int
    folder: Path

    @property
    def matte(self) -> Path:
        return self.folder / "matte.mkv"

    def result(self, kind: OutputKind, way: str) -> Path:
        """Return what is written of a kind, in one of the ways that are compared."""
        return self.folder / f"{kind}_{way}"

    def chunks(self) -> Iterator[FrameChunk]:
        """Decode the frames, one by one."""
        with closing(self.source.chunks(1)) as chunks:
            yield from take_frames(chunks, self.frames)

    def writer(self, kinds: Sequence[OutputKind], codec: VideoCodec) -> SegmentWriter:
        """Return what `infer` and `deliver` write some outputs of a segment by."""
        output = OutputOptions(background=COLOUR, kinds=tuple(kinds), encoding=encoding_of(codec))
        targets = {kind: OutputTarget(self.folder / f"{kind}.part") for kind in kinds}
        formats = output_formats(self.source, output.encoding, targets)
        renderer = Renderer(RendererBackend.PLAIN, CPU, print)
        return SegmentWriter(self.source, output, targets, formats, renderer)

    def in_turns(self, works: Sequence[Callable[[], object]]) -> list[Seconds]:
        """Return what each work takes at least, in turns."""
        costs: list[list[Seconds]] = [[] for _ in works]
        for number in range(self.rounds):
            order = range(len(works)) if number % 2 == 0 else reversed(range(len(works)))
            for index in order:
                costs[index].append(Seconds.of(works[index]))
        return [Seconds.least(tries) for tries in costs]

    def ms(self, seconds: float) -> str:
        return f"{seconds * 1e3 / self.frames:.1f}"

    def cells(self, cost: Seconds) -> list[str]:
        return [self.ms(cost.cpu), self.ms(cost.wall)]


def encoding_of(codec: VideoCodec) -> EncodingOptions:
    """Return the defaults of a codec, in software."""
    return EncodingOptions(codec, encoder=CodecBackend.SOFTWARE)


def infer_rows(bench: Bench, checkpoint: Path) -> list[list[str]]:
    """Matte the frames, write them with and without the matte, which stays; return the rows."""
    session = MattingSession(load_checkpoint(checkpoint).network, CPU, Precision.FP32)
    mattes: list[tuple[FrameChunk, list[Matte]]] = []

    def run_network() -> None:
        for chunk in bench.chunks():
            ratio = automatic_ratio(chunk.pictures.size, Subject.FULL_BODY)
            mattes.append((chunk, session.mattes(chunk.pictures, ratio)))

    def write(kinds: Sequence[OutputKind]) -> None:
        with closing(bench.writer(kinds, VideoCodec.HEVC)) as writer:
            writer.open()
            for chunk, parts in mattes:
                frames = [whole_frames(matte.source, matte) for matte in parts]
                writer.write(TimedBatch(frames, chunk.pts))
            writer.finish(ignore)
            if OutputKind.MATTE in kinds:
                writer.temporary[OutputKind.MATTE].replace(bench.matte)

    network = Seconds.of(run_network)
    both = (OutputKind.MATTE, OutputKind.COMPOSITE)
    without, stored = bench.in_turns([lambda: write(both[1:]), lambda: write(both)])
    dearer = [
        f"{(after - before) / (base + before):+.1%}"
        for base, before, after in (
            (network.cpu, without.cpu, stored.cpu),
            (network.wall, without.wall, stored.wall),
        )
    ]
    return [
        ["decoding and the network", *bench.cells(network)],
        ["the composite, without the matte", *bench.cells(without)],
        ["the composite and the matte", *bench.cells(stored)],
        ["`infer` with the matte against without", *dearer],
    ]


def deliver_row(bench: Bench, names: Sequence[FormatName], codec: VideoCodec) -> list[str]:
    """Return the row of some formats that are delivered in one go."""
    rows = [FORMATS[name] for name in names]
    kinds = [row.kind for row in rows]
    ready = _ready(bench, rows, codec)
    times = [chunk.pts[0] for chunk in bench.chunks()]

    def deliver() -> None:
        with closing(bench.writer(kinds, codec)) as writer:
            writer.open()
            for frames, pts in zip(_stored(bench), times, strict=True):
                writer.write_stored(frames, [pts])
            writer.finish(ignore)
            for kind, path in writer.temporary.items():
                path.replace(bench.result(kind, "delivered"))

    def encode() -> None:
        with ExitStack() as files:
            writers = [_writer(bench, row, codec, files) for row in rows]
            for chunk, pictures in zip(bench.chunks(), ready, strict=True):
                for writer, frames in zip(writers, pictures, strict=True):
                    writer.write(frames, [chunk.pts[0] - times[0]])
            for writer in writers:
                writer.finish(ignore)

    alone, delivered = bench.in_turns([encode, deliver])
    used = f" ({codec})" if FormatName.GREEN in names else ""
    return [
        ", ".join(names) + used,
        bench.ms(alone.cpu),
        bench.ms(delivered.cpu),
        f"{delivered.cpu / alone.cpu:.2f}",
        f"{delivered.wall / alone.wall:.2f}",
    ]


def _stored(bench: Bench) -> Iterator[StoredFrames]:
    """Decode the source and the stored matte."""
    with closing(MatteFile.open(bench.matte).chunks(1)) as mattes:
        for chunk, stored in zip(bench.chunks(), mattes, strict=True):
            yield StoredFrames(chunk.pictures, stored.matte)


def _ready(
    bench: Bench, rows: Sequence[DeliveryFormat], codec: VideoCodec
) -> list[list[DeliveredFrames]]:
    """Return the pictures of each frame, as each format's encoder takes them."""
    encoding = encoding_of(codec)
    samples = [format_input(row, bench.source, encoding).sample_format for row in rows]

    def picture(row: DeliveryFormat, target: SampleFormat, frames: StoredFrames) -> DeliveredFrames:
        if not row.kind.is_delivered:
            composed = compose_outputs(frames, {row.kind: target}, COLOUR)
            return DeliveredFrames(composed[row.kind], None)
        colours, alpha = straight_foregrounds(frames, {target})
        return DeliveredFrames(colours[target], alpha)

    return [
        [picture(row, target, frames) for row, target in zip(rows, samples, strict=True)]
        for frames in _stored(bench)
    ]


def _writer(bench: Bench, row: DeliveryFormat, codec: VideoCodec, files: ExitStack) -> FormatWriter:
    """Open what encodes a format, without what makes its pictures."""
    encoding = encoding_of(codec)
    writer = create_format_writer(
        row,
        bench.result(row.kind, "alone"),
        source=bench.source,
        encoding=encoding,
        samples=format_input(row, bench.source, encoding),
    )
    return files.enter_context(writer)


def measure(clip: Path, checkpoint: Path, frames: int, rounds: int) -> str:
    """Return both tables for a clip."""
    source = VideoSource(clip)
    with tempfile.TemporaryDirectory(prefix="delivery_") as folder:
        bench = Bench(source, min(frames, source.frames), rounds, Path(folder))
        stored = table(INFER_HEAD, infer_rows(bench, checkpoint))
        rows = [
            deliver_row(bench, names, codec)
            for names in DELIVERED_SETS
            for codec in (CODECS if names == (FormatName.GREEN,) else CODECS[:1])
        ]
    about = (
        f"{clip.stem}, {'x'.join(map(str, source.size_px))}, {bench.frames} frames, "
        f"{Path(checkpoint).name}. Milliseconds a frame, of the processor and by the clock; "
        f"what is written is checked, too. {measured_on()}"
    )
    return f"{about}\n\n{stored}\n{table(DELIVER_HEAD, rows)}"


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("clip", type=Path, metavar="CLIP")
    parser.add_argument("--checkpoint", type=Path, default=os.environ.get(VARIABLE) or CHECKPOINT)
    parser.add_argument("--frames", type=int, default=16, help="of the clip; default: 16")
    parser.add_argument("--rounds", type=int, default=2, help="of each work; default: 2")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to."""
    options = parse()
    share_cores(CPU)
    text = measure(options.clip, Path(options.checkpoint), options.frames, options.rounds)
    print(text)
    if options.write:
        write_section(TITLE, text)


if __name__ == "__main__":
    main()
