"""The signs of doubt of a segment's frames, in a small file: what they are, and how it is read.

A file is one of numpy's, with an array for each sign. Two pictures of cells, of the first frame and
of the last, tell of the change from one segment to the next, whatever was matted in between.
"""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray

from matting.errors import InputError, writing
from matting.imaging.frame_signs import SIGNS, CellMeans
from matting.project.entry import MOST_MOMENTS
from matting.system import atomic_files
from matting.system.files import read_error

Values = NDArray[np.float32]

STORED = np.float16  # to a thousandth of each value
CELLS, TIMES, MOMENTS, MADE_BY = "cells", "times", "moments", "made_by"
OPTIONAL = ("eyes", "views")  # signs of some segments only
# Files of earlier versions have no clouds. On 31 clips of people with known alpha, those of a
# frame were CLOUDS * haze**POWER, within a tenth of that two times in three.
LATER = "clouds"
CLOUDS, POWER = 3.3, 1.42
VIEWS = ("source", "matte", "composite")
LONGEST_MADE_BY = 200  # characters
MOST_APART_SECONDS = Fraction(1)  # from one picture of a doubtful frame to the next
APART_SHARE = Fraction(1, 10)  # of a short video, so that it is pictured several times, too
LARGEST = 1 << 20  # bytes of a picture, or cells in all pictures of cells
# How numpy begins an array: its mark with the version, and the length of a header that says all.
HEADER_START, LONGEST_HEADER = b"\x93NUMPY\x01\x00", 1000
HEADER = re.compile(
    rb"\{'descr': '(?P<type>[<>|][a-z][0-9])', 'fortran_order': (?P<by_columns>True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,10}(?:, ?|(?=\))))*)\), \} *\n"
)
# What zipfile, zlib and numpy raise of a file that is none of these, or is damaged.
DAMAGE = (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
HINT = "When its segment is matted again, it is made anew."


@dataclass(frozen=True)
class DoubtfulMoment:
    """Pictures of one of the most doubtful frames, as WebP.

    Attributes:
        frame: its number in the segment.
        source: as it was filmed.
        composite: over a colour.
    """

    frame: int
    source: bytes
    matte: bytes
    composite: bytes


@dataclass(frozen=True)
class SegmentSigns:
    """What was seen of a segment.

    Attributes:
        values: [F, len(SIGNS)], as of `frame_signs`; the flicker of the first is 0.
        first, last: the cells of its first frame and of its last.
        began, ended: when that was, in seconds since 1970.
        moments: its most doubtful frames, apart from each other, in order.
        eyes: [F], how much the mattes of both eyes differ; None: there are no two.
        views: [F], how much the mattes of two views of each frame differ; None: there was one view.
        made_by: the computer and its device, and what its network computed in; "": not known.
    """

    values: Values
    first: CellMeans
    last: CellMeans
    began: float
    ended: float
    moments: tuple[DoubtfulMoment, ...] = ()
    eyes: Values | None = None
    views: Values | None = None
    made_by: str = ""

    def write(self, path: Path) -> None:
        """Write them into the empty file `path`, and flush it.

        Raises:
            StorageError: it cannot be written.
        """
        cells = [means for each in (self.first, self.last) for means in (each.alpha, each.luma)]
        arrays: dict[str, NDArray[Any]] = {
            name: self.values[:, column].astype(STORED) for column, name in enumerate(SIGNS)
        }
        arrays[CELLS] = torch.cat(cells).to(torch.uint8).numpy()
        for name in OPTIONAL:
            if (values := getattr(self, name)) is not None:
                arrays[name] = values.astype(STORED)
        arrays[TIMES] = np.array([self.began, self.ended])
        made_by = self.made_by[:LONGEST_MADE_BY].encode("utf-8", "replace")
        arrays[MADE_BY] = np.frombuffer(made_by, np.uint8)
        arrays[MOMENTS] = np.array([own.frame for own in self.moments], np.int64)
        for number, own in enumerate(self.moments):
            for view in VIEWS:
                arrays[f"{view}_{number}"] = np.frombuffer(getattr(own, view), np.uint8)
        with writing(path), path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        atomic_files.flush(path)


def apart_seconds(video_seconds: Fraction) -> Fraction:
    """Return how far the pictured frames of a video so long are apart, at the least."""
    return min(MOST_APART_SECONDS, video_seconds * APART_SHARE)


def read_segment_signs(path: Path, frames: int) -> SegmentSigns:
    """Return what a file holds; anybody may have made it.

    Args:
        frames: of the segment.
    Raises:
        InputError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            found = set(archive.namelist())
            arrays = {
                name: _array(archive, name, STORED, (frames,))
                for name in (*SIGNS, *OPTIONAL)
                if name not in (LATER, *OPTIONAL) or f"{name}.npy" in found
            }
            times = _array(archive, TIMES, np.float64, (2,))
            cells = _array(archive, CELLS, np.uint8, (4, None, None))
            moments = tuple(_moments(archive, frames))
            made_by = _text(archive, MADE_BY) if f"{MADE_BY}.npy" in found else ""
    except OSError as error:
        raise read_error(path, error) from error
    except DAMAGE as error:
        raise InputError(f"{path} is damaged: {error}.", HINT) from error
    shares = np.stack(list(arrays.values()))
    if not ((shares >= 0) & (shares <= 1)).all() or not np.isfinite(times).all():
        raise InputError(f"{path} is damaged: what it holds are no signs.", HINT)
    means = torch.from_numpy(cells).to(torch.int16)
    first, last = (CellMeans(means[at : at + 1], means[at + 1 : at + 2]) for at in (0, 2))
    signs = {name: own.astype(np.float32) for name, own in arrays.items()}
    if LATER not in signs:
        signs[LATER] = np.minimum(1, CLOUDS * signs["haze"] ** POWER)
    values = np.stack([signs[name] for name in SIGNS], 1)
    optional = {name: signs[name] for name in OPTIONAL if name in signs}
    began, ended = times.tolist()
    return SegmentSigns(values, first, last, began, ended, moments, **optional, made_by=made_by)


def _moments(archive: zipfile.ZipFile, frames: int) -> Iterator[DoubtfulMoment]:
    """Yield the moments of a segment of so many frames; raises as `_array`."""
    numbers = _array(archive, MOMENTS, np.int64, (None,))
    if len(numbers) > MOST_MOMENTS or not ((numbers >= 0) & (numbers < frames)).all():
        raise ValueError("its moments are not in it")
    for place, number in enumerate(numbers.tolist()):
        views = (_array(archive, f"{view}_{place}", np.uint8, (None,)).tobytes() for view in VIEWS)
        yield DoubtfulMoment(number, *views)


def _text(archive: zipfile.ZipFile, name: str) -> str:
    """Return a text in one line; raises as `_array`."""
    characters = _array(archive, name, np.uint8, (None,)).tobytes().decode("utf-8", "replace")
    return "".join(own for own in characters[:LONGEST_MADE_BY] if own.isprintable())


def _array(
    archive: zipfile.ZipFile, name: str, kind: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """Return an array of a kind and shape that are known, whatever its header says.

    Args:
        shape: None: any length, of at most LARGEST in all.
    Raises:
        those of DAMAGE.
    """
    with archive.open(f"{name}.npy") as file:
        found, by_columns, dtype = _header(file, name)
        fits = len(found) == len(shape) and all(
            own in {None, length} for own, length in zip(shape, found, strict=True)
        )
        count = math.prod(found)
        if not fits or by_columns or dtype != kind or (None in shape and count > LARGEST):
            raise ValueError(f"{name} is no array of this kind")
        content = file.read(count * dtype.itemsize + 1)  # one more: to the checksum at its end
        if len(content) != count * dtype.itemsize:
            raise ValueError(f"{name} is cut off")
    return np.frombuffer(bytearray(content), dtype).reshape(found)


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return an array's shape, whether it lies by columns, and its type; raises as `_array`.

    numpy reads the header as Python, which takes longer than all else in a file as small as this.
    """
    start = file.read(len(HEADER_START) + 2)
    if not start.startswith(HEADER_START):
        raise ValueError(f"{name} is of another version")
    header = HEADER.fullmatch(file.read(min(int.from_bytes(start[-2:], "little"), LONGEST_HEADER)))
    if header is None:
        raise ValueError(f"{name} has no header of numpy's")
    shape = tuple(int(length) for length in header["shape"].split(b",") if length.strip())
    return shape, header["by_columns"] == b"True", np.dtype(header["type"].decode("ascii"))
