"""The journal of a ledger: what has changed since the manifest was written, a line a change.

To write the manifest anew takes the longer the more segments there are, and a line does not. Each
line has a checksum of itself and all before it, which starts from a key that only its manifest
holds: so what is cut off, damaged, or of another manifest counts for nothing, nor what follows it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from matting.project import records
from matting.project.entry import Entry
from matting.project.manifest import Incoming
from matting.project.plan import MOST_SEGMENTS
from matting.project.records import FileName
from matting.system.fingerprint import Sha256
from matting.system.growing_file import GrowingFile

LINE = re.compile(rb'\{"check": "([0-9a-f]{32})", "update": (\{.*\})\}')


class Update(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a line changes; whatever it does not name stays.

    Attributes:
        entries: what came of segments, by their names.
        done: whether they are done.
        incoming: results that are announced; None: that of a segment is not any more.
        frames_per_second: as in the manifest.
        processed_sha256: the hash of processed.json at that time; None: as the line before says.
    """

    entries: Annotated[dict[FileName, Entry], Meta(max_length=MOST_SEGMENTS)] = {}
    done: Annotated[dict[FileName, bool], Meta(max_length=MOST_SEGMENTS)] = {}
    incoming: Annotated[dict[FileName, Incoming | None], Meta(max_length=MOST_SEGMENTS)] = {}
    frames_per_second: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    processed_sha256: Sha256 | None = None


class Journal:
    """The journal of one manifest, which is begun with the first update."""

    def __init__(self, path: Path, key: str) -> None:
        """
        Args:
            key: the manifest's.
        """
        self._file = GrowingFile(path)
        self._check = key

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def add(self, update: Update) -> bool:
        """Add an update; it is on the disk when this returns.

        Returns:
            whether that was done: not where the file is not as it was left.
        Raises:
            StorageError: it cannot be written.
        """
        content = records.to_line(update)
        check = _check(self._check, content)
        line = b'{"check": "%s", "update": %s}\n' % (check.encode("ascii"), content)
        if not self._file.add(line):
            return False
        self._check = check
        return True


def new_key() -> str:
    """Return a key for the journal of one more manifest."""
    return secrets.token_hex(16)


def read_updates(content: bytes, key: str) -> Iterator[Update]:
    """Yield the updates in a journal, up to the first line that is not whole.

    Args:
        key: of the manifest that they change.
    """
    check = key
    for line in content.split(b"\n")[:-1]:  # after the last end of a line there is none
        match = LINE.fullmatch(line)
        if match is None:
            return
        check = _check(check, match[2])
        if match[1] != check.encode("ascii"):
            return
        try:
            yield records.from_line(match[2], Update)
        except ValueError:
            return


def _check(before: str, content: bytes) -> str:
    """Return the checksum of an update, after that of the one before."""
    return hashlib.sha256(before.encode("ascii") + content).hexdigest()[:32]
