"""The files of a ledger: processed.json, manifest.json and its journal."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from matting.errors import InputError
from matting.project import records
from matting.project.journal import Journal, Update, new_key, read_updates
from matting.project.manifest import START_OVER, Manifest, upgrade
from matting.project.paths import MattedFolder
from matting.system import atomic_files
from matting.system.files import read_error
from matting.system.fingerprint import FileStamp

# Of the time, that writing processed.json again may take while the job is at work.
SHARE = 0.01

_last_manifest: records.LastRecord[Manifest] = records.LastRecord()


class Found(NamedTuple):
    """What the files say.

    Attributes:
        manifest: None: there is none.
        done: by processed.json, which people change: by segment, whether it is done.
        updates: what the journal adds to the manifest.
        is_own: whether processed.json is as this program left it when the last of them was added.
    """

    manifest: Manifest | None
    done: dict[str, bool]
    updates: Sequence[Update]
    is_own: bool


class LedgerFiles:
    """Reads and writes them. Nobody but who holds the folder's lock writes."""

    def __init__(self, folder: MattedFolder) -> None:
        self._folder = folder
        self._key: str | None = None
        self._journal: Journal | None = None
        self._processed_sha256: str | None = None
        self._stated_sha256: str | None = None  # by the journal
        self._manifest_bytes = 0
        self._there: tuple[FileStamp, Manifest] | None = None  # as it was read
        self._refresh_at = 0.0

    def read(self) -> Found:
        """Read what is there.

        Raises:
            InputError: a file of it cannot be read.
        """
        # First: whoever folds it meanwhile has written the manifest before it goes.
        journal = _content(self._folder.journal)
        manifest, done = None, {}
        if self._folder.manifest.is_file():
            manifest = self._read_manifest()
        if self._folder.processed.is_file():
            said = records.read(self._folder.processed, dict[str, Any], START_OVER)
            done = {name: value is True for name, value in said.items()}
        updates = [] if self._key is None else list(read_updates(journal, self._key))
        stated = [own.processed_sha256 for own in updates if own.processed_sha256 is not None]
        is_own = bool(stated) and stated[-1] == _sha256(_content(self._folder.processed))
        return Found(manifest, done, updates, is_own)

    def _read_manifest(self) -> Manifest:
        path = self._folder.manifest
        stamp = FileStamp.of(path)
        manifest = records.read(path, Manifest, START_OVER, upgrade=upgrade, last=_last_manifest)
        self._there, self._key = (stamp, manifest), manifest.journal_key
        return manifest

    @property
    def has_journal(self) -> bool:
        """Whether there is one, of whatever manifest."""
        path = self._folder.journal
        return self._journal is not None or (os.path.lexists(path) and not path.is_dir())

    def add(self, update: Update) -> bool:
        """Add an update to the journal, which the first one begins.

        Returns:
            whether that was done: not where there is no manifest, or the file is not as it was
            left.
        Raises:
            StorageError: it cannot be written.
        """
        if self._key is None:
            return False
        if self._journal is None:
            self._journal = Journal(self._folder.journal, self._key)
            self._stated_sha256 = None
            self._processed_sha256 = _sha256(_content(self._folder.processed))
        if self._stated_sha256 != self._processed_sha256:
            update = replace(update, processed_sha256=self._processed_sha256)
        if not self._journal.add(update):
            return False
        self._stated_sha256 = self._processed_sha256
        return True

    @property
    def journal_is_long(self) -> bool:
        """Whether it is longer than the manifest, to write which anew is worth it then."""
        return self._journal is not None and self._journal.size_bytes > self._manifest_bytes

    @property
    def processed_is_due(self) -> bool:
        """Whether processed.json may be written again, by the time that this has taken."""
        return time.monotonic() >= self._refresh_at

    def write_processed(self, done: Mapping[str, bool]) -> None:
        """Write processed.json, unless it says that already.

        Raises:
            StorageError: it cannot be written.
        """
        started = time.monotonic()
        content = atomic_files.encode(atomic_files.json_text(done))
        _write_if_other(self._folder.processed, content)
        self._processed_sha256 = _sha256(content)
        ended = time.monotonic()
        self._refresh_at = ended + (ended - started) / SHARE

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest, unless it says that already; what its journal says is void then.

        Raises:
            StorageError: it cannot be written.
        """
        if self._key is None or self.has_journal:
            self._key = new_key()
        manifest = replace(manifest, journal_key=self._key)
        if self._is_there(manifest):
            return
        content = atomic_files.encode(records.to_json(manifest))
        _write_if_other(self._folder.manifest, content)
        self._manifest_bytes, self._there = len(content), None
        self.discard_journal()

    def _is_there(self, manifest: Manifest) -> bool:
        """Return whether the file was read as just this, and has not been changed since.

        To bring that into the form of the file, and compare, takes a hundred times as long.
        """
        if self._there is None or self.has_journal:
            return False
        (stamp, found), path = self._there, self._folder.manifest
        if found != manifest or not path.is_file() or FileStamp.of(path) != stamp:
            return False
        self._manifest_bytes = path.stat().st_size
        return True

    def discard_journal(self) -> None:
        """Remove the journal, if there is one and nobody holds it; it is void."""
        if self.has_journal:
            atomic_files.discard(self._folder.journal)
        self._journal = None


def _write_if_other(path: Path, content: bytes) -> None:
    try:
        there = _content(path)
    except InputError:
        there = b""
    if there != content:
        atomic_files.write_bytes(path, content)


def _content(path: Path) -> bytes:
    """Return the content of a file; nothing where there is none, or more than any record has."""
    try:
        if not path.is_file() or path.stat().st_size > records.LARGEST_BYTES:
            return b""
        return path.read_bytes()
    except FileNotFoundError:  # it was removed meanwhile
        return b""
    except OSError as error:
        raise read_error(path, error) from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
