"""One size and precision: each part of the work on frames that are in memory already."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from benchmarks.naive import BACKGROUND
from matting.imaging.colour_conversion import convert_planes, downsample_to_rgb
from matting.imaging.compositor import Matte, render_layers
from matting.imaging.planes import Planes
from matting.imaging.renderer import Renderer, RenderFunction
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.tone_mapping import tone_map
from matting.inference.rvm import RvmNetwork
from matting.inference.session import MattingSession
from matting.media.video_source import VideoSource
from matting.options import OutputKind, Precision, RendererBackend
from model import MattingNetwork, State

MAP_CHANNELS = 8  # slope and offset

C420 = SampleFormat(luma_coefficients=(0.2126, 0.0722), subsampling=(2, 2))
COPY_BYTES = {"cpu": 1 << 28, "cuda": 1 << 30}
COPIES = 5


@dataclass(frozen=True)
class Case:
    """What is computed.

    Attributes:
        clip: of width x height px, without rotation.
    """

    clip: Path
    width: int
    height: int
    ratio: float
    precision: Precision

    @property
    def least_bytes(self) -> int:
        """What the full-size stage must move for a frame of 4:2:0 in 8 bits: in, out, and maps."""
        small = int(self.width * self.ratio), int(self.height * self.ratio)
        return least_bytes(C420, {OutputKind.COMPOSITE: C420}, self.width, self.height, small)


@dataclass
class Found:
    """What was measured, in ms a frame.

    Attributes:
        published_ms: the network as published; None: too little memory.
        stage_one_ms: the network on the small copy, without making that.
        ratio: published over ours, the median of both one after the other.
        peak_bytes: the most that torch held on the graphics card for ours; None on the CPU.
        mean_error, most_error: of alpha, in 1/255; against ours in float32 where the published
            network has too little memory.
        way: how the full-size pictures were made, "fused" or "plain".
    """

    case: Case
    published_ms: float | None
    small_ms: float
    stage_one_ms: float
    full_size_ms: float
    ratio: float | None
    peak_bytes: int | None
    mean_error: float
    most_error: float
    way: str

    @property
    def ours_ms(self) -> float:
        return self.small_ms + self.stage_one_ms + self.full_size_ms


@dataclass
class _Ours:
    """This program's work on the frames of a clip, in chunks and in the way of `infer`."""

    session: MattingSession
    ratio: float
    chunks: Sequence[Planes]
    make: RenderFunction
    mattes: list[Matte] = field(default_factory=list)

    def small(self) -> None:
        for chunk in self.chunks:
            tone_map(downsample_to_rgb(chunk, self.ratio), chunk.sample_format)

    def matte(self) -> None:
        self.mattes = [m for chunk in self.chunks for m in self.session.mattes(chunk, self.ratio)]

    def full_size(self) -> None:
        for matte in self.mattes:
            self.make(matte, {OutputKind.COMPOSITE: matte.source.sample_format}, BACKGROUND)


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
        """The alpha of each frame, [1, 1, H, W]."""
        state: State | None = None
        for rgb in self.frames:
            _, alpha, state = self.network(rgb.float() / 255, state, self.ratio)
            yield alpha


@torch.inference_mode()
def measure(network: MattingNetwork, case: Case, device: torch.device, rounds: int) -> Found:
    """Measures one case; the frames stay on the device."""
    session = MattingSession(RvmNetwork(network), device, case.precision)
    source = VideoSource(case.clip)
    size = session.chunk_frames(source.sample_format, Size(case.width, case.height), case.ratio)
    chunks = [chunk.pictures.to(device) for chunk in source.chunks(size)]
    rgb = [
        frame.luma_or_rgb
        for chunk in chunks
        for frame in convert_planes(chunk, SampleFormat()).split(1)
    ]
    make = Renderer(RendererBackend.AUTO, device, print)
    ours = _Ours(session, case.ratio, chunks, make)
    published = _Published(network.eval().to(device), case.ratio, rgb)
    works = [ours.small, ours.matte, ours.full_size]
    for work in works:  # a warm-up
        work()
    peak_bytes = _peak_of(works, device)
    affordable = _fits(published)
    if affordable:
        works.append(published.run)
    taken = [[_seconds(work, device) * 1000 / len(rgb) for work in works] for _ in range(rounds)]
    small, matte, full_size, *plain = (median(times) for times in zip(*taken, strict=True))
    errors = _errors(published if affordable else None, network, case, rgb, device)
    return Found(
        case,
        published_ms=plain[0] if affordable else None,
        small_ms=small,
        stage_one_ms=max(0.0, matte - small),
        full_size_ms=full_size,
        ratio=median(t[3] / (t[1] + t[2]) for t in taken) if affordable else None,
        peak_bytes=peak_bytes,
        mean_error=sum(mean for mean, _ in errors) / len(errors),
        most_error=max(most for _, most in errors),
        way=make.backend,
    )


def bandwidth(device: torch.device) -> float:
    """Bytes a second that a copy in the device's memory reads and writes; the best of a few."""
    source = torch.ones(COPY_BYTES[device.type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    taken = [_seconds(lambda: target.copy_(source), device) for _ in range(COPIES)]
    return 2 * len(source) / min(taken)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Wall time; for one thread of the processor its own time, whatever else that is busy with."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.thread_time if alone else time.perf_counter
    _wait(device)
    started = clock()
    work()
    _wait(device)
    return clock() - started


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_of(works: Sequence[Callable[[], object]], device: torch.device) -> int | None:
    """The most that torch holds on the graphics card meanwhile, the frames included."""
    if device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(device)
    for work in works:
        work()
    return torch.cuda.max_memory_allocated(device)


def _fits(published: _Published) -> bool:
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
    """Of each frame the mean and the largest error of alpha, in 1/255.

    Args:
        published: None: held against ours in float32.
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
    """[1, 1, H, W] of one frame [1, 3, H, W], uint8."""
    (matte,) = session.mattes(Planes(SampleFormat(), rgb), ratio)
    return torch.cat([alpha for _, _, alpha in render_layers(matte)], dim=2)


def least_bytes(
    source: SampleFormat,
    targets: Mapping[OutputKind, SampleFormat],
    width: int,
    height: int,
    small: tuple[int, int] = (0, 0),
) -> int:
    """The least memory traffic of the stage, per frame: all is read once and written once.

    Args:
        small: width and height of the small maps, in float32.
    """
    read = frame_bytes(source, width, height) + MAP_CHANNELS * 4 * small[0] * small[1]
    return read + _results_bytes(targets, width, height)


def frame_bytes(sample_format: SampleFormat, width: int, height: int, *, grey: bool = False) -> int:
    """What the samples of one frame take."""
    if sample_format.luma_coefficients is None or grey:
        samples = width * height * (1 if grey else 3)
    else:
        across, down = sample_format.chroma_size(Size(width, height))
        samples = width * height + 2 * across * down
    return samples * sample_format.sample_bytes


def _results_bytes(targets: Mapping[OutputKind, SampleFormat], width: int, height: int) -> int:
    return sum(
        frame_bytes(sample_format, width, height, grey=kind.is_alpha)
        for kind, sample_format in targets.items()
    )
