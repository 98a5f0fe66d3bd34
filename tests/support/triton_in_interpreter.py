"""Compare the kernel, run by Triton's interpreter on the CPU, with torch's renderer.

A program for test_triton_compositor. It prints a line for each plane: its name, the largest
difference in code values, and the share of samples that differ.
"""

from __future__ import annotations

import os
import sys

os.environ["TRITON_INTERPRET"] = "1"

from dataclasses import replace

import torch

from matting.imaging import compositor, triton_compositor
from matting.imaging.compositor import Matte
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat, TransferFunction
from matting.options import OutputKind
from tests.support.frames import BT709, GREEN, NV12, random_video

P010 = replace(NV12, bits=10, lsb_padding=6, siting=(0.5, 0.5))
WIDE_TILE = (64, 128)  # as few programs as can be: the interpreter is slow
# The source's format, the outputs' if it is another one, the outputs, and the kernel's tile.
CASES = {
    "nv12": (
        NV12,
        NV12,
        (OutputKind.COMPOSITE, OutputKind.FOREGROUND, OutputKind.ALPHA),
        (64, 64),  # nobody is in the one on the left
    ),
    "p010": (
        P010,
        replace(P010, lsb_padding=0, semi_planar=False),
        (OutputKind.COMPOSITE,),
        WIDE_TILE,
    ),
    "4:2:2": (
        SampleFormat(10, BT709, False, (2, 1)),
        None,
        (OutputKind.ALPHA_PNG, OutputKind.ALPHA),
        WIDE_TILE,
    ),
    "4:4:4": (
        SampleFormat(12, BT709, True),
        SampleFormat(8, BT709, False),
        (OutputKind.COMPOSITE,),
        WIDE_TILE,
    ),
    "pq": (
        replace(P010, transfer=TransferFunction.PQ, siting=(0.0, 0.0)),
        None,
        (OutputKind.FOREGROUND,),
        WIDE_TILE,
    ),
}


def main() -> None:
    for name, (source, target, kinds, tile_shape) in CASES.items():
        matte = _random_matte(source, has_slope=name != "4:4:4")
        formats = {
            kind: SampleFormat(16) if kind == OutputKind.ALPHA_PNG else target or source
            for kind in kinds
        }
        assert triton_compositor.is_supported(matte.source, formats)
        outputs = triton_compositor.render(matte, formats, GREEN, tile_shape)
        expected = compositor.render(matte, formats, GREEN)
        for kind in kinds:
            padding = formats[kind].lsb_padding
            for plane in ("luma_or_rgb", "chroma"):
                one, other = getattr(outputs[kind], plane), getattr(expected[kind], plane)
                if one is not None:
                    difference = (one.int() - other.int()).abs() >> padding
                    share = float((difference > 0).float().mean())
                    sys.stdout.write(f"{name}/{kind}/{plane} {int(difference.max())} {share:.6f}\n")


def _random_matte(
    source: SampleFormat, *, has_slope: bool, shape: tuple[int, int] = (45, 71)
) -> Matte:
    """Return a matte of one frame with people all over but on the left."""
    generator = torch.Generator().manual_seed(1)
    map_shape = (17, 28) if has_slope else shape
    slope, offset = torch.randn(2, 1, 4, *map_shape, generator=generator) * 0.4
    offset[:, 3, :, : map_shape[1] * 3 // 4] -= 3
    planar = random_video(replace(source, lsb_padding=0), 1, *shape)
    assert planar.chroma is not None
    luma, chroma = (
        (plane.int() << source.lsb_padding).to(plane.dtype)
        for plane in (planar.luma_or_rgb, planar.chroma)
    )
    if source.semi_planar:
        chroma = chroma.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    return Matte(Planes(source, luma, chroma), slope if has_slope else None, offset)


if __name__ == "__main__":
    main()
