"""Who renders: the kernel where it can be trusted, and torch in its place."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping

import pytest
import torch

from matting.errors import MissingError, OutOfMemoryError
from matting.imaging.compositor import Matte, render
from matting.imaging.device_copy import to_device, to_host
from matting.imaging.planes import Planes
from matting.imaging.renderer import Renderer
from matting.imaging.sample_format import SampleFormat
from matting.options import OutputKind, RendererBackend
from tests.support.frames import GREEN, NV12, random_video

CPU = torch.device("cpu")
COMPOSITE = {OutputKind.COMPOSITE: NV12}


def random_matte() -> Matte:
    generator = torch.Generator().manual_seed(1)
    slope, offset = torch.randn(2, 2, 4, 17, 28, generator=generator)
    return Matte(random_video(NV12, 2, 46, 70), slope, offset)


class FakeKernel:
    """A kernel whose composite is off by some steps in one sample, or that raises an error."""

    def __init__(self, *, off: int = 0, error: BaseException | None = None) -> None:
        self.off = off
        self.error = error
        self.calls = 0

    def __call__(
        self,
        matte: Matte,
        formats: Mapping[OutputKind, SampleFormat],
        background: tuple[int, int, int],
    ) -> dict[OutputKind, Planes]:
        self.calls += 1
        if self.error is not None:
            raise self.error
        outputs = render(matte, formats, background)
        luma = outputs[OutputKind.COMPOSITE].luma_or_rgb
        with torch.inference_mode():
            luma[0, 0, 0, 0] = (int(luma[0, 0, 0, 0]) + self.off) % 256
        return outputs


def same_composite(one: dict[OutputKind, Planes], other: dict[OutputKind, Planes]) -> bool:
    lumas = (outputs[OutputKind.COMPOSITE].luma_or_rgb for outputs in (one, other))
    return torch.equal(*lumas)


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        (FakeKernel(off=3), "is not what torch makes"),
        (FakeKernel(error=RuntimeError("ptxas failed\nwith code 255")), "with code 255"),
        (FakeKernel(error=TypeError("unknown argument")), "unknown argument"),
    ],
)
def test_a_kernel_that_cannot_be_trusted_is_given_up_and_the_reason_told_once(
    kernel: FakeKernel, reason: str
) -> None:
    said: list[str] = []
    renderer = Renderer(RendererBackend.AUTO, CPU, said.append, kernel)
    matte, formats = random_matte(), {**COMPOSITE, OutputKind.ALPHA: NV12}
    expected = render(matte, formats, GREEN)
    assert renderer.backend.value == "fused"
    for _ in range(2):
        assert same_composite(renderer(matte, formats, GREEN), expected)
    assert renderer.backend == RendererBackend.PLAIN
    assert kernel.calls == 1
    assert len(said) == 1 and reason in said[0]


def test_a_kernel_that_agrees_is_used_and_compared_only_once() -> None:
    kernel, said = FakeKernel(off=1), list[str]()
    renderer = Renderer(RendererBackend.AUTO, CPU, said.append, kernel)
    matte = random_matte()
    for _ in range(3):
        outputs = renderer(matte, COMPOSITE, GREEN)
    assert not same_composite(outputs, render(matte, COMPOSITE, GREEN))
    assert (kernel.calls, said, renderer.backend) == (4, [], RendererBackend.FUSED)


def test_too_little_memory_is_no_fault_of_the_kernel() -> None:
    kernel = FakeKernel(error=torch.OutOfMemoryError("CUDA out of memory"))
    renderer = Renderer(RendererBackend.AUTO, CPU, lambda _: None, kernel)
    with pytest.raises(OutOfMemoryError):
        renderer(random_matte(), COMPOSITE, GREEN)
    assert renderer.backend == RendererBackend.FUSED


def test_torch_renders_where_there_is_no_gpu_or_it_is_asked_for() -> None:
    assert Renderer(RendererBackend.AUTO, CPU, lambda _: None).backend == RendererBackend.PLAIN
    plain = Renderer(RendererBackend.PLAIN, CPU, lambda _: None, FakeKernel())
    assert plain.backend == RendererBackend.PLAIN
    with pytest.raises(MissingError, match="--full-size fused needs"):
        Renderer(RendererBackend.FUSED, CPU, lambda _: None)


@pytest.mark.gpu
def test_a_gpu_renders_what_the_cpu_renders() -> None:
    matte, gpu = random_matte(), torch.device("cuda")
    assert matte.slope is not None
    on_gpu = Matte(to_device(matte.source, gpu), matte.slope.to(gpu), matte.offset.to(gpu))
    expected = render(matte, COMPOSITE, GREEN)[OutputKind.COMPOSITE]
    said: list[str] = []
    for backend in (RendererBackend.PLAIN, RendererBackend.AUTO):
        renderer = Renderer(backend, gpu, said.append)
        if backend is RendererBackend.AUTO and sys.platform == "linux":  # Triton comes with torch
            assert renderer.backend is RendererBackend.FUSED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            composite = to_host(renderer(on_gpu, COMPOSITE, GREEN)[OutputKind.COMPOSITE])
        assert (composite.luma_or_rgb.int() - expected.luma_or_rgb.int()).abs().max() <= 1
    assert said == []
