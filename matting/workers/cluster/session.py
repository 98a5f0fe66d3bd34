"""A run's session at a worker: whether the worker fits, then units until the run is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from matting.errors import InputError, MattingError, MissingError
from matting.inference.precision_record import PrecisionChoice
from matting.inference.weights import find_checkpoint
from matting.progress import Progress
from matting.system import files
from matting.system.device import choose_device
from matting.workers.cluster.compatibility import Identity, Probe, differences, own_identity
from matting.workers.cluster.messages import Joined, Message, Refused, SessionEnded
from matting.workers.cluster.portable_paths import PathMapping
from matting.workers.cluster.unit_host import IsWanted, UnitHost
from matting.workers.executor import Executor, WorkerSetup
from matting.workers.supervisor import Supervisor


@dataclass(frozen=True)
class SessionRequest:
    """What a run asks of a worker.

    Attributes:
        folder: the matted folder.
        probe: what lies there, for a worker to find.
    """

    setup: WorkerSetup
    folder: Path
    identity: Identity
    probe: Probe


@dataclass(frozen=True)
class Node:
    """What a worker is, whatever the run.

    Attributes:
        name: what users know it by: no other worker of a run has the same.
        device: by a name that `choose_device` takes.
        checkpoint: its own file of the weights; None: it is looked for.
        mapping: where it sees what the run's computer sees.
        threads: of the CPU for each step; None: as the run says.
    """

    name: str
    device: str
    checkpoint: Path | None = None
    mapping: PathMapping = field(default_factory=PathMapping)
    threads: int | None = None


class Session:
    """One run at one worker."""

    def __init__(self, node: Node, request: SessionRequest, send: Callable[[Message], None]):
        """
        Args:
            send: passes a message on to the run.
        """
        self._node = node
        self._request = request
        self._send = send
        self.host = UnitHost(self._make_executor, send, network=request.setup.needs_network)
        self._setup = replace(request.setup, device=node.device, is_alone=False)

    def serve(self, is_wanted: IsWanted) -> None:
        """Go through units until the run is over, or this worker cannot go on; the run is told."""
        joined = False

        def join(choice: PrecisionChoice | None) -> None:
            nonlocal joined
            joined = True
            if choice is not None and choice.reason:  # also for whoever starts anew later
                self._setup = self._setup.computing_in(choice.precision)
            self._send(Joined(self._node.name, choice))

        try:
            self._fit()
            self.host.serve(is_wanted, join)
        except MattingError as error:
            if not joined:
                self._send(Refused(self._node.name, error))
        finally:
            self._send(SessionEnded())

    def _fit(self) -> None:
        """Find what this worker needs of its own.

        Raises:
            MattingError: it does not fit.
        """
        choose_device(self._node.device)
        options, sha256 = self._setup.options, ""
        if self._setup.needs_network:
            there = self._setup.checkpoint  # where the run's computer has it
            seen = there if there is not None and there.is_file() else None
            own = self._node.checkpoint or seen
            checkpoint = find_checkpoint(own, Progress(), options.matte.model)
            sha256 = files.sha256(checkpoint)
            self._setup = replace(self._setup, checkpoint=checkpoint)
        what = differences(self._request.identity, own_identity(sha256))
        if what:
            raise InputError(what, "All computers of a job need the same.")
        why = self._request.probe.check_here(self._node.mapping)
        if why:
            raise MissingError(why)
        if self._node.threads is not None:
            compute = replace(options.compute, threads=self._node.threads)
            self._setup = replace(self._setup, options=replace(options, compute=compute))

    def _make_executor(self, progress: Progress) -> Executor:
        folder = self._request.folder
        return Supervisor(self._setup, folder, progress, await_state=self.host.await_state)
