"""Names of videos are read as headset players read them."""

from __future__ import annotations

import pytest

from matting.delivery.vr_names import parse_view_name, strip_view_markers
from matting.media.stated_view import StatedView
from matting.view import LENSES, Projection, StereoLayout

LR, TB, MONO = StereoLayout.LEFT_RIGHT, StereoLayout.TOP_BOTTOM, StereoLayout.MONO
HALF, WHOLE, FLAT = (
    Projection.HALF_EQUIRECTANGULAR,
    Projection.EQUIRECTANGULAR,
    Projection.FLAT,
)


def fisheye(
    degrees: float, lens: str | None = None, stereo: StereoLayout | None = LR
) -> StatedView:
    return StatedView(stereo, False, Projection.FISHEYE, degrees, lens)


NAMES = {
    "NAME_LR_180_SBS": StatedView(LR, projection=HALF),
    "name_180_lr": StatedView(LR, projection=HALF),
    "name-180_180x180_3dh_LR": StatedView(LR, projection=HALF),
    "name_180x180_3dh": StatedView(LR, projection=HALF),
    "name_180x180_3dv": StatedView(TB, projection=HALF),
    "name_360_TB": StatedView(TB, projection=WHOLE),
    "name_360_OverUnder": StatedView(TB, projection=WHOLE),
    "name-OU-360": StatedView(TB, projection=WHOLE),
    "name_MONO_360": StatedView(MONO, projection=WHOLE),
    "name_mono360": StatedView(MONO, projection=WHOLE),
    "name_180_RL": StatedView(LR, True, HALF),
    "name_360_BT": StatedView(TB, True, WHOLE),
    "name_180": StatedView(projection=HALF),
    "name_SBS": StatedView(LR),
    "name_3DH": StatedView(LR),
    "name_HSBS_flat": StatedView(LR, projection=FLAT),
    "name_LR_FISHEYE190_alpha": fisheye(190),
    "name_LR_180_FISHEYE_F180_alpha": fisheye(180),
    "name_F180_LR": fisheye(180),
    "name_180F_LR": fisheye(180),
    "name_fisheye_LR": fisheye(180),
    "name_MKX200": fisheye(200, "MKX200", None),
    "name_LR_MKX220": fisheye(220, "MKX220"),
    "name_LR_VRCA220": fisheye(220, "VRCA220"),
    "name_LR_RF52": fisheye(190, "RF52"),
    "RF52_180_SBS": fisheye(190, "RF52"),
    "name_fisheye190_mkx200_180_LR": fisheye(200, "MKX200"),
    "360_LR_180": StatedView(LR, projection=HALF),
}


@pytest.mark.parametrize(("stem", "stated"), NAMES.items())
def test_markers_are_read(stem: str, stated: StatedView) -> None:
    assert parse_view_name(stem) == stated


@pytest.mark.parametrize("stem", NAMES)
@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase])
def test_case_does_not_matter(stem: str, change: object) -> None:
    assert callable(change)
    assert parse_view_name(change(stem)) == NAMES[stem]


@pytest.mark.parametrize(
    "stem",
    [
        "holiday",
        "",
        "clip_1803",
        "clip_2018-03-18",
        "clip1803",
        "ABC180",
        "clip_180p",
        "clip_1800",
        "clip_3840x1920",
        "clip_1920x1080_60fps",
        "Atmosphere_5180_cubehouse",
        "my clip 180",
        "clip.180.LR",
        "fishery-1800",
        "ford_F150",
        "fisheye400_x",
        "clip_MKX999",
        "LRx_outback_subset_stable",
        "clip_vr180",
    ],
)
def test_what_only_looks_like_a_marker_is_none(stem: str) -> None:
    assert not parse_view_name(stem)


@pytest.mark.parametrize(
    ("stem", "stripped"),
    [
        ("NAME_LR_180_SBS", "NAME"),
        ("name-180_180x180_3dh_LR", "name"),
        ("name_LR_180_FISHEYE_F180_alpha", "name"),
        ("180_LR_my-trip_2018-03-18", "my-trip_2018-03-18"),
        ("a_MKX200_b", "a_b"),
        ("a-LR_b", "a_b"),
        ("beach__180", "beach"),
        ("clip_VR180_EAC", "clip"),
        ("holiday_1803", "holiday_1803"),
        ("_underscored_", "_underscored_"),
        ("LR_180", "video"),
    ],
)
def test_markers_are_taken_off(stem: str, stripped: str) -> None:
    assert strip_view_markers(stem) == stripped


@pytest.mark.parametrize("stem", NAMES)
@pytest.mark.parametrize(
    "marker", ["LR_180_SBS", "LR_FISHEYE190_alpha", *(f"LR_{lens}_alpha" for lens in LENSES)]
)
def test_a_stripped_name_takes_any_marker(stem: str, marker: str) -> None:
    plain = strip_view_markers(stem)
    assert not parse_view_name(plain)
    assert parse_view_name(f"{plain}_{marker}") == parse_view_name(f"x_{marker}")
