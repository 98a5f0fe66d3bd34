"""A stand-in for NVDEC: its surfaces lie in the CPU's memory, and software fills them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av
import torch
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.media.container import decode
from matting.media.cuda import SURFACE_FORMATS, Nvdec

CPU = torch.device("cpu")


@dataclass(frozen=True)
class FakeNvdec(Nvdec):
    """Decodes in software, into surfaces such as NVDEC's.

    Attributes:
        wrong: the frame that comes out black; None: all are right.
        broken: the frame at which the decoder fails.
        missing: the frame that never comes out.
    """

    device: torch.device = CPU
    wrong: int | None = None
    broken: int | None = None
    missing: int | None = None

    def accelerator(self) -> HWAccel | None:
        return None

    def frames(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        # FFmpeg's own decoder of AV1 does nothing without hardware.
        in_software = stream.codec_context.codec.canonical_name != "av1"
        decoder = self.decoder(stream) if in_software else None
        for index, frame in enumerate(decode(container, stream, decoder)):
            if index == self.broken:
                raise av.error.ExternalError(0, "CUDA_ERROR_UNKNOWN")
            surface = frame.reformat(
                format=SURFACE_FORMATS[frame.format.name],
                src_color_range=frame.color_range,
                dst_color_range=frame.color_range,
            )
            if index == self.wrong:
                surface = VideoFrame(surface.width, surface.height, surface.format.name)
            surface.pts, surface.time_base = frame.pts, frame.time_base
            if index != self.missing:
                yield surface


FAKE_NVDEC = FakeNvdec()
