"""One segment: its frames through the network into its result files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from matting import durable
from matting.media.image_writer import ImageWriter
from matting.media.images import ImageSequence
from matting.media.source import FrameChunk, FrameSource
from matting.media.writer import Encoding, VideoWriter
from matting.pipeline import overlap
from matting.progress import Progress
from matting.session import MattingSession
from matting.workspace import ALPHA, ALPHA_PNG, COMPOSITE, picture_name


@dataclass(frozen=True)
class Look:
    """What the results look like.

    Attributes:
        background: red, green, blue behind the composite, 0..255.
        kinds: which results to write: COMPOSITE, and of ALPHA, FOREGROUND and ALPHA_PNG those that
            were asked for.
    """

    background: tuple[int, int, int] = (120, 255, 155)
    kinds: tuple[str, ...] = (COMPOSITE,)
    encoding: Encoding = field(default_factory=Encoding)


@dataclass(frozen=True)
class Target:
    """Where one kind of result of a segment goes.

    Attributes:
        path: a video file, or a folder of pictures.
        pictures: whether it is that folder.
        first_frame: the number of the first picture of a video; those of a sequence have names.
    """

    path: Path
    pictures: bool = False
    first_frame: int = 0


@dataclass(frozen=True)
class _Results:
    """Pictures of every kind for the same frames, uint8, on the CPU: RGB [T, 3, H, W], alpha grey
    [T, 1, H, W]."""

    pictures: Mapping[str, Tensor]
    pts: tuple[int, ...]


def matte_segment(
    source: FrameSource,
    session: MattingSession,
    *,
    ratio: float,
    look: Look,
    targets: Mapping[str, Target],
    progress: Progress,
) -> None:
    """Mattes every frame of `source` into one file or folder for each kind of result.

    They appear under their names only when all of them are whole and checked. The session
    goes on from its present state.

    Args:
        targets: where each kind of `look.kinds` goes.
        progress: told of every frame that is through the network, and of its check afterwards.
    Raises:
        DecodeError: a frame of the source is missing or damaged.
        EncodeError: a result could not be encoded whole.
        StorageError: a result could not be written.
    """
    temporary = {kind: durable.partial(target.path) for kind, target in targets.items()}
    drawn = tuple(dict.fromkeys(_drawn(kind) for kind in targets))
    try:
        with ExitStack() as open_files:
            writers: dict[str, VideoWriter | ImageWriter] = {}
            for kind, target in targets.items():
                writers[kind] = _writer(kind, temporary[kind], target, source, look.encoding)
                open_files.enter_context(writers[kind])

            def compute(chunk: FrameChunk) -> _Results:
                made = session.pictures(chunk.rgb, ratio, drawn, look.background)
                progress.advance(len(chunk.pts))
                return _Results(made, chunk.pts)

            size = session.chunk_frames(source.width_px, source.height_px)
            overlap(lambda: source.chunks(size), compute, _Sink(writers).write)
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
        session.matte(chunk.rgb, ratio)
        progress.alive()


class _Sink:
    """Writes results of all kinds at times that count from the segment's first frame."""

    def __init__(self, writers: Mapping[str, VideoWriter | ImageWriter]) -> None:
        self._writers = writers
        self._first_pts: int | None = None

    def write(self, results: _Results) -> None:
        if self._first_pts is None:
            self._first_pts = results.pts[0]
        pts = [time - self._first_pts for time in results.pts]
        for kind, writer in self._writers.items():
            writer.write(results.pictures[_drawn(kind)], pts)


def _drawn(kind: str) -> str:
    """The pictures that a kind of result is made of: the alpha can be written in two ways."""
    return ALPHA if kind == ALPHA_PNG else kind


def _writer(
    kind: str, path: Path, target: Target, source: FrameSource, choice: Encoding
) -> VideoWriter | ImageWriter:
    if target.pictures:
        return _image_writer(kind, path, target.first_frame, source)
    return _video_writer(path, source, choice)


def _image_writer(kind: str, folder: Path, first_frame: int, source: FrameSource) -> ImageWriter:
    if not isinstance(source, ImageSequence):
        numbers = range(first_frame, first_frame + source.frames)
        return ImageWriter(folder, [picture_name(number) for number in numbers], depth=16)
    return ImageWriter(
        folder,
        source.result_names,
        depth=16 if kind == ALPHA_PNG else source.depth,
        profile=b"" if _drawn(kind) == ALPHA else source.profile,
    )


def _video_writer(path: Path, source: FrameSource, choice: Encoding) -> VideoWriter:
    return VideoWriter(
        path,
        size_px=(source.width_px, source.height_px),
        time_base=source.time_base,
        rate=source.rate,
        colour=source.colour,
        pixel_aspect=source.pixel_aspect,
        choice=choice,
    )
