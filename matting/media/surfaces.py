"""Pictures as frames that NVENC reads where they lie."""

from __future__ import annotations

from collections import deque

import av.video.frame
import torch
from av.video.frame import VideoFrame
from torch import Tensor

from matting.imaging.planes import Planes
from matting.media import card

PITCH_BYTES = 256  # what a line takes is a multiple of this


class Surfaces:
    """Memory for the frames that an encoder holds: each is used again when it has let go of it.

    NVENC remembers a frame by its address, so these addresses must stay the encoder's own. It takes
    that of luma only, and expects chroma, Cb and Cr side by side, in the lines right below.
    """

    def __init__(self, pixel_format: str, device: torch.device) -> None:
        """
        Args:
            pixel_format: nv12 or p010le.
            device: where the pictures lie; on a card, in the thread that will encode them.
        """
        self._pixel_format = pixel_format
        self._device = device
        self._free: list[Tensor] = []
        self._lent: deque[Tensor] = deque()
        self._context: av.video.frame.CudaContext | None = None
        if device.type == "cuda":
            card.enter(device)
            self._context = av.video.frame.CudaContext(
                device.index or 0, primary_ctx=False, current_ctx=True
            )

    def frame(self, picture: Planes) -> VideoFrame:
        """One picture as a frame; an odd width or height grows by a pixel, which repeats the edge.

        Args:
            picture: [1, .., H, W] in the format's bits; grey where it has no chroma.
        """
        height, width = picture.height + picture.height % 2, picture.width + picture.width % 2
        surface = self._free.pop() if self._free else self._new(height, width, picture.main.dtype)
        self._lent.append(surface)
        luma, chroma = surface[:height, :width], surface[height:, :width].unflatten(1, (-1, 2))
        luma[: picture.height, : picture.width] = picture.main[0, 0]
        luma[:, picture.width :] = luma[:, picture.width - 1 : picture.width]
        luma[picture.height :] = luma[picture.height - 1 : picture.height]
        if picture.chroma is None:
            chroma.fill_(int(picture.coding.chroma[0]) << picture.coding.shift)
        else:
            chroma.copy_(picture.chroma[0].permute(1, 2, 0))
        if self._device.type == "cuda":  # NVENC waits for nobody
            written = torch.cuda.Event(blocking=True)
            written.record(torch.cuda.current_stream(self._device))
            written.synchronize()
        return VideoFrame.from_dlpack(
            (luma, chroma), self._pixel_format, width, height, cuda_context=self._context
        )

    def release(self, frames: int) -> None:
        """Takes back the surfaces of the next frames, which have come out of the encoder."""
        for _ in range(frames):
            self._free.append(self._lent.popleft())

    def _new(self, height: int, width: int, kind: torch.dtype) -> Tensor:
        """[height * 3 / 2, pitch]."""
        samples = PITCH_BYTES // kind.itemsize
        pitch = -(-width // samples) * samples
        return torch.empty((height * 3 // 2, pitch), dtype=kind, device=self._device)
