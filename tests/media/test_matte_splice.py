"""A stored matte with others in the place of some of its frames."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from matting.errors import DecodeError, MediaError
from matting.imaging.matte_planes import MattePlanes
from matting.imaging.sample_format import Size
from matting.media.matte_file import MatteFile
from matting.media.matte_splice import MattePatch, write_spliced
from tests.support.mattes import SIZE_PX, random_mattes, store, stored

FRAMES = 6
PTS = [0, 3000, 6000, 10000, 20000, 21000]


def alphas(path: Path) -> list[torch.Tensor]:
    return [chunk.matte.alpha[0, 0].view(torch.int16) for chunk in MatteFile.open(path).chunks(1)]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return store(tmp_path / "base.mkv", random_mattes(frames=FRAMES, seed=1), PTS)


def own(path: Path, frames: int, size: Size = SIZE_PX) -> Path:
    mattes: MattePlanes = random_mattes(size, frames=frames, seed=2)
    return store(path, mattes, range(frames))


def test_frames_outside_of_a_patch_and_all_times_stay_as_they_are(
    base: Path, tmp_path: Path
) -> None:
    other, target = own(tmp_path / "own.mkv", 3), tmp_path / "spliced.mkv"
    write_spliced(base, [MattePatch(2, (0.5, 1, 0.5), other)], target)
    before, times = stored(base)
    after, times_after = stored(target)
    assert times_after == times == PTS
    for kind, samples in before.items():
        assert samples and after[kind]
        same = [one == another for one, another in zip(samples, after[kind] or [], strict=True)]
        assert same == [True, True, False, False, False, True], kind
    replaced = stored(other)[0]
    assert all(after[kind][3] == replaced[kind][1] for kind in ("alpha", "luma_or_rgb", "chroma"))  # type: ignore[index]
    halves = (alphas(base)[2] + alphas(other)[0]).float() / 2
    assert (alphas(target)[2] - halves).abs().max() <= 0.5


def test_what_may_not_stay_is_taken_from_what_took_the_place_of_others(
    base: Path, tmp_path: Path
) -> None:
    allowed = torch.ones(SIZE_PX.height, SIZE_PX.width)
    allowed[:, :10] = 0
    target = tmp_path / "spliced.mkv"
    patches = [
        MattePatch(0, (1,) * FRAMES, allowed=allowed),
        MattePatch(1, (1, 1), own(tmp_path / "own.mkv", 2)),
    ]
    write_spliced(base, patches, target)
    expected = [alphas(base)[0], *alphas(tmp_path / "own.mkv"), *alphas(base)[3:]]
    for alpha, whole in zip(alphas(target), expected, strict=True):
        assert alpha[:, :10].max() == 0
        assert torch.equal(alpha[:, 10:], whole[:, 10:])


def test_a_patch_of_other_frames_is_refused(base: Path, tmp_path: Path) -> None:
    target = tmp_path / "spliced.mkv"
    for patch in (
        MattePatch(4, (1, 1, 1), own(tmp_path / "a.mkv", 3)),
        MattePatch(0, (1, 1), own(tmp_path / "b.mkv", 3)),
        MattePatch(0, (1, 1), own(tmp_path / "c.mkv", 2, Size(64, 32))),
    ):
        with pytest.raises(MediaError):
            write_spliced(base, [patch], target)


def test_a_damaged_matte_is_noticed(base: Path, tmp_path: Path) -> None:
    content = bytearray(base.read_bytes())
    content[len(content) // 2] ^= 1
    base.write_bytes(content)
    with pytest.raises(DecodeError):
        write_spliced(base, [], tmp_path / "spliced.mkv")
