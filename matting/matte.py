"""One segment: its frames through the network into its result files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from matting import durable
from matting.composite import Matte, pictures
from matting.full_size import Make
from matting.media.image_writer import ImageWriter
from matting.media.source import FrameChunk, FrameSource
from matting.media.writer import VideoWriter
from matting.pipeline import overlap
from matting.planes import Coding
from matting.progress import Progress
from matting.results import Look, Target, samples_of, writer_of
from matting.session import CPU, MattingSession, composed


@dataclass(frozen=True)
class _Mattes:
    """What the network found for some frames, and their times."""

    parts: Sequence[Matte]
    pts: tuple[int, ...]


def matte_segment(
    source: FrameSource,
    session: MattingSession,
    *,
    ratio: float,
    look: Look,
    targets: Mapping[str, Target],
    progress: Progress,
    make: Make = pictures,
) -> None:
    """Mattes every frame of `source` into one file or folder for each kind of result.

    They appear under their names only when all of them are whole and checked. The session
    goes on from its present state.

    Args:
        targets: where each kind of `look.kinds` goes.
        make: how the full-size pictures are made.
        progress: told of every frame that is through the network, and of its check afterwards.
    Raises:
        DecodeError: a frame of the source is missing or damaged.
        EncodeError: a result could not be encoded whole.
        StorageError: a result could not be written.
    """
    temporary = {kind: durable.partial(target.path) for kind, target in targets.items()}
    samples = samples_of(source, look.encoding, targets)
    codings = {kind: found.coding for kind, found in samples.items()}
    try:
        with ExitStack() as open_files:
            writers: dict[str, VideoWriter | ImageWriter] = {}
            for kind, target in targets.items():
                writers[kind] = writer_of(
                    kind,
                    temporary[kind],
                    target,
                    source=source,
                    choice=look.encoding,
                    samples=samples[kind],
                )
                open_files.enter_context(writers[kind])

            def compute(chunk: FrameChunk) -> _Mattes:
                found = session.mattes(chunk.pictures, ratio)
                progress.advance(len(chunk.pts))
                return _Mattes(found, chunk.pts)

            size = session.chunk_frames(source.width_px, source.height_px)
            sink = _Sink(writers, codings, look.background, make)
            overlap(lambda: source.chunks(size), compute, sink.write)
            for writer in writers.values():
                writer.finish(lambda _: progress.alive())
        for kind, target in targets.items():
            publish = durable.publish_folder if target.pictures else durable.publish
            publish(temporary[kind], target.path)
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
    """Makes the results of mattes, and writes them at times that count from the first frame.

    Beside the network, in the writer's thread: at full size there is nearly as much to do.
    """

    def __init__(
        self,
        writers: Mapping[str, VideoWriter | ImageWriter],
        codings: Mapping[str, Coding],
        background: tuple[int, int, int],
        make: Make,
    ) -> None:
        self._writers = writers
        self._codings = codings
        self._background = background
        self._make = make
        self._first_pts: int | None = None

    def write(self, mattes: _Mattes) -> None:
        if self._first_pts is None:
            self._first_pts = mattes.pts[0]
        times = iter([time - self._first_pts for time in mattes.pts])
        for matte in mattes.parts:
            made = composed(matte, self._codings, self._background, make=self._make, device=CPU)
            pts = list(islice(times, len(matte.source)))
            for kind, writer in self._writers.items():
                writer.write(made[kind], pts)
