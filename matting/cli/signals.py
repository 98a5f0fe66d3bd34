"""Ctrl-C and other polite requests to end: how the program hears them."""

from __future__ import annotations

import signal
import time
from types import FrameType

# By then the work has been cleaned up, or the first one was lost in code that hears no exception.
AGAIN_SECONDS = 5
# SIGBREAK: Ctrl-Break on Windows. SIGHUP: the terminal's window was closed.
NAMES = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")


class SignalListener:
    """Turns requests to end into KeyboardInterrupt in the main thread.

    While the work is cleaned up, further ones are ignored: people press Ctrl-C more than once.

    Attributes:
        heard: whether there was one. An import or a callback that it hits may turn it into
            another exception.
    """

    def __init__(self) -> None:
        self.heard = False
        self._last = -float(AGAIN_SECONDS)

    def listen(self) -> None:
        """Hear them from now on.

        That includes Ctrl-C where a script started this in the background, with its signal
        ignored. What `nohup` keeps away stays away.
        """
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is None:
                continue
            if name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN:
                continue
            signal.signal(number, self._hear)

    def ignore(self) -> None:
        """Ignore them from now on: only the last words are still to be said."""
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, signal.SIG_IGN)

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        self.heard = True
        now = time.monotonic()
        if now - self._last >= AGAIN_SECONDS:
            self._last = now
            raise KeyboardInterrupt
