"""What a player shows of a file: decoded, cropped and turned by the ffmpeg program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.fidelity.program import ProgramError, call
from benchmarks.fidelity.reference import Layout, Stored

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
class FrameFeatures:
    """The pictures of a file.

    Attributes:
        frames: the planes of each, in code values.
        times: when each is shown, in seconds.
        facts: what is told of them: name to value.
    """

    frames: list[list[Stored]]
    times: list[Fraction]
    layout: Layout
    facts: dict[str, str]

    @property
    def full(self) -> bool:
        return self.facts["range"] == "pc"

    @property
    def height(self) -> int:
        return int(self.frames[0][0].shape[0])


def see(
    path: Path, stream: str = "V:0", before: Sequence[str] = (), filters: str = ""
) -> FrameFeatures:
    """Decodes `path`.

    Args:
        stream: which picture, in FFmpeg's words.
        before: arguments for the input, a decoder say.
        filters: what is done to it first.
    Raises:
        ProgramError: it cannot be shown.
    """
    shown = f"{filters},showinfo=checksum=0" if filters else "showinfo=checksum=0"
    arguments = ["-copyts", *before, "-i", str(path), "-map", f"0:{stream}", "-vf", shown]
    arguments += ["-fps_mode", "passthrough", "-f", "rawvideo"]
    raw, said = call([*arguments, "pipe:1"], level="info")
    found = FRAME.findall(said)
    if not found or "NOPTS" in {pts for pts, *_ in found}:
        raise ProgramError(f"{path.name} shows no frames, or no times of them")
    name = found[0][1]
    layout = Layout.of(name)
    if layout is None:  # packed RGB: the same values, a plane for each
        raw, _ = call([*arguments, "-pix_fmt", "gbrp", "pipe:1"])
        layout = Layout(8, (0, 0), alpha=False, rgb=True)
    base, rate = BASE.findall(said)[-1]
    width, height = int(found[0][4]), int(found[0][5])
    frames = layout.split(raw, width, height)
    times = [int(pts) * Fraction(base) for pts, *_ in found]
    if len(times) != len(frames):
        raise ValueError(f"{path}: {len(times)} times for {len(frames)} frames")
    return FrameFeatures(frames, times, layout, {**_facts(found, said, layout), "rate": rate})


def _facts(found: list[tuple[str, ...]], said: str, layout: Layout) -> dict[str, str]:
    _, name, chroma, aspect, width, height, fields = found[0]
    colour = COLOUR.search(said)
    tags = list(colour.groups()) if colour else ["unknown"] * 4
    scale = [UNKNOWN if tag in {"unknown", "unspecified", "reserved"} else tag for tag in tags]
    if name.startswith("yuvj"):
        scale[0] = "pc"
    facts = {
        "frames": str(len(found)),
        "size": f"{width}x{height}",
        "pixel aspect": aspect if aspect not in {"0/1", "1/0"} else "1/1",
        "depth": f"{layout.bits} bits",
        "layout": layout.name,
        "range": "tv" if scale[0] == UNKNOWN and not layout.rgb else scale[0],
        "matrix": scale[1],
        "primaries": scale[2],
        "transfer": scale[3],
        "chroma location": chroma if chroma != "unspecified" else UNKNOWN,
        "scan": {"P": "progressive"}.get(fields, "interlaced"),
    }
    for what, words in SIDE.findall(said.split(" n:   1 ", maxsplit=1)[0]):
        for sign, fact in SIDE_FACTS.items():
            if sign in what.lower():
                facts[fact] = words.strip()
    return facts
