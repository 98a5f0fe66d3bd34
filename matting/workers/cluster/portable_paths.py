"""What computers send each other, in which each finds the paths as it sees them itself.

The same folder may be `D:\\Videos` on one computer and `/mnt/videos` on another, and neither can
make the other's path: a pickled `WindowsPath` cannot be loaded on Linux.
"""

from __future__ import annotations

import io
import os
import pickle
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from matting.cluster_options import MAP_OPTION
from matting.errors import InputError

Flavour = type[PureWindowsPath] | type[PurePosixPath]
DRIVE = re.compile("[A-Za-z]:")
HERE: Flavour = PureWindowsPath if os.name == "nt" else PurePosixPath


@dataclass(frozen=True)
class _Side:
    """A folder as one of two computers sees it; the path is absolute."""

    path: PurePath

    @classmethod
    def of(cls, text: str) -> _Side | None:
        text = f"{text}\\" if DRIVE.fullmatch(text) else text  # alone, it is no full path
        flavour = _flavour_of(text)
        return None if flavour is None else cls(flavour(text))

    def inside(self, text: str) -> tuple[str, ...] | None:
        """Return the names that lead from here to a path; None: it does not begin here."""
        path = type(self.path)(text)
        names, own = path.parts, self.path.parts
        if len(names) < len(own) or [*map(self._key, names[: len(own)])] != [*map(self._key, own)]:
            return None
        return names[len(own) :]

    def _key(self, name: str) -> str:
        return name.lower() if isinstance(self.path, PureWindowsPath) else name


@dataclass(frozen=True)
class _Pair:
    """One folder, as the computer there sees it, and as this one does."""

    there: _Side
    here: _Side


@dataclass(frozen=True)
class PathMapping:
    """Which folder of the computer that runs the job is which of this one."""

    pairs: tuple[_Pair, ...] = ()

    @classmethod
    def parse(cls, words: Iterable[str], here: Flavour = HERE) -> PathMapping:
        r"""Return the mapping of words such as D:\Videos=/mnt/videos.

        Args:
            words: each as the folder's path there, an equals sign, and its path here.
            here: how paths of this computer are written.
        Raises:
            InputError: one of them is no such pair, or a folder has two places here.
        """
        pairs = tuple(_pair(word, here) for word in words)
        for index, pair in enumerate(pairs):
            for other in pairs[:index]:
                if other.there.path == pair.there.path and other.here.path != pair.here.path:
                    raise InputError(
                        f"{MAP_OPTION} says twice where {pair.there.path} is: "
                        f"{other.here.path}, and {pair.here.path}.",
                        "Give each folder once.",
                        option=MAP_OPTION,
                    )
        return cls(pairs)

    def to_here(self, text: str) -> Path:
        """Return the path on this computer of one as the other computer writes it.

        The longest folder that it begins with counts; outside of all of them it stays as it is.
        """
        return Path(self.text_here(text))

    def to_there(self, path: PurePath) -> str:
        """Return a path of this computer as the other one writes it."""
        return self.text_there(_text(path))

    def text_here(self, text: str) -> str:
        """Return what `to_here` makes its path of."""
        return _translated(text, [(pair.there, pair.here) for pair in self.pairs])

    def text_there(self, text: str) -> str:
        """Return what `to_there` does, of a path's text."""
        return _translated(text, [(pair.here, pair.there) for pair in self.pairs])


def dumps(value: object, mapping: PathMapping | None = None) -> bytes:
    """Return a value as bytes that `loads` takes on any system.

    Args:
        mapping: how the receiver sees this computer's paths; None: that is the receiver's matter.
    Raises:
        pickle.PicklingError, TypeError, AttributeError: it holds what cannot be sent.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, mapping or PathMapping()).dump(value)
    return buffer.getvalue()


def loads(data: bytes, mapping: PathMapping | None = None) -> object:
    """Return the value that `dumps` was given, its paths as ones of this computer.

    Whoever can make the bytes can run anything here: take them from computers of the job alone.

    Args:
        mapping: where this computer has what the sender's paths name; None: at the same place.
    Raises:
        pickle.UnpicklingError: the bytes are none of `dumps`.
    """
    return _Unpickler(io.BytesIO(data), mapping or PathMapping()).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, mapping: PathMapping) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._mapping = mapping

    def persistent_id(self, obj: object) -> str | None:
        return self._mapping.to_there(obj) if isinstance(obj, PurePath) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, mapping: PathMapping) -> None:
        super().__init__(file)
        self._mapping = mapping

    def persistent_load(self, pid: object) -> Path:
        if not isinstance(pid, str):
            raise pickle.UnpicklingError(f"{type(pid).__name__} instead of a path")
        return self._mapping.to_here(pid)


def _text(path: PurePath) -> str:
    """Return a path as text from which any system makes the same, as far as it can.

    Without a drive, a path is one from elsewhere, or relative; Windows takes it with slashes, too.
    """
    return path.as_posix() if isinstance(path, PureWindowsPath) and not path.drive else str(path)


def _flavour_of(text: str) -> Flavour | None:
    """Return which system writes absolute paths in this way; None: it is no absolute path."""
    windows = PureWindowsPath(text)
    if windows.drive and windows.root:
        return PureWindowsPath  # D:\x, D:/x, \\server\share
    return PurePosixPath if text.startswith("/") else None


def _pair(word: str, here: Flavour) -> _Pair:
    """Return the pair that a word names; an equals sign may be part of a path.

    Raises:
        InputError.
    """
    places = [index for index, letter in enumerate(word) if letter == "="]
    splits = [(_side(word[:index]), _side(word[index + 1 :])) for index in places]
    pairs = [_Pair(left, right) for left, right in splits if left and right]
    if len(pairs) > 1:
        raise _refused(word, "more than one of its equals signs may part two paths")
    if not pairs:
        raise _refused(word, "it is not two full paths with an equals sign between them")
    if not isinstance(pairs[0].here.path, here):
        own = pairs[0].here.path
        raise _refused(word, f"{own} stands on the right, and is no path of this computer's system")
    return pairs[0]


def _side(text: str) -> _Side | None:
    return _Side.of(text.strip().strip("\"'"))


def _refused(word: str, why: str) -> InputError:
    return InputError(
        f"{MAP_OPTION} {word}: {why}.",
        "Write a folder's path on the computer that runs the job, an equals sign, and the path of "
        r"the same folder on this one, such as D:\Videos=/mnt/videos.",
        option=MAP_OPTION,
    )


def _translated(text: str, sides: list[tuple[_Side, _Side]]) -> str:
    """Return a path by the pair whose first folder is the longest that it begins with."""
    if _flavour_of(text) is None:
        return text
    found = [(own, names, other) for own, other in sides if (names := own.inside(text)) is not None]
    if not found:
        return text
    _, names, other = max(found, key=lambda one: len(one[0].path.parts))
    return str(other.path.joinpath(*names))
