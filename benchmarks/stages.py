"""Each stage of `infer` alone over a whole clip, with the threads that it has in the pipeline.

python -m benchmarks.stages CLIP RESULT --checkpoint PATH [--ratio 0.4] [--device cpu] ...
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

from matting.delivery.outputs import OutputTarget, create_writer, output_formats
from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.planes import Planes
from matting.imaging.renderer import Renderer, render_matte
from matting.imaging.sample_format import Size
from matting.imaging.tone_mapping import tone_map
from matting.inference.base import TrainedNetwork
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.media.decode_check import decode_through
from matting.media.video_source import VideoSource
from matting.options import EncodingOptions, OutputKind, OutputOptions, Precision, RendererBackend
from matting.system.device import choose_device, share_cores
from matting.system.memory import keep_freed_memory

A = TypeVar("A")
P = ParamSpec("P")

READING, COMPUTING, WRITING, FINISHING = "reader", "network", "writer", "finishing"
FEATURES = "network: features"


@dataclass(frozen=True)
class Stage:
    """What one stage took for all frames.

    Attributes:
        thread: with which others it takes turns in the pipeline.
        cpu_seconds: processor time of all threads.
    """

    name: str
    thread: str
    seconds: float
    cpu_seconds: float

    def less(self, part: Stage) -> Stage:
        """This stage without what it shares with another one."""
        return Stage(
            self.name,
            self.thread,
            max(0.0, self.seconds - part.seconds),
            max(0.0, self.cpu_seconds - part.cpu_seconds),
        )


@dataclass(frozen=True)
class Alone:
    """All stages of one clip.

    Attributes:
        gpu_bytes: the most that torch held on the graphics card; 0 on the CPU.
    """

    frames: int
    stages: list[Stage]
    gpu_bytes: int = 0


class _Clock:
    """Adds up what each stage takes, chunk after chunk."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.stages: dict[str, Stage] = {}

    def timed(
        self, name: str, thread: str, work: Callable[P, A], *given: P.args, **named: P.kwargs
    ) -> A:
        """What `work` gives; its time is the stage's."""
        started, cpu = time.perf_counter(), time.process_time()
        made = work(*given, **named)
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        before = self.stages.get(name, Stage(name, thread, 0, 0))
        self.stages[name] = Stage(name, thread, before.seconds + seconds, before.cpu_seconds + cpu)
        return made


@torch.inference_mode()
def measure(
    network: TrainedNetwork,
    clip: Path,
    result: Path,
    *,
    ratio: float,
    device: str,
    look: OutputOptions,
) -> Alone:
    """Runs the stages in turns. The results of all frames of the clip must fit into memory."""
    chosen = choose_device(device)
    share_cores(chosen)
    keep_freed_memory()
    session = MattingSession(network, chosen, Precision.AUTO)
    source = VideoSource(clip)
    target = OutputTarget(result)
    samples = output_formats(source, look.encoding, {OutputKind.COMPOSITE: target})[
        OutputKind.COMPOSITE
    ]
    size = session.chunk_frames(
        source.sample_format, Size(source.width_px, source.height_px), ratio
    )
    make = Renderer(RendererBackend.AUTO, chosen, print)
    compose = partial(
        render_matte,
        formats={OutputKind.COMPOSITE: samples.sample_format},
        background=look.background,
        renderer=make,
    )
    for matte in session.mattes(next(source.chunks(size)).pictures, ratio):
        compose(matte)
    session.reset()

    clock, made = _Clock(chosen), []
    chunks = clock.timed("decode", READING, list, source.chunks(size))
    for pictures in (chunk.pictures for chunk in chunks):
        clock.timed("small copy", READING, _small, pictures.to(chosen), ratio)
        features = clock.timed(FEATURES, READING, session.extract_features, pictures, ratio)
        output = clock.timed("network: decoder", COMPUTING, session.run_recurrent, features)
        mattes = clock.timed("network: maps", WRITING, session.fit_guided_filter, output)
        for matte in mattes:
            full = clock.timed("full-size stage", WRITING, compose, matte)
            made.append(full[OutputKind.COMPOSITE])

    def write() -> None:
        times = iter(pts for chunk in chunks for pts in chunk.pts)
        with create_writer(
            OutputKind.COMPOSITE,
            result,
            target,
            source=source,
            encoding=look.encoding,
            output_format=samples,
        ) as writer:
            for planes in made:
                writer.write(planes, [next(times) for _ in range(len(planes))])
            writer.finish()

    clock.timed("encode", WRITING, write)
    clock.timed("check", FINISHING, lambda: decode_through(result))
    found = clock.stages
    found[FEATURES] = found[FEATURES].less(found["small copy"])
    found["encode"] = found["encode"].less(found["check"])  # done by `finish`
    gpu_bytes = torch.cuda.max_memory_allocated(chosen) if chosen.type == "cuda" else 0
    return Alone(source.frames, list(found.values()), gpu_bytes)


def _small(source: Planes, ratio: float) -> Tensor:
    return tone_map(downsample_to_rgb(source, ratio), source.sample_format)


def main() -> None:
    """Measures one clip, and prints what its stages took as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--ratio", type=float, default=0.4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--codec", default="hevc")
    parser.add_argument("--bitrate-bps", type=int, default=40_000_000)
    options = parser.parse_args()
    alone = measure(
        load_checkpoint(options.checkpoint).network,
        options.clip,
        options.result,
        ratio=options.ratio,
        device=options.device,
        look=OutputOptions(
            encoding=EncodingOptions(options.codec, bitrate_bps=options.bitrate_bps)
        ),
    )
    print(json.dumps(asdict(alone)))


if __name__ == "__main__":
    main()
