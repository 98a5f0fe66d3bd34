"""Downloading published weights: from one place or another, resumed, and verified."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from matting.errors import MissingError, writing
from matting.inference.published import PublishedWeights
from matting.progress import Progress
from matting.system import atomic_files, files
from matting.system.download import DownloadError, DownloadLimits
from matting.system.download import download as download_file
from matting.system.temporary_files import create_temporary

TRIES = 3  # at each place, as long as each brings more
PAGE_STARTS = (b"<!doctype", b"<html", b"<?xml")


def download(path: Path, progress: Progress, published: PublishedWeights) -> None:
    """Download published weights to `path`: whole and verified, or not at all.

    What a connection that broke has brought is kept for the next try, and for the next place.

    Raises:
        MissingError: no network, or nothing that came is the published file.
        StorageError: it cannot be written.
    """
    temporary = create_temporary(path)
    failures: list[str] = []
    try:
        with _Partial(temporary, progress) as partial:
            for place in published.places:
                progress.say(f"Downloading the network's weights once, from {place}")
                failure = _fetch(place, published, partial)
                if not failure:
                    break
                failures.append(failure)
            else:
                raise MissingError(
                    f"The network's weights are not here and cannot be downloaded: "
                    f"{'; '.join(failures)}.",
                    f"Download {published.url} with a browser into {path.parent}, as "
                    f"{published.name}. Behind a proxy, set HTTPS_PROXY to its address.",
                    retry=True,
                )
        # Another first start may have been sooner, and be reading it.
        if not path.is_file() or files.sha256(path) != published.sha256:
            atomic_files.publish(temporary, path)
    finally:
        with writing(temporary):
            temporary.unlink(missing_ok=True)


class _Partial:
    """What has come so far, in a file."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._path, self._progress = path, progress
        self.bytes = 0
        self._hasher = hashlib.sha256()
        self._start = b""
        with writing(path):
            self._file: BinaryIO = path.open("wb")

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

    def begin(self, size_bytes: int, offset: int) -> None:
        """Take notice of what will come."""
        if offset == 0:
            self.clear()
        self._progress.start("Download", size_bytes, "B")
        self._progress.advance(offset)

    def add(self, block: bytes) -> None:
        """Write what has come."""
        self._hasher.update(block)
        self._start = self._start or block[:100]
        with writing(self._path):
            self._file.write(block)
        self.bytes += len(block)
        self._progress.advance(len(block))

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
