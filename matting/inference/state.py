"""The network's state after a segment, kept on the disk for the next."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from itertools import chain, repeat
from pathlib import Path

from matting.errors import MachineError
from matting.imaging.frame_parts import WHOLE_PICTURE, PicturePart
from matting.inference.base import RecurrentState, UnusableStateError
from matting.inference.run_up import FeatureBatch, RunUp
from matting.inference.session import MattingSession
from matting.media.source import FrameChunk, FrameSource
from matting.progress import Progress
from matting.system import atomic_files
from matting.system.memory import enough_memory

MOST_BYTES = 1 << 32  # five times that of 8K at its full size


def load_state(path: Path, session: MattingSession) -> str:
    """Bring the session to the state in the file `path`; to none where that cannot be used.

    Returns:
        why it cannot, as a clause; "" where it can, and where none was saved.
    """
    session.reset()
    try:
        if path.stat().st_size > MOST_BYTES:
            return "it is larger than any state"
        content = path.read_bytes()
        if content:
            session.load_state(content)
    except OSError as error:
        return error.strerror or str(error)
    except UnusableStateError as error:
        return str(error)
    return ""


def save_state(path: Path, state: RecurrentState | None) -> None:
    """Write a state; an empty file where there is none.

    Raises:
        StorageError: it cannot be written.
        MachineError: the GPU broke off before the state could be copied from it, or what was
            computed is no state of the network.
    """
    try:
        with enough_memory():
            content = b"" if state is None else state.to_bytes()
    except UnusableStateError as error:
        raise MachineError(
            f"The network's computation went wrong: in its state, {error}.",
            if_repeated="use --precision fp32 or --device cpu.",
            option="--precision",
        ) from error
    atomic_files.write_bytes(path, content)


def warm_up(
    source: FrameSource,
    session: MattingSession,
    ratio: float,
    frames: int,
    progress: Progress,
    *,
    parts: tuple[PicturePart, ...] = WHOLE_PICTURE,
    starts_shot: bool = False,
    ahead: Iterable[FrameChunk] = (),
) -> None:
    """Run the network over the last `frames` frames of `source`, for the state they leave.

    Args:
        parts: into which each frame is divided.
        starts_shot: whether the first of these starts a shot, and so is run up.
        ahead: frames after `source` that its run-up takes.
    Raises:
        InputError: frames cannot be read.
        MachineError: as `MattingSession.run_recurrent`.
    """
    session.reset()
    run_up = RunUp(session)
    run_up.begin(starts_shot=starts_shot)
    size = session.chunk_frames(source.sample_format, source.size_px, ratio)
    with closing(source.chunks(size, last=frames, on_skip=progress.alive)) as own:
        for is_ahead, chunk in chain(zip(repeat(False), own), zip(repeat(True), ahead)):
            features = session.extract_features(chunk.pictures, ratio, parts)
            for _ in run_up.feed(FeatureBatch(features, chunk.pts, ahead=is_ahead)):
                pass
            progress.alive()
    for _ in run_up.end():
        pass
