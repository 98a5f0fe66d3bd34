"""The session: a network on its device, and the one place where its recurrent state is kept.

The picture may be divided: then each part is matted by itself, with a state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch

from matting.errors import InputError
from matting.imaging.compositor import Matte
from matting.imaging.device_copy import to_device
from matting.imaging.frame_parts import WHOLE_PICTURE, FrameParts, PicturePart
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.base import (
    FrameFeatures,
    RecurrentOutput,
    RecurrentState,
    TrainedNetwork,
)
from matting.inference.precision import disable_tf32
from matting.inference.ready_network import make_ready
from matting.inference.session_state import PartState, SessionState, load_session_state
from matting.inference.small_people import SmallPeople
from matting.inference.two_views import TwoViews
from matting.network_choice import RUN_UP_FRAMES, MatteQuality, Subject
from matting.options import Precision
from matting.system.accelerators import alone_on, frames_device, free_bytes
from matting.system.memory import Splittable, enough_memory, in_parts

A = TypeVar("A")
F = TypeVar("F", bound=Splittable)

GPU_CHUNK_FRAMES = 8
CHUNKS_IN_FLIGHT = 12  # between the reader and the writer, the results of one included
FEATURES_SHARE = 0.03  # of what the network needs for a frame: its features (counted)
GPU_SHARE = 0.5  # of the free memory; the rest is for libraries, codecs and other programs
LEAST_GPU_BYTES = 2 << 30  # taken for free where a GPU does not say
WORTHWHILE_BYTES = 10 << 30  # of free memory: with more, more frames at once gain nothing


def automatic_ratio(size: Size, subject: Subject) -> float:
    """Return the downsample ratio at which the small copy's short side suits the subject, <= 1.

    Args:
        size: of what one eye sees, which may be a part of the picture.
    """
    return min(1.0, subject.short_side_px / min(size))


def frames_that_fit(
    memory_bytes: int, sample_format: SampleFormat, size: Size, network_bytes: float
) -> int:
    """Return how many frames can be computed at once in a GPU's free memory; at least 1.

    The first frames of a shot wait for its run-up beside them.

    Args:
        memory_bytes: what is free.
        sample_format, size: the frames'.
        network_bytes: what the network needs for one frame.
    """
    samples_bytes = sample_format.pixel_bytes * size.width * size.height
    waiting_bytes = RUN_UP_FRAMES * (samples_bytes + FEATURES_SHARE * network_bytes)
    frame_bytes = network_bytes + CHUNKS_IN_FLIGHT * samples_bytes
    return max(1, int((GPU_SHARE * memory_bytes - waiting_bytes) / frame_bytes))


class MattingSession:
    """Mattes frames in order, carrying the network's state from one chunk to the next.

    Attributes:
        device: where it computes.
        frames_device: where full-size frames are meanwhile.
        choice: the precision: fp32, fp16 or bf16.
    """

    def __init__(
        self,
        network: TrainedNetwork,
        device: torch.device,
        precision: Precision,
        largest_chunk: int | None = None,
        *,
        quality: MatteQuality = MatteQuality.NORMAL,
        small_people: bool = False,
        weights: str = "",
    ) -> None:
        """
        Args:
            precision: the states stay float32 in all of them. AUTO is what `make_ready` chooses.
            largest_chunk: how many frames to compute at once at most. None: on the CPU one (more
                push each other out of its caches: 1.5 to 2 times slower at 8), on a GPU as many as
                make it faster.
            quality: BEST: every frame is seen twice.
            small_people: whether to see people who are small in the picture again, larger.
            weights: the SHA-256 of the network's, as for `make_ready`.
        Raises:
            InputError: the precision does not work on the device.
            MachineError: the network does not fit into its memory, or it refuses to work.
        """
        disable_tf32()
        with enough_memory(), alone_on(device):
            ready = make_ready(network, device, precision, weights)
        self.choice = ready.choice
        self._network = ready.network
        if quality is MatteQuality.BEST:
            self._network = TwoViews(self._network)
        self.device, self.frames_device = device, frames_device(device)
        default = 1 if device.type == "cpu" else GPU_CHUNK_FRAMES
        self._largest_chunk = largest_chunk or default
        self._chunks: dict[tuple[SampleFormat, Size, float], int] = {}
        self._state: SessionState | None = None
        self._small_people = SmallPeople(self._network) if small_people else None

    def chunk_frames(self, sample_format: SampleFormat, size: Size, ratio: float) -> int:
        """Return how many frames of that format and size to compute at once.

        On a GPU, no more than its free memory allows.
        """
        if self.device.type == "cpu":
            return self._largest_chunk
        kind = sample_format, size, ratio
        if kind not in self._chunks:  # asked once: later, the segment before takes room
            free = free_bytes(self.device)
            usable = LEAST_GPU_BYTES if free is None else min(free, WORTHWHILE_BYTES)
            network_bytes = self._network.frame_bytes(size, ratio)
            self._chunks[kind] = frames_that_fit(usable, sample_format, size, network_bytes)
        return min(self._largest_chunk, self._chunks[kind])

    def mattes(self, source: Planes, ratio: float) -> list[Matte]:
        """Return the mattes of the next frames, undivided: all steps in one; raises as these."""
        outputs = self.run_recurrent(self.extract_features(source, ratio))
        return [frames.whole for frames in self.fit_guided_filter(outputs)]

    def extract_features(
        self, source: Planes, ratio: float, parts: tuple[PicturePart, ...] = WHOLE_PICTURE
    ) -> list[FrameParts[FrameFeatures]]:
        """Take the first step, on each frame by itself. Any thread may, ahead of the others.

        Args:
            source: on any device.
            ratio: the downsample ratio, in (0, 1]; the same until the next `reset`.
            parts: into which each frame is divided; also the same until then.
        Returns:
            The features of all frames, in several batches where memory is short.
        Raises:
            InputError: the small copy would be smaller than the network can take.
            MachineError: there is too little memory for a single frame.
        """
        shortest = min(min(part.size(source.size)) for part in parts)
        if shortest * ratio < self._network.smallest_px and ratio < 1:
            raise InputError(
                f"At a downsample ratio of {ratio:g}, nothing is left of a picture of this size.",
                "Use a larger --downsample-ratio, or auto.",
                option="--downsample-ratio",
            )

        def extract(frames: Planes) -> FrameParts[FrameFeatures]:
            frames = to_device(frames, self.frames_device)
            # One after another: as a batch, two eyes of 768x432 took a CPU 414 ms, not 331.
            features = (self._network.extract_features(part.cut(frames), ratio) for part in parts)
            return FrameParts(frames, parts, tuple(features))

        return self._in_parts(extract, source.split(self._largest_chunk))

    def run_recurrent(
        self, features: Sequence[FrameParts[FrameFeatures]]
    ) -> list[FrameParts[RecurrentOutput]]:
        """Take the second step, on the next frames, and move the state on.

        Raises:
            MachineError: as `extract_features`.
        """

        def run(frames: FrameParts[FrameFeatures]) -> FrameParts[RecurrentOutput]:
            # A state is never changed in place: what fails can be done again.
            before = self._state.parts if self._state else (None,) * len(frames.parts)
            pairs = zip(frames.contents, before, strict=True)
            results = [self._run_part(content, state) for content, state in pairs]
            self._state = SessionState(tuple(state for _, state in results))
            outputs = tuple(output for output, _ in results)
            return FrameParts(frames.source, frames.parts, outputs)

        return self._in_parts(run, features)

    def fit_guided_filter(
        self, output: Sequence[FrameParts[RecurrentOutput]]
    ) -> list[FrameParts[Matte]]:
        """Take the third step. Any thread may, while others go on.

        Raises:
            MachineError: as `extract_features`.
        """

        def fit(part: RecurrentOutput) -> Matte:
            matte = self._network.fit_guided_filter(part)
            crops = (crop.made_into(self._network.fit_guided_filter) for crop in part.crops)
            return replace(matte, crops=tuple(crops)) if part.crops else matte

        return self._in_parts(lambda frames: frames.made_into(fit), output)

    def has_state_for(
        self, size: Size, ratio: float, parts: Sequence[PicturePart] = WHOLE_PICTURE
    ) -> bool:
        """Return whether there is a state, of such parts of frames of that size at that ratio."""
        sizes = [part.size(size) for part in parts]
        return self._state is not None and self._state.fits_parts(sizes, ratio)

    def reset(self) -> None:
        """Forget the frames so far."""
        self._state = None

    def settle(self) -> None:
        """Count what is seen of small people fully from the next frame on.

        It is for the end of a run-up, whose frames are not shown: else that would come by and by.
        """
        if self._state is not None:
            self._state = SessionState(tuple(map(_settled, self._state.parts)))

    @property
    def state(self) -> SessionState | None:
        """The state after the last frame, on the device; None before the first. Never changed."""
        return self._state

    @state.setter
    def state(self, state: RecurrentState | None) -> None:
        if state is not None and not isinstance(state, SessionState):
            state = SessionState((PartState(state),))
        with alone_on(self.device):
            self._state = None if state is None else state.to(self.device)

    def load_state(self, content: bytes) -> None:
        """Take the state that `to_bytes` saved.

        Raises:
            UnusableStateError: it cannot be used; then there is none.
        """
        self._state = None
        with alone_on(self.device):
            self._state = load_session_state(content, self._network.load_state)

    def _run_part(
        self, features: FrameFeatures, before: PartState | None
    ) -> tuple[RecurrentOutput, PartState]:
        """Return what comes of a part of the next frames, and what to remember of it.

        Args:
            before: what this returned for the frames before; None: there are none.
        """
        output, main = self._network.run_recurrent(features, before.main if before else None)
        if self._small_people is None:
            return output, PartState(main)
        people, states = (before.people, before.further) if before else (None, {})
        output, people, states = self._small_people.run(output, people, states)
        return output, PartState(main, states, people)

    def _in_parts(self, work: Callable[[F], A], parts: Sequence[F]) -> list[A]:
        """Return the results of `work`; if a part is too large, later chunks are smaller, too."""
        results: list[A] = []
        for part in parts:
            of_part = in_parts(work, part, self.device)
            if len(of_part) > 1:
                self._largest_chunk = min(self._largest_chunk, -(-len(part) // len(of_part)))
            results += of_part
        return results


def _settled(part: PartState) -> PartState:
    return part if part.people is None else replace(part, people=part.people.settled())
