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
from tests.imaging.test_compositor import BT709, GREEN, video

NV12 = SampleFormat(8, BT709, False, (2, 2), (0.0, 0.5), semi_planar=True)
P010 = replace(NV12, bits=10, lsb_padding=6, siting=(0.5, 0.5))
CASES = {
    "nv12": (
        NV12,
        NV12,
        (OutputKind.COMPOSITE, OutputKind.ALPHA),
        (64, 64),
    ),  # nobody in the one on the left
    "p010": (
        P010,
        replace(P010, lsb_padding=0, semi_planar=False),
        (OutputKind.COMPOSITE,),
        (64, 128),
    ),
    "4:2:2": (
        SampleFormat(10, BT709, False, (2, 1)),
        None,
        (OutputKind.ALPHA_PNG, OutputKind.ALPHA),
        (64, 128),
    ),
    "4:4:4": (
        SampleFormat(12, BT709, True),
        SampleFormat(8, BT709, False),
        (OutputKind.COMPOSITE,),
        (64, 128),
    ),
    "pq": (
        replace(P010, transfer=TransferFunction.PQ, siting=(0.0, 0.0)),
        None,
        (OutputKind.FOREGROUND,),
        (64, 128),
    ),
}


def main() -> None:
    for name, (sample_format, target, kinds, tile) in CASES.items():
        triton_compositor.TILE_SHAPE = tile  # as few programs as can be: the interpreter is slow
        matte = _matte(sample_format, sloped=name != "4:4:4")
        targets = {
            k: SampleFormat(16) if k == OutputKind.ALPHA_PNG else target or sample_format
            for k in kinds
        }
        assert triton_compositor.is_supported(matte.source, targets)
        found, expected = (
            way.render(matte, targets, GREEN) for way in (triton_compositor, compositor)
        )
        for kind in kinds:
            for part in ("luma_or_rgb", "chroma"):
                one, other = getattr(found[kind], part), getattr(expected[kind], part)
                if one is not None:
                    apart = (one.int() - other.int()).abs() >> targets[kind].lsb_padding
                    share = float((apart > 0).float().mean())
                    sys.stdout.write(f"{name}/{kind}/{part} {int(apart.max())} {share:.6f}\n")


def _matte(sample_format: SampleFormat, *, sloped: bool, size: tuple[int, int] = (45, 71)) -> Matte:
    """People all over but on the left."""
    generator = torch.Generator().manual_seed(1)
    small = (17, 28) if sloped else size
    slope, offset = torch.randn(2, 1, 4, *small, generator=generator) * 0.4
    offset[:, 3, :, : small[1] * 3 // 4] -= 3
    made = video(replace(sample_format, lsb_padding=0), 1, *size)
    assert made.chroma is not None
    main, chroma = (
        (plane.int() << sample_format.lsb_padding).to(plane.dtype)
        for plane in (made.luma_or_rgb, made.chroma)
    )
    if sample_format.semi_planar:
        chroma = chroma.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    return Matte(Planes(sample_format, main, chroma), slope if sloped else None, offset)


if __name__ == "__main__":
    main()
