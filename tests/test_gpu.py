"""What must hold on an NVIDIA GPU: the same pictures as on the CPU, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.drift import measure_drift
from benchmarks.footage import write_clip
from benchmarks.layers import render_layers
from benchmarks.warm_up import draw_film
from matting.demo import CHECKPOINT
from matting.imaging.compositor import Matte, render
from matting.imaging.frame_parts import whole_frames
from matting.imaging.planes import Planes
from matting.imaging.renderer import (
    Renderer,
    StoredFrames,
    compose_outputs,
    render_matte_planes,
)
from matting.imaging.sample_format import Size
from matting.infer import infer
from matting.inference.session import MattingSession, automatic_ratio
from matting.inference.weights import load_checkpoint
from matting.media.video_source import VideoSource
from matting.network_choice import Subject
from matting.options import (
    EncodingOptions,
    OutputKind,
    OutputOptions,
    Precision,
    RendererBackend,
    VideoCodec,
)
from matting.segment import segment
from model import load_network
from tests.support.clips import decode
from tests.support.markers import gpu_has_nvenc
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, composites, matting_options, with_compute, with_matte

pytestmark = pytest.mark.gpu
CPU = torch.device("cpu")
GPU = torch.device("cuda", 0)
GREEN = (120, 255, 155)
LIMIT_BYTES = 6 * 2**30 - 2**29  # something is left for the driver
VISIBLE = 1 / 255


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    return write_clip(folder / "clip.mp4", Size(320, 192), 12)


@pytest.fixture
def frames(clip: Path) -> list[Planes]:
    return [chunk.pictures for chunk in VideoSource(clip).chunks(4)]


def alpha_of(mattes: list[Matte]) -> torch.Tensor:
    parts = [[alpha.cpu() for _, _, alpha in render_layers(matte)] for matte in mattes]
    return torch.cat([torch.cat(rows, dim=2) for rows in parts])


@pytest.mark.parametrize(("precision", "bound"), [("fp32", 0.05), ("fp16", 1.0), ("bf16", 1.0)])
def test_alpha_equals_the_cpus(frames: list[Planes], precision: str, bound: float) -> None:
    """On average, within a bound in steps of 1/255, with the state carried from chunk to chunk."""
    network = load_checkpoint(CHECKPOINT).network
    here, there = (
        MattingSession(network, CPU, Precision.FP32),
        MattingSession(network, GPU, Precision(precision)),
    )
    for chunk in frames:
        ours, truth = (alpha_of(each.mattes(chunk, 0.5)) for each in (there, here))
        errors = ours - truth
        assert float(errors.abs().mean()) <= bound * VISIBLE


@pytest.mark.parametrize(
    "kinds", [(OutputKind.COMPOSITE,), (OutputKind.COMPOSITE, OutputKind.ALPHA)]
)
def test_full_size_pictures_equal_the_cpus(
    frames: list[Planes], kinds: tuple[OutputKind, ...]
) -> None:
    """Sample for sample, whichever way the GPU computes it."""
    network = load_checkpoint(CHECKPOINT).network
    session = MattingSession(network, CPU, Precision.FP32, 4)
    for chunk in frames:
        (matte,) = session.mattes(chunk, 0.5)
        assert matte.slope is not None
        on_gpu = Matte(chunk.to(GPU), matte.slope.to(GPU), matte.offset.to(GPU))
        targets = dict.fromkeys(kinds, chunk.sample_format)
        plain, by_gpu = render(matte, targets, GREEN), render(on_gpu, targets, GREEN)
        for kind in kinds:
            for one, other in (
                (plain[kind].luma_or_rgb, by_gpu[kind].luma_or_rgb),
                (plain[kind].chroma, by_gpu[kind].chroma),
            ):
                if one is not None and other is not None:
                    assert int((one.int() - other.cpu().int()).abs().max()) <= 1


def test_infer_on_the_gpu_gives_the_same_video(
    clip: Path, tmp_path: Path, progress: Recorder
) -> None:
    options = with_matte(matting_options(CHECKPOINT, ratio=0.5), precision=Precision.FP32)
    videos = []
    for device in ("cpu", "cuda"):
        on_device = with_compute(options, device=device, largest_chunk=None)
        folder = infer(clip.parent, on_device, tmp_path / device, progress)
        videos.append([rgb.astype(int) for _, rgb in decode(composites(folder)[0])])
    assert len(videos[0]) == len(videos[1]) == 12
    assert np.abs(np.stack(videos[0]) - np.stack(videos[1])).mean() < 1


def test_the_gpu_does_all_that_it_can(tmp_path: Path, progress: Recorder) -> None:
    """Cut, decoded, matted and encoded, all by default; a GPU need not have NVENC."""
    clip = write_clip(tmp_path / "clip.mp4", Size(640, 360), 45)
    segments = segment(clip, SECOND, None, progress)
    output = OutputOptions(encoding=EncodingOptions(VideoCodec.HEVC))
    options = matting_options(CHECKPOINT, output, ratio=0.5)
    options = with_compute(options, device="cuda", largest_chunk=None)
    folder = infer(segments, options, None, progress)
    lines = [line for line in progress.details if line.startswith("Decoding by")]
    assert len(lines) == 2
    assert all("Decoding by NVDEC; the network in fp16" in line for line in lines), lines
    if gpu_has_nvenc(VideoCodec.HEVC):
        assert all("encoding by hevc_nvenc" in line for line in lines), lines
    assert sum(len(decode(path)) for path in composites(folder)) == 45


@pytest.fixture
def small_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limit the GPU to LIMIT_BYTES of memory."""

    def free_bytes(device: torch.device) -> int:
        return LIMIT_BYTES - torch.cuda.memory_allocated(device)

    monkeypatch.setattr("matting.inference.session.free_bytes", free_bytes)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(GPU).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, LIMIT_BYTES / total), GPU)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0, GPU)


@pytest.mark.usefixtures("small_gpu")
def test_the_largest_picture_fits_into_six_gibibytes(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "8k.mp4", Size(8192, 4096), 3)
    session = MattingSession(load_checkpoint(CHECKPOINT).network, GPU, Precision.AUTO)
    ratio = automatic_ratio(Size(8192, 4096), Subject.FULL_BODY)
    renderer = Renderer(RendererBackend.AUTO, GPU, print)
    torch.cuda.reset_peak_memory_stats(GPU)
    count = 0
    source = VideoSource(path)
    size = session.chunk_frames(source.sample_format, Size(8192, 4096), ratio)
    for chunk in source.chunks(size):
        for matte in session.mattes(chunk.pictures, ratio):
            targets = dict.fromkeys(
                (OutputKind.COMPOSITE, OutputKind.ALPHA), chunk.pictures.sample_format
            )
            frames = whole_frames(matte.source, matte)
            stored = StoredFrames(matte.source, render_matte_planes(frames, renderer=renderer))
            count += len(compose_outputs(stored, targets, GREEN)[OutputKind.COMPOSITE])
    assert count == 3
    assert torch.cuda.max_memory_reserved(GPU) <= LIMIT_BYTES


def test_half_precision_does_not_drift() -> None:
    network = load_network(CHECKPOINT)
    film = draw_film(1000, 60)
    windows = measure_drift(network, "fp16", film, frames=900, ratio=0.5, device=GPU)
    assert max(window.mean for window in windows) < 1
    assert windows[-1].mean < windows[0].mean + 0.1
