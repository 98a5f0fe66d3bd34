"""Frames of a user's program, as arrays or as tensors, and what goes back to it in the same form.

Only what has frames imports this: it loads torch and numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.errors import InputError
from matting.imaging.planes import Planes, signed_view
from matting.imaging.sample_format import SampleFormat

BITS = {torch.uint8: 8, torch.uint16: 16}
EXPECTED = "Give uint8 or uint16 frames: an array [T, H, W, 3], or a tensor [T, 3, H, W]."


def frames_to_planes(frames: NDArray[Any] | Tensor) -> Planes:
    """Return frames as the program has them, in the same memory where that is possible.

    Raises:
        InputError: they have another shape or type than `MattingSession.matte` takes.
    """
    if isinstance(frames, Tensor):
        rgb = frames
    elif isinstance(frames, np.ndarray):
        if frames.dtype.newbyteorder("=") not in (np.uint8, np.uint16) or frames.ndim != 4:
            raise _refused(frames)
        rgb = torch.from_numpy(_native(frames)).permute(0, 3, 1, 2)
    else:
        raise InputError(f"Frames are no {type(frames).__name__}.", EXPECTED)
    if rgb.dtype not in BITS or rgb.ndim != 4 or rgb.shape[1] != 3 or 0 in rgb.shape[2:]:
        raise _refused(frames)
    return Planes(SampleFormat(BITS[rgb.dtype]), rgb)


class FrameMattes:
    """The mattes of frames, which come some after the other; on the device of the frames.

    Attributes:
        alpha: [T, 1, H, W], float32, in [0, 1].
        colours: [T, 3, H, W], as the frames.
    """

    def __init__(self, source: Planes) -> None:
        shape, device = source.luma_or_rgb.shape, source.device
        self.alpha = torch.empty(shape[0], 1, *shape[2:], device=device)
        self.colours = torch.empty(shape, dtype=source.luma_or_rgb.dtype, device=device)
        self._known = 0

    def add(self, alpha: Tensor, colours: Tensor) -> None:
        """Take those of the next frames, on any device."""
        frames = slice(self._known, self._known + len(alpha))
        self.alpha[frames].copy_(alpha)
        signed_view(self.colours)[frames].copy_(signed_view(colours))
        self._known = frames.stop


def like_frames(
    frames: NDArray[Any] | Tensor, mattes: FrameMattes
) -> tuple[NDArray[Any], NDArray[Any]] | tuple[Tensor, Tensor]:
    """Return alpha and foreground in the form that the frames have."""
    if isinstance(frames, Tensor):
        return mattes.alpha, mattes.colours
    return mattes.alpha[:, 0].numpy(), mattes.colours.permute(0, 2, 3, 1).numpy()


def _native(frames: NDArray[Any]) -> NDArray[Any]:
    """Return an array that torch can share: writable, contiguous, in this computer's byte order."""
    own = np.ascontiguousarray(frames, dtype=frames.dtype.newbyteorder("="))
    return own if own.flags.writeable else own.copy()


def _refused(frames: NDArray[Any] | Tensor) -> InputError:
    shape = ", ".join(map(str, frames.shape))
    return InputError(f"Frames [{shape}] of {frames.dtype} cannot be matted.", EXPECTED)
