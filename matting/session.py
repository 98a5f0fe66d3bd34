"""MattingSession: the network on its device, and the only owner of its recurrent state."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from matting.composite import Matte, pictures
from matting.device import enough_memory, release_memory
from matting.errors import InputError, OutOfMemoryError
from matting.full_size import Make
from matting.planes import Coding, Planes, joined
from matting.sdr_view import sdr_view
from matting.transfer import to_card, to_host
from matting.yuv import small_rgb
from model import MattingNetwork, State

PRECISIONS = {
    # float32 until half precision's drift over thousands of frames has been measured
    "auto": torch.float32,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}

CPU = torch.device("cpu")
SMALLEST_PX = 16
GPU_CHUNK_FRAMES = 8
GPU_CHUNK_PX = 8_000_000

# The small copy's short side for each kind of shot: the authors' guide to the ratio.
SHORT_SIDE_PX = {"full-body": 432, "portrait": 270}


def require_precision(precision: str, device: torch.device) -> None:
    """Refuses what does not work together.

    Raises:
        InputError: half precision on the CPU.
    """
    if device.type == "cpu" and PRECISIONS[precision] == torch.float16:
        raise InputError("--precision fp16 needs a graphics card.", "Use fp32 or bf16 on the CPU.")


def automatic_ratio(width_px: int, height_px: int, subject: str) -> float:
    """The downsample ratio at which the small copy's short side suits the subject, at most 1."""
    return min(1.0, SHORT_SIDE_PX[subject] / min(width_px, height_px))


class MattingSession:
    """Mattes frames in order, carrying the network's state from one chunk to the next."""

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
        with enough_memory():
            self._network = folded(network).to(device)
        self._device = device
        self._dtype = PRECISIONS[precision]
        self._largest_chunk = largest_chunk or GPU_CHUNK_FRAMES
        self._state: State | None = None

    def chunk_frames(self, width_px: int, height_px: int) -> int:
        """How many frames of that size to give to `matte` at once.

        On the CPU one: more only push each other out of its caches (measured: 1.5 to 2 times
        slower at 8). On a graphics card as many as keep a chunk's memory bounded.
        """
        if self._device.type == "cpu":
            return 1
        return max(1, min(self._largest_chunk, GPU_CHUNK_PX // (width_px * height_px)))

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
        release_memory(self._device)
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
        mattes = self.mattes(source, ratio)
        made = [composed(matte, targets, background, device=CPU) for matte in mattes]
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
        with enough_memory(), torch.inference_mode(), self._autocast():
            source = to_card(source, self._device)
            small = sdr_view(small_rgb(source, ratio), source.coding)
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
            r1, r2, r3, r4 = (r.to(self._device) for r in state)
            self._state = r1, r2, r3, r4

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        if self._dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self._device.type, dtype=self._dtype)


def composed(
    matte: Matte,
    targets: Mapping[str, Coding],
    background: tuple[int, int, int],
    *,
    make: Make = pictures,
    device: torch.device | None = None,
) -> dict[str, Planes]:
    """The results of a matte; where memory is short, a part of the frames at a time.

    Needs no state, so that it can be done in another thread than the network's work.

    Args:
        targets, background: as for `composite.pictures`.
        make: how they are made, such as a `FullSize`.
        device: the CPU, to bring them there; None: they stay where they are made.
    Returns:
        Per kind the frames.
    Raises:
        MachineError: there is too little memory for a single frame.
    """
    try:
        with enough_memory():
            found = make(matte, targets, background)
            if device != CPU:
                return found
            return {kind: to_host(planes) for kind, planes in found.items()}
    except OutOfMemoryError:
        if len(matte.source) == 1:
            raise
    release_memory(matte.offset.device)
    halves = matte.split(len(matte.source) // 2)
    made = [composed(half, targets, background, make=make, device=device) for half in halves]
    return {kind: joined([m[kind] for m in made]) for kind in targets}


def folded(network: MattingNetwork) -> MattingNetwork:
    """A copy of `network`, in evaluation mode, with every batch norm part of its convolution.

    The same function but for rounding, with a pass over memory less for each of them.
    """
    network = copy.deepcopy(network).eval()
    for block in network.modules():
        if not isinstance(block, nn.Sequential):
            continue
        for index in range(len(block) - 1):
            convolution, norm = block[index], block[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[index] = fuse_conv_bn_eval(convolution, norm)
                block[index + 1] = nn.Identity()
    return network
