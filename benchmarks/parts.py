"""Each part of the work on frames that are in memory already, at one size and precision."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from benchmarks.layers import render_layers
from benchmarks.naive import BACKGROUND
from matting.imaging.colour_conversion import convert_planes, downsample_to_rgb
from matting.imaging.compositor import Matte, RenderFunction
from matting.imaging.planes import Planes
from matting.imaging.renderer import Renderer
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tone_mapping import tone_map
from matting.inference.rvm import RvmNetwork
from matting.inference.session import MattingSession
from matting.media.video_source import VideoSource
from matting.options import OutputKind, Precision, RendererBackend
from model import MattingNetwork, State

MAP_CHANNELS = 8  # slope and offset

YUV420 = SampleFormat(luma_coefficients=(0.2126, 0.0722), subsampling=(2, 2))
COPY_BYTES = {"cpu": 1 << 28, "cuda": 1 << 30}
COPIES = 5


@dataclass(frozen=True)
class Case:
    """What is computed.

    Attributes:
        clip: of that size in px, without rotation.
    """

    clip: Path
    size: Size
    ratio: float
    precision: Precision

    @property
    def least_bytes(self) -> int:
        """What the full-size stage must move for a frame of 4:2:0 in 8 bits: in, out, and maps."""
        map_size = Size(int(self.size.width * self.ratio), int(self.size.height * self.ratio))
        return least_bytes(YUV420, {OutputKind.COMPOSITE: YUV420}, self.size, map_size)


@dataclass
class Measurement:
    """What a case takes, in ms a frame.

    Attributes:
        published_ms: the network as published; None: too little memory.
        stage_one_ms: the network on the small copy, without making that.
        ratio: published over ours, the median of both one after the other.
        peak_bytes: the most that torch held on the GPU for ours; None on the CPU.
        mean_error, largest_error: of alpha, in 1/255; against ours in float32 where the published
            network has too little memory.
        backend: what rendered the full-size frames.
    """

    case: Case
    published_ms: float | None
    small_ms: float
    stage_one_ms: float
    full_size_ms: float
    ratio: float | None
    peak_bytes: int | None
    mean_error: float
    largest_error: float
    backend: RendererBackend

    @property
    def ours_ms(self) -> float:
        return self.small_ms + self.stage_one_ms + self.full_size_ms


@dataclass
class _Ours:
    """This program's work on the frames of a clip, in chunks as `infer` takes them."""

    session: MattingSession
    ratio: float
    chunks: Sequence[Planes]
    render: RenderFunction
    mattes: list[Matte] = field(default_factory=list)

    def small(self) -> None:
        for chunk in self.chunks:
            tone_map(downsample_to_rgb(chunk, self.ratio), chunk.sample_format)

    def matte(self) -> None:
        self.mattes = [m for chunk in self.chunks for m in self.session.mattes(chunk, self.ratio)]

    def full_size(self) -> None:
        for matte in self.mattes:
            self.render(matte, {OutputKind.COMPOSITE: matte.source.sample_format}, BACKGROUND)


@dataclass
class _Published:
    """The published network on the same frames, one after the other."""

    network: MattingNetwork
    ratio: float
    frames: Sequence[Tensor]

    def run(self) -> None:
        for _ in self.alphas():
            pass

    def alphas(self) -> Iterator[Tensor]:
        """Yield the alpha of each frame, [1, 1, H, W], in [0, 1]."""
        state: State | None = None
        for rgb in self.frames:
            _, alpha, state = self.network(rgb.float() / 255, state, self.ratio)
            yield alpha


