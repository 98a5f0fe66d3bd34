"""What a source's frames need before they can be matted: deinterlacing, flattening, cropping."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from matting.media.alpha import drop_alpha, flatten_alpha
from matting.media.alpha_use import AlphaUse
from matting.media.container import reading
from matting.media.frame_decoding import Shape
from matting.media.frame_shape import in_shape
from matting.media.matroska_header import NO_CROP, Crop
from matting.media.pixel_formats import EQUIVALENT_FORMATS, chroma_subsampling, convert_frame
from matting.media.video_info import VideoInfo

TimedFrame = tuple[int, VideoFrame]


@dataclass(frozen=True)
class FrameFilters:
    """What is done to every frame of a source; false where that is nothing.

    Attributes:
        deinterlace: make fields whole pictures, one for each frame, by FFmpeg's bwdif.
        alpha: put what is transparent over black, or drop what is no transparency.
        crop: what the container says is to be hidden.
        shape: what frames are brought to that are of several sizes or formats.
    """

    deinterlace: bool = False
    alpha: AlphaUse = AlphaUse.ABSENT
    crop: Crop = NO_CROP
    shape: Shape | None = None

    def __bool__(self) -> bool:
        changes_samples = self.deinterlace or self.alpha is not AlphaUse.ABSENT
        return changes_samples or bool(self.crop) or self.shape is not None

    def notes(self) -> list[str]:
        """Return what is done, in a plain sentence each."""
        notes = []
        if self.shape is not None:
            notes.append(
                "The frames change their size or pixel format in the course of the video: all are "
                f"brought to {self.shape}."
            )
        if self.deinterlace:
            notes.append(
                "The video is interlaced: FFmpeg's filter bwdif makes each frame a whole picture."
            )
        if self.alpha is AlphaUse.OVER_BLACK:
            notes.append("The video can be transparent: what is, is put over black.")
        if self.alpha is AlphaUse.IGNORED:
            notes.append(
                "The video has room for transparency, but what is there is none: its colours are "
                "taken as they are."
            )
        if self.crop:
            notes.append(
                "The video's header crops it, and so the segments are cropped: "
                f"{self.crop.left_px} pixels at the left, {self.crop.top_px} at the top, "
                f"{self.crop.right_px} at the right and {self.crop.bottom_px} at the bottom."
            )
        return notes

    def apply(
        self, info: VideoInfo, frames: Iterable[TimedFrame]
    ) -> Generator[TimedFrame, None, None]:
        """Filter frames; their times stay.

        Args:
            frames: all of one source in order, each with its time in the source's ticks.
        Raises:
            MediaError: the frames change their size or format.
        """
        if (shape := self.shape) is not None:
            frames = ((time, in_shape(frame, shape)) for time, frame in frames)
        if self.alpha is not AlphaUse.ABSENT:
            opaque = flatten_alpha if self.alpha is AlphaUse.OVER_BLACK else drop_alpha
            frames = ((time, opaque(frame)) for time, frame in frames)
        if self.deinterlace or self.crop:
            frames = self._run_graph(info, frames)
        yield from frames

    def _run_graph(self, info: VideoInfo, frames: Iterable[TimedFrame]) -> Iterator[TimedFrame]:
        graph: Graph | None = None
        with reading(info.path):
            for time, frame in frames:
                picture = frame
                if self.deinterlace:  # bwdif knows planar formats only
                    planar = EQUIVALENT_FORMATS.get(frame.format.name, frame.format.name)
                    picture = convert_frame(frame, planar, info.colour.range)
                picture.pts, picture.time_base = time, info.time_base
                if graph is None:
                    graph = self._graph(info, picture)
                graph.vpush(picture)
                yield from _pull(graph, info)
            if graph is not None:
                graph.vpush(None)
                yield from _pull(graph, info)

    def _graph(self, info: VideoInfo, first: VideoFrame) -> Graph:
        """Return a configured graph for frames like `first`."""
        graph = Graph()
        last = graph.add_buffer(
            width=first.width,
            height=first.height,
            format=first.format,
            time_base=info.time_base,
        )
        for name, arguments in self._filters(info, first):
            last = _link(last, graph.add(name, arguments))
        _link(last, graph.add("buffersink"))
        graph.configure()
        return graph

    def _filters(self, info: VideoInfo, first: VideoFrame) -> Iterator[tuple[str, str]]:
        if self.deinterlace:
            # Where frames say which of them are interlaced, the others stay as they are.
            parity, which = "auto", "interlaced"
            if not first.interlaced_frame and info.interlaced:
                parity, which = ("tff" if info.top_field_first else "bff"), "all"
            yield "bwdif", f"mode=send_frame:parity={parity}:deint={which}"
        if self.crop:
            crop, name = self.crop, first.format.name
            columns, rows = chroma_subsampling(name)
            if crop.left_px % columns or crop.top_px % rows:
                # The cut goes through pixels that share a chroma sample: give each its own first.
                yield "scale", "flags=neighbor"
                yield "format", name.replace(_layout(first.format), "444")
            width = first.width - crop.left_px - crop.right_px
            height = first.height - crop.top_px - crop.bottom_px
            place = f"x={crop.left_px}:y={crop.top_px}"
            yield "crop", f"w={width}:h={height}:{place}:exact=1"


def _link(last: FilterContext, following: FilterContext) -> FilterContext:
    last.link_to(following)
    return following


def _pull(graph: Graph, info: VideoInfo) -> Iterator[TimedFrame]:
    while True:
        try:
            frame = graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if frame.pts is not None and frame.time_base is not None:
            yield round(frame.pts * frame.time_base / info.time_base), frame


def _layout(own: VideoFormat) -> str:
    return next(layout for layout in ("420", "422", "440", "411", "410") if layout in own.name)
