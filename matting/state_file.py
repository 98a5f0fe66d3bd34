"""The network's state after a segment, kept on the disk for the next."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from matting.system import atomic_files
from matting.weights import UNREADABLE
from model import State


def load_state(path: Path) -> State | None:
    """The state that `save_state` wrote to `path`; None where there is none that can be read."""
    try:
        state = torch.load(path, weights_only=True)
        r1, r2, r3, r4 = (r.to(torch.float32) for r in state)
    except UNREADABLE:
        return None
    return r1, r2, r3, r4


def save_state(path: Path, state: State | None) -> None:
    """Writes a state.

    Raises:
        StorageError: it cannot be written.
    """
    content = io.BytesIO()
    torch.save(state, content)
    atomic_files.write_bytes(path, content.getvalue())
