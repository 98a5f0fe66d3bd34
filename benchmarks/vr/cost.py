"""What making pictures for headsets costs, against encoding them; each size by itself."""

from __future__ import annotations

import resource
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.seconds import Seconds
from benchmarks.vr.film import write_film
from benchmarks.vr.pictures import CPU, YUV420, both_eyes, drawn_eye, person
from matting.delivery.vr_plan import VrPlan
from matting.delivery.vr_writer import vr_picture
from matting.imaging.planes import Planes
from matting.imaging.renderer import StoredFrames
from matting.imaging.vr_rendering import VrPicture, render_vr
from matting.options import CodecBackend, EncodingOptions, FormatName, OutputOptions
from matting.system.device import share_cores
from matting.system.memory import keep_freed_memory
from matting.system.subprocesses import run_isolated
from matting.view import parse_view
from matting.vr_options import VrOptions

MOST_SECONDS = 3600
MIB_IN_KIB = 1024
COST_HEAD = [
    "pictures",
    "maps, once: s",
    "projecting and packing: processor, ms a frame",
    "by the clock",
    "encoding: processor, ms a frame",
    "by the clock",
    "ratio",
    "most memory before encoding: MiB",
    "with encoding",
]


@dataclass(frozen=True)
class Cost:
    """What a size takes: to make its maps, and of a frame; and the most memory."""

    maps: Seconds
    render: Seconds
    encode: Seconds
    rendering_mib: float
    encoding_mib: float

    def row(self, side: int) -> list[str]:
        ms = [f"{1e3 * value:.0f}" for value in (*self.render, *self.encode)]
        ratio = f"{self.render.cpu / self.encode.cpu:.2f}"
        peaks = [f"{value:.0f}" for value in (self.rendering_mib, self.encoding_mib)]
        return [f"{2 * side}x{side}", f"{self.maps.wall:.1f}", *ms, ratio, *peaks]


def cost_of(side: int, frames: int) -> Cost:
    """Return what vr-alpha of 180° video takes, measured in a process of its own."""
    return run_isolated(partial(_measure, side, frames), MOST_SECONDS)


def _measure(side: int, frames: int) -> Cost:
    keep_freed_memory()  # as the program does
    share_cores(CPU)
    plan = VrPlan.of(FormatName.VR_ALPHA, parse_view("left-right,180"), VrOptions(), Path())
    encoding = plan.encoding(EncodingOptions(encoder=CodecBackend.SOFTWARE))
    picture = vr_picture(plan, side, OutputOptions(encoding=encoding), YUV420)
    mattes = [person(side, 0.45), person(side, 0.55)]
    stored = [
        both_eyes([drawn_eye(side, 2 * n), drawn_eye(side, 2 * n + 1)], mattes) for n in range(2)
    ]
    maps = Seconds.of(lambda: render_vr(stored[0], picture))  # and a frame
    rendered: list[Planes] = []
    times = [
        Seconds.of(partial(_render_to, rendered, stored[n % 2], picture)) for n in range(frames)
    ]
    render = Seconds.least(times)
    rendering_mib = _peak_mib()
    encode = Seconds.of(partial(_encode, rendered, encoding))
    per_frame = Seconds(encode.cpu / frames, encode.wall / frames)
    return Cost(maps, render, per_frame, rendering_mib, _peak_mib())


def _render_to(rendered: list[Planes], frame: StoredFrames, picture: VrPicture) -> None:
    rendered.append(render_vr(frame, picture))


def _encode(pictures: list[Planes], encoding: EncodingOptions) -> None:
    with tempfile.TemporaryDirectory(prefix="vr_") as folder:
        write_film(Path(folder) / "film.mp4", pictures, encoding, rate=60)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB_IN_KIB
