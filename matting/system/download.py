"""Downloading over networks that are slow, broken or hostile: limits for all that may not end."""

from __future__ import annotations

import http
import http.client
import queue
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

SOCKET_SECONDS = 30.0  # how long the system waits for the next bytes
BLOCK_BYTES = 1 << 16
BLOCKS_AHEAD = 16
POLL_SECONDS = 0.2
PART = re.compile(r"bytes (\d{1,19})-\d{1,19}/(?:\d{1,19}|\*)")


class DownloadLimits(NamedTuple):
    """What a download may take.

    Attributes:
        largest_bytes: more are not taken.
        start_seconds: until the first bytes of the content are there, with all redirections.
        silence_seconds: without a byte.
        window_seconds, slowest_bytes: in each such time, that many bytes have to come.
    """

    largest_bytes: int
    start_seconds: float = 60.0
    silence_seconds: float = 30.0
    window_seconds: float = 60.0
    slowest_bytes: int = 120_000


class DownloadError(Exception):
    """It failed, or went beyond a limit; the message is a clause that says why."""


class PastEndError(DownloadError):
    """The content has no bytes at the offset that was asked for."""


class _Started(NamedTuple):
    """The content comes.

    Attributes:
        size_bytes: of all of it, as the server says; 0 where it does not.
        offset: where in it that begins which comes.
    """

    size_bytes: int
    offset: int


def download(
    url: str,
    limits: DownloadLimits,
    on_start: Callable[[int, int], None],
    on_block: Callable[[bytes], None],
    offset: int = 0,
) -> None:
    """Fetch a content, in a thread of its own, which cannot hold up this one.

    Args:
        on_start: told how many bytes there are, 0: unknown; and which is the first to come: the
            one at `offset`, or the very first where the server knows no parts.
        on_block: given what has come; what it raises ends the download.
        offset: so many bytes are there already.
    Raises:
        DownloadError: it did not come to its end within the limits.
    """
    receiver = _Receiver(url, offset)
    receiver.start()
    received = size_bytes = 0
    patience = limits.start_seconds
    window = _Window(limits)
    try:
        while (item := receiver.next(patience)) is not None:
            if isinstance(item, _Started):
                _require_size(item.size_bytes, limits)
                received, size_bytes = item.offset, item.size_bytes
                on_start(item.size_bytes, item.offset)
            else:
                received += len(item)
                _require_size(received, limits)
                window.count(len(item))
                on_block(item)
            patience = limits.silence_seconds
    finally:
        receiver.stop()
    if received < size_bytes:
        raise DownloadError(f"it broke off after {received} of {size_bytes} bytes")


class _Receiver(threading.Thread):
    """Receives; names, redirections and headers included, which have no limits of their own."""

    def __init__(self, url: str, offset: int) -> None:
        super().__init__(name="download", daemon=True)
        self._url, self._offset = url, offset
        self._queue: queue.Queue[_Started | bytes | Exception | None] = queue.Queue(BLOCKS_AHEAD)
        self._stopped = threading.Event()
        self._socket: socket.socket | None = None
        self._connecting = threading.Lock()

    def run(self) -> None:
        opener = urllib.request.build_opener(_Http(self._connected), _Https(self._connected))
        try:
            # The address is https, or a test's own server's.
            request = urllib.request.Request(self._url)
            if self._offset:
                request.add_header("Range", f"bytes={self._offset}-")
            with opener.open(request, timeout=SOCKET_SECONDS) as response:
                self._put(_started(response.status, response.headers, self._offset))
                while (block := response.read1(BLOCK_BYTES)) and not self._stopped.is_set():
                    self._put(block)
            self._put(None)
        # ValueError: of addresses and numbers that are none.
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it holds the connection
            self._put(error)

    def next(self, patience_seconds: float) -> _Started | bytes | None:
        """Wait for what comes next; None: that was all.

        Raises:
            DownloadError: it failed, or nothing came.
        """
        try:
            item = self._queue.get(timeout=patience_seconds)
        except queue.Empty:
            raise DownloadError(f"nothing came for {patience_seconds:g} seconds") from None
        if isinstance(item, Exception):
            past_end = (
                getattr(item, "code", None) == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            )
            kind = PastEndError if past_end else DownloadError
            raise kind(str(getattr(item, "reason", None) or item)) from item
        return item

    def stop(self) -> None:
        """Have the thread end, also where a server never comes to the end of its headers."""
        with self._connecting:
            self._stopped.set()
            if self._socket is not None:
                with suppress(OSError):  # it has ended by itself
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _connected(self, connection: socket.socket) -> None:
        """Take notice of a new connection.

        Raises:
            OSError: nobody waits for it any more.
        """
        with self._connecting:
            if self._stopped.is_set():
                raise ConnectionAbortedError("nobody waits for it")
            self._socket = connection

    def _put(self, item: _Started | bytes | Exception | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=POLL_SECONDS)
                return


Connected = Callable[[socket.socket], None]


class _Http(urllib.request.HTTPHandler):
    """Tells of each connection."""

    def __init__(self, connected: Connected) -> None:
        super().__init__()
        self._connected = connected

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        connected = self._connected

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                connected(self.sock)

        return self.do_open(Connection, request)


class _Https(urllib.request.HTTPSHandler):
    """Tells of each connection."""

    def __init__(self, connected: Connected) -> None:
        context = ssl.create_default_context()
        super().__init__(context=context)
        self._encryption = context
        self._connected = connected

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        connected = self._connected

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                connected(self.sock)

        return self.do_open(Connection, request, context=self._encryption)


class _Window:
    """Counts what comes in a stretch of time."""

    def __init__(self, limits: DownloadLimits) -> None:
        self._limits = limits
        self._started = time.monotonic()
        self._bytes = 0

    def count(self, received: int) -> None:
        """Count bytes.

        Raises:
            DownloadError: they come too slowly.
        """
        self._bytes += received
        now = time.monotonic()
        if now - self._started < self._limits.window_seconds:
            return
        if self._bytes < self._limits.slowest_bytes:
            raise DownloadError(
                f"only {self._bytes} bytes came in {now - self._started:.0f} seconds"
            )
        self._started, self._bytes = now, 0


def _require_size(size_bytes: int, limits: DownloadLimits) -> None:
    if size_bytes > limits.largest_bytes:
        raise DownloadError(f"more came than the {limits.largest_bytes} bytes of the file")


def _started(status: int, headers: http.client.HTTPMessage, offset: int) -> _Started:
    """Return what comes, by an answer to a request for what begins at `offset`.

    Raises:
        ValueError: it is another part.
    """
    size = _number(headers.get("Content-Length"))
    if status != http.HTTPStatus.PARTIAL_CONTENT:
        return _Started(size, 0)
    part = PART.fullmatch(headers.get("Content-Range", ""))
    if part is None or int(part[1]) != offset:
        raise ValueError("the server sent another part than was asked for")
    return _Started(offset + size if size else 0, offset)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 20 else 0
