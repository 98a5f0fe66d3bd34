"""The view that the boxes of a picture state.

Source: as `spatial`; FFmpeg's mov.c for the numbers of Apple's boxes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

from matting.media.mp4.boxes import Box, parse
from matting.media.mp4.spatial import LAYOUTS, SPHERICAL_V1, Spatial
from matting.media.stated_view import StatedView
from matting.view import MOST_DEGREES, Projection, StereoLayout

FULL_BOX_BYTES = 4  # version and flags
# From this share of 360 degrees on, a cropped picture is the whole sphere's.
WHOLE_SPHERE_SHARE = 0.75
APPLE_LAYOUTS = {b"side": StereoLayout.LEFT_RIGHT, b"over": StereoLayout.TOP_BOTTOM}
RIGHT_EYE_FIRST = 8  # flag of Apple's `stri`
APPLE_PROJECTIONS = {
    b"rect": Projection.FLAT,
    b"hequ": Projection.HALF_EQUIRECTANGULAR,
    b"equi": Projection.EQUIRECTANGULAR,
    b"fish": Projection.FISHEYE,
}
V1_LAYOUTS = {
    "mono": StereoLayout.MONO,
    "left-right": StereoLayout.LEFT_RIGHT,
    "top-bottom": StereoLayout.TOP_BOTTOM,
}


def view_of_boxes(spatial: Spatial) -> StatedView:
    """Return what boxes state; nothing of layouts and projections that a View does not know."""
    boxes, _ = parse(b"".join(spatial.entry))
    tracks, _ = parse(b"".join(spatial.track))
    v1 = [box.head[16:] for box in tracks if box.head[:16] == SPHERICAL_V1]
    stated = StatedView()
    if spatial.one_eye_note is not None:  # what else they say is of both
        stated = StatedView(StereoLayout.MONO)
    for more in (_st3d(boxes), _sv3d(boxes), *map(_v1, v1), _vexu(boxes)):
        stated = stated.completed(more)
    return stated


def _st3d(boxes: Sequence[Box]) -> StatedView:
    for content in _contents(boxes, b"st3d"):
        if content[:1] and content[0] in LAYOUTS:
            return StatedView(LAYOUTS[content[0]])
    return StatedView()


def _sv3d(boxes: Sequence[Box]) -> StatedView:
    for bounds in _contents(boxes, b"sv3d", b"proj", b"equi"):
        if len(bounds) >= 16:
            _, _, left, right = struct.unpack_from(">4I", bounds)
            return StatedView(projection=_equirectangular(1 - (left + right) / 2**32))
    return StatedView()


def _v1(xml: bytes) -> StatedView:
    text = xml.decode("utf-8", "replace")
    stated = StatedView(V1_LAYOUTS.get(_tag(text, "StereoMode")))
    if _tag(text, "ProjectionType") != "equirectangular":
        return stated
    part, whole = (_pixels(text, f"{name}WidthPixels") for name in ("CroppedAreaImage", "FullPano"))
    share = part / whole if part and whole else 1.0
    return stated.completed(StatedView(projection=_equirectangular(share)))


def _tag(text: str, name: str) -> str:
    match = re.search(rf"<GSpherical:{name}>\s*([\w-]{{1,40}})\s*</GSpherical:{name}>", text)
    return match[1].lower() if match else ""


def _pixels(text: str, name: str) -> int:
    digits = _tag(text, name)
    return int(digits) if re.fullmatch("[0-9]{1,9}", digits) else 0


def _equirectangular(share: float) -> Projection:
    """Return the projection that shows this share of all directions from left to right."""
    half = share < WHOLE_SPHERE_SHARE
    return Projection.HALF_EQUIRECTANGULAR if half else Projection.EQUIRECTANGULAR


def _vexu(boxes: Sequence[Box]) -> StatedView:
    stated = StatedView()
    flags = next(_contents(boxes, b"vexu", b"eyes", b"stri"), b"")
    for content in _contents(boxes, b"vexu", b"pack", b"pkin"):
        if layout := APPLE_LAYOUTS.get(content[:4]):
            right_first = bool(flags[:1] and flags[0] & RIGHT_EYE_FIRST)
            stated = StatedView(layout, right_first)
    for content in _contents(boxes, b"vexu", b"proj", b"prji"):
        if projection := APPLE_PROJECTIONS.get(content[:4]):
            degrees = _hfov(boxes) if projection is Projection.FISHEYE else None
            more = StatedView(projection=projection, field_of_view_deg=degrees)
            stated = stated.completed(more)
    return stated


def _hfov(boxes: Sequence[Box]) -> float | None:
    """Return the horizontal field of view that Apple's box states, in degrees."""
    for box in boxes:
        if box.kind == b"hfov" and len(box.head) >= 4:
            degrees = int.from_bytes(box.head[:4], "big") / 1000
            return degrees if 0 < degrees <= MOST_DEGREES else None
    return None


def _contents(boxes: Sequence[Box], kind: bytes, *inner: bytes) -> Iterator[bytes]:
    """Yield the content of the full boxes at the end of a path of kinds."""
    for box in boxes:
        if box.kind != kind:
            continue
        if not inner:
            yield box.head[FULL_BOX_BYTES:]
        else:
            yield from _contents(parse(box.head)[0], *inner)
