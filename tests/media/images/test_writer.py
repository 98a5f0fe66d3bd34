"""What is written as pictures is all there, in the depth asked for, or refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from matting.errors import EncodeError, StorageError
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.images import writer as writer_module
from matting.media.images.png import Values, decode_png
from matting.media.images.still import to_16_bits
from matting.media.images.writer import Array, ImageWriter
from tests.support.clips import picture
from tests.support.pixels import RGB16


def pictures(folder: Path) -> dict[str, Values]:
    return {path.name: decode_png(path.read_bytes()) for path in sorted(folder.iterdir())}


def write_all(
    folder: Path, names: Sequence[str], results: Values, depth: int, channels: int = 3
) -> None:
    tensor = torch.from_numpy(results).permute(0, 3, 1, 2)
    with ImageWriter(folder, names, depth=depth) as writer:
        writer.write(
            Planes(SampleFormat(results.itemsize * 8), tensor[:, :channels]), range(len(results))
        )
        writer.finish()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", [8, 16])
def test_pictures_are_written_in_the_depth_asked_for(
    depth: int, channels: int, tmp_path: Path
) -> None:
    results = np.stack([picture(0), picture(1)])
    write_all(tmp_path / "x", ["a.png", "b.png"], results, depth, channels)
    for index, values in enumerate(pictures(tmp_path / "x").values()):
        expected = to_16_bits(results[index]) if depth == 16 else results[index]
        assert values.dtype == expected.dtype
        assert np.array_equal(values, expected[..., 0] if channels == 1 else expected)


def test_16_bits_are_written_as_they_are(tmp_path: Path) -> None:
    write_all(tmp_path / "x", ["a.png"], RGB16[None], 16)
    assert np.array_equal(pictures(tmp_path / "x")["a.png"], RGB16)
    with pytest.raises(EncodeError, match="16 bits do not fit into 8"):
        write_all(tmp_path / "x", ["a.png"], RGB16[None], 8)


@pytest.mark.parametrize("names", [["a.png"], ["a.png", "b.png", "c.png"]])
def test_more_or_fewer_pictures_than_there_should_be(names: list[str], tmp_path: Path) -> None:
    with pytest.raises(EncodeError, match="pictures"):
        write_all(tmp_path / "x", names, np.stack([picture(0), picture(1)]), 8)


@pytest.mark.parametrize("damage", ["damaged", "another", "gone", "more"])
def test_a_picture_that_did_not_reach_the_disk(damage: str, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    tensor = torch.from_numpy(np.stack([picture(0), picture(1)])).permute(0, 3, 1, 2)
    with ImageWriter(folder, ["a.png", "b.png"], depth=8) as writer:
        writer.write(Planes(SampleFormat(), tensor), [0, 1])
        writer.drain()
        if damage == "damaged":
            (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:-30])
        elif damage == "another":
            (folder / "b.png").write_bytes((folder / "a.png").read_bytes())
        elif damage == "gone":
            (folder / "b.png").unlink()
        else:
            (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
        with pytest.raises(EncodeError):
            writer.finish()


@pytest.mark.parametrize(("most_pictures", "at_once"), [(0.5, 1), (1, 1), (2, 2)])
def test_large_pictures_are_not_all_worked_on_at_once(
    most_pictures: float, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CountingWriter(ImageWriter):
        def _store(self, path: Path, parts: Sequence[Array]) -> Array:
            with self._counted():
                return super()._store(path, parts)

        def _read(self, path: Path) -> Array:
            with self._counted():
                return super()._read(path)

        @contextmanager
        def _counted(self) -> Iterator[None]:
            with lock:
                working.append(1)
                most.append(len(working))
            yield
            with lock:
                working.pop()

    lock, working, most = threading.Lock(), list[int](), list[int]()
    results = np.stack([picture(number) for number in range(8)])
    monkeypatch.setattr(writer_module, "THREADS", 4)
    monkeypatch.setattr(writer_module, "MOST_BYTES", int(most_pictures * results[0].nbytes))
    names = [f"{number}.png" for number in range(8)]
    tensor = torch.from_numpy(results).permute(0, 3, 1, 2)
    with CountingWriter(tmp_path / "x", names, depth=8) as writer:
        writer.write(Planes(SampleFormat(), tensor), range(8))
        writer.finish()
    assert len(most) == 16 and max(most) <= at_once
    written = pictures(tmp_path / "x").values()
    assert all(map(np.array_equal, written, results))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        write_all(tmp_path / "file" / "x", ["a.png"], picture(0)[None], 8)
