"""Test cards for headsets: named and tagged as results are, and read as a player reads them."""

from __future__ import annotations

import math
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.vr.player import Floats, read_alpha, red_of
from matting.cli.main import main
from matting.demo_cards import CHECKLIST, CardSize, make_cards
from matting.media.mp4.spatial_view import view_of_boxes
from matting.media.probe import frame_times, read_spatial
from matting.media.view_detection import view_of
from matting.view import parse_view
from matting.vr_options import Headset
from tests.support.recorder import Recorder

SIZE = CardSize(512, 2)  # four frames
VIEWS = {
    "test_card_MATTED_LR_FISHEYE190_alpha": "left-right,fisheye190",
    "test_card_MATTED_LR_180_FISHEYE_F180_alpha": "left-right,fisheye180",
    "test_card_MATTED_LR_180_SBS": "left-right,180",
}
# What of the card lies where, and how opaque it is.
OPAQUE = {(0, 9): 1.0, (38, 13): 1.0, (-38, -14): 0.5, (50.5, 13): 0.0, (0, -36): 0.0}


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("cards")
    made = make_cards(folder, Recorder(), size=SIZE, rounds=2)
    assert not list(folder.glob("*.partial*"))
    assert CHECKLIST.is_file()
    return {path.stem: path for path in made}


def test_there_is_one_for_each_way_and_its_view_is_known(cards: dict[str, Path]) -> None:
    assert list(cards) == list(VIEWS)
    for name, path in cards.items():
        assert view_of(path).view == parse_view(VIEWS[name])
        assert str(view_of_boxes(read_spatial(path)).stereo) == "left-right"
        assert path.with_suffix(".hsp").is_file()
        assert path.with_suffix(".json").is_file()
        assert len(frame_times(path)) == 2 * 2 * SIZE.rate


@pytest.mark.parametrize("degrees", [190, 180])
def test_a_player_reads_the_matte_that_was_drawn(degrees: int, cards: dict[str, Path]) -> None:
    name = next(name for name, view in VIEWS.items() if view.endswith(f"fisheye{degrees}"))
    red = first_red(cards[name])
    for (azimuth, elevation), opacity in OPAQUE.items():
        u, v = place(azimuth, elevation, degrees)
        for read in read_alpha(red, np.array([u]), np.array([v])):
            assert read[0] == pytest.approx(opacity, abs=0.06)


def first_red(path: Path) -> Floats:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).to_ndarray()
    side = SIZE.side_px
    return red_of(frame[:side], frame[side:].reshape(2, side // 2, -1)[1])


def place(azimuth_deg: float, elevation_deg: float, field_deg: float) -> tuple[float, float]:
    """Return where an equidistant fisheye of a field of view shows a direction, 0..1."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    right, up = math.sin(azimuth) * math.cos(elevation), math.sin(elevation)
    off_axis = math.acos(math.cos(azimuth) * math.cos(elevation))
    radius = math.degrees(off_axis) / field_deg / math.hypot(right, up)
    return 0.5 + radius * right, 0.5 - radius * up


def test_the_command_makes_them_of_the_size_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, Headset]] = []
    monkeypatch.setattr(
        "matting.demo_cards.make_cards", lambda folder, _, headset: asked.append((folder, headset))
    )
    assert main(["demo", "--vr", str(tmp_path)]) == 0
    assert main(["demo", str(tmp_path), "--vr", "--headset", "quest3"]) == 0
    assert asked == [(tmp_path, Headset.ANY), (tmp_path, Headset.QUEST_3)]
