"""What a file for headsets is like: its name, its boxes, its size, and who is refused one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from matting.delivery.vr_names import parse_view_name
from matting.delivery.vr_plan import LIMITS, VrPlan, vr_plan
from matting.errors import InputError
from matting.imaging.sample_format import Size, TransferFunction
from matting.media.colour_tags import BT709_TAGS, ColourRange, ColourTags, Matrix, Transfer
from matting.media.mp4.boxes import parse
from matting.media.mp4.spatial_view import view_of_boxes
from matting.options import EncodingOptions, FormatName, VideoCodec
from matting.view import Projection, StereoLayout, parse_view
from matting.vr_options import FisheyeView, Headset, VrOptions
from tests.support.pictured_source import PicturedSource

GREEN, ALPHA = FormatName.VR_GREEN, FormatName.VR_ALPHA
FILM = Path("film.mp4")
F180 = VrOptions(fisheye=FisheyeView.FISHEYE_180)


def plan(
    name: FormatName = ALPHA, view: str = "left-right,180", options: VrOptions = F180
) -> VrPlan:
    return VrPlan.of(name, parse_view(view), options, FILM)


NAMES = {
    (GREEN, "left-right,180"): "film_MATTED_LR_180_SBS",
    (GREEN, "top-bottom,180"): "film_MATTED_LR_180_SBS",
    (GREEN, "left-right,mkx200"): "film_MATTED_LR_MKX200",
    (ALPHA, "left-right,180"): "film_MATTED_LR_FISHEYE190_alpha",
    (ALPHA, "bottom-top,180"): "film_MATTED_LR_FISHEYE190_alpha",
    (ALPHA, "left-right,fisheye190"): "film_MATTED_LR_FISHEYE190_alpha",
    (ALPHA, "left-right,fisheye180"): "film_MATTED_LR_180_FISHEYE_F180_alpha",
    (ALPHA, "left-right,fisheye200"): "film_MATTED_LR_FISHEYE190_alpha",
    (ALPHA, "left-right,mkx200"): "film_MATTED_LR_MKX200_alpha",
    (ALPHA, "right-left,vrca220"): "film_MATTED_LR_VRCA220_alpha",
    (ALPHA, "left-right,rf52"): "film_MATTED_LR_RF52_alpha",
}
XBVR_ALPHA = ("mkx200", "mkx220", "rf52", "fisheye190", "vrca220")


@pytest.mark.parametrize(("name", "view"), NAMES)
@pytest.mark.parametrize(
    "stem", ["film", "film_180_LR", "film_LR_FISHEYE190_alpha", "film-180x180_3dh", "film_TB_360"]
)
def test_names_are_those_of_the_players_whatever_the_source_was_called(
    name: FormatName, view: str, stem: str
) -> None:
    result = plan(name, view, VrOptions()).stem(stem)
    assert result == NAMES[name, view]
    stated = parse_view_name(result)
    assert (stated.stereo, stated.right_eye_first) == (StereoLayout.LEFT_RIGHT, False)
    own = plan(name, view, VrOptions()).lens
    assert (stated.projection, stated.lens_tag) == (own.projection, own.lens_tag)
    if own.projection is Projection.FISHEYE:
        assert stated.field_of_view_deg == own.field_of_view_deg


def test_the_name_that_was_seen_to_work_on_devices_is_there_for_the_asking() -> None:
    assert plan(options=F180).stem("film") == "film_MATTED_LR_180_FISHEYE_F180_alpha"
    assert plan(view="left-right,fisheye190").stem("film").endswith("_LR_FISHEYE190_alpha")


@pytest.mark.parametrize("view", ["left-right,180", "left-right,mkx200", "left-right,fisheye190"])
def test_xbvr_knows_that_there_is_alpha(view: str) -> None:
    words = plan(view=view, options=VrOptions()).stem("film").lower().split("_")
    assert "alpha" in words
    assert any(tag in words for tag in XBVR_ALPHA)


@pytest.mark.parametrize(
    ("name", "view"),
    [(GREEN, "left-right,180"), (ALPHA, "left-right,180"), (GREEN, "left-right,mkx200")],
)
def test_boxes_say_how_it_is_viewed_and_never_bend_a_fisheye(name: FormatName, view: str) -> None:
    own = plan(name, view)
    stated = view_of_boxes(own.spatial)
    assert stated.stereo is StereoLayout.LEFT_RIGHT
    kinds = [parse(box)[0][0].kind for box in own.spatial.entry]
    if own.lens.projection is Projection.FISHEYE:
        assert kinds == [b"st3d"]
        assert stated.projection is None
    else:
        assert kinds == [b"st3d", b"sv3d"]
        assert stated.projection is Projection.HALF_EQUIRECTANGULAR


def test_the_bounds_are_those_of_half_a_sphere() -> None:
    _, sv3d = plan(GREEN).spatial.entry
    (svhd, proj) = parse(parse(sv3d)[0][0].head)[0]
    (prhd, equi) = parse(proj.head)[0]
    assert [own.kind for own in (svhd, proj, prhd, equi)] == [b"svhd", b"proj", b"prhd", b"equi"]
    assert equi.head == bytes(4) + bytes(8) + bytes.fromhex("3fffffff") * 2
    assert len(prhd.head) == 16
    assert svhd.head.endswith(b"\0")


SIZES = [
    ((8192, 4096), 60, Headset.ANY, 4096),
    ((8192, 4096), 60, Headset.QUEST_3, 4096),
    ((8192, 4096), 60, Headset.QUEST_2, 3840),
    ((7680, 3840), 60, Headset.QUEST_2, 3840),
    ((11520, 5760), 30, Headset.ANY, 4096),
    ((5400, 2700), 60, Headset.ANY, 2688),
    ((7680, 3840), 120, Headset.QUEST_2, 2688),
]


@pytest.mark.parametrize(("size", "rate", "headset", "side"), SIZES)
def test_sizes_fit_the_headset_and_level_6_1(
    size: tuple[int, int], rate: int, headset: Headset, side: int
) -> None:
    own = plan(options=VrOptions(headset))
    found = own.side_px(Size(*size), Fraction(rate))
    assert found == side
    assert found % 32 == 0
    assert 2 * found**2 <= 35_651_584
    assert 2 * found**2 * rate <= LIMITS[headset].pixels_a_second <= 2_139_095_040


def test_nothing_of_squeezed_eyes_is_lost() -> None:
    above, beside = plan(view="top-bottom,180"), plan(view="left-right,180")
    assert above.side_px(Size(4096, 8192), Fraction(30)) == 4096
    assert above.side_px(Size(2880, 2880), Fraction(30)) == 2880
    assert beside.side_px(Size(2880, 2880), Fraction(30)) == 2880


def test_encoding_is_what_headsets_decode_and_no_more_bits_than_they_take() -> None:
    job = EncodingOptions(VideoCodec.H264, quality=7, preset="veryslow")
    own = plan(options=VrOptions(Headset.QUEST_2)).encoding(job)
    assert (own.codec, own.quality, own.preset) == (VideoCodec.HEVC, None, None)
    assert own.most_bps == 80_000_000
    assert own.key_frame_seconds == 1
    asked = EncodingOptions(quality=7, bitrate_bps=500_000_000, preset="slow")
    own = plan().encoding(asked)
    assert (own.quality, own.preset, own.bitrate_bps) == (7, "slow", 120_000_000)


HDR = ColourTags(Matrix.BT2020, transfer=Transfer.PQ, primaries=9)


@pytest.mark.parametrize(
    "colour", [BT709_TAGS, ColourTags(), replace(BT709_TAGS, range=ColourRange.FULL), HDR]
)
def test_samples_are_of_8_bits_and_limited_range_with_a_matrix_that_is_tagged(
    colour: ColourTags,
) -> None:
    deep = replace(BT709_TAGS.sample_format(10, (1, 1), 128), transfer=TransferFunction.PQ)
    source = PicturedSource(colour, deep, Size(256, 128))
    samples = plan().samples(source, EncodingOptions(VideoCodec.AV1))
    assert samples.pixel_format == "yuv420p"
    assert not samples.sample_format.full_range
    tags = plan().colour(source)
    assert tags.matrix != Matrix.UNSPECIFIED
    assert tags.sample_format(8, (2, 2), 128) == samples.sample_format


@pytest.mark.parametrize("name", [GREEN, ALPHA])
@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("mono,flat", "no VR video"),
        ("left-right,flat", "no VR video"),
        ("mono,180", "for one eye"),
        ("mono,fisheye190", "for one eye"),
        ("mono,360", "all around"),
        ("left-right,360", "all around"),
        ("left-right,fisheye", "field of view is not known"),
    ],
)
def test_what_is_no_vr_video_is_refused_with_what_to_do(
    name: FormatName, view: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as refusal:
        plan(name, view)
    assert "film.mp4" in refusal.value.what
    assert "--view" in refusal.value.hint


def test_what_nobody_could_look_at_is_refused_and_other_formats_take_all() -> None:
    with pytest.raises(InputError, match="no VR video"):
        vr_plan(ALPHA, None, VrOptions(), FILM)
    assert vr_plan(FormatName.PRORES, None, VrOptions(), FILM) is None


def test_eyes_that_begin_between_chroma_samples_are_refused() -> None:
    with pytest.raises(InputError, match="3842x1080"):
        plan().side_px(Size(3842, 1080), Fraction(30))
