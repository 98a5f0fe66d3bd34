"""The file of a segment's signs: read as it was written, and refused where it is anything else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from matting.errors import InputError
from matting.imaging.frame_signs import DOUBT, SIGNS, CellMeans
from matting.project.segment_signs import (
    CELLS,
    TIMES,
    SegmentSigns,
    apart_seconds,
    read_segment_signs,
)

FRAMES = 5


def cells(seed: int) -> CellMeans:
    generator = torch.Generator().manual_seed(seed)
    alpha, luma = torch.randint(0, 256, (2, 1, 18, 32), generator=generator, dtype=torch.int16)
    return CellMeans(alpha, luma)


def made() -> SegmentSigns:
    values = np.random.default_rng(1).uniform(0, 1, (FRAMES, len(SIGNS))).astype(np.float32)
    return SegmentSigns(values, cells(1), cells(2), 1.5, 99.25)


def written(folder: Path) -> Path:
    path = folder / "a.npz"
    made().write(path)
    return path


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    signs = read_segment_signs(written(tmp_path), FRAMES)
    assert np.allclose(signs.values, made().values, rtol=1e-3)
    assert (signs.began, signs.ended) == (1.5, 99.25)
    for own, other in ((signs.first, cells(1)), (signs.last, cells(2))):
        assert torch.equal(own.alpha, other.alpha)
        assert torch.equal(own.luma, other.luma)


def test_what_made_a_segment_is_read_as_a_line(tmp_path: Path) -> None:
    assert read_segment_signs(written(tmp_path), FRAMES).made_by == ""
    replace(made(), made_by="STUDIO, a card\n\x1b[31m, \u00e9").write(tmp_path / "a.npz")
    assert read_segment_signs(tmp_path / "a.npz", FRAMES).made_by == "STUDIO, a card[31m, \u00e9"


def test_what_only_some_segments_have_is_read_where_it_is(tmp_path: Path) -> None:
    views = np.linspace(0, 1, FRAMES, dtype=np.float32)
    assert read_segment_signs(written(tmp_path), FRAMES).views is None
    replace(made(), views=views).write(tmp_path / "a.npz")
    signs = read_segment_signs(tmp_path / "a.npz", FRAMES)
    assert signs.views is not None
    assert signs.eyes is None
    assert np.allclose(signs.views, views, atol=1e-3)
    array(views=np.full(FRAMES, 2, np.float16))(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"a\.npz"):
        read_segment_signs(tmp_path / "a.npz", FRAMES)


def test_the_doubt_of_a_file_of_earlier_versions_is_told_by_its_haze(tmp_path: Path) -> None:
    path = written(tmp_path)
    array(haze=np.array([0, 0.01, 0.03, 0.05, 1], np.float16), clouds=None)(path)
    signs = read_segment_signs(path, FRAMES)
    assert signs.values[:, DOUBT].tolist() == [
        pytest.approx(expected, rel=0.02) for expected in (0, 0.0048, 0.0227, 0.0469, 1)
    ]
    others = [column for column in range(len(SIGNS)) if SIGNS[column] not in {"haze", "clouds"}]
    assert np.allclose(signs.values[:, others], made().values[:, others], rtol=1e-3)


def test_pictures_are_as_far_apart_as_the_length_allows() -> None:
    lengths = (Fraction(2), Fraction(7), Fraction(7200))
    assert [apart_seconds(length) for length in lengths] == [Fraction(1, 5), Fraction(7, 10), 1]


def test_the_signs_of_an_hour_are_small(tmp_path: Path) -> None:
    frames = 450
    values = np.random.default_rng(1).uniform(0, 0.1, (frames, len(SIGNS))).astype(np.float32)
    SegmentSigns(values, cells(1), cells(2), 0, 0).write(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").stat().st_size * 3600 * 30 / frames < 3_000_000


def array(**changed: object) -> Callable[[Path], None]:
    """Return what replaces arrays in a file by others; None leaves one out."""

    def change(path: Path) -> None:
        with np.load(path) as archive:
            arrays = dict(archive)
        arrays.update(changed)
        np.savez_compressed(path, **{n: a for n, a in arrays.items() if a is not None})

    return change


def huge(path: Path) -> None:
    """Have a header promise more than there is memory for."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f2", "fortran_order": False, "shape": (1 << 60,)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*SIGNS, TIMES, CELLS):
            archive.writestr(f"{name}.npy", header.getvalue())


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        cut_off,
        damage,
        huge,
        lambda path: path.unlink(),
        lambda path: path.write_text("none"),
        array(haze=None),
        array(haze=np.zeros(FRAMES)),
        array(haze=np.zeros(FRAMES + 1, np.float16)),
        array(clouds=np.zeros(FRAMES + 1, np.float16)),
        array(haze=np.full(FRAMES, np.nan, np.float16)),
        array(haze=np.full(FRAMES, 1.5, np.float16)),
        array(haze=np.array([None] * FRAMES, object)),
        array(times=np.array([np.inf, 0])),
        array(cells=np.zeros((3, 2, 2), np.uint8)),
    ],
)
def test_anything_else_is_refused(change: Callable[[Path], None], tmp_path: Path) -> None:
    path = written(tmp_path)
    change(path)
    with pytest.raises(InputError, match=r"a\.npz"):
        read_segment_signs(path, FRAMES)
