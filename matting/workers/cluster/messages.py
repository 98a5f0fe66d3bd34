"""What passes between the run and its workers on other cards and computers."""

from __future__ import annotations

from dataclasses import dataclass

from matting.errors import MattingError
from matting.inference.precision_record import PrecisionChoice
from matting.progress import Notice
from matting.workers.executor import Failure, Outcome


@dataclass(frozen=True)
class Joined:
    """A worker is there, fits, and has loaded what it needs.

    Attributes:
        name: as of `Node`.
        choice: what its network computes in; None: that is not known.
    """

    name: str
    choice: PrecisionChoice | None = None


@dataclass(frozen=True)
class Refused:
    """A worker is there, and must not take part; `error` tells why."""

    name: str
    error: MattingError


@dataclass(frozen=True)
class Left:
    """A worker is not there any more."""


@dataclass(frozen=True)
class SessionEnded:
    """A worker has let go of the run: it writes nothing into its folder any more."""


@dataclass(frozen=True)
class FramesDone:
    """So many more frames of one of a unit's tasks are done; a negative number is to be redone."""

    key: str
    index: int
    frames: int


@dataclass(frozen=True)
class TaskDone:
    """What came of one of a unit's tasks. Its files are whole, and have yet to get their names."""

    key: str
    index: int
    outcome: Outcome | Failure


@dataclass(frozen=True)
class UnitEnded:
    """A unit is at its end, or was broken off.

    Attributes:
        error: what all that its worker might still do would meet, too; None: all went well.
    """

    key: str
    error: MattingError | None = None


@dataclass(frozen=True)
class Said:
    """A sentence for the user; detail: for one who asked for more; notice: for the list at the end.

    Attributes:
        kind: as Progress takes them.
    """

    text: str
    notice: Notice | None = None
    is_detail: bool = False


@dataclass(frozen=True)
class SchedulerLost:
    """The scheduler is gone, and with it all workers."""

    error: MattingError


Message = (
    Joined
    | Refused
    | Left
    | SessionEnded
    | FramesDone
    | TaskDone
    | UnitEnded
    | Said
    | SchedulerLost
)


@dataclass(frozen=True)
class Event:
    """A message, and the worker that it is from or about; "" for what is about all."""

    worker: str
    message: Message
