"""The small clip that the fault bench works on, and what can be read back from a video."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matting.imaging.sample_format import Size

SIZE = Size(64, 48)
RATE = 30
KEY_FRAMES = 6  # frames from one key frame to the next
SAMPLE_RATE = 48_000
BLOCK_SAMPLES = 1024


def write_clip(path: Path, frames: int, seed: int) -> Path:
    """Write a clip with audio, of which every frame is another one."""
    rng = np.random.default_rng(seed)
    texture = rng.integers(0, 256, (2 * SIZE.height, 2 * SIZE.width, 3), np.uint8)
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": "12", "sc_threshold": "0", "bf": "0"}
        video = container.add_stream("libx264", rate=RATE, options=options)
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        if not isinstance(video, VideoStream) or not isinstance(audio, AudioStream):
            raise TypeError("PyAV gave streams of another kind")
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        video.codec_context.gop_size = KEY_FRAMES
        audio.layout = "mono"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(_frame(texture, index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for block in tone(Fraction(frames, RATE)):
            container.mux(audio.encode(block))
        container.mux(audio.encode(None))
    return path


def content_hash(path: Path) -> str:
    """Return a hash of every decoded frame with its time, and of every audio packet."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            digest.update(f"{frame.pts} {frame.time_base} {frame.width} {frame.height}".encode())
            digest.update(frame.to_ndarray().tobytes())
    with av.open(str(path)) as container:
        if container.streams.audio:
            for packet in container.demux(container.streams.audio[0]):
                digest.update(f"{packet.pts}".encode() + bytes(packet))
    return digest.hexdigest()


def presentation_times(path: Path) -> list[Fraction]:
    """Return when each frame that can be decoded is presented, in seconds after the first."""
    with av.open(str(path)) as container:
        times = [
            frame.pts * frame.time_base
            for frame in container.decode(video=0)
            if frame.pts is not None and frame.time_base is not None and not frame.is_corrupt
        ]
    return [time - times[0] for time in times]


def tone(seconds: Fraction, delay: Fraction = Fraction(0)) -> Iterator[av.AudioFrame]:
    """Yield a tone of 440 Hz, mono, that starts after a delay; times in seconds."""
    total = int(seconds * SAMPLE_RATE)
    for start in range(0, total, BLOCK_SAMPLES):
        samples = np.arange(start, min(start + BLOCK_SAMPLES, total))
        wave = (np.sin(samples * 2 * np.pi * 440 / SAMPLE_RATE) * 0.3).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start + int(delay * SAMPLE_RATE)
        frame.time_base = Fraction(1, SAMPLE_RATE)
        yield frame


def _frame(texture: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    """Return RGB [H, W, 3]: a window that wanders over the texture, coarse to encode well."""
    moved = np.roll(texture, (index, 2 * index), axis=(0, 1)).astype(np.float32)
    coarse = moved[: SIZE.height // 4, : SIZE.width // 4]
    return np.kron(coarse, np.ones((4, 4, 1), np.float32)).astype(np.uint8)
