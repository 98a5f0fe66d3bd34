"""What boxes say of a view, and that damaged ones say nothing."""

from __future__ import annotations

import struct

import pytest

from matting.media.mp4.boxes import Box
from matting.media.mp4.spatial import BASE_VIEW, SPHERICAL_V1, Spatial
from matting.media.mp4.spatial_view import view_of_boxes
from matting.media.stated_view import StatedView
from matting.view import Projection, StereoLayout
from tests.support.spatial_boxes import (
    CUBEMAP,
    EQUIRECT,
    HFOV,
    MESH,
    TILED,
    full,
    st3d,
    sv3d,
    vexu,
)

LR, TB, MONO = StereoLayout.LEFT_RIGHT, StereoLayout.TOP_BOTTOM, StereoLayout.MONO
HALF, WHOLE = Projection.HALF_EQUIRECTANGULAR, Projection.EQUIRECTANGULAR


def bounds(left: int, right: int) -> bytes:
    return sv3d(full(b"equi", struct.pack(">IIII", 0, 0, left, right)))


def v1(**tags: str) -> bytes:
    xml = "".join(f"<GSpherical:{name}>{text}</GSpherical:{name}>" for name, text in tags.items())
    return bytes(Box(b"uuid", SPHERICAL_V1 + f"<rdf:SphericalVideo>{xml}".encode()))


CASES = {
    "nothing": (Spatial(), StatedView()),
    "top and bottom": (Spatial((st3d(1),)), StatedView(TB)),
    "side by side": (Spatial((st3d(2),)), StatedView(LR)),
    "one eye": (Spatial((st3d(0),)), StatedView(MONO)),
    "another layout": (Spatial((st3d(3),)), StatedView()),
    "180 degrees": (
        Spatial((st3d(2), bounds(0x3FFFFFFF, 0x3FFFFFFF))),
        StatedView(LR, projection=HALF),
    ),
    "360 degrees": (Spatial((st3d(1), sv3d(EQUIRECT))), StatedView(TB, projection=WHOLE)),
    "270 degrees": (Spatial((sv3d(TILED),)), StatedView(projection=WHOLE)),
    "a cubemap": (Spatial((st3d(2), sv3d(CUBEMAP))), StatedView(LR)),
    "a mesh": (Spatial((st3d(2), sv3d(MESH))), StatedView(LR)),
    "version 1": (
        Spatial(track=(v1(ProjectionType="equirectangular", StereoMode="top-bottom"),)),
        StatedView(TB, projection=WHOLE),
    ),
    "version 1 of 180 degrees": (
        Spatial(
            track=(
                v1(
                    ProjectionType="equirectangular",
                    StereoMode="left-right",
                    CroppedAreaImageWidthPixels="1920",
                    FullPanoWidthPixels="3840",
                ),
            )
        ),
        StatedView(LR, projection=HALF),
    ),
    "version 1 and 2": (
        Spatial((st3d(2),), (v1(ProjectionType="equirectangular", StereoMode="top-bottom"),)),
        StatedView(LR, projection=WHOLE),
    ),
    "Apple's": (Spatial((vexu(packed=True), HFOV)), StatedView(LR, projection=HALF)),
    "Apple's, stacked": (
        Spatial((vexu(packed=True, layout=b"over", projection=b"equi"),)),
        StatedView(TB, projection=WHOLE),
    ),
    "Apple's, right eye first": (
        Spatial((vexu(packed=True, eyes=3 | 8, projection=b"rect"),)),
        StatedView(LR, True, Projection.FLAT),
    ),
    "Apple's fisheye": (
        Spatial((vexu(packed=True, projection=b"fish"), HFOV)),
        StatedView(LR, projection=Projection.FISHEYE, field_of_view_deg=63.4),
    ),
    "Apple's fisheye without a field of view": (
        Spatial((vexu(packed=True, projection=b"fish"),)),
        StatedView(LR, projection=Projection.FISHEYE),
    ),
    "an unknown projection of Apple's": (
        Spatial((vexu(packed=True, projection=b"prim"),)),
        StatedView(LR),
    ),
    "one of two views": (
        Spatial((vexu(packed=False, eyes=1), st3d(2)), notes=(BASE_VIEW,)),
        StatedView(MONO, projection=HALF),
    ),
}


@pytest.mark.parametrize(("spatial", "stated"), CASES.values(), ids=CASES)
def test_boxes_are_read(spatial: Spatial, stated: StatedView) -> None:
    assert view_of_boxes(spatial) == stated


@pytest.mark.parametrize("case", [case for case in CASES if "version" not in case])
def test_what_is_cut_off_is_not_said(case: str) -> None:
    """Wherever a box ends too early, it says what it says when it is whole, or less."""
    spatial, stated = CASES[case]
    for number, box in enumerate(spatial.entry):
        for length in range(8, len(box)):
            head = struct.pack(">I", length) + box[4:length]
            entry = (*spatial.entry[:number], head, *spatial.entry[number + 1 :])
            found = view_of_boxes(Spatial(entry, spatial.track, spatial.notes))
            assert found.stereo in {None, stated.stereo}
            assert found.projection in {None, stated.projection}
