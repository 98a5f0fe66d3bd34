"""Frames in, alpha and foreground out, for a program that has its own frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import rvm_segments as rvm
from matting.imaging.planes import Planes
from matting.imaging.renderer import render_matte_planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.run_up import FeatureBatch, RunUp
from matting.inference.session import MattingSession as Network
from matting.inference.weights import load_checkpoint
from matting.options import Precision
from tests.support.clips import picture

CPU = torch.device("cpu")
FRAMES = np.stack([picture(number) for number in range(10)])


def new_session(checkpoint: Path) -> rvm.MattingSession:
    options = rvm.MatteOptions(checkpoint, precision=Precision.FP32)
    return rvm.MattingSession(options, device="cpu")


@pytest.fixture
def session(random_checkpoint: Path) -> rvm.MattingSession:
    return new_session(random_checkpoint)


def as_tensor(frames: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(frames).permute(0, 3, 1, 2)


def test_the_state_is_carried_however_frames_are_divided(session: rvm.MattingSession) -> None:
    whole = session.matte(FRAMES)
    assert session.device == "cpu"
    session.reset()
    parts = [session.matte(FRAMES[:1]), session.matte(FRAMES[1:1]), session.matte(FRAMES[1:])]
    assert np.array_equal(np.concatenate([own.alpha for own in parts]), whole.alpha)
    assert np.array_equal(np.concatenate([own.foreground for own in parts]), whole.foreground)
    session.reset()
    alone = session.matte(FRAMES[9:])
    assert not np.array_equal(alone.alpha[0], whole.alpha[9])


def test_arrays_and_tensors_of_8_and_16_bits_give_the_same(session: rvm.MattingSession) -> None:
    arrays = session.matte(FRAMES[:2])
    assert arrays.alpha.shape == (2, 48, 64)
    assert arrays.foreground.shape == (2, 48, 64, 3)
    assert [arrays.alpha.dtype.name, arrays.foreground.dtype.name] == ["float32", "uint8"]
    assert 0 < arrays.alpha.mean() < 1
    whole_steps = arrays.alpha * 1023
    assert np.abs(whole_steps - whole_steps.round()).max() < 1e-3
    session.reset()
    tensors = session.matte(as_tensor(FRAMES[:2]))
    assert np.array_equal(tensors.alpha[:, 0].numpy(), arrays.alpha)
    assert np.array_equal(tensors.foreground.permute(0, 2, 3, 1).numpy(), arrays.foreground)
    session.reset()
    deep = FRAMES[:2].astype(np.uint16) * 257
    deeper = session.matte(deep)
    session.reset()
    swapped = session.matte(deep.astype(deep.dtype.newbyteorder()))  # of the other byte order
    assert np.array_equal(swapped.alpha, deeper.alpha)
    assert np.array_equal(swapped.foreground, deeper.foreground)
    assert deeper.foreground.dtype == np.uint16
    assert np.abs(deeper.alpha - arrays.alpha).max() <= 1 / 1023
    opaque = (deeper.alpha == 0) | (deeper.alpha == 1)
    assert np.array_equal(deeper.foreground[opaque], deep[opaque])


@pytest.mark.parametrize("number", [0, 1])
def test_where_alpha_is_full_or_none_the_foreground_is_the_frame(
    number: int, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    session = new_session((empty_checkpoint, opaque_checkpoint)[number])
    mattes = session.matte(FRAMES[:1])
    assert (mattes.alpha == number).all()
    assert np.array_equal(mattes.foreground, FRAMES[:1])


def test_a_shot_begins_as_in_a_whole_video(
    session: rvm.MattingSession, random_checkpoint: Path
) -> None:
    session.matte(FRAMES[5:])
    session.reset(FRAMES)
    alpha = session.matte(FRAMES[:3]).alpha

    network = Network(load_checkpoint(random_checkpoint).network, CPU, Precision.FP32)
    run_up = RunUp(network)
    features = network.extract_features(Planes(SampleFormat(), as_tensor(FRAMES)), 1.0)
    outputs = run_up.feed(FeatureBatch(features, tuple(range(10)), starts_shot=True))
    mattes = [own for one in outputs for own in network.fit_guided_filter(one.parts)]
    expected = torch.cat(
        [
            render_matte_planes(own.made_into(lambda matte: replace(matte, fused=True))).alpha.int()
            for own in mattes
        ]
    )
    assert np.array_equal((alpha * 1023).round(), expected[:3, 0].numpy())
    session.reset()
    assert not np.array_equal(session.matte(FRAMES[:3]).alpha, alpha)


def test_what_is_no_frame_is_refused(session: rvm.MattingSession) -> None:
    wrong: list[Any] = [FRAMES[0], FRAMES.astype(np.float32), FRAMES[..., :1], as_tensor(FRAMES)[0]]
    for frames in (*wrong, [FRAMES], FRAMES[:, :0]):
        with pytest.raises(rvm.InputError):
            session.matte(frames)


@pytest.mark.parametrize("ratio", [0.0, -1.0, 1.01, float("nan")])
def test_a_ratio_that_is_none_is_refused_before_anything_is_loaded(ratio: float) -> None:
    with pytest.raises(rvm.InputError, match="ratio"):
        rvm.MattingSession(rvm.MatteOptions(Path("none.pth"), ratio=ratio))
    with pytest.raises(rvm.InputError, match="ratio"):
        rvm.matte_video("none.mp4", matting=rvm.MattingOptions(rvm.MatteOptions(ratio=ratio)))


def test_weights_are_named_as_paths_are_in_other_programs(random_checkpoint: Path) -> None:
    given: Any = str(random_checkpoint)
    options = rvm.MatteOptions(given, precision=Precision.FP32)
    assert rvm.MattingSession(options, device="cpu").device == "cpu"
    for wrong in (3, "a\0b"):
        given = wrong
        with pytest.raises(rvm.InputError):
            rvm.MattingSession(rvm.MatteOptions(given), device="cpu")


def test_what_fails_leaves_the_session_as_it_was(
    session: rvm.MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = session.matte(FRAMES[:4]).alpha
    session.reset()
    session.matte(FRAMES[:2])
    with pytest.raises(rvm.InputError, match="32x48"):
        session.matte(FRAMES[:, :, :32])
    with monkeypatch.context() as patch:
        patch.setattr(Network, "fit_guided_filter", fail)
        with pytest.raises(rvm.OutOfMemoryError):
            session.matte(FRAMES[2:4])
    assert np.array_equal(session.matte(FRAMES[2:4]).alpha, expected[2:])
    session.reset()
    assert session.matte(FRAMES[:1, :, :32]).alpha.shape == (1, 48, 32)


def fail(*_: object) -> None:
    raise rvm.OutOfMemoryError("There is too little memory.")
