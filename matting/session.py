"""MattingSession: the network on its device, and the only owner of its recurrent state."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch

from matting.composite import Matte, pictures
from matting.device import enough_memory, free_bytes, release_memory
from matting.errors import InputError, OutOfMemoryError
from matting.full_size import Make
from matting.planes import Coding, Planes, joined
from matting.precision import PRECISIONS, exact_float32, require_precision, suitable_precision
from matting.sdr_view import sdr_view
from matting.transfer import to_card, to_host
from matting.yuv import small_rgb
from model import MattingNetwork, State, inference_network

SMALLEST_PX = 16
GPU_CHUNK_FRAMES = 8
NETWORK_BYTES = 500  # at its peak, for each pixel of the small copy (measured, all precisions)
CHUNKS_AT_ONCE = 8  # held between the reader and the writer, the results of one included
GPU_SHARE = 0.5  # of the free memory; the rest is for libraries, codecs and other programs

# The small copy's short side for each kind of shot: the authors' guide to the ratio.
SHORT_SIDE_PX = {"full-body": 432, "portrait": 270}


def automatic_ratio(width_px: int, height_px: int, subject: str) -> float:
    """The downsample ratio at which the small copy's short side suits the subject, at most 1."""
    return min(1.0, SHORT_SIDE_PX[subject] / min(width_px, height_px))


def frames_in(memory: int, coding: Coding, size_px: tuple[int, int], ratio: float) -> int:
    """How many frames can be computed at once in so many bytes of a card's free memory; 1 at least.

    Args:
        coding, size_px: the frames', width and height.
        ratio: the downsample ratio.
    """
    pixels = size_px[0] * size_px[1]
    frame = NETWORK_BYTES * pixels * ratio**2 + CHUNKS_AT_ONCE * coding.pixel_bytes * pixels
    return max(1, int(GPU_SHARE * memory / frame))


