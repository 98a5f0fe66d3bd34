"""Each stage of `infer` alone over a whole clip, with the threads that it has in the pipeline.

python -m benchmarks.stages CLIP RESULT --checkpoint PATH [--ratio 0.4] [--device cpu] ...
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

from matting.background import COLOUR
from matting.delivery.output_target import OutputTarget
from matting.delivery.outputs import create_writer, output_formats
from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.compositor import Matte
from matting.imaging.frame_parts import FrameParts, whole_frames
from matting.imaging.planes import Planes
from matting.imaging.renderer import (
    Renderer,
    StoredFrames,
    compose_outputs,
    render_matte_planes,
)
from matting.imaging.tone_mapping import tone_map
from matting.inference.base import TrainedNetwork
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.media.decode_check import decode_through
from matting.media.video_source import VideoSource
from matting.network_choice import Foreground
from matting.options import (
    EncodingOptions,
    OutputKind,
    OutputOptions,
    Precision,
    RendererBackend,
    VideoCodec,
)
from matting.system.device import choose_device, share_cores
from matting.system.memory import keep_freed_memory

ResultT = TypeVar("ResultT")
P = ParamSpec("P")

READING, COMPUTING, WRITING, FINISHING = "reader", "network", "writer", "finishing"
FEATURES = "network: features"


@dataclass(frozen=True)
class Stage:
    """What one stage takes for all frames.

    Attributes:
        thread: in which of the pipeline it takes turns with other stages.
        cpu_seconds: CPU time of all threads.
    """

    name: str
    thread: str
    seconds: float
    cpu_seconds: float

    def minus(self, part: Stage) -> Stage:
        """Return this stage without another one that is part of it."""
        return Stage(
            self.name,
            self.thread,
            max(0.0, self.seconds - part.seconds),
            max(0.0, self.cpu_seconds - part.cpu_seconds),
        )


@dataclass(frozen=True)
class StageTimes:
    """All stages of one clip.

    Attributes:
        gpu_bytes: the most that torch held on the GPU; 0 on the CPU.
    """

    frames: int
    stages: list[Stage]
    gpu_bytes: int = 0


class _Stopwatch:
    """Adds up what each stage takes, chunk after chunk."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.stages: dict[str, Stage] = {}

    def timed(
        self,
        name: str,
        thread: str,
        work: Callable[P, ResultT],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> ResultT:
        """Return what `work` does, and add the time it takes to the stage's."""
        started, cpu = time.perf_counter(), time.process_time()
        result = work(*args, **kwargs)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        before = self.stages.get(name, Stage(name, thread, 0, 0))
        self.stages[name] = Stage(name, thread, before.seconds + seconds, before.cpu_seconds + cpu)
        return result


@torch.inference_mode()
def measure(
    network: TrainedNetwork,
    clip: Path,
    result: Path,
    *,
    ratio: float,
    device: str,
    output: OutputOptions,
    foreground: Foreground = Foreground.FUSED,
) -> StageTimes:
    """Run the stages in turns. The outputs of all frames of the clip must fit in memory."""
    torch_device = choose_device(device)
    share_cores(torch_device)
    keep_freed_memory()
    session = MattingSession(network, torch_device, Precision.AUTO)
    source = VideoSource(clip)
    target = OutputTarget(result)
    formats = output_formats(source, output.encoding, {OutputKind.COMPOSITE: target})
    output_format = formats[OutputKind.COMPOSITE]
    chunk_frames = session.chunk_frames(source.sample_format, source.size_px, ratio)
    renderer = Renderer(RendererBackend.AUTO, torch_device, print)
    composite_format = {OutputKind.COMPOSITE: output_format.sample_format}

    def render(frames: FrameParts[Matte]) -> dict[OutputKind, Planes]:
        fused = frames.made_into(lambda m: replace(m, fused=foreground is Foreground.FUSED))
        stored = StoredFrames(frames.source, render_matte_planes(fused, renderer=renderer))
        return compose_outputs(stored, composite_format, COLOUR)

    for matte in session.mattes(next(source.chunks(chunk_frames)).pictures, ratio):  # a warm-up
        render(whole_frames(matte.source, matte))
    session.reset()

    stopwatch = _Stopwatch(torch_device)
    timed = stopwatch.timed
    composites: list[Planes] = []
    chunks = timed("decode", READING, list, source.chunks(chunk_frames))
    for pictures in (chunk.pictures for chunk in chunks):
        timed("small copy", READING, _small_copy, pictures.to(torch_device), ratio)
        features = timed(FEATURES, READING, session.extract_features, pictures, ratio)
        recurrent = timed("network: decoder", COMPUTING, session.run_recurrent, features)
        mattes = timed("network: maps", WRITING, session.fit_guided_filter, recurrent)
        for frames in mattes:
            outputs = timed("full-size stage", WRITING, render, frames)
            composites.append(outputs[OutputKind.COMPOSITE])

    def write() -> None:
        times = iter(pts for chunk in chunks for pts in chunk.pts)
        with create_writer(
            OutputKind.COMPOSITE,
            result,
            target,
            source=source,
            encoding=output.encoding,
            output_format=output_format,
        ) as writer:
            for planes in composites:
                writer.write(planes, [next(times) for _ in range(len(planes))])
            writer.finish()

    timed("encode", WRITING, write)
    timed("check", FINISHING, lambda: decode_through(result))
    stages = stopwatch.stages
    stages[FEATURES] = stages[FEATURES].minus(stages["small copy"])
    stages["encode"] = stages["encode"].minus(stages["check"])  # done by `finish`
    on_gpu = torch_device.type == "cuda"
    gpu_bytes = torch.cuda.max_memory_allocated(torch_device) if on_gpu else 0
    return StageTimes(source.frames, list(stages.values()), gpu_bytes)


def _small_copy(source: Planes, ratio: float) -> Tensor:
    return tone_map(downsample_to_rgb(source, ratio), source.sample_format)


def main() -> None:
    """Measure one clip, and print what its stages take as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--ratio", type=float, default=0.4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--codec", type=VideoCodec, default=VideoCodec.HEVC)
    parser.add_argument("--foreground", type=Foreground, default=Foreground.FUSED)
    parser.add_argument("--bitrate-bps", type=int, default=40_000_000)
    options = parser.parse_args()
    times = measure(
        load_checkpoint(options.checkpoint).network,
        options.clip,
        options.result,
        ratio=options.ratio,
        device=options.device,
        output=OutputOptions(
            encoding=EncodingOptions(options.codec, bitrate_bps=options.bitrate_bps)
        ),
        foreground=options.foreground,
    )
    print(json.dumps(asdict(times)))


if __name__ == "__main__":
    main()
