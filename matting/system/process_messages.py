"""Messages of a process that this one started: its progress, and waiting for the next of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Literal

from matting.progress import Notice, Progress, SegmentReport

POLL_SECONDS = 0.1
# Between two calls of `advance` or `alive` that are sent: as often as anybody looks.
PULSE_SECONDS = 0.05

Method = Literal[
    "say",
    "detail",
    "start",
    "advance",
    "alive",
    "extend",
    "begin_segment",
    "end_segment",
    "finish",
    "notice",
    "report",
]


@dataclass(frozen=True)
class ProgressCall:
    """A call of `Progress` in the other process."""

    method: Method
    arguments: tuple[object, ...] = ()

    def repeat(self, progress: Progress) -> None:
        """Make the same call here."""
        getattr(progress, self.method)(*self.arguments)


class RemoteProgress(Progress):
    """Sends progress to the process that watches this one, where questions have been asked before.

    Args:
        send: sends a call.
        pulse_seconds: how long to wait between two calls that only count or only show life.
    """

    def __init__(
        self, send: Callable[[ProgressCall], object], pulse_seconds: float = PULSE_SECONDS
    ) -> None:
        self._send_call = send
        self._pulse_seconds = pulse_seconds
        self._pulsed = -pulse_seconds
        self._units = 0  # that are done, and have not been told

    def say(self, text: str) -> None:
        self._send("say", text)

    def detail(self, text: str) -> None:
        self._send("detail", text)

    def start(self, title: str, total: int, unit: str, segments: int = 0) -> None:
        self._send("start", title, total, unit, segments)

    def advance(self, units: int) -> None:
        self._units += units
        self.alive()

    def alive(self) -> None:
        now = time.monotonic()
        if now - self._pulsed < self._pulse_seconds:
            return
        self._pulsed = now
        if self._units:
            self.flush()
        else:
            self._send_call(ProgressCall("alive"))

    def extend(self, units: int, segments: int) -> None:
        self._send("extend", units, segments)

    def begin_segment(self, name: str) -> None:
        self._send("begin_segment", name)

    def end_segment(self) -> None:
        self._send("end_segment")

    def finish(self) -> None:
        self._send("finish")

    def notice(self, kind: Notice, text: str) -> None:
        self._send("notice", kind, text)

    def report(self, segment: SegmentReport) -> None:
        self._send("report", segment)

    def flush(self) -> None:
        """Send what has been counted and not told."""
        if self._units:
            units, self._units = self._units, 0
            self._send_call(ProgressCall("advance", (units,)))

    def _send(self, method: Method, *arguments: object) -> None:
        self.flush()
        self._send_call(ProgressCall(method, arguments))


class SilenceError(Exception):
    """No message came for too long."""


def next_message(pipe: Connection, process: BaseProcess, silence_seconds: float) -> object:
    """Wait for the next message. While a computer sleeps, the time does not count.

    Raises:
        SilenceError: none came within that time.
        EOFError: the process is gone.
    """
    waited, last = 0.0, time.monotonic()
    try:
        # A process that dies before it has taken over its end of the pipe leaves it open.
        while not wait([pipe, process.sentinel], POLL_SECONDS):
            now = time.monotonic()
            waited, last = waited + min(now - last, 10 * POLL_SECONDS), now
            if waited > silence_seconds:
                raise SilenceError
        if not pipe.poll():
            raise EOFError
        return pipe.recv()
    except OSError as error:
        raise EOFError from error
