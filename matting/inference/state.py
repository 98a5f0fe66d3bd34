"""The network's state after a segment, kept on the disk for the next."""

from __future__ import annotations

from pathlib import Path

from matting.inference.base import RecurrentState
from matting.inference.session import MattingSession
from matting.media.source import FrameSource
from matting.progress import Progress
from matting.system import atomic_files
from matting.system.memory import enough_memory


def load_state(path: Path, session: MattingSession) -> None:
    """Bring the session to the state in the file `path`; to none where that cannot be read."""
    try:
        session.load_state(path.read_bytes())
    except OSError:
        session.reset()


def save_state(path: Path, state: RecurrentState | None) -> None:
    """Write a state; an empty file where there is none.

    Raises:
        StorageError: it cannot be written.
        MachineError: the GPU broke off before the state could be copied from it.
    """
    with enough_memory():
        content = b"" if state is None else state.to_bytes()
    atomic_files.write_bytes(path, content)


def warm_up(
    source: FrameSource, session: MattingSession, ratio: float, frames: int, progress: Progress
) -> None:
    """Run the network over the last `frames` frames of `source`, for the state they leave."""
    session.reset()
    size = session.chunk_frames(source.sample_format, source.size_px, ratio)
    for chunk in source.chunks(size, last=frames, on_skip=progress.alive):
        session.run_recurrent(session.extract_features(chunk.pictures, ratio))
        progress.alive()
