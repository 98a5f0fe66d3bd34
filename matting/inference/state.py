"""The network's state after a segment, kept on the disk for the next."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from matting.inference.session import MattingSession
from matting.inference.weights import UNREADABLE
from matting.media.source import FrameSource
from matting.progress import Progress
from matting.system import atomic_files
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


def warm_up(
    source: FrameSource, session: MattingSession, ratio: float, frames: int, progress: Progress
) -> None:
    """Lets the network see the last `frames` frames of `source`, for the state they leave."""
    session.reset()
    size = session.chunk_frames(source.sample_format, (source.width_px, source.height_px), ratio)
    for chunk in source.chunks(size, last=frames, on_skip=progress.alive):
        session.decode(session.see(chunk.pictures, ratio))
        progress.alive()
