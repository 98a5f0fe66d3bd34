"""One segment's mattes, rendered at full size and written to its result files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from matting.background import BackgroundFile
from matting.delivery.format_writers import FormatWriter, create_format_writer
from matting.delivery.formats import DELIVERED, AlphaTravel
from matting.delivery.output_target import OutputTarget
from matting.delivery.outputs import create_writer
from matting.delivery.sign_collector import SignCollector
from matting.delivery.vr_plan import VrPlan
from matting.delivery.vr_writer import VrWriter
from matting.imaging.compositor import BLACK, Matte, RenderFunction
from matting.imaging.delivered_frames import DeliveredFrames
from matting.imaging.delivered_rendering import straight_foregrounds, with_edges
from matting.imaging.edges import KeyEdges
from matting.imaging.frame_parts import FrameParts
from matting.imaging.planes import TimedBatch
from matting.imaging.renderer import (
    StoredFrames,
    between_views,
    compose_outputs,
    render_matte_planes,
)
from matting.imaging.sample_format import SampleFormat
from matting.imaging.stored_compositor import background_format
from matting.media.background_frames import BackgroundFrames
from matting.media.encoders import EncoderInput
from matting.media.images.writer import ImageWriter
from matting.media.matte_file import MatteWriter
from matting.media.source import FrameSource
from matting.media.video_writer import VideoWriter
from matting.options import OutputKind, OutputOptions
from matting.system import atomic_files
from matting.system.temporary_files import create_temporary, create_temporary_folder

CPU = torch.device("cpu")


class SegmentWriter:
    """Writes a segment's outputs, a file or a folder each, under temporary names until finished.

    Used beside the network, in another thread: at full size there is nearly as much to do.

    Args:
        targets, formats: where each output goes, and in which samples.
        renderer: renders the full-size pictures.

    Attributes:
        signs: sees all mattes that are written; None: nobody asked for that.
    """

    def __init__(
        self,
        source: FrameSource,
        options: OutputOptions,
        targets: Mapping[OutputKind, OutputTarget],
        formats: Mapping[OutputKind, EncoderInput],
        renderer: RenderFunction,
    ) -> None:
        self._source = source
        self._options = options
        self._targets = targets
        self._formats = formats
        self._renderer = renderer
        self._behind: BackgroundFrames | None = None
        self._temporary: dict[OutputKind, Path] = {}
        self._open_files = ExitStack()
        self._writers: dict[OutputKind, VideoWriter | ImageWriter] = {}
        self._format_writers: dict[OutputKind, FormatWriter] = {}
        self._vr_writers: dict[OutputKind, VrWriter] = {}
        self._matte_writer: MatteWriter | None = None
        self._edges = KeyEdges(options.key_cutoff, options.key_contrast, options.despill)
        self._first_pts: int | None = None
        self.signs: SignCollector | None = None

    def put_behind(self, behind: BackgroundFrames) -> None:
        """Have the composite over these frames, which are closed with the files; before `open`."""
        self._behind = behind

    def open(self) -> None:
        """Open the files.

        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: they cannot be written.
        """
        if self._behind is not None:
            self._open_files.enter_context(self._behind)
        for kind, target in self._targets.items():
            create = create_temporary_folder if target.pictures else create_temporary
            self._temporary[kind] = create(target.path)
            if kind is OutputKind.MATTE:
                self._matte_writer = self._open_matte(self._temporary[kind])
                continue
            if target.vr is not None:
                self._vr_writers[kind] = self._open_vr(kind, target.vr)
                continue
            if kind.is_delivered:
                self._format_writers[kind] = self._open_format(kind, target)
                continue
            self._writers[kind] = create_writer(
                kind,
                self._temporary[kind],
                target,
                source=self._source,
                encoding=self._options.encoding,
                output_format=self._formats[kind],
            )
            self._open_files.enter_context(self._writers[kind])

    def write(self, mattes: TimedBatch[FrameParts[Matte]]) -> None:
        """Bring mattes to their full size, and write them and what is made of them.

        Raises:
            EncodeError, StorageError: as the writers.
            MachineError: there is too little memory.
        """
        times = iter(mattes.pts)
        for frames in mattes.parts:
            stored = render_matte_planes(frames, renderer=self._renderer)
            pts = list(islice(times, len(frames)))
            self.write_stored(StoredFrames(frames.source, stored), pts, between_views(frames))

    def write_stored(
        self, frames: StoredFrames, pts: Sequence[int], views: Tensor | None = None
    ) -> None:
        """Write mattes and what is made of them, at times that count from the first frame.

        Args:
            frames: T of them.
            pts: T times, in ticks of the source's time base.
            views: as `between_views` returns it.
        Raises:
            EncodeError, StorageError: as the writers.
            MachineError: there is too little memory.
        """
        if self._first_pts is None:
            self._first_pts = pts[0]
        times = [time - self._first_pts for time in pts]
        if self._matte_writer is not None:
            self._matte_writer.write(frames.matte.to(CPU), times)
        if self.signs is not None:
            self.signs.take(frames, views)
        if self._edges != KeyEdges():
            frames = with_edges(frames, self._edges, self._colour)
        if self._writers:
            self._write_composed(frames, times)
        if self._format_writers:
            self._write_formats(frames, times)
        for writer in self._vr_writers.values():
            writer.write(frames, times)

    def _write_composed(self, frames: StoredFrames, times: Sequence[int]) -> None:
        """Write what has its alpha applied, and alphas as pictures of their own."""
        formats = {kind: self._formats[kind].sample_format for kind in self._writers}
        if isinstance(self._options.background, BackgroundFile):
            frames = self._over_background(frames, formats)
        pictures = compose_outputs(
            frames, formats, self._colour, keep_on_device=self._encoded_on_device()
        )
        for kind, writer in self._writers.items():
            writer.write(pictures[kind], times)

    def _write_formats(self, frames: StoredFrames, times: Sequence[int]) -> None:
        """Write what has its alpha beside its colours; the same colours are made once."""
        targets = {
            kind: self._formats[kind].sample_format
            for kind in self._format_writers
            if DELIVERED[kind].alpha is not AlphaTravel.ALONE
        }
        colours, alpha = straight_foregrounds(frames, set(targets.values()))
        for kind, writer in self._format_writers.items():
            colour = colours[targets[kind]] if kind in targets else None
            writer.write(DeliveredFrames(colour, alpha), times)

    def _open_format(self, kind: OutputKind, target: OutputTarget) -> FormatWriter:
        writer = create_format_writer(
            DELIVERED[kind],
            self._temporary[kind],
            source=self._source,
            encoding=self._options.encoding,
            samples=self._formats[kind],
            first_frame=target.first_frame,
            only_frames=target.only_frames,
        )
        return self._open_files.enter_context(writer)

    def _open_vr(self, kind: OutputKind, plan: VrPlan) -> VrWriter:
        writer = VrWriter(
            self._temporary[kind],
            plan,
            source=self._source,
            options=self._options,
            samples=self._formats[kind],
        )
        return self._open_files.enter_context(writer)

    @property
    def _colour(self) -> tuple[int, int, int]:
        """The colour behind the people; black, which has no hue, where frames are there."""
        background = self._options.background
        return BLACK if isinstance(background, BackgroundFile) else background

    def _over_background(
        self, frames: StoredFrames, formats: Mapping[OutputKind, SampleFormat]
    ) -> StoredFrames:
        """Return frames with those of the background behind them, if these are to be seen."""
        if self._behind is None or OutputKind.COMPOSITE not in formats:
            return frames
        target = background_format(frames.source, formats[OutputKind.COMPOSITE])
        return replace(frames, behind=self._behind.take(len(frames), target))

    def _open_matte(self, path: Path) -> MatteWriter:
        source = self._source
        writer = MatteWriter(
            path,
            size_px=source.size_px,
            time_base=source.time_base,
            rate=source.rate,
            sample_format=source.sample_format,
        )
        return self._open_files.enter_context(writer)

    def _encoded_on_device(self) -> set[OutputKind]:
        """Return the outputs whose writer takes pictures from where they were computed."""
        if not self._options.encoding.by_hardware:
            return set()
        return {kind for kind, target in self._targets.items() if not target.pictures}

    def finish(self, on_frames: Callable[[int], None]) -> None:
        """Complete, check and flush all outputs; they have their temporary names still.

        Args:
            on_frames: told how many more frames of an output have been checked; none: it goes on.
        Raises:
            EncodeError: an output could not be encoded whole.
            MediaError: the background was changed meanwhile.
            StorageError: an output could not be written.
        """
        if self._matte_writer is not None:
            self._matte_writer.finish(on_frames)
        for writers in (self._writers, self._format_writers, self._vr_writers):
            for writer in writers.values():
                writer.finish(on_frames)
        if self._behind is not None:
            self._behind.require_unchanged()
        self._open_files.close()
        for kind, target in self._targets.items():
            if not target.pictures:  # those have been flushed one by one
                atomic_files.flush(self._temporary[kind])

    @property
    def temporary(self) -> Mapping[OutputKind, Path]:
        """Where each output is until somebody gives it its name."""
        return self._temporary

    def release(self) -> None:
        """Leave the finished outputs to somebody who gives them their names."""
        self._temporary = {}

    def close(self) -> None:
        """Close the files, and remove them unless they were released."""
        try:
            self._open_files.close()
        finally:
            self._writers.clear()  # encoders end with the last reference to them
            self._format_writers.clear()
            self._vr_writers.clear()
            self._matte_writer = None
            for path in self._temporary.values():
                atomic_files.discard(path)
