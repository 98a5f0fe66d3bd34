"""The view: what it refuses, where the eyes lie, and that it can be typed, recorded and read."""

from __future__ import annotations

import msgspec
import pytest

from matting.view import (
    LAYOUTS,
    LENSES,
    AutoView,
    Projection,
    StereoLayout,
    View,
    parse_choice,
    parse_view,
)

MONO, SIDES, STACKED = StereoLayout.MONO, StereoLayout.LEFT_RIGHT, StereoLayout.TOP_BOTTOM
FISHEYE = Projection.FISHEYE
TYPED = {
    "mono,flat": View(),
    "left-right,180": View(SIDES, Projection.HALF_EQUIRECTANGULAR),
    "top-bottom,360": View(STACKED, Projection.EQUIRECTANGULAR),
    "bottom-top,360": View(STACKED, Projection.EQUIRECTANGULAR, right_eye_first=True),
    "right-left,flat": View(SIDES, right_eye_first=True),
    "left-right,fisheye": View(SIDES, FISHEYE),
    "left-right,fisheye190": View(SIDES, FISHEYE, 190),
    "mono,fisheye187.5": View(MONO, FISHEYE, 187.5),
    "left-right,mkx200": View(SIDES, FISHEYE, 200, "MKX200"),
    "left-right,vrca220": View(SIDES, FISHEYE, 220, "VRCA220"),
}


@pytest.mark.parametrize(("typed", "view"), TYPED.items())
def test_a_view_is_typed_as_it_is_shown(typed: str, view: View) -> None:
    assert parse_view(typed) == view
    assert str(view) == typed


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("LEFT-RIGHT, MKX200", "left-right,mkx200"),
        (" top-bottom ", "top-bottom,flat"),
        ("Mono,Fisheye190", "mono,fisheye190"),
    ],
)
def test_case_and_spaces_do_not_matter_and_the_projection_may_be_left_out(
    typed: str, same: str
) -> None:
    assert str(parse_view(typed)) == same


@pytest.mark.parametrize(
    "typed",
    ["", "sideways", "left-right,", "left-right,170", "180", "mono,mkx300", "mono,flat,180"],
)
def test_what_is_no_view_is_refused_with_a_list_of_those_there_are(typed: str) -> None:
    with pytest.raises(ValueError, match="is no view") as refusal:
        parse_view(typed)
    for word in [*AutoView, *LAYOUTS, *Projection, *LENSES]:
        assert word.lower() in str(refusal.value)


def test_in_the_place_of_a_view_others_may_be_asked_for() -> None:
    assert parse_choice(" Auto") is AutoView.FOUND
    assert parse_choice("WHOLE") is AutoView.WHOLE
    assert parse_choice("mono,180") == parse_view("mono,180")
    with pytest.raises(ValueError, match="is no view"):
        parse_choice("whole,180")


@pytest.mark.parametrize("degrees", ["0", "-190", "361", "nan", "inf", "wide"])
def test_impossible_fields_of_view_are_refused(degrees: str) -> None:
    with pytest.raises(ValueError, match="is no view"):
        parse_view(f"left-right,fisheye{degrees}")


@pytest.mark.parametrize("view", TYPED.values(), ids=str)
def test_a_view_can_be_recorded(view: View) -> None:
    assert msgspec.json.decode(msgspec.json.encode(view), type=View) == view


@pytest.mark.parametrize(
    "record",
    [
        b'{"stereo":"left-right","projection":"180","field_of_view_deg":180}',
        b'{"projection":"flat","lens_tag":"MKX200"}',
        b'{"projection":"fisheye","field_of_view_deg":400}',
        b'{"projection":"fisheye","lens_tag":"../x"}',
        b'{"stereo":"mono","right_eye_first":true}',
        b'{"stereo":"diagonal"}',
    ],
)
def test_damaged_records_are_refused(record: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(record, type=View)


@pytest.mark.parametrize(
    ("layout", "eyes"),
    [
        ("mono", [(0, 0, 80, 40)]),
        ("left-right", [(0, 0, 40, 40), (40, 0, 40, 40)]),
        ("right-left", [(40, 0, 40, 40), (0, 0, 40, 40)]),
        ("top-bottom", [(0, 0, 80, 20), (0, 20, 80, 20)]),
        ("bottom-top", [(0, 20, 80, 20), (0, 0, 80, 20)]),
    ],
)
def test_the_left_eyes_part_comes_first(layout: str, eyes: list[tuple[int, int, int, int]]) -> None:
    view = parse_view(layout)
    assert list(view.eyes((80, 40))) == eyes
    assert view.eye_size((80, 40)) == eyes[0][2:]


@pytest.mark.parametrize("layout", ["left-right", "top-bottom"])
def test_eyes_of_an_odd_size_are_equal_and_do_not_overlap(layout: str) -> None:
    left, right = parse_view(layout).eyes((81, 41))
    assert left[2:] == right[2:]
    assert right.left + right.width <= 81
    assert right.top + right.height <= 41
    assert right.left >= left.width or right.top >= left.height


def test_descriptions_tell_views_apart() -> None:
    assert len({view.describe() for view in TYPED.values()}) == len(TYPED)
    assert "200°" in TYPED["left-right,mkx200"].describe()
    assert TYPED["mono,flat"].is_plain
    assert not any(view.is_plain for typed, view in TYPED.items() if typed != "mono,flat")
