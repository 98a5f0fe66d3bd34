"""What the program records for itself: typed and bounded; read and written by msgspec.

msgspec's errors become sentences here, and only here. A record is a `msgspec.Struct`. A field that
is added to one needs a default, so that what earlier versions wrote can still be read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from matting.errors import InputError
from matting.system import atomic_files

T = TypeVar("T")

LARGEST_BYTES = 1 << 28  # the records of sixty hours are smaller
MOST_VALUES = 1 << 22  # each takes many times its bytes in memory
SHOWN_CHARACTERS = 120  # of what a damaged file holds
INT64 = 2**63

Ticks = Annotated[int, Meta(ge=-INT64, le=INT64 - 1)]
Count = Annotated[int, Meta(ge=0, le=INT64 - 1)]
# A name that cannot lead out of its folder. On Windows a colon ends a drive's name.
SEPARATORS = r"/\\:" if os.name == "nt" else "/"
FileName = Annotated[
    str,
    Meta(min_length=1, max_length=255, pattern=rf"\A(?!\.{{1,2}}\Z)[^{SEPARATORS}\0]*\Z"),
]
# Two of them in the right order are one character, others are none: json reads both.
ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Fraction also reads 1e999999999, and takes for ever.
FRACTION = re.compile(r"(-?[0-9]{1,100})(?:/([0-9]{1,100}))?")


class LastRecord(Generic[T]):
    """The record that was read last of a type: the same content is not parsed a second time.

    Whoever gets it shares it with all others, and so changes nothing in it.
    """

    def __init__(self) -> None:
        self._known: tuple[bytes, T] | None = None  # by the hash of its text

    def of(self, text: str, parse: Callable[[str], T]) -> T:
        """Return the record in `text`, which `parse` returns where it is another than the last."""
        digest = hashlib.sha256(atomic_files.encode(text)).digest()
        known = self._known  # once, for another thread may read another one meanwhile
        if known is None or known[0] != digest:
            known = self._known = digest, parse(text)
        return known[1]


def read(
    path: Path,
    record_type: type[T],
    hint: str,
    *,
    option: str | None = None,
    upgrade: Callable[[Any], None] | None = None,
    most_values: int = MOST_VALUES,
    last: LastRecord[T] | None = None,
) -> T:
    """Return the record in the JSON file `path`.

    Args:
        hint, option: of the error.
        upgrade: brings what an earlier version wrote, as JSON values of any kind, into today's
            form, in place.
        most_values: how many values such a record has at most.
        last: of records of this type, read in this way; None: it is parsed in any case.
    Raises:
        InputError: it cannot be read, or is no such record; names what is wrong where.
    """
    try:
        parse = partial(_record, record_type, upgrade, most_values)
        return parse(_text(path)) if last is None else last.of(_text(path), parse)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", hint, option=option
        ) from error
    except msgspec.ValidationError as error:
        raise InputError(f"{path} {_problem(error)}.", hint, option=option) from error
    except (ValueError, RecursionError) as error:
        problem = str(error)[:SHOWN_CHARACTERS]
        raise InputError(f"{path} is damaged: {problem}.", hint, option=option) from error


def write(path: Path, record: msgspec.Struct) -> None:
    """Replace `path` by `record`.

    Raises:
        StorageError: it cannot be written.
    """
    atomic_files.write_text(path, to_json(record))


def to_json(record: msgspec.Struct) -> str:
    """Return `record` as JSON that people can read."""
    # As `json_text` gives it; but json indents in Python, which takes several times as long.
    line = atomic_files.json_line(_values_of(record))
    return msgspec.json.format(line, indent=2).decode("utf-8", "surrogateescape") + "\n"


def to_line(record: msgspec.Struct) -> bytes:
    """Return `record` as JSON in one line, without its end."""
    return atomic_files.json_line(_values_of(record))


def from_line(line: bytes, record_type: type[T]) -> T:
    """Return the record in a line that `to_line` may have made; ValueError where it is none."""
    try:
        value = _parse(atomic_files.decode(line), MOST_VALUES)
        return msgspec.convert(value, record_type, dec_hook=_from_text)
    except RecursionError as error:
        raise ValueError("it holds values in too many others") from error


def _values_of(record: msgspec.Struct) -> Any:
    return msgspec.to_builtins(record, str_keys=True, enc_hook=_to_text)


def _record(
    record_type: type[T], upgrade: Callable[[Any], None] | None, most_values: int, text: str
) -> T:
    """Return the record in a text; ValueError where it holds none."""
    value = _parse(text, most_values)
    if upgrade is not None:
        upgrade(value)
    return msgspec.convert(value, record_type, dec_hook=_from_text)


def _text(path: Path) -> str:
    """Return the text of a record's file; ValueError where it is too long for one."""
    if path.stat().st_size > LARGEST_BYTES:
        raise ValueError("it is larger than any such file")
    return atomic_files.read_text(path)


def _parse(text: str, most_values: int) -> Any:
    """Return JSON values; ValueError where they are none, too many, or ambiguous."""
    if text.count(",") > most_values:
        raise ValueError("it holds more values than any such file")
    # json, for msgspec's own parser takes no names that are not valid UTF-8 (possible on Linux).
    values = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    if ESCAPED_SURROGATE.search(text):
        _require_encodable(values)
    return values


def _require_encodable(values: Any) -> None:
    """Refuse texts that no file could be named by, nor any message show."""
    try:
        json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise ValueError("a text in it holds half a character") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"{name[:SHOWN_CHARACTERS]!r} is in it twice")
        values[name] = value
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _from_text(kind: type[Any], value: Any) -> Any:
    """Return a field of a type that JSON does not have; ValueError where `value` is none."""
    match = FRACTION.fullmatch(value) if kind is Fraction and isinstance(value, str) else None
    denominator = int(match[2] or 1) if match else 0
    if match is None or not denominator:
        raise ValueError("Expected a fraction")
    return Fraction(int(match[1]), denominator)


def _to_text(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise NotImplementedError(type(value))


def _problem(error: msgspec.ValidationError) -> str:
    """Return what is wrong where, as a clause that follows the file's name."""
    what, _, place = str(error).partition(" - at `")
    where = place.rstrip("`").removeprefix("$").lstrip(".")
    if where == "version":
        return "was written by another version of this program"
    what = what.replace("`", "")[:SHOWN_CHARACTERS]
    return f"is damaged, at {where}: {what}" if where else f"is damaged: {what}"
