"""The networks that the settings of a preview need, each loaded once."""

from __future__ import annotations

from pathlib import Path

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
        self._sessions: dict[tuple[Path | None, Model | None], MattingSession] = {}

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

    def session(self, matte: MatteOptions) -> MattingSession:
        """Return the session; its state is of what was matted last.

        Raises:
            InputError, MissingError, MachineError: the weights or the device cannot be used.
        """
        key = matte.checkpoint, matte.model
        if key not in self._sessions:
            self._sessions[key] = MattingSession(
                self.checkpoint(matte).network,
                self.device,
                matte.precision,
                quality=matte.quality,
                small_people=matte.small_people is SmallPeople.AUTO,
            )
        return self._sessions[key]
