"""What is made of the mattes of a segment: its files opened, and what a user has to know said."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from matting.background import BackgroundFile, plain_colour
from matting.delivery.formats import DELIVERED
from matting.delivery.output_target import OutputTarget
from matting.delivery.outputs import output_formats
from matting.delivery.segment_writer import SegmentWriter
from matting.delivery.sign_collector import SignCollector
from matting.imaging.compositor import RenderFunction
from matting.imaging.renderer import Renderer
from matting.media.background import Background, light_of
from matting.media.background_frames import BackgroundFrames
from matting.media.encoder_table import encoder_spec
from matting.media.encoders import EncoderInput
from matting.media.source import FrameSource
from matting.options import (
    MattingOptions,
    OutputKind,
    OutputOptions,
    RendererBackend,
)
from matting.progress import Progress, quantity
from matting.project.segment_signs import apart_seconds
from matting.system.device import computer_and_device
from matting.view import StereoLayout
from matting.workers.segment_job import SegmentJob

HDR_LOST = (
    "The graphics card's encoder (NVENC) leaves out what the video says of its HDR picture: the "
    "mastering display and the light levels."
)
RENDERER_WORDS = {RendererBackend.FUSED: "in one pass", RendererBackend.PLAIN: "in bands"}
NOTED = {OutputKind.COMPOSITE}  # what is said of it holds for what goes with it
GPU_CHUNK_FRAMES = 4  # on the CPU one: more push each other out of its caches

CreateWriter = Callable[
    [
        FrameSource,
        OutputOptions,
        Mapping[OutputKind, OutputTarget],
        Mapping[OutputKind, EncoderInput],
        RenderFunction,
    ],
    SegmentWriter,
]


class RenderStage:
    """Begins segments whose mattes are stored, and what is common to all."""

    def __init__(
        self,
        device: torch.device,
        options: MattingOptions,
        create_writer: CreateWriter = SegmentWriter,
    ) -> None:
        """
        Args:
            device: where full-size frames are.
            create_writer: creates the writer of a segment's files.
        Raises:
            MissingError: the renderer that is asked for is not there.
        """
        self._device = device
        self._computer = computer_and_device(device)
        self._output = options.output
        self._largest_chunk = options.compute.largest_chunk
        self._create_writer = create_writer
        self._notes_said: set[str] = set()
        self._renderer_notes: deque[str] = deque()  # from another thread
        self._background: Background | None = None
        self._renderer = Renderer(options.compute.renderer, device, self._renderer_notes.append)

    def chunk_frames(self, job: SegmentJob) -> int:
        """Return how many frames of the segment to process at once."""
        most = 1 if self._device.type == "cpu" else GPU_CHUNK_FRAMES
        return min(most, self._largest_chunk or most)

    def begin(self, job: SegmentJob, progress: Progress) -> None:
        """Announce a segment, and make its writer.

        Raises:
            MissingError: this build of FFmpeg refuses.
        """
        progress.begin_segment(job.name)
        self._begin_writing(job, progress)
        progress.detail(f"{job.name}: from its stored matte")

    def end(self, job: SegmentJob, progress: Progress) -> None:
        """Say what was noted while a segment was worked on."""
        while self._renderer_notes:
            progress.say(self._renderer_notes.popleft())

    def _begin_writing(self, job: SegmentJob, progress: Progress) -> None:
        """Make the writer of a segment's files, and say what becomes of the samples."""
        source, targets = job.source, job.task.targets
        formats = output_formats(source, self._output.encoding, targets)
        job.writer = self._create_writer(source, self._output, targets, formats, self._renderer)
        if job.task.signs is not None:
            item = job.task.item
            seconds = job.task.signs.video_seconds or source.frames / source.rate
            job.writer.signs = SignCollector(
                job.task.signs.moments,
                max(1, math.ceil(source.rate * apart_seconds(seconds))),
                plain_colour(self._output.background),
                light=light_of(source.colour, source.sample_format),
                eyes=item.view.stereo if item.view else StereoLayout.MONO,
                made_by=f"{self._computer}, {self._network(job)}",
            )
        notes = [job.note, *source.notes]
        if OutputKind.COMPOSITE in formats and isinstance(self._output.background, BackgroundFile):
            behind = self._behind(job, self._output.background.path)
            job.writer.put_behind(behind)
            notes += behind.notes
        notes += [own.note for kind, own in formats.items() if kind in NOTED or kind.is_delivered]
        if source.hdr and self._output.encoding.by_hardware:
            notes.append(HDR_LOST)
        self._say_once(notes, progress)
        progress.detail(self._backends(job))

    def _behind(self, job: SegmentJob, path: Path) -> BackgroundFrames:
        """Return the frames of a file that are behind a segment's."""
        if self._background is None:
            self._background = Background.open(path)
        times = job.task.item.frame_times(job.source, self._output.frame_rate)
        return BackgroundFrames(self._background, job.source, times)

    def _network(self, job: SegmentJob) -> str:
        """Return a few words on the network."""
        return "the mattes are stored"

    def _backends(self, job: SegmentJob) -> str:
        """Return a line on what does the work."""
        frames = quantity(self.chunk_frames(job), "frame")
        return (
            f"Decoding {'by NVDEC' if job.decoded_by_gpu else 'in software'}; "
            f"{self._network(job)}, {frames} at once; "
            f"full-size pictures {RENDERER_WORDS[self._renderer.backend]}; "
            f"encoding by {self._encoders(job.task.targets)}."
        )

    def _encoders(self, targets: Mapping[OutputKind, OutputTarget]) -> str:
        """Return what encodes, as people call it."""
        names = set()
        for kind, target in targets.items():
            if kind.is_delivered and DELIVERED[kind].codec:
                names.add(DELIVERED[kind].codec)
            elif kind is not OutputKind.MATTE:
                asked = encoder_spec(self._output.encoding).encoder
                names.add("PNG" if target.pictures else asked)
        return ", ".join(sorted(names)) or "FFV1"

    def _say_once(self, notes: list[str], progress: Progress) -> None:
        """Say what happens to the samples where that is not what everybody expects."""
        for note in notes:
            if note and note not in self._notes_said:
                self._notes_said.add(note)
                progress.say(note)
