"""Downloading published weights: from one place or another, resumed, and verified."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from matting.errors import MissingError, writing
from matting.inference.published import PublishedWeights
from matting.progress import Progress
from matting.system import atomic_files, files
from matting.system.download import DownloadError, DownloadLimits, PastEndError
from matting.system.download import download as download_file
from matting.system.temporary_files import create_temporary, is_temporary, temporary_name

TRIES = 3  # at each place, as long as each brings more
PAGE_STARTS = (b"<!doctype", b"<html", b"<?xml")
BEGUN = ".begun"  # what a run that was ended has brought, for the next
BLOCK_BYTES = 1 << 20


def download(path: Path, progress: Progress, published: PublishedWeights) -> None:
    """Download published weights to `path`: whole and verified, or not at all.

    What a connection that broke has brought is kept for the next try, for the next place, and for
    the next run.

    Raises:
        MissingError: no network, or nothing that came is the published file.
        StorageError: it cannot be written.
    """
    temporary = _begun_or_empty(path)
    try:
        with _Partial(temporary, progress, published.largest_bytes) as partial:
            if partial.sha256 != published.sha256:
                _fetch_from_any_place(published, partial, path.parent, progress)
        # Another first start may have been sooner, and be reading it.
        if not path.is_file() or files.sha256(path) != published.sha256:
            atomic_files.publish(temporary, path)
        for begun in _begun(path):
            atomic_files.remove(begun)
    except BaseException:
        _keep_what_came(temporary, path)
        raise
    finally:
        with writing(temporary):
            temporary.unlink(missing_ok=True)


def _begun(path: Path) -> list[Path]:
    """Return what runs that were ended have left of a download to `path`."""
    with suppress(OSError):
        own = [file for file in path.parent.iterdir() if is_temporary(file, path, BEGUN)]
        return [file for file in own if file.is_file() and not file.is_symlink()]
    return []


def _begun_or_empty(path: Path) -> Path:
    """Return a file of this run's own, beside `path`: with what another has begun, or empty."""
    temporary = temporary_name(path)
    for begun in _begun(path):
        with suppress(OSError):  # somebody else has it
            begun.rename(temporary)
            return temporary
    return create_temporary(path)


def _keep_what_came(temporary: Path, path: Path) -> None:
    """Leave what has come to the next run; it is the same to this one where that fails."""
    with suppress(OSError):
        if temporary.stat().st_size:
            temporary.rename(temporary_name(path, BEGUN))


def _fetch_from_any_place(
    published: PublishedWeights, partial: _Partial, folder: Path, progress: Progress
) -> None:
    """Ask one place after the other.

    Args:
        folder: where the weights belong.
    """
    failures: list[str] = []
    for place in published.places:
        progress.say(f"Downloading the network's weights once, from {place}")
        failure = _fetch(place, published, partial)
        if not failure:
            return
        failures.append(failure)
    raise MissingError(
        f"The network's weights are not here and cannot be downloaded: {'; '.join(failures)}.",
        f"Download {published.url} with a browser into {folder}, as {published.name}. Behind a "
        "proxy, set HTTPS_PROXY to its address.",
        retry=True,
    )


class _Partial:
    """What has come so far, in a file, which may hold something from the start."""

    def __init__(self, path: Path, progress: Progress, largest_bytes: int) -> None:
        self._path, self._progress = path, progress
        self.bytes = 0
        self._hasher = hashlib.sha256()
        self._start = b""
        with writing(path):
            self._file: BinaryIO = path.open("r+b")
        try:
            with writing(path):
                self._read(largest_bytes)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> _Partial:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """The hash of what has come."""
        return self._hasher.hexdigest()

    @property
    def is_page(self) -> bool:
        """Whether it is a web page."""
        return self._start.lstrip().lower().startswith(PAGE_STARTS)

    def _read(self, largest_bytes: int) -> None:
        """Take notice of what is there already."""
        while block := self._file.read(BLOCK_BYTES):
            self._take(block)
            if self.bytes > largest_bytes:
                self.clear()
                return

    def begin(self, size_bytes: int, offset: int) -> None:
        """Take notice of what will come."""
        if offset == 0:
            self.clear()
        self._progress.start("Download", size_bytes, "B")
        self._progress.advance(offset)

    def add(self, block: bytes) -> None:
        """Write what has come."""
        with writing(self._path):
            self._file.write(block)
        self._take(block)
        self._progress.advance(len(block))

    def _take(self, block: bytes) -> None:
        self._hasher.update(block)
        self._start = self._start or block[:100]
        self.bytes += len(block)

    def finish(self) -> None:
        """End a try's line of progress, and have what it brought in the file."""
        self._progress.finish()
        with writing(self._path):
            self._file.flush()

    def clear(self) -> None:
        """Forget all that has come."""
        with writing(self._path):
            self._file.seek(0)
            self._file.truncate()
        self.bytes, self._hasher, self._start = 0, hashlib.sha256(), b""


def _fetch(place: str, published: PublishedWeights, partial: _Partial) -> str:
    """Download from one place; return why that failed, as a clause, "" if it did not."""
    limits = DownloadLimits(published.largest_bytes)
    reason = ""
    for _ in range(TRIES):
        before = partial.bytes
        try:
            download_file(place, limits, partial.begin, partial.add, offset=before)
        except PastEndError as error:  # what is there is no part of it
            reason = f"{place}: {error}"
            partial.clear()
        except DownloadError as error:
            reason = f"{place}: {error}"
            if partial.bytes > before:  # it broke off, and goes on from there
                continue
            return reason
        finally:
            partial.finish()
        if partial.sha256 == published.sha256:
            return ""
        is_page, sha256 = partial.is_page, partial.sha256
        partial.clear()
        if is_page:
            return f"{place} was answered by a web page, as by a proxy that asks to sign in"
        if before == 0:
            return f"what came from {place} is not the published file (SHA-256 {sha256})"
    return reason or f"what came from {place} is not the published file"
