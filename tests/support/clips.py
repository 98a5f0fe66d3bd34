"""Generated clips whose every frame carries its own number, readable after encoding."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks.stand_in import SAMPLE_RATE, tone

SIZE = (64, 48)
RATE = Fraction(30)
BITS = 8


def picture(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Draw the number as black and white bars above a moving colour ramp, in RGB [H, W, 3]."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    ramp = (columns * 3 + rows * 2 + number * 5) % 256
    rgb = np.stack((ramp, 255 - ramp, (ramp + 85) % 256), axis=2).astype(np.uint8)
    bar = width // BITS
    for bit in range(BITS):
        value = 235 if number >> bit & 1 else 20
        rgb[: height // 2, bit * bar : (bit + 1) * bar] = value
    return rgb


def number_of(rgb: NDArray[np.uint8]) -> int:
    """Return the number that `picture` drew into a frame."""
    height, width = rgb.shape[:2]
    bar = width // BITS
    means = [
        rgb[2 : height // 2 - 2, bit * bar + 2 : (bit + 1) * bar - 2].mean() for bit in range(BITS)
    ]
    return sum(1 << bit for bit, mean in enumerate(means) if mean > 128)


def make_clip(
    path: Path,
    frames: int = 30,
    *,
    size: tuple[int, int] = SIZE,
    rate: Fraction = RATE,
    codec: str = "libx264",
    gop: int = 10,
    first_number: int = 0,
    options: dict[str, str] | None = None,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    audio: bool = False,
    audio_delay_frames: int = 0,
    rotation: int = 0,
    mirrored: bool = False,
    pixel_aspect: Fraction | None = None,
    pixel_format: str = "yuv420p",
) -> Path:
    """Write a clip, whose container follows the path's suffix; return the path.

    Args:
        gop: the longest distance between key frames; scene cuts add none.
        first_number: what is drawn into the first frame.
        pts: times of the frames in ticks of `time_base`; 0, 1, 2 ... in frames unless given.
        rotation, mirrored: what its display matrix says: so many degrees counter-clockwise, then
            left and right exchanged.
        audio: whether to add an AAC track of 440 Hz, as long as the video.
        audio_delay_frames: how many frames later the audio starts.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=rate, options=_options(codec, options))
        assert isinstance(video, VideoStream)
        video.width, video.height = size
        video.pix_fmt = pixel_format
        if pixel_aspect is not None:
            video.codec_context.sample_aspect_ratio = pixel_aspect
        video.codec_context.gop_size = gop
        video.codec_context.time_base = time_base or 1 / rate
        if rotation or mirrored:
            video.set_display_rotation(rotation, hflip=mirrored)
        audio_stream = container.add_stream("aac", rate=SAMPLE_RATE) if audio else None
        if audio_stream is not None:
            assert isinstance(audio_stream, AudioStream)
            audio_stream.layout = "mono"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(first_number + index, size), format="rgb24")
            frame = frame.reformat(format=pixel_format, dst_colorspace=5)
            frame.pts = pts[index] if pts is not None else index
            frame.time_base = time_base or 1 / rate
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio_stream is not None:
            for block in tone(Fraction(frames) / rate, Fraction(audio_delay_frames) / rate):
                container.mux(audio_stream.encode(block))
            container.mux(audio_stream.encode(None))
    return path


def make_audio(path: Path, seconds: int = 1) -> Path:
    """Write a file with audio only; return its path."""
    with av.open(str(path), "w") as container:
        audio_stream = container.add_stream("aac", rate=SAMPLE_RATE)
        assert isinstance(audio_stream, AudioStream)
        audio_stream.layout = "mono"
        for block in tone(Fraction(seconds)):
            container.mux(audio_stream.encode(block))
        container.mux(audio_stream.encode(None))
    return path


def crop_by_header(video: Path, *, left: int, bottom: int) -> Path:
    """Copy a generated Matroska clip, cropped by its header, which no writer here can do."""
    content = video.read_bytes()
    # DisplayUnit, the last element of Video, and MaxBlockAdditionID after it. PixelCropLeft and
    # PixelCropBottom take their place, and Video grows by the four bytes that lay after it.
    at = content.index(bytes.fromhex("54b2810455ee8100"))
    size = content.rindex(b"\xe0", 0, at) + 1
    crop = bytes.fromhex(f"54cc81{left:02x}54aa81{bottom:02x}")
    target = video.with_name(f"cropped_{video.name}")
    target.write_bytes(
        content[:size]
        + bytes([content[size] + 4])
        + content[size + 1 : at]
        + crop
        + content[at + 8 :]
    )
    return target


def without_usability(video: Path) -> Path:
    """Copy an mp4 in H.264's main profile without its VUI, which no writer here omits.

    The VUI says, among other things, how far frames are reordered.
    Source: ITU-T H.264, 7.3.2.1.1.
    """
    content = bytearray(video.read_bytes())
    start = content.index(b"avcC") + 12  # configuration, the number of parameter sets, the length
    length = int.from_bytes(content[start - 2 : start], "big")
    bits = "".join(f"{byte:08b}" for byte in content[start : start + length])
    at = 32  # the unit's header, profile, constraints, level

    def number() -> int:
        nonlocal at
        zeros = bits.index("1", at) - at
        at += 2 * zeros + 1
        return int(bits[at - zeros - 1 : at], 2) - 1

    number(), number()
    assert number() == 0, "another order of pictures"
    number(), number()
    at += 1
    number(), number()
    at += 2  # frames only, direct inference
    at += 1
    if bits[at - 1] == "1":  # cropped
        [number() for _ in range(4)]
    assert bits[at] == "1", "there is no VUI"
    rest = "01".ljust(length * 8 - at, "0")
    content[start : start + length] = int(bits[:at] + rest, 2).to_bytes(length, "big")
    target = video.with_name(f"without_vui_{video.name}")
    target.write_bytes(content)
    return target


def decode(path: Path) -> list[tuple[Fraction, NDArray[np.uint8]]]:
    """Return (time in seconds, RGB) of every frame."""
    with av.open(str(path)) as container:
        frames = [
            (frame.pts * frame.time_base, np.asarray(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
            if frame.pts is not None and frame.time_base is not None
        ]
    assert frames, f"{path} shows no frame"
    return frames


def numbers(path: Path) -> list[int]:
    """Return the numbers of a clip's frames, in presentation order."""
    return [number_of(rgb) for _, rgb in decode(path)]


def times(path: Path) -> list[Fraction]:
    """Return when a clip's frames are presented, in seconds."""
    return [time for time, _ in decode(path)]


def audio_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Return (time in seconds, content) of every packet of the first audio track."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]


def _options(codec: str, changes: dict[str, str] | None) -> dict[str, str]:
    defaults = {
        "libx264": {"preset": "ultrafast", "crf": "10", "sc_threshold": "0", "bf": "0"},
        "libx264rgb": {"preset": "ultrafast", "crf": "0"},
        "libx265": {"preset": "ultrafast", "crf": "10", "x265-params": "log-level=none:scenecut=0"},
    }
    return {**defaults.get(codec, {}), **(changes or {})}
