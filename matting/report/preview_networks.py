"""The networks that the settings of a preview need, the weights of each loaded once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import torch

from matting.inference.session import MattingSession
from matting.inference.weights import Checkpoint, find_checkpoint, load_checkpoint
from matting.network_choice import Model, SmallPeople
from matting.options import MatteOptions
from matting.progress import Progress


class PreviewNetworks:
    """Sessions by the weights that settings name.

    Args:
        device: where they compute.
    """

    def __init__(self, device: torch.device, progress: Progress) -> None:
        self.device = device
        self._progress = progress
        self._checkpoints: dict[tuple[Path | None, Model | None], Checkpoint] = {}
        self._idle: dict[tuple[object, ...], list[MattingSession]] = {}
        self._lock = Lock()

    def checkpoint(self, matte: MatteOptions) -> Checkpoint:
        """Return the weights.

        Raises:
            InputError, MissingError, StorageError: as `find_checkpoint` and `load_checkpoint`.
        """
        key = matte.checkpoint, matte.model
        if key not in self._checkpoints:
            path = find_checkpoint(matte.checkpoint, self._progress, matte.model)
            self._checkpoints[key] = load_checkpoint(path)
        return self._checkpoints[key]

    @contextmanager
    def session(self, matte: MatteOptions) -> Iterator[MattingSession]:
        """Lend a session to one thread; its state is of what was matted last.

        Raises:
            InputError, MissingError, MachineError: the weights or the device cannot be used.
        """
        key = matte.checkpoint, matte.model, matte.precision, matte.quality, matte.small_people
        idle = self._idle.setdefault(key, [])
        with self._lock:
            session = idle.pop() if idle else self._new_session(matte)
        try:
            yield session
        finally:
            idle.append(session)

    def _new_session(self, matte: MatteOptions) -> MattingSession:
        checkpoint = self.checkpoint(matte)
        return MattingSession(
            checkpoint.network,
            self.device,
            matte.precision,
            quality=matte.quality,
            small_people=matte.small_people is SmallPeople.AUTO,
            weights=checkpoint.sha256,
        )
