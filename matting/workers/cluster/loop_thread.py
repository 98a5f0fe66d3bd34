"""An event loop in a thread of its own, so that the main thread hears Ctrl-C at any time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

POLL_SECONDS = 0.2  # Windows hears no Ctrl-C while it waits for another thread
END_SECONDS = 5.0

A = TypeVar("A")


class LoopThread:
    """The loop; it runs inside the `with` block, and what is left of its tasks ends with that."""

    def __init__(self, name: str) -> None:
        # The one for Windows' own events does not go with tornado, on which Dask is built.
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(END_SECONDS)

    def start(self, work: Coroutine[Any, Any, A]) -> concurrent.futures.Future[A]:
        """Begin with something in the loop, and return at once."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, A], seconds: float) -> A:
        """Do something in the loop, and return what it returns.

        Raises:
            TimeoutError: it takes longer than that, and has been cancelled.
            Exception: what it raises.
        """
        future = self.start(asyncio.wait_for(work, seconds))
        try:
            while not concurrent.futures.wait([future], POLL_SECONDS).done:
                pass
        except BaseException:
            future.cancel()
            raise
        try:
            return future.result()
        except asyncio.TimeoutError as error:  # before Python 3.11, it is another one
            raise TimeoutError(str(error)) from error

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()
