"""A server that is slow, broken or hostile neither holds a download up nor fills the disk."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from matting.system.download import DownloadError, DownloadLimits, download

LIMITS = DownloadLimits(
    largest_bytes=300_000,
    start_seconds=0.6,
    silence_seconds=0.4,
    window_seconds=0.3,
    slowest_bytes=1000,
)
CONTENT = b"x" * 200_000
Answer = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Run a server that gives that answer to every request; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(1 << 16)
                    try:
                        answer(client)
                    except OSError:
                        continue  # it has heard enough

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/file"
        finally:
            server.shutdown(socket.SHUT_RDWR)


def head(*fields: str) -> bytes:
    return HEAD + b"".join(f"{field}\r\n".encode() for field in fields) + b"\r\n"


def fetch(url: str, offset: int = 0) -> tuple[list[tuple[int, int]], bytes]:
    """Return what is said of the beginning (the size, and where it begins), and what comes."""
    starts: list[tuple[int, int]] = []
    content = bytearray()
    download(url, LIMITS, lambda *start: starts.append(start), content.extend, offset)
    return starts, bytes(content)


@pytest.mark.parametrize(
    ("length", "size"),
    [(str(len(CONTENT)), len(CONTENT)), ("abc", 0), ("-5", 0), ("²", 0), ("9" * 5000, 0)],
)
def test_whatever_length_is_announced(length: str, size: int) -> None:
    fields = [f"Content-Length: {length}", "Connection: close"]
    with serving(sent(head(*fields) + CONTENT)) as url:
        assert fetch(url) == ([(size, 0)], CONTENT)


def test_it_goes_on_from_an_offset_where_the_server_knows_parts() -> None:
    part = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-8/9\r\nContent-Length: 4\r\n\r\n"
    )
    with serving(sent(part + b"6789")) as url:
        assert fetch(url, 5) == ([(9, 5)], b"6789")
        with pytest.raises(DownloadError, match="another part"):
            fetch(url, 3)
    with serving(sent(head("Content-Length: 9") + b"123456789")) as url:
        assert fetch(url, 5) == ([(9, 0)], b"123456789")


def slowly(data: bytes) -> Answer:
    def answer(client: socket.socket) -> None:
        for byte in data:
            client.sendall(bytes([byte]))
            time.sleep(0.05)

    return answer


def endlessly(data: bytes) -> Answer:
    def answer(client: socket.socket) -> None:
        while True:
            client.sendall(data)

    return answer


def sent(data: bytes) -> Answer:
    return lambda client: client.sendall(data)


def moved_to(place: str) -> Answer:
    fields = f"Location: {place}\r\nContent-Length: 0\r\nConnection: close"
    return sent(f"HTTP/1.1 302 Found\r\n{fields}\r\n\r\n".encode())


def one_after_the_other(*answers: Answer) -> Answer:
    def answer(client: socket.socket) -> None:
        for each in answers:
            each(client)

    return answer


ANSWERS: dict[str, Answer] = {
    "one byte at a time": one_after_the_other(sent(head()), slowly(CONTENT)),
    "a header one byte at a time": slowly(head("A: " + "b" * 60_000)),
    "no answer": lambda _: time.sleep(2),
    "silence": one_after_the_other(sent(head("Content-Length: 9")), lambda _: time.sleep(2)),
    "no end": one_after_the_other(sent(head()), endlessly(CONTENT)),
    "broken off": sent(head("Content-Length: 9", "Connection: close") + b"1234"),
    "too large": sent(head("Content-Length: 300001") + CONTENT),
    "continue for ever": endlessly(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers for ever": one_after_the_other(sent(HEAD), endlessly(b"A: b\r\n")),
    "no address": moved_to("http://["),
    "itself": moved_to("/file"),
    "a local file": moved_to("file:///etc/passwd"),
    "no http": sent(b"\xff\x00" * 100),
    "nothing": lambda _: None,
    "an error": sent(b"HTTP/1.1 404 Not\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_it_ends_soon_and_says_why(answer: Answer) -> None:
    started = time.monotonic()
    with serving(answer) as url:
        with pytest.raises(DownloadError, match=r"\w"):
            fetch(url)
        assert time.monotonic() - started < 10
        for thread in threading.enumerate():  # nobody goes on listening
            if thread.name == "download":
                thread.join(10)
                assert not thread.is_alive()


def test_what_the_taker_raises_ends_it() -> None:
    def refuse(_: bytes) -> None:
        raise ZeroDivisionError

    answer = one_after_the_other(sent(head()), endlessly(CONTENT))
    with serving(answer) as url, pytest.raises(ZeroDivisionError):
        download(url, LIMITS, lambda *_: None, refuse)


def test_an_address_that_is_none() -> None:
    for url in ("http://[", "http://127.0.0.1:0/x", "nothing"):
        with pytest.raises(DownloadError):
            fetch(url)
