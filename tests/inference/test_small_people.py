"""The second pass: what it makes better, and that it depends on nothing but the frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from matting.imaging.planes import Planes, concatenate
from matting.imaging.sample_format import Size
from matting.inference.base import UnusableStateError
from matting.inference.rvm import RvmNetwork, RvmState
from matting.inference.session import MattingSession
from matting.inference.session_state import MAGIC, SessionState
from matting.options import Precision
from model import load_network
from tests.support.brightness_network import BrightnessNetwork, scene
from tests.support.small_people import (
    CPU,
    RATIO,
    SIZE,
    assert_same_found,
    error,
    found,
    found_in_runs,
    matted,
    matted_once,
    same,
    session_of,
)


def walk(frames: int, start: int = 22, step: int = 3) -> Planes:
    """Return a person of 45 of 180 pixels who walks, and another who comes in after six frames."""
    return concatenate(
        [
            scene(SIZE, [(start + step * i, 62, 20, 45), (SIZE.width + 12 - 4 * i, 110, 20, 50)])
            for i in range(frames)
        ]
    )


def test_edges_of_small_people_are_sharper() -> None:
    frames = walk(6, step=0)
    twice = matted(session_of(BrightnessNetwork()), frames)
    assert error(twice, frames) < 0.6 * error(matted_once(frames), frames)


def test_a_moved_window_sees_what_it_has_always_seen() -> None:
    network = BrightnessNetwork()
    frames = concatenate([scene(SIZE, [(22 + 4 * i, 62, 20, 45)]) for i in range(15)])
    matte = matted(session_of(network), frames)
    assert network.at_work.shifts
    assert all(rows == 0 and columns > 0 for columns, rows in network.at_work.shifts)
    still = matted(session_of(BrightnessNetwork()), walk(6, step=0))
    assert error(matte, frames) < 2 * error(still, walk(6, step=0))  # what moves leaves a trail


@pytest.mark.parametrize("lengths", [(21,), (1,) * 21, (3, 9, 7, 2)])
@pytest.mark.parametrize("chunk", [1, 4])
def test_mattes_do_not_depend_on_where_a_run_is_interrupted(
    lengths: Sequence[int], chunk: int
) -> None:
    frames = walk(sum(lengths))
    expected = found(session_of(BrightnessNetwork()), frames)
    assert max(len(crops) for _, crops in expected) == 3  # one comes over another
    parts = found_in_runs(BrightnessNetwork(), frames, lengths, chunk)
    assert_same_found(parts, expected)


def test_an_empty_picture_costs_nothing_more() -> None:
    network = BrightnessNetwork()
    session = session_of(network)
    matted(session, concatenate([scene(SIZE, [])] * 3))
    assert network.at_work.small_sizes == [Size(80, 45)] * 3
    assert session.state is not None
    assert not session.state.parts[0].further


def test_pictures_of_another_size_begin_anew() -> None:
    session = session_of(BrightnessNetwork())
    matted(session, walk(4))
    session.reset()
    other = scene(Size(200, 150), [(20, 60, 20, 45)])
    assert same(matted(session, other), matted(session_of(BrightnessNetwork()), other))


def saved() -> bytes:
    session = session_of(BrightnessNetwork())
    matted(session, walk(4))
    assert session.state is not None
    assert session.state.parts[0].further
    return session.state.to_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[: len(MAGIC) + 4],
        lambda content: content.replace(b'"columns":', b'"columns":-'),
        lambda content: content[: len(MAGIC)] + b"\xff" * 8 + content[len(MAGIC) + 8 :],
    ],
)
def test_a_damaged_file_leaves_no_state(damage: object) -> None:
    assert callable(damage)
    session = session_of(BrightnessNetwork())
    with pytest.raises(UnusableStateError):
        session.load_state(damage(saved()))
    assert session.state is None


def test_without_small_people_a_file_is_what_the_network_saves() -> None:
    session = MattingSession(BrightnessNetwork(), CPU, Precision.FP32)
    matted(session, walk(2))
    assert session.state is not None
    assert session.state.to_bytes() == session.state.parts[0].main.to_bytes()


def test_a_state_of_an_earlier_version_is_gone_on_from() -> None:
    before = MattingSession(BrightnessNetwork(), CPU, Precision.FP32)
    matted(before, walk(2))
    assert before.state is not None
    session = session_of(BrightnessNetwork())
    session.load_state(before.state.parts[0].main.to_bytes())
    assert session.has_state_for(SIZE, RATIO)
    assert session.mattes(walk(1), RATIO)[0].crops


def test_states_of_the_network_move_with_the_picture(random_checkpoint: Path) -> None:
    network = RvmNetwork(load_network(random_checkpoint)).for_inference(torch.float32, CPU)
    tensors = [torch.rand(1, c, 48 // s, 64 // s) for c, s in ((16, 2), (20, 4), (40, 8), (64, 16))]
    state = RvmState((tensors[0], tensors[1], tensors[2], tensors[3]))
    moved = network.shift_state(state, 1, -1)
    for before, after, cell in zip(tensors, moved.tensors, (8, 4, 2, 1), strict=True):
        assert torch.equal(after[..., cell:, :-cell], before[..., :-cell, cell:])
        assert torch.equal(after[..., cell:, -1], before[..., :-cell, -1])


def test_a_state_with_people_fits_what_its_main_one_fits() -> None:
    session = session_of(BrightnessNetwork())
    matted(session, walk(2))
    state = session.state
    assert isinstance(state, SessionState)
    assert state.fits(SIZE, RATIO)
    assert not state.fits(SIZE, 2 * RATIO)
