"""What Dask logs, which goes to those who asked for more, and not to the screen by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# To these, Dask gives handlers that write to the window.
LOGGERS = ("distributed", "bokeh", "tornado", "tornado.application", "asyncio")


@contextmanager
def dask_log(take: Callable[[str], object]) -> Iterator[None]:
    """Hand on what Dask logs in the block, a line each, instead of showing it.

    Args:
        take: called in any thread.
    """
    handler = _Handler(take)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, logger.handlers[:], logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers[:] = [handler]
        logger.propagate = False
    try:
        yield
    finally:
        for logger, handlers, propagates in before:
            logger.handlers[:] = handlers
            logger.propagate = propagates


class _Handler(logging.Handler):
    def __init__(self, take: Callable[[str], object]) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        try:
            for line in self.format(record).split("\n"):
                self._take(f"{record.name}: {line.strip()}")
        except Exception:  # noqa: BLE001 - as logging has it: a log stops nothing
            self.handleError(record)
