"""The kernel renders what torch renders, and compiles for GPUs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys

import pytest

from matting.imaging.blending import NEGLIGIBLE_STEPS
from tests.support.frames import NV12
from tests.support.repository import ROOT

TRITON = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed"
)


@TRITON
def test_the_kernel_renders_what_torch_renders() -> None:
    """As Triton's interpreter runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.triton_in_interpreter"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 13
    for plane, largest, share in lines:
        assert int(largest) <= 1, plane
        assert float(share) <= (0.02 if "ALPHA_PNG" in plane else 0.002), plane


@TRITON
def test_the_kernel_compiles_for_a_gpu() -> None:
    """For NV12, composite and alpha, as it is launched."""
    triton_compositor = importlib.import_module("matting.imaging.triton_compositor")
    kernel = importlib.import_module("matting.imaging.triton_kernel").render_tile
    triton = importlib.import_module("triton")
    compiler = importlib.import_module("triton.backends.compiler")
    output_format = triton_compositor.output_constants(NV12)
    constants = {
        "source_format": triton_compositor.source_constants(NV12),
        "output_formats": (output_format, None, output_format),
        "background": (0.5, 0.1, 0.1),
        "tile_shape": triton_compositor.TILE_SHAPE,
        "window_shape": (4, 64),
        "negligible_alpha": NEGLIGIBLE_STEPS / 255,
        "has_slope": True,
        "is_hdr": False,
    }
    planes, strides = ("*u8", "*u8"), ("i32",) * 4
    signature = {
        "source": planes,
        "maps": ("*fp32", "*fp32"),
        "tables": ("*fp32", "*fp32"),
        "composite": planes,
        "foreground": ("*fp32", "*fp32"),
        "alpha": "*u8",
        "luma_strides": strides,
        "chroma_strides": (strides,) * 3,
        "frame_shape": ("i32", "i32"),
        "map_shape": ("i32", "i32", "fp32", "fp32"),
        **dict.fromkeys(constants, "constexpr"),
    }
    compiled = triton.compile(
        triton.compiler.ASTSource(
            fn=kernel,
            signature=signature,
            constexprs={
                (kernel.arg_names.index(name),): value for name, value in constants.items()
            },
        ),
        target=compiler.GPUTarget("cuda", 80, 32),
        options={"num_warps": triton_compositor.WARPS, "enable_fp_fusion": True},
    )
    assert compiled.asm["cubin"]