@torch.inference_mode()
def measure(network: MattingNetwork, case: Case, device: torch.device, rounds: int) -> Measurement:
    """Measure one case; the frames stay on the device."""
    session = MattingSession(RvmNetwork(network), device, case.precision)
    source = VideoSource(case.clip)
    chunk_frames = session.chunk_frames(source.sample_format, case.size, case.ratio)
    chunks = [chunk.pictures.to(device) for chunk in source.chunks(chunk_frames)]
    rgb = [
        frame.luma_or_rgb
        for chunk in chunks
        for frame in convert_planes(chunk, SampleFormat()).split(1)
    ]
    renderer = Renderer(RendererBackend.AUTO, device, print)
    ours = _Ours(session, case.ratio, chunks, renderer)
    published = _Published(network.eval().to(device), case.ratio, rgb)
    works = [ours.small, ours.matte, ours.full_size]
    for work in works:  # a warm-up
        work()
    peak_bytes = _peak_bytes(works, device)
    published_fits = _fits_in_memory(published)
    if published_fits:
        works.append(published.run)
    times_ms = [[_seconds(work, device) * 1000 / len(rgb) for work in works] for _ in range(rounds)]
    small, matte, full_size, *rest = (median(times) for times in zip(*times_ms, strict=True))
    errors = _errors(published if published_fits else None, network, case, rgb, device)
    return Measurement(
        case,
        published_ms=rest[0] if published_fits else None,
        small_ms=small,
        stage_one_ms=max(0.0, matte - small),
        full_size_ms=full_size,
        ratio=median(t[3] / (t[1] + t[2]) for t in times_ms) if published_fits else None,
        peak_bytes=peak_bytes,
        mean_error=sum(mean for mean, _ in errors) / len(errors),
        largest_error=max(largest for _, largest in errors),
        backend=renderer.backend,
    )


def copy_bandwidth(device: torch.device) -> float:
    """Return the bytes a second that a copy in the device's memory moves, read and written.

    The best of a few copies.
    """
    source = torch.ones(COPY_BYTES[device.type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    times = [_seconds(lambda: target.copy_(source), device) for _ in range(COPIES)]
    return 2 * len(source) / min(times)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return wall time; with one CPU thread its own CPU time, whatever else the CPU does."""
    single = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.thread_time if single else time.perf_counter
    _synchronize(device)
    started = clock()
    work()
    _synchronize(device)
    return clock() - started


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_bytes(works: Sequence[Callable[[], object]], device: torch.device) -> int | None:
    """Return the most that torch holds on the GPU meanwhile, with the frames; None on the CPU."""
    if device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(device)
    for work in works:
        work()
    return torch.cuda.max_memory_allocated(device)


def _fits_in_memory(published: _Published) -> bool:
    try:
        published.run()
    except torch.OutOfMemoryError:
        return False
    return True


def _errors(
    published: _Published | None,
    network: MattingNetwork,
    case: Case,
    frames: Sequence[Tensor],
    device: torch.device,
) -> list[tuple[float, float]]:
    """Return the mean and the largest error of alpha in each frame, in 1/255.

    Args:
        published: None: ours in float32 takes its place.
    """
    exact = MattingSession(RvmNetwork(network), device, Precision.FP32)
    ours = MattingSession(RvmNetwork(network), device, case.precision)
    truths = published.alphas() if published else (_alpha(exact, f, case.ratio) for f in frames)
    errors = [
        (truth - _alpha(ours, frame, case.ratio)).abs() * 255
        for truth, frame in zip(truths, frames, strict=True)
    ]
    return [(float(error.mean()), float(error.max())) for error in errors]


def _alpha(session: MattingSession, rgb: Tensor, ratio: float) -> Tensor:
    """Return alpha [1, 1, H, W] in [0, 1] of one frame [1, 3, H, W], uint8."""
    (matte,) = session.mattes(Planes(SampleFormat(), rgb), ratio)
    return torch.cat([alpha for _, _, alpha in render_layers(matte)], dim=2)


def least_bytes(
    source: SampleFormat,
    outputs: Mapping[OutputKind, SampleFormat],
    size: Size,
    map_size: Size | None = None,
) -> int:
    """Return the least memory traffic of rendering a frame: all is read once and written once.

    Args:
        map_size: of the network's maps, in float32; None: without them.
    """
    bytes_read = frame_bytes(source, size)
    if map_size is not None:
        bytes_read += MAP_CHANNELS * 4 * map_size.width * map_size.height
    return bytes_read + sum(
        frame_bytes(sample_format, size, grey=kind.is_alpha)
        for kind, sample_format in outputs.items()
    )


def frame_bytes(sample_format: SampleFormat, size: Size, *, grey: bool = False) -> int:
    """Return the memory that the samples of one frame take."""
    pixels = size.width * size.height
    if sample_format.luma_coefficients is None or grey:
        samples = pixels * (1 if grey else 3)
    else:
        chroma = sample_format.chroma_size(size)
        samples = pixels + 2 * chroma.width * chroma.height
    return samples * sample_format.sample_bytes
