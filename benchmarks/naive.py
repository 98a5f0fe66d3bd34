"""The plain loop that this program is compared with, as matting scripts are commonly written.

One frame after the other, all in one thread: random access to the video, PIL, a tensor, the
network in float32 with a batch of one, the composite at full size, x265 at its medium preset.

python -m benchmarks.naive CLIP RESULT --checkpoint PATH [--ratio 0.4] [--device cpu] ...
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from matting.imaging.sample_format import Size
from matting.system.closing import Closing
from model import MattingNetwork, State, load_network

BACKGROUND = (120, 255, 155)
ENCODERS = {"hevc": "libx265", "h264": "libx264", "av1": "libsvtav1"}
PRESETS = {"hevc": "medium", "h264": "medium", "av1": "8"}


class RandomAccess(Closing):
    """A video as a sequence of RGB frames by number, as pims gives it: one at a time."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path))
        self._stream = self._container.streams.video[0]
        self.rate = self._stream.average_rate or Fraction(30)
        self._frames = self._container.decode(self._stream)
        self._next = 0

    def close(self) -> None:
        self._container.close()

    def __len__(self) -> int:
        return self._stream.frames

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        """Return RGB [H, W, 3] of a frame: the next one that is decoded, or one that is sought."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        if number != self._next:
            self._seek(number)
        frame = next(self._frames)
        while self._number_of(frame) < number:
            frame = next(self._frames)
        self._next = number + 1
        return frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)

    @property
    def _frame_ticks(self) -> Fraction:
        """How long a frame lasts, in ticks of the stream's time base, at a constant rate."""
        return 1 / (self.rate * (self._stream.time_base or Fraction(1)))

    def _number_of(self, frame: av.VideoFrame) -> int:
        return round(((frame.pts or 0) - (self._stream.start_time or 0)) / self._frame_ticks)

    def _seek(self, number: int) -> None:
        """Seek to the key frame before a frame."""
        ticks = int(number * self._frame_ticks) + (self._stream.start_time or 0)
        self._container.seek(ticks, stream=self._stream)
        self._frames = self._container.decode(self._stream)


class Encoder:
    """An encoder of RGB frames into an MP4 file, at a bitrate."""

    def __init__(
        self, path: Path, size: Size, rate: Fraction, codec: str, bitrate_bps: int
    ) -> None:
        self._container = av.open(str(path), "w")
        options = {"preset": PRESETS[codec]}
        if codec == "hevc":
            options["x265-params"] = "log-level=error"
        stream = self._container.add_stream(ENCODERS[codec], rate=rate, options=options)
        if not isinstance(stream, VideoStream):
            raise TypeError("PyAV gave a stream of another kind")
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = bitrate_bps
        self._stream = stream

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Encode one frame [H, W, 3]."""
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        self._container.mux(self._stream.encode(frame))


@dataclass(frozen=True)
class Job:
    """What to matte, and how.

    Attributes:
        codec: a key of ENCODERS.
    """

    clip: Path
    result: Path
    ratio: float = 0.4
    device: str = "cpu"
    codec: str = "hevc"
    bitrate_bps: int = 40_000_000


@dataclass(frozen=True)
class Measurement:
    """What a run took, without the network's loading and its first call.

    Attributes:
        gpu_bytes: the most that torch held on the GPU; 0 on the CPU.
    """

    frames: int
    seconds: float
    cpu_seconds: float
    gpu_bytes: int = 0


@torch.no_grad()
def matte(network: MattingNetwork, job: Job) -> Measurement:
    """Matte a clip into a file, frame by frame."""
    device = torch.device(job.device)
    network = network.eval().to(device)
    background = torch.tensor(BACKGROUND, device=device).view(1, 3, 1, 1) / 255
    with RandomAccess(job.clip) as video:
        height, width = video[0].shape[:2]
        network(torch.zeros(1, 3, height, width, device=device), None, job.ratio)
        started, cpu = time.perf_counter(), time.process_time()
        state: State | None = None
        with Encoder(
            job.result, Size(width, height), video.rate, job.codec, job.bitrate_bps
        ) as encoder:
            for number in range(len(video)):
                source = _to_tensor(video[number]).to(device)
                foreground, alpha, state = network(source, state, job.ratio)
                composite = foreground * alpha + background * (1 - alpha)
                encoder.write(_to_rgb8(composite))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    gpu_bytes = torch.cuda.max_memory_allocated() if device.type == "cuda" else 0
    return Measurement(len(video), seconds, cpu, gpu_bytes)


def _to_tensor(rgb: NDArray[np.uint8]) -> Tensor:
    """Return [1, 3, H, W] in [0, 1] of [H, W, 3], by way of PIL."""
    pixels = torch.from_numpy(np.array(Image.fromarray(rgb)))
    return pixels.permute(2, 0, 1).contiguous().float().div(255)[None]


def _to_rgb8(rgb: Tensor) -> NDArray[np.uint8]:
    """Return [H, W, 3] of [1, 3, H, W] in [0, 1]."""
    code_values = rgb[0].mul(255).byte().permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(code_values)


def main() -> None:
    """Matte one clip, and print what that took as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.naive", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--ratio", type=float, default=Job.ratio)
    parser.add_argument("--device", default=Job.device)
    parser.add_argument("--codec", default=Job.codec, choices=sorted(ENCODERS))
    parser.add_argument("--bitrate-bps", type=int, default=Job.bitrate_bps)
    options = vars(parser.parse_args())
    network = load_network(options.pop("checkpoint"))
    print(json.dumps(asdict(matte(network, Job(**options)))))


if __name__ == "__main__":
    main()
