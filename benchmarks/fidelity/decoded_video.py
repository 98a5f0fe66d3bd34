"""A file's frames as a player shows them: decoded, cropped and rotated by the ffmpeg program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.fidelity.program import FfmpegError, run_ffmpeg
from benchmarks.fidelity.reference import CodeValues, Layout

FRAME = re.compile(
    r" n: *\d+ pts: *(-?\d+|NOPTS) .*?fmt:(\S+) cl:(\S+) sar:(\S+) s:(\d+)x(\d+) i:(\S)"
)
BASE = re.compile(r"config in time_base: (\d+/\d+), frame_rate: (\d+/\d+)")
COLOUR = re.compile(r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)")
SIDE = re.compile(r"side data - ([^:\n]+): *(.*)")
SIDE_FACTS = {
    "mastering display": "mastering display",
    "content light level": "light level",
    "stereo": "stereo",
    "spherical": "spherical",
}
UNKNOWN = "untagged"


@dataclass(frozen=True)
class DecodedVideo:
    """The frames of a video track.

    Attributes:
        frames: the planes of each, in code values.
        times: when each is presented, in seconds.
        facts: size, depth, colour tags and so on, by name.
    """

    frames: list[list[CodeValues]]
    times: list[Fraction]
    layout: Layout
    facts: dict[str, str]

    @property
    def full(self) -> bool:
        return self.facts["range"] == "pc"

    @property
    def height(self) -> int:
        return int(self.frames[0][0].shape[0])


def decode_video(
    path: Path, stream: str = "V:0", before: Sequence[str] = (), filters: str = ""
) -> DecodedVideo:
    """Decode a video track of `path`.

    Args:
        stream: which one, as FFmpeg specifies it.
        before: arguments for the input, such as a decoder.
        filters: a filter chain to apply first.
    Raises:
        FfmpegError: it cannot be shown.
    """
    chain = f"{filters},showinfo=checksum=0" if filters else "showinfo=checksum=0"
    arguments = ["-copyts", *before, "-i", str(path), "-map", f"0:{stream}", "-vf", chain]
    arguments += ["-fps_mode", "passthrough", "-f", "rawvideo"]
    raw, log = run_ffmpeg([*arguments, "pipe:1"], level="info")
    shown = FRAME.findall(log)
    if not shown or "NOPTS" in {pts for pts, *_ in shown}:
        raise FfmpegError(f"{path.name} shows no frames, or no times of them")
    name = shown[0][1]
    layout = Layout.of(name)
    if layout is None:  # packed RGB: the same values, a plane for each
        raw, _ = run_ffmpeg([*arguments, "-pix_fmt", "gbrp", "pipe:1"])
        layout = Layout(8, (0, 0), alpha=False, rgb=True)
    base, rate = BASE.findall(log)[-1]
    width, height = int(shown[0][4]), int(shown[0][5])
    frames = layout.split(raw, width, height)
    times = [int(pts) * Fraction(base) for pts, *_ in shown]
    if len(times) != len(frames):
        raise ValueError(f"{path}: {len(times)} times for {len(frames)} frames")
    return DecodedVideo(frames, times, layout, {**_facts(shown, log, layout), "rate": rate})


def _facts(shown: list[tuple[str, ...]], log: str, layout: Layout) -> dict[str, str]:
    _, name, chroma, aspect, width, height, fields = shown[0]
    colour = COLOUR.search(log)
    tags = list(colour.groups()) if colour else ["unknown"] * 4
    values = [UNKNOWN if tag in {"unknown", "unspecified", "reserved"} else tag for tag in tags]
    if name.startswith("yuvj"):
        values[0] = "pc"
    facts = {
        "frames": str(len(shown)),
        "size": f"{width}x{height}",
        "pixel aspect": aspect if aspect not in {"0/1", "1/0"} else "1/1",
        "depth": f"{layout.bits} bits",
        "layout": layout.name,
        "range": "tv" if values[0] == UNKNOWN and not layout.rgb else values[0],
        "matrix": values[1],
        "primaries": values[2],
        "transfer": values[3],
        "chroma location": chroma if chroma != "unspecified" else UNKNOWN,
        "scan": {"P": "progressive"}.get(fields, "interlaced"),
    }
    for kind, value in SIDE.findall(log.split(" n:   1 ", maxsplit=1)[0]):
        for sign, fact in SIDE_FACTS.items():
            if sign in kind.lower():
                facts[fact] = value.strip()
    return facts
