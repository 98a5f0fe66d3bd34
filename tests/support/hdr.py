"""HDR that is made of SDR, by formulas of the tests' own, and clips of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.video.stream import VideoStream
from torch import Tensor

from matting.imaging.colour_conversion import convert_planes
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, TransferFunction

RGB16 = SampleFormat(16)
WHITE_NITS = 203  # ITU-R BT.2408
BT2020 = (0.2627, 0.0593)  # Kr and Kb
BT2020_LUMA = torch.tensor([0.2627, 0.6780, 0.0593]).view(1, 3, 1, 1)
# Linear BT.709 in BT.2020's primaries. Source: ITU-R BT.2087, table 1.
WIDER = torch.tensor([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
TRANSFER_NAMES = {TransferFunction.PQ: "smpte2084", TransferFunction.HLG: "arib-std-b67"}
PATCH_PX = 32


def bt2020(transfer: TransferFunction) -> SampleFormat:
    """Return how frames of 10 bits, 4:2:0 and BT.2020 are stored."""
    return SampleFormat(10, BT2020, False, (2, 2), (0.0, 0.0), transfer)


def to_pq(nits: Tensor) -> Tensor:
    """Encode light by the PQ curve. Source: SMPTE ST 2084."""
    power = (nits / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def to_hlg(nits: Tensor) -> Tensor:
    """Encode light by the HLG curve, for a display of 1,000 candela per square metre.

    Source: ITU-R BT.2100, table 5.
    """
    luminance = (BT2020_LUMA * nits).sum(dim=1, keepdim=True).clamp(min=1e-6) / 1000
    scene = nits / 1000 / (luminance ** (1 / 1.2)) ** 0.2
    bright = 0.17883277 * torch.log((12 * scene - 0.28466892).clamp(min=1e-9)) + 0.55991073
    return torch.where(scene <= 1 / 12, (3 * scene).sqrt(), bright)


def graded(rgb: Tensor, transfer: TransferFunction) -> Planes:
    """Return SDR frames uint8 [T, 3, H, W] of BT.2020's primaries as HDR that looks the same.

    Source: ITU-R BT.2408.
    """
    nits = (rgb.float() / 255) ** 2.4 * WHITE_NITS
    code = to_pq(nits) if transfer is TransferFunction.PQ else to_hlg(nits)
    samples = (code.clamp(0, 1) * 65535).round().to(torch.uint16)
    return convert_planes(Planes(RGB16, samples), bt2020(transfer))


def patches(colours: Sequence[tuple[int, int, int]], transfer: TransferFunction) -> Planes:
    """Return a frame in which colours of BT.709 stand side by side, each PATCH_PX wide and high.

    Args:
        colours: R'G'B', 0 to 255.
    """
    linear = (torch.tensor(colours) / 255) ** 2.4
    wide = ((linear @ WIDER.T) ** (1 / 2.4) * 255).round().to(torch.uint8)
    row = wide.repeat_interleave(PATCH_PX, 0).T[None, :, None]
    return graded(row.expand(1, 3, PATCH_PX, -1).contiguous(), transfer)


def patches_clip(
    path: Path, colours: Sequence[tuple[int, int, int]], transfer: TransferFunction, frames: int
) -> Path:
    """Write a clip of that frame, as often as is said."""
    planes = patches(colours, transfer)
    assert planes.chroma is not None
    luma, chroma = planes.luma_or_rgb[0, 0].numpy(), planes.chroma[0].numpy()
    samples = np.concatenate([luma.ravel(), chroma.ravel()]).reshape(-1, luma.shape[1])
    tags = f"colorprim=bt2020:transfer={TRANSFER_NAMES[transfer]}:colormatrix=bt2020nc"
    options = {"crf": "4", "x265-params": f"log-level=none:range=limited:{tags}"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=Fraction(30), options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = luma.shape[1], luma.shape[0]
        stream.pix_fmt = "yuv420p10le"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(samples, format="yuv420p10le")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