class MattingSession:
    """Mattes frames in order, carrying the network's state from one chunk to the next.

    Attributes:
        device: where it computes.
        precision: fp32, fp16 or bf16.
    """

    def __init__(
        self,
        network: MattingNetwork,
        device: torch.device,
        precision: str,
        largest_chunk: int | None = None,
    ) -> None:
        """
        Args:
            network: with its weights, in evaluation mode.
            precision: auto, fp32, fp16 or bf16. The states stay float32 in all of them.
            largest_chunk: how many frames to compute at once at most; None: as suits the device.
        Raises:
            InputError: that precision does not work on that device.
        """
        require_precision(precision, device)
        self.precision = suitable_precision(precision, device)
        exact_float32()
        with enough_memory():
            self._network = inference_network(network, PRECISIONS[self.precision]).to(device)
        self.device = device
        self._largest_chunk = largest_chunk or GPU_CHUNK_FRAMES
        self._chunks: dict[tuple[Coding, tuple[int, int], float], int] = {}
        self._state: State | None = None

    def chunk_frames(self, coding: Coding, size_px: tuple[int, int], ratio: float) -> int:
        """How many frames of that coding, width and height to give to `matte` at once.

        On the CPU one: more only push each other out of its caches (measured: 1.5 to 2 times
        slower at 8). On a graphics card as many as its free memory allows, up to a bound from
        which on more are no faster.
        """
        if self.device.type == "cpu":
            return 1
        kind = coding, size_px, ratio
        if kind not in self._chunks:  # later, the frames of the segment before take room
            self._chunks[kind] = frames_in(free_bytes(self.device), *kind)
        return min(self._largest_chunk, self._chunks[kind])

    def mattes(self, source: Planes, ratio: float) -> list[Matte]:
        """The mattes of the next frames; where memory is short, computed in smaller chunks.

        Args:
            source, ratio: as for `matte`.
        Returns:
            one after the other, those of all frames.
        Raises:
            InputError: the copy would be smaller than 16 px.
            MachineError: there is too little memory for a single frame.
        """
        parts = source.split(self._largest_chunk)
        if len(parts) > 1:
            return [matte for part in parts for matte in self.mattes(part, ratio)]
        state = self._state
        try:
            with enough_memory():
                return [self.matte(source, ratio)]
        except OutOfMemoryError:
            if len(source) == 1:
                raise
            # A state is never changed in place: from here it can be done again.
            self._state = state
            self._largest_chunk = len(source) // 2
        release_memory(self.device)
        return self.mattes(source, ratio)

    def pictures(
        self,
        source: Planes,
        ratio: float,
        targets: Mapping[str, Coding],
        background: tuple[int, int, int],
    ) -> dict[str, Planes]:
        """The results of the next frames: `mattes` and `composed` in one.

        Raises:
            InputError, MachineError: as these.
        """
        made = [composed(matte, targets, background) for matte in self.mattes(source, ratio)]
        return {kind: joined([m[kind] for m in made]) for kind in targets}

    def fits(self, width_px: int, height_px: int, ratio: float) -> bool:
        """Whether there is a state, and it belongs to frames of that size at that ratio."""
        if self._state is None:
            return False
        height, width = int(height_px * ratio), int(width_px * ratio)
        expected = [
            (1, channels, -(-height // step), -(-width // step))
            for channels, step in ((16, 2), (20, 4), (40, 8), (64, 16))
        ]
        return [tuple(r.shape) for r in self._state] == expected

    def reset(self) -> None:
        """Forgets the frames seen so far."""
        self._state = None

    def matte(self, source: Planes, ratio: float) -> Matte:
        """The matte of the next frames.

        Args:
            source: on any device.
            ratio: the downsample ratio, in (0, 1]; the same until the next `reset`.
        Raises:
            InputError: the copy would be smaller than 16 px.
            MachineError: there is too little memory.
        """
        if min(source.height, source.width) * ratio < SMALLEST_PX and ratio < 1:
            raise InputError(
                f"At a downsample ratio of {ratio:g}, nothing is left of a picture of this size.",
                "Use a larger --downsample-ratio, or auto.",
            )
        with enough_memory(), torch.inference_mode():
            source = to_card(source, self.device)
            small = sdr_view(small_rgb(source, ratio), source.coding)
            small = small.contiguous(memory_format=torch.channels_last)
            slope, offset, self._state = self._network.fit(
                small, self._state, len(source), refine=ratio != 1
            )
            return Matte(source, slope, offset)

    @property
    def state(self) -> State | None:
        """r1 .. r4 after the last frame, [1, c, h, w] each, float32, on the CPU."""
        if self._state is None:
            return None
        r1, r2, r3, r4 = (r.float().cpu() for r in self._state)
        return r1, r2, r3, r4

    @state.setter
    def state(self, state: State | None) -> None:
        if state is None:
            self._state = None
        else:
            r1, r2, r3, r4 = (r.to(self.device, memory_format=torch.channels_last) for r in state)
            self._state = r1, r2, r3, r4


def composed(
    matte: Matte,
    targets: Mapping[str, Coding],
    background: tuple[int, int, int],
    *,
    make: Make = pictures,
    stay: Collection[str] = (),
) -> dict[str, Planes]:
    """The results of a matte; where memory is short, a part of the frames at a time.

    Needs no state, so that it can be done in another thread than the network's work.

    Args:
        targets, background: as for `composite.pictures`.
        make: how they are made, such as a `FullSize`.
        stay: the kinds that stay on the matte's device.
    Returns:
        Per kind the frames, the others on the CPU.
    Raises:
        MachineError: there is too little memory for a single frame.
    """
    try:
        with enough_memory():
            found = make(matte, targets, background)
            return {kind: p if kind in stay else to_host(p) for kind, p in found.items()}
    except OutOfMemoryError:
        if len(matte.source) == 1:
            raise
    release_memory(matte.offset.device)
    halves = matte.split(len(matte.source) // 2)
    made = [composed(half, targets, background, make=make, stay=stay) for half in halves]
    return {kind: joined([m[kind] for m in made]) for kind in targets}
