"""NVIDIA's video hardware on memory that torch shares: NVDEC's frames, and surfaces for NVENC."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import av
import av.video.frame
import torch
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.stream import VideoStream
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from matting.imaging.orientation import Orientation
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.codecs import create_codec_context
from matting.media.container import decode
from matting.system.invocation import pip_line

# What NVDEC gives for what a software decoder gives: the same samples, Cb and Cr side by side, and
# more than 8 bits as the upper ones of 16.
SURFACE_FORMATS = {
    "yuv420p": "nv12",
    "yuvj420p": "nv12",
    "yuv420p10le": "p010le",
    "yuv420p12le": "p016le",
}
PITCH_BYTES = 256  # a line takes a multiple of this


def sharing_obstacle() -> str:
    """Return why this PyAV cannot share a GPU's memory with torch; "" where it can."""
    context = getattr(av.video.frame, "CudaContext", None)
    return "" if hasattr(context, "current_ctx") else _old_pyav()


def _old_pyav() -> str:
    return f"PyAV 18.1 or newer is needed for it: {pip_line('install', '--upgrade', 'av')}"


def make_current(device: torch.device) -> None:
    """Make torch's context of a GPU the calling thread's current one, before a codec is opened.

    FFmpeg is told to work in the current context. It cannot share torch's in any other way: one
    that torch has made first has other flags than FFmpeg insists on.
    """
    torch.cuda.set_device(device)
    torch.cuda.synchronize(device)  # the first real call is what makes the context current
    torch.cuda.empty_cache()  # a codec's memory is not torch's, which keeps what was freed


@dataclass(frozen=True)
class Nvdec:
    """The decoder of one GPU."""

    device: torch.device

    def frames(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decode a stream to frames on the GPU; PyAV's errors are the caller's."""
        yield from decode(container, stream, self.decoder(stream))

    def decoder(self, stream: VideoStream) -> VideoCodecContext:
        """Return a decoder that knows of the stream what its own does."""
        accelerator = self.accelerator()
        own = stream.codec_context
        # The codec's name finds FFmpeg's own decoder, the only one that has the hardware do it.
        decoder = create_codec_context(own.codec.canonical_name, "r", accelerator)
        if accelerator is not None and not decoder.is_hwaccel:
            raise av.error.DecoderNotFoundError(0, f"NVDEC knows no {decoder.name}")
        if own.extradata:
            decoder.extradata = own.extradata
        decoder.flags = own.flags
        # H.264 need not say how far frames are reordered. The stream's own decoder has been told
        # by the container's reader; one that finds it out by itself loses frames on the way.
        decoder.reorder_depth = own.reorder_depth
        decoder.thread_count = 1  # threads would each hold surfaces, and have nothing to do
        return decoder

    def accelerator(self) -> HWAccel | None:
        """Return FFmpeg's hardware decoding in torch's context; None, in a stand-in: software."""
        make_current(self.device)
        return HWAccel(
            "cuda",
            str(self.device.index),
            allow_software_fallback=False,
            options={"primary_ctx": "0", "current_ctx": "1"},
            is_hw_owned=True,
        )


def surface_format_of(frame: VideoFrame) -> str:
    """Return the pixel format of a frame's samples, wherever they lie."""
    return (frame.sw_format or frame.format).name


def planes_on_gpu(
    frame: VideoFrame, sample_format: SampleFormat, orientation: Orientation
) -> Planes:
    """Copy a frame of one of the SURFACE_FORMATS to planes [1, .., H, W] on the same device.

    The copy is made on torch's current stream of the calling thread. That is the default one, on
    which FFmpeg fills its frames: the copy comes after that, and before a frame's memory is filled
    again.

    Args:
        sample_format: of the samples once they are upright.
        orientation: what brings them upright.
    """
    luma, chroma = (_copy(plane, orientation) for plane in frame.planes)
    return Planes(sample_format, luma[None, None], chroma.permute(2, 0, 1)[None])


def _copy(plane: VideoPlane, orientation: Orientation) -> Tensor:
    """Return a plane's samples, [h, w] or [h, w, 2], upright, in memory of their own."""
    # Of the plane itself torch would ask to wait for its stream, which PyAV refuses.
    surface = from_dlpack(plane.__dlpack__())
    dtype = surface.dtype
    if dtype == torch.uint16:
        surface = surface.view(torch.int16)  # the same bits, in a type that every device can turn
    if orientation.mirrored:
        surface = surface.flip(1)
    turned = torch.rot90(surface, orientation.turns, (0, 1))
    return turned.clone(memory_format=torch.contiguous_format).view(dtype)


class SurfacePool:
    """Memory for the frames that an encoder holds; it is used again once the encoder is done.

    NVENC remembers a frame by its address, so these addresses must stay the encoder's own. It takes
    that of luma only, and expects chroma, Cb and Cr side by side, in the lines right below.
    """

    def __init__(self, pixel_format: str, device: torch.device) -> None:
        """
        Args:
            pixel_format: nv12 or p010le.
            device: where the frames are; for a GPU, call this in the thread that encodes them.
        """
        self._pixel_format = pixel_format
        self._device = device
        self._free: list[Tensor] = []
        self._in_use: deque[Tensor] = deque()
        self._context: av.video.frame.CudaContext | None = None
        if device.type == "cuda":
            make_current(device)
            self._context = av.video.frame.CudaContext(
                device.index or 0, primary_ctx=False, current_ctx=True
            )

    def frame(self, picture: Planes) -> VideoFrame:
        """Return a picture as a frame in a surface.

        Args:
            picture: [1, .., H, W] in the format's bits; grey where it has no chroma. An odd width
                or height grows by a pixel, which repeats the edge.
        """
        height, width = picture.height + picture.height % 2, picture.width + picture.width % 2
        dtype = picture.luma_or_rgb.dtype
        surface = self._free.pop() if self._free else self._allocate(height, width, dtype)
        self._in_use.append(surface)
        luma, chroma = surface[:height, :width], surface[height:, :width].unflatten(1, (-1, 2))
        luma[: picture.height, : picture.width] = picture.luma_or_rgb[0, 0]
        luma[:, picture.width :] = luma[:, picture.width - 1 : picture.width]
        luma[picture.height :] = luma[picture.height - 1 : picture.height]
        if picture.chroma is None:
            grey = int(picture.sample_format.chroma_code_range.zero)
            chroma.fill_(grey << picture.sample_format.lsb_padding)
        else:
            chroma.copy_(picture.chroma[0].permute(1, 2, 0))
        if self._device.type == "cuda":  # NVENC does not wait for torch
            written = torch.cuda.Event(blocking=True)
            written.record(torch.cuda.current_stream(self._device))
            written.synchronize()
        return VideoFrame.from_dlpack(
            (luma, chroma), self._pixel_format, width, height, cuda_context=self._context
        )

    def release(self, frames: int) -> None:
        """Take back the surfaces of the next frames, which have come out of the encoder."""
        for _ in range(frames):
            self._free.append(self._in_use.popleft())

    def _allocate(self, height: int, width: int, dtype: torch.dtype) -> Tensor:
        """Return a surface [height * 3 / 2, pitch]."""
        samples = PITCH_BYTES // dtype.itemsize
        pitch = -(-width // samples) * samples
        return torch.empty((height * 3 // 2, pitch), dtype=dtype, device=self._device)
