"""How to matte, as it is asked for; and what of that is recorded for each input."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from matting.choices import AUTO, PATIENCE_SECONDS
from matting.look import Look


@dataclass(frozen=True)
class InferOptions:
    """How to matte.

    Attributes:
        ratio: the downsample ratio in (0, 1]; None: by the picture's size and the subject.
        subject: full-body or portrait.
        frame_rate: frames a second of the videos that image sequences become; None: they become
            pictures again.
        decoder: AUTO, SOFTWARE or HARDWARE; who encodes is said in `look`.
        full_size: auto, fused or plain: how the full-size pictures are made.
        largest_chunk: how many frames are computed at once at most; None: as suits the device.
        threads: of the CPU for each step of the network; None: as suits it.
        isolated: whether the network works in a process of its own, which is watched.
        patience_seconds: how long that may go without any progress.
        force: whether to go on although the disk seems too small.
        then_joined: whether the results are joined and get their sound at once.
    """

    checkpoint: Path | None = None
    device: str = "auto"
    decoder: str = AUTO
    precision: str = "auto"
    ratio: float | None = None
    subject: str = "full-body"
    look: Look = field(default_factory=Look)
    frame_rate: Fraction | None = None
    full_size: str = AUTO
    largest_chunk: int | None = None
    threads: int | None = None
    isolated: bool = False
    patience_seconds: float = PATIENCE_SECONDS
    force: bool = False
    then_joined: bool = False
