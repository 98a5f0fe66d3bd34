"""The kernel makes what torch makes, compiles for cards, and is used where it can be trusted."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping

import pytest
import torch

from benchmarks.parts import frame_bytes, least_bytes
from matting.errors import MissingError, OutOfMemoryError
from matting.imaging.compositor import NEGLIGIBLE_STEPS, Matte, render
from matting.imaging.device_copy import allocate_pinned, to_device, to_host
from matting.imaging.planes import Planes
from matting.imaging.renderer import Renderer
from matting.imaging.sample_format import SampleFormat
from matting.options import OutputKind, RendererBackend
from tests.conftest import ROOT
from tests.imaging.test_compositor import BT709, GREEN, video

CPU = torch.device("cpu")
NV12 = SampleFormat(8, BT709, False, (2, 2), (0.0, 0.5), semi_planar=True)
TRITON = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed"
)


def some_matte(frames: int = 2) -> Matte:
    generator = torch.Generator().manual_seed(1)
    slope, offset = torch.randn(2, frames, 4, 17, 28, generator=generator)
    return Matte(video(NV12, frames, 46, 70), slope, offset)


@TRITON
def test_the_kernel_makes_what_torch_makes() -> None:
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
    assert len(lines) == 11
    for name, most, share in lines:
        assert int(most) <= 1, name
        assert float(share) <= (0.02 if "ALPHA_PNG" in name else 0.002), name


@TRITON
def test_the_kernel_compiles_for_a_card() -> None:
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
    pair, ints = ("*u8", "*u8"), ("i32",) * 4
    signature = {
        "source": pair,
        "maps": ("*fp32", "*fp32"),
        "tables": ("*fp32", "*fp32"),
        "composite": pair,
        "foreground": ("*fp32", "*fp32"),
        "alpha": "*u8",
        "luma_strides": ints,
        "chroma_strides": (ints,) * 3,
        "frame_shape": ("i32", "i32"),
        "map_shape": ("i32", "i32", "fp32", "fp32"),
        **dict.fromkeys(constants, "constexpr"),
    }
    try:
        made = triton.compile(
            triton.compiler.ASTSource(
                fn=kernel,
                signature=signature,
                constexprs={(kernel.arg_names.index(k),): v for k, v in constants.items()},
            ),
            target=compiler.GPUTarget("cuda", 80, 32),
            options={"num_warps": triton_compositor.WARPS, "enable_fp_fusion": True},
        )
    except (FileNotFoundError, RuntimeError) as error:
        pytest.skip(f"Triton cannot compile here: {error}")
    assert made.asm["cubin"]


class Fake:
    """A kernel that makes what it is told to."""

    def __init__(self, *, off: int = 0, error: BaseException | None = None) -> None:
        self.off = off
        self.error = error
        self.calls = 0

    def __call__(
        self,
        matte: Matte,
        targets: Mapping[OutputKind, SampleFormat],
        background: tuple[int, int, int],
    ) -> dict[OutputKind, Planes]:
        self.calls += 1
        if self.error is not None:
            raise self.error
        made = render(matte, targets, background)
        with torch.inference_mode():
            self._spoil(made[OutputKind.COMPOSITE])
        return made

    def _spoil(self, planes: Planes) -> None:
        planes.luma_or_rgb[0, 0, 0, 0] = (int(planes.luma_or_rgb[0, 0, 0, 0]) + self.off) % 256


def equal(one: Planes, other: Planes) -> bool:
    return torch.equal(one.luma_or_rgb, other.luma_or_rgb)


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        (Fake(off=3), "is not what torch makes"),
        (Fake(error=RuntimeError("ptxas failed\nwith code 255")), "with code 255"),
        (Fake(error=TypeError("unknown argument")), "unknown argument"),
    ],
)
def test_a_kernel_that_cannot_be_trusted_is_given_up_and_it_is_said_once(
    fake: Fake, words: str
) -> None:
    said: list[str] = []
    make = Renderer(RendererBackend.AUTO, CPU, said.append, fake)
    matte, targets = some_matte(), {OutputKind.COMPOSITE: NV12, OutputKind.ALPHA: NV12}
    expected = render(matte, targets, GREEN)
    assert make.backend.value == "fused"
    for _ in range(2):
        assert equal(
            make(matte, targets, GREEN)[OutputKind.COMPOSITE], expected[OutputKind.COMPOSITE]
        )
    assert make.backend == RendererBackend.PLAIN
    assert fake.calls == 1
    assert len(said) == 1 and words in said[0]


def test_a_kernel_that_agrees_is_used_and_compared_only_once() -> None:
    fake, said = Fake(off=1), list[str]()
    make = Renderer(RendererBackend.AUTO, CPU, said.append, fake)
    matte = some_matte()
    for _ in range(3):
        made = make(matte, {OutputKind.COMPOSITE: NV12}, GREEN)
    assert not equal(
        made[OutputKind.COMPOSITE],
        render(matte, {OutputKind.COMPOSITE: NV12}, GREEN)[OutputKind.COMPOSITE],
    )
    assert (fake.calls, said, make.backend) == (4, [], RendererBackend.FUSED)


def test_too_little_memory_is_no_fault_of_the_kernel() -> None:
    fake = Fake(error=torch.OutOfMemoryError("CUDA out of memory"))
    make = Renderer(RendererBackend.AUTO, CPU, lambda _: None, fake)
    with pytest.raises(OutOfMemoryError):
        make(some_matte(), {OutputKind.COMPOSITE: NV12}, GREEN)
    assert make.backend == RendererBackend.FUSED


def test_what_is_chosen_without_a_card() -> None:
    assert Renderer(RendererBackend.AUTO, CPU, lambda _: None).backend == RendererBackend.PLAIN
    assert (
        Renderer(RendererBackend.PLAIN, CPU, lambda _: None, Fake()).backend
        == RendererBackend.PLAIN
    )
    with pytest.raises(MissingError, match="--full-size fused needs"):
        Renderer(RendererBackend.FUSED, CPU, lambda _: None)


def test_the_traffic_is_that_of_the_samples() -> None:
    matte = some_matte(1)
    made = render(matte, {OutputKind.COMPOSITE: NV12, OutputKind.ALPHA: SampleFormat(16)}, GREEN)
    held = [
        matte.source.luma_or_rgb,
        matte.source.chroma,
        made[OutputKind.COMPOSITE].luma_or_rgb,
        made[OutputKind.COMPOSITE].chroma,
    ]
    least = sum(
        each.nbytes for each in [*held, made[OutputKind.ALPHA].luma_or_rgb] if each is not None
    )
    targets = {OutputKind.COMPOSITE: NV12, OutputKind.ALPHA: SampleFormat(16)}
    assert least_bytes(NV12, targets, 70, 46) == least
    assert least_bytes(NV12, targets, 70, 46, (28, 17)) == least + 8 * 4 * 28 * 17
    assert frame_bytes(SampleFormat(10), 70, 46) == 3 * 2 * 70 * 46


def test_nothing_moves_where_there_is_no_card() -> None:
    planes = video(NV12, 1, 46, 70)
    assert to_host(planes) is planes
    assert to_device(planes, CPU).luma_or_rgb is planes.luma_or_rgb


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card gives pinned memory")
def test_memory_that_cannot_be_pinned_is_done_without() -> None:
    assert allocate_pinned(torch.zeros(2, 3)) is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_a_card_makes_what_the_processor_makes() -> None:
    matte, card = some_matte(), torch.device("cuda")
    there = to_device(matte.source, card)
    assert matte.slope is not None
    moved = Matte(there, matte.slope.to(card), matte.offset.to(card))
    expected = render(matte, {OutputKind.COMPOSITE: NV12}, GREEN)[OutputKind.COMPOSITE]
    said: list[str] = []
    for way in (RendererBackend.PLAIN, RendererBackend.AUTO):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = to_host(
                Renderer(way, card, said.append)(moved, {OutputKind.COMPOSITE: NV12}, GREEN)[
                    OutputKind.COMPOSITE
                ]
            )
        assert (made.luma_or_rgb.int() - expected.luma_or_rgb.int()).abs().max() <= 1
    assert said == []
