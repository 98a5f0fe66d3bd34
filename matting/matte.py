"""One segment: its frames through the network into its result files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from matting import durable
from matting.media.encoders import Delivery, Encoding, delivery, grey
from matting.media.source import FrameChunk, FrameSource
from matting.media.writer import VideoWriter
from matting.pipeline import overlap
from matting.planes import Planes
from matting.progress import Progress
from matting.session import MattingSession
from matting.workspace import ALPHA, COMPOSITE


@dataclass(frozen=True)
class Look:
    """What the results look like.

    Attributes:
        background: red, green, blue behind the composite, 0..255.
        kinds: which results to write: COMPOSITE, and ALPHA or FOREGROUND where asked for.
    """

    background: tuple[int, int, int] = (120, 255, 155)
    kinds: tuple[str, ...] = (COMPOSITE,)
    encoding: Encoding = field(default_factory=Encoding)


@dataclass(frozen=True)
class _Results:
    """Pictures of every kind for the same frames, on the CPU."""

    pictures: Mapping[str, Planes]
    pts: tuple[int, ...]


def matte_segment(
    source: FrameSource,
    session: MattingSession,
    *,
    ratio: float,
    look: Look,
    targets: Mapping[str, Path],
    progress: Progress,
) -> None:
    """Mattes every frame of `source` into one file for each kind of result.

    The files appear under their names only when all of them are whole and checked. The session
    goes on from its present state.

    Args:
        targets: where each kind of `look.kinds` goes.
        progress: told of every frame that is through the network, and of its check afterwards.
    Raises:
        DecodeError: a frame of the source is missing or damaged.
        EncodeError: a result could not be encoded whole.
        StorageError: a result could not be written.
    """
    temporary = {kind: durable.partial(path) for kind, path in targets.items()}
    samples = deliveries(source, look)
    codings = {kind: found.coding for kind, found in samples.items()}
    try:
        with ExitStack() as open_files:
            writers = {
                kind: open_files.enter_context(
                    _writer(kind, path, source, look.encoding, samples[kind])
                )
                for kind, path in temporary.items()
            }

            def compute(chunk: FrameChunk) -> _Results:
                made = session.pictures(chunk.pictures, ratio, codings, look.background)
                progress.advance(len(chunk.pts))
                return _Results(made, chunk.pts)

            size = session.chunk_frames(source.width_px, source.height_px)
            overlap(lambda: source.chunks(size), compute, _Sink(writers).write)
            for writer in writers.values():
                writer.finish(lambda _: progress.alive())
        for kind, path in targets.items():
            durable.publish(temporary[kind], path)
    finally:
        for path in temporary.values():
            durable.discard(path)


def warm_up(
    source: FrameSource, session: MattingSession, ratio: float, frames: int, progress: Progress
) -> None:
    """Lets the network see the last `frames` frames of `source`, for the state they leave."""
    session.reset()
    size = session.chunk_frames(source.width_px, source.height_px)
    for chunk in source.chunks(size, last=frames, on_skip=progress.alive):
        session.matte(chunk.pictures, ratio)
        progress.alive()


class _Sink:
    """Writes results of all kinds at times that count from the segment's first frame."""

    def __init__(self, writers: Mapping[str, VideoWriter]) -> None:
        self._writers = writers
        self._first_pts: int | None = None

    def write(self, results: _Results) -> None:
        if self._first_pts is None:
            self._first_pts = results.pts[0]
        pts = [time - self._first_pts for time in results.pts]
        for kind, made in results.pictures.items():
            self._writers[kind].write(made, pts)


def deliveries(source: FrameSource, look: Look) -> dict[str, Delivery]:
    """The samples in which each kind of result is encoded.

    Raises:
        MissingError: this build of FFmpeg has no such encoder.
    """
    height_px = source.height_px
    main = delivery(look.encoding, source.coding, source.colour, height_px)
    alpha = grey(look.encoding, main, source.colour.as_sdr(), height_px)
    return {kind: alpha if kind == ALPHA else main for kind in look.kinds}


def _writer(
    kind: str, path: Path, source: FrameSource, choice: Encoding, samples: Delivery
) -> VideoWriter:
    is_alpha = kind == ALPHA  # a share, not light
    return VideoWriter(
        path,
        size_px=(source.width_px, source.height_px),
        time_base=source.time_base,
        rate=source.rate,
        colour=source.colour.as_sdr() if is_alpha else source.colour,
        pixel_aspect=source.pixel_aspect,
        choice=choice,
        samples=samples,
        hdr=None if is_alpha else source.hdr,
    )
