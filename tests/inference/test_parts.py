"""Parts of a picture: each is matted as a video of its own is, and knows nothing of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from matting.errors import InputError
from matting.imaging.frame_parts import PicturePart, eye_parts
from matting.imaging.matte_planes import MattePlanes, concatenate_mattes
from matting.imaging.planes import Planes, concatenate
from matting.imaging.renderer import render_matte_planes
from matting.imaging.sample_format import Size
from matting.inference.base import FrameFeatures, UnusableStateError
from matting.inference.run_up import FeatureBatch, RunUp
from matting.inference.session import MattingSession
from matting.inference.session_state import PARTS_MAGIC
from matting.inference.weights import load_checkpoint
from matting.network_choice import MatteQuality
from matting.options import Precision
from matting.view import StereoLayout
from tests.support.brightness_network import BrightnessNetwork, scene
from tests.support.frames import NV12, random_video
from tests.support.small_people import CPU, RATIO, SIZE, session_of

LAYOUTS = [StereoLayout.LEFT_RIGHT, StereoLayout.TOP_BOTTOM]
EYE = Size(64, 48)
FRAMES = 3


def both(left: Planes, right: Planes, layout: StereoLayout) -> Planes:
    """Return frames of both eyes, as they lie."""
    dim = 3 if layout is StereoLayout.LEFT_RIGHT else 2
    luma = torch.cat((left.luma_or_rgb, right.luma_or_rgb), dim)
    if left.chroma is None or right.chroma is None:
        return Planes(left.sample_format, luma)
    return Planes(left.sample_format, luma, torch.cat((left.chroma, right.chroma), dim))


def matted(
    session: MattingSession, frames: Planes, ratio: float, layout: StereoLayout | None = None
) -> MattePlanes:
    """Return what is stored of a session's next frames."""
    parts = eye_parts(layout, frames.size, frames.sample_format)
    outputs = session.run_recurrent(session.extract_features(frames, ratio, parts))
    rendered = session.fit_guided_filter(outputs)
    fused = [own.made_into(lambda matte: replace(matte, fused=True)) for own in rendered]
    return concatenate_mattes([render_matte_planes(own) for own in fused])


def assert_eyes(
    whole: MattePlanes, eyes: Sequence[MattePlanes], parts: Sequence[PicturePart]
) -> None:
    for part, own in zip(parts, eyes, strict=True):
        for planes, expected in (
            (whole.alpha_planes, own.alpha_planes),
            (whole.corrections, own.corrections),
        ):
            there = part.cut(planes)
            assert torch.equal(there.luma_or_rgb, expected.luma_or_rgb)
            assert (there.chroma is None) == (expected.chroma is None)
            if there.chroma is not None and expected.chroma is not None:
                assert torch.equal(there.chroma, expected.chroma)


@pytest.fixture
def rvm(random_checkpoint: Path) -> Callable[[MatteQuality], MattingSession]:
    network = load_checkpoint(random_checkpoint).network
    return lambda quality: MattingSession(network, CPU, Precision.FP32, 1, quality=quality)


@pytest.mark.parametrize("quality", MatteQuality)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_eye_is_matted_as_its_own_video_is(
    layout: StereoLayout,
    quality: MatteQuality,
    rvm: Callable[[MatteQuality], MattingSession],
) -> None:
    left, right = random_video(NV12, 2 * FRAMES, EYE.height, EYE.width).split(FRAMES)
    alone = [matted(rvm(quality), eye, 0.5) for eye in (left, right)]
    assert alone[0].alpha.any()
    frames = both(left, right, layout)
    whole = matted(rvm(quality), frames, 0.5, layout)
    assert_eyes(whole, alone, eye_parts(layout, frames.size, NV12))


