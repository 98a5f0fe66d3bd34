"""Files beside a result for headsets, by which players know without a click how it is seen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matting.background import Background, plain_colour
from matting.delivery.heresphere import HspMask, HspProjection, HspVideo, hsp_bytes
from matting.delivery.vr_names import PlayerLens
from matting.delivery.vr_plan import VrPlan
from matting.media.probe import probe
from matting.progress import Progress
from matting.system import atomic_files
from matting.view import Projection

SUFFIXES = HERESPHERE, DEOVR = ".hsp", ".json"
# DeoVR's words for fisheyes, by the lens's tag or the degrees of one without.
DEOVR_SCREENS = {"MKX200": "mkx200", "RF52": "rf52", 190.0: "rf52", 180.0: "fisheye"}
# From a public library of videos with packed alpha.
DEOVR_ALPHA = {
    "enabled": False,
    "hasAlpha": True,
    "h": 0,
    "opacity": 1,
    "s": 0,
    "threshold": 0,
    "v": 0,
}


def write_sidecars(
    video: Path, plan: VrPlan, background: Background, progress: Progress
) -> list[Path]:
    """Write what is not there yet beside a result; return it.

    What is there stays: players write their own settings into it.

    Args:
        background: what is behind the people, unless the matte is packed.
    Raises:
        StorageError: it cannot be written.
    """
    written = []
    for suffix, content in _contents(video, plan, background):
        path = video.with_suffix(suffix)
        if os.path.lexists(path):
            if not _holds(path, content):
                progress.say(f"{path} stays as it is. Delete it to have it made anew.")
            continue
        atomic_files.write_bytes(path, content)
        written.append(path)
    if written:
        names = " and ".join(path.name for path in written)
        progress.say(f"For players, beside it: {names}")
    return written


def _holds(path: Path, content: bytes) -> bool:
    """Return whether a file, which may be anybody's, has that content."""
    try:
        same_size = path.is_file() and path.stat().st_size == len(content)
        return same_size and path.read_bytes() == content
    except OSError:  # nobody may read it, so it is not known to be the same
        return False


def _contents(video: Path, plan: VrPlan, background: Background) -> Iterator[tuple[str, bytes]]:
    info = probe(video)
    red, green, blue = plain_colour(background)
    is_fisheye = plan.lens.projection is Projection.FISHEYE
    hsp = HspVideo(
        title=video.stem,
        seconds=float(info.declared_seconds),
        projection=HspProjection.FISHEYE if is_fisheye else HspProjection.EQUIRECTANGULAR_180,
        fisheye_deg=plan.lens.field_of_view_deg if _is_equidistant(plan.lens) else None,
        mask=HspMask.PACKED_ALPHA if plan.is_packed else HspMask.CHROMA_KEY,
        key=(0.0, 0.0, 0.0) if plan.is_packed else (red / 255, green / 255, blue / 255),
    )
    yield HERESPHERE, hsp_bytes(hsp)
    screen = _deovr_screen(plan.lens)
    if screen is not None:  # DeoVR has a word for it
        text = atomic_files.json_text(_deovr(video, plan, screen, info.height_px))
        yield DEOVR, text.encode("utf-8", "surrogateescape")


def _deovr(video: Path, plan: VrPlan, screen: str, height_px: int) -> dict[str, Any]:
    sources = [{"resolution": height_px, "url": video.name}]
    described: dict[str, Any] = {
        "title": video.stem,
        "is3d": True,
        "screenType": screen,
        "stereoMode": "sbs",
        "encodings": [{"name": "h265", "videoSources": sources}],
    }
    return {**described, "chromaKey": DEOVR_ALPHA} if plan.is_packed else described


def _deovr_screen(lens: PlayerLens) -> str | None:
    if lens.projection is not Projection.FISHEYE:
        return "dome"
    return DEOVR_SCREENS.get(lens.lens_tag or lens.field_of_view_deg)


def _is_equidistant(lens: PlayerLens) -> bool:
    return lens.projection is Projection.FISHEYE and lens.lens_tag is None
