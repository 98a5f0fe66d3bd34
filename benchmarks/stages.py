"""Each stage of `infer` alone over a whole clip, with the threads that it has in the pipeline.

python -m benchmarks.stages CLIP RESULT --checkpoint PATH [--ratio 0.4] [--device cpu] ...
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch

from matting.device import choose_device, share_cores
from matting.media.check import decode_through
from matting.media.encoders import Encoding
from matting.media.reader import VideoSource
from matting.memory import keep_freed_memory
from matting.results import Look, Target, samples_of, writer_of
from matting.sdr_view import sdr_view
from matting.session import MattingSession, composed
from matting.weights import load_checkpoint
from matting.workspace import COMPOSITE
from matting.yuv import small_rgb
from model import MattingNetwork

A = TypeVar("A")

READING, COMPUTING, WRITING, FINISHING = "reader", "network", "writer", "finishing"


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


def _timed(name: str, thread: str, device: torch.device, work: Callable[[], A]) -> tuple[Stage, A]:
    started, cpu = time.perf_counter(), time.process_time()
    made = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return Stage(name, thread, time.perf_counter() - started, time.process_time() - cpu), made


@torch.inference_mode()
def measure(
    network: MattingNetwork, clip: Path, result: Path, *, ratio: float, device: str, look: Look
) -> Alone:
    """Runs the stages one after the other. All frames of the clip must fit into memory."""
    chosen = choose_device(device)
    share_cores(chosen)
    keep_freed_memory()
    session = MattingSession(network, chosen, "auto")
    source = VideoSource(clip)
    target = Target(result)
    samples = samples_of(source, look.encoding, {COMPOSITE: target})[COMPOSITE]
    size = session.chunk_frames(source.coding, (source.width_px, source.height_px), ratio)
    first = next(source.chunks(size)).pictures
    for matte in session.mattes(first, ratio):
        composed(matte, {COMPOSITE: samples.coding}, look.background)
    session.reset()

    decode, chunks = _timed("decode", READING, chosen, lambda: list(source.chunks(size)))
    pictures = [chunk.pictures for chunk in chunks]
    small, _ = _timed(
        "small copy",
        READING,
        chosen,
        lambda: [sdr_view(small_rgb(p.to(chosen), ratio), p.coding) for p in pictures],
    )
    seeing, seen = _timed(
        "network: features", READING, chosen, lambda: [session.see(p, ratio) for p in pictures]
    )
    decoding, decoded = _timed(
        "network: decoder", COMPUTING, chosen, lambda: [session.decode(s) for s in seen]
    )
    fitting, mattes = _timed(
        "network: maps", WRITING, chosen, lambda: [m for d in decoded for m in session.fit(d)]
    )
    full_size, made = _timed(
        "full-size stage",
        WRITING,
        chosen,
        lambda: [composed(m, {COMPOSITE: samples.coding}, look.background) for m in mattes],
    )

    def write() -> None:
        times = iter(pts for chunk in chunks for pts in chunk.pts)
        with writer_of(
            COMPOSITE, result, target, source=source, choice=look.encoding, samples=samples
        ) as writer:
            for planes in (found[COMPOSITE] for found in made):
                writer.write(planes, [next(times) for _ in range(len(planes))])
            writer.finish()

    encode_and_check, _ = _timed("encode", WRITING, chosen, write)
    check, _ = _timed("check", FINISHING, chosen, lambda: decode_through(result))
    stages = [decode, small, seeing.less(small), decoding, fitting, full_size]
    stages += [encode_and_check.less(check), check]
    gpu_bytes = torch.cuda.max_memory_allocated(chosen) if chosen.type == "cuda" else 0
    return Alone(source.frames, stages, gpu_bytes)


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
        look=Look(encoding=Encoding(options.codec, bitrate_bps=options.bitrate_bps)),
    )
    print(json.dumps(asdict(alone)))


if __name__ == "__main__":
    main()