def walk(frames: int, top: int, height: int, step: int) -> Planes:
    """Return somebody small who walks along one side of an eye, up to its edge."""
    places = [(SIZE.width - 40 + step * i, top, 20, height) for i in range(frames)]
    return concatenate([scene(SIZE, [place]) for place in places])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_small_people_are_followed_in_each_eye(layout: StereoLayout) -> None:
    # At the seam in both, and of other sizes: what sees both eyes would see one person.
    left, right = walk(8, SIZE.height - 46, 44, 3), walk(8, 2, 30, -3)
    alone = []
    for eye in (left, right):
        session = session_of(BrightnessNetwork())
        alone.append(matted(session, eye, RATIO))
        assert session.state is not None and session.state.parts[0].further
    session = session_of(BrightnessNetwork())
    frames = both(left, right, layout)
    parts = eye_parts(layout, frames.size, frames.sample_format)
    assert_eyes(matted(session, frames, RATIO, layout), alone, parts)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_states_are_saved_and_gone_on_from(layout: StereoLayout) -> None:
    frames = both(walk(6, 100, 44, 3), walk(6, 60, 30, -3), layout)
    parts = eye_parts(layout, frames.size, frames.sample_format)
    uncut = matted(session_of(BrightnessNetwork()), frames, RATIO, layout)
    first, second = (session_of(BrightnessNetwork()) for _ in range(2))
    matted(first, frames.between(0, 3), RATIO, layout)
    assert first.state is not None
    saved = first.state.to_bytes()
    second.load_state(saved)
    assert second.has_state_for(frames.size, RATIO, parts)
    assert not second.has_state_for(frames.size, RATIO)
    assert not second.has_state_for(SIZE, RATIO)
    rest = matted(second, frames.between(3, 6), RATIO, layout)
    assert torch.equal(rest.alpha.int(), uncut.between(3, 6).alpha.int())
    # That of the picture as one is none of its eyes.
    second.reset()
    matted(second, frames.between(0, 1), RATIO)
    assert not second.has_state_for(frames.size, RATIO, parts)
    begin = len(PARTS_MAGIC) + 8
    for broken in (saved[:-1], saved[:begin], saved[:begin] + b"[1,1]", saved.replace(b"[", b"{")):
        with pytest.raises(UnusableStateError):
            second.load_state(broken)
        assert second.state is None


def test_a_shot_of_eyes_is_run_up_and_short_memory_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layout = StereoLayout.TOP_BOTTOM
    eyes = walk(12, 100, 44, 3), walk(12, 60, 30, -3)
    frames = both(*eyes, layout)
    parts = eye_parts(layout, frames.size, frames.sample_format)
    alone = [run_up(session_of(BrightnessNetwork(), 4), eye, ()) for eye in eyes]
    network = BrightnessNetwork()
    extract, most = network.at_work.extract_features, 4

    def short(source: Planes, ratio: float, *, mirrored: bool = False) -> FrameFeatures:
        if len(source) >= most:
            raise MemoryError
        return extract(source, ratio, mirrored=mirrored)

    monkeypatch.setattr(network.at_work, "extract_features", short)
    assert_eyes(run_up(session_of(network, 4), frames, parts), alone, parts)


def run_up(session: MattingSession, frames: Planes, parts: tuple[PicturePart, ...]) -> MattePlanes:
    """Return what is stored of a shot, in chunks of four frames."""
    run, mattes = RunUp(session), []
    parts = parts or eye_parts(None, frames.size, frames.sample_format)
    run.begin(starts_shot=True)
    for first in range(0, len(frames), 4):
        chunk = frames.between(first, first + 4)
        features = session.extract_features(chunk, RATIO, parts)
        batch = FeatureBatch(features, tuple(range(first, first + 4)))
        mattes += [each for done in run.feed(batch) for each in done.parts]
    mattes += [each for done in run.end() for each in done.parts]
    return concatenate_mattes([render_matte_planes(m) for m in session.fit_guided_filter(mattes)])


def test_an_eye_that_is_too_small_is_refused() -> None:
    session = MattingSession(BrightnessNetwork(), CPU, Precision.FP32)
    frames = scene(Size(40, 12), [])
    parts = eye_parts(StereoLayout.TOP_BOTTOM, frames.size, frames.sample_format)
    session.extract_features(frames, 0.5)
    with pytest.raises(InputError):
        session.extract_features(frames, 0.5, parts)
