"""The scheduler of shared work: it tells workers who does what, and does nothing itself."""

from __future__ import annotations

import errno
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from distributed import Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin

from matting.cluster_options import CERTIFICATES_OPTION, WORKERS_OPTION, Address
from matting.errors import InputError, MachineError, MattingError
from matting.progress import Progress, quantity
from matting.system.invocation import Command, program_line
from matting.workers.cluster.certificates import LOOPBACK, require_safe_address, security
from matting.workers.cluster.dask_log import dask_log
from matting.workers.cluster.loop_thread import LoopThread
from matting.workers.cluster.sentences import Sentences

DASHBOARD_PORT = 8787
START_SECONDS, CLOSE_SECONDS = 60.0, 5.0
# Windows' sockets have numbers of their own.
IN_USE = {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}
NOT_OURS = {errno.EADDRNOTAVAIL, getattr(errno, "WSAEADDRNOTAVAIL", errno.EADDRNOTAVAIL)}


def serve_scheduler(address: str, certificates: Path | None, progress: Progress) -> None:
    """Run a scheduler until Ctrl-C.

    Args:
        address: where it listens, as tcp://127.0.0.1:8786; 0.0.0.0 is all of this computer's.
        certificates: the folder with the certificate; None: only this computer is listened to.
    Raises:
        InputError: the address, or the certificates, cannot be used here.
        MachineError: it ended by itself.
        KeyboardInterrupt: it was told to end, and has.
    """
    safe = require_safe_address(address, certificates)
    sentences = Sentences(progress)
    with running_scheduler(safe, certificates, sentences) as scheduler:
        for line in _first_words(scheduler, certificates):
            progress.say(line)
        while scheduler.status.name == "running":
            sentences.show_next()
    raise MachineError("The scheduler has ended by itself.")


@contextmanager
def running_scheduler(
    address: str, certificates: Path | None, sentences: Sentences
) -> Iterator[Scheduler]:
    """Run a scheduler in a thread of its own.

    Args:
        address: a safe one.
        sentences: take the news of it.
    Raises:
        InputError: it cannot listen there.
    """
    with dask_log(sentences.detail), LoopThread("scheduler") as loop:
        try:
            scheduler = loop.call(_start(address, certificates, sentences), START_SECONDS)
        except MattingError:
            raise
        except Exception as error:
            raise _not_started(address, error) from error
        try:
            yield scheduler
        finally:
            with suppress(TimeoutError):
                loop.call(scheduler.close(reason="told to end"), CLOSE_SECONDS)


async def _start(address: str, certificates: Path | None, sentences: Sentences) -> Scheduler:
    where = Address.parse(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its page has another port than the usual one
        scheduler = Scheduler(
            protocol=where.protocol,
            host=f"[{where.host}]" if ":" in where.host else where.host,
            port=where.port,
            security=security(certificates, address),
            # Without an address of its own, its page is shown to the whole network.
            dashboard_address=f"{LOOPBACK}:{DASHBOARD_PORT}",
            dashboard=find_spec("bokeh") is not None,
            plugins=(_Comings(sentences),),
        )
    try:
        await scheduler
    except BaseException:
        with suppress(Exception):
            await scheduler.close()
        raise
    return scheduler


class _Comings(SchedulerPlugin):
    """Tells of workers and jobs that come and go."""

    def __init__(self, sentences: Sentences) -> None:
        self._sentences = sentences

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        self._sentences.say(f"A worker has joined, {worker}: {_workers(scheduler)}.")

    def remove_worker(
        self, scheduler: Scheduler, worker: str, *, stimulus_id: str, **kwargs: object
    ) -> None:
        self._sentences.say(f"A worker has left, {worker}: {_workers(scheduler)}.")

    def add_client(self, scheduler: Scheduler, client: str) -> None:
        self._sentences.detail(f"A program has connected: {client}.")

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        self._sentences.detail(f"A program has left: {client}.")


def _workers(scheduler: Scheduler) -> str:
    return f"{quantity(len(scheduler.workers), 'worker')} now"


def _first_words(scheduler: Scheduler, certificates: Path | None) -> Iterator[str]:
    """Yield where it is reached, and how."""
    own = scheduler.address
    options = [] if certificates is None else [CERTIFICATES_OPTION, certificates]
    yield f"The scheduler listens at {own}. Ctrl-C ends it."
    yield "For each device that is to compute, start a worker, on this computer or on another:"
    yield f"  {program_line(Command.WORKER, own, *options)}"
    yield "Whoever runs a job has them compute by:"
    yield f"  {program_line(Command.INFER, 'SEGMENTS_DIR', WORKERS_OPTION, own, *options)}"
    if certificates is None:
        yield (
            "Only programs of this computer are listened to. For others, give its address in the "
            f"network, or tcp://0.0.0.0, and {CERTIFICATES_OPTION}."
        )
    if find_spec("bokeh") is not None:
        port = scheduler.services["dashboard"].port
        yield f"What goes on, in a browser of this computer: http://{LOOPBACK}:{port}/status"


def _not_started(address: str, error: BaseException) -> MattingError:
    """Return why a scheduler does not listen at an address."""
    where = Address.parse(address)
    for cause in _causes(error):
        number = getattr(cause, "errno", None)
        if isinstance(cause, socket.gaierror) or number in NOT_OURS:
            return InputError(
                f"{where.host} is no address of this computer.",
                "Give one that it has in its network, or tcp://0.0.0.0 for all of them.",
            )
        if number in IN_USE:
            return InputError(
                f"Port {where.port} is in use on this computer, perhaps by another scheduler.",
                "Use that one, or give another port at the end of the address.",
            )
        if number == errno.EACCES:
            return InputError(
                f"Port {where.port} may not be used by this account.",
                "Give a port above 1023 at the end of the address.",
            )
    reason = str(error) or type(error).__name__
    return MachineError(f"The scheduler cannot start at {address}: {reason.rstrip('.')}.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
