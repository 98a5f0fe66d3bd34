"""Units of work: runs of segments that one worker takes in order, independent of all others.

A shot starts from no state, so where it is matted makes no difference to its result. Between two
shots that meet within a segment, a unit begins with the end of that segment, which is gone through
once more for the state alone, as after a lost state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from matting.workers.executor import SavedState, SegmentTask

# A unit begins within a run of segments only where what is gone through twice is at most such a
# part of the unit before it.
MOST_TWICE = 0.1


@dataclass(frozen=True)
class NumberedTask:
    """A task, by the number of its submission.

    Attributes:
        frames: how many frames it has; where nobody knows, some measure of its length.
    """

    number: int
    task: SegmentTask
    frames: int


@dataclass(frozen=True)
class Unit:
    """Segments that one worker takes in order, each continuing the one before.

    Attributes:
        number: that of its first segment when it was made.
        lead: the segment before them, whose end is gone through for the state alone; None: the
            first of them begins without.
    """

    number: int
    segments: tuple[NumberedTask, ...]
    lead: SegmentTask | None = None

    @property
    def frames(self) -> int:
        return sum(segment.frames for segment in self.segments)

    @property
    def name(self) -> str:
        """What a user knows it by: its first segment and its last."""
        names = dict.fromkeys((self.segments[0].task.item.name, self.segments[-1].task.item.name))
        return " to ".join(names)

    @property
    def tasks(self) -> tuple[SegmentTask, ...]:
        """What a worker is to do, in order."""
        own = tuple(segment.task for segment in self.segments)
        return own if self.lead is None else (self.lead, *own)

    def after(self, done: int, state: SavedState | None) -> Unit:
        """Return what remains of it once some segments are done.

        Args:
            done: how many.
            state: the state at the end of the last of these; None: it was not saved.
        """
        if not done:
            return self
        first, *others = self.segments[done:]
        continued = replace(first, task=replace(first.task, start_state=state))
        return Unit(self.number, (continued, *others))


def units_of(tasks: Iterable[NumberedTask], longest_frames: float = float("inf")) -> list[Unit]:
    """Return the units of some tasks, which come in the order of their video.

    Args:
        longest_frames: where a shot has more, it goes on in a new unit, which is warmed up by
            frames before it; what comes of that is not exact.
    """
    return [
        Unit(run[0].number, tuple(run), lead)
        for chain in _chains(tasks)
        for lead, run in _runs(chain, longest_frames)
    ]


def _chains(tasks: Iterable[NumberedTask]) -> list[list[NumberedTask]]:
    """Return tasks in lists, in which each continues the state that the one before leaves."""
    chains: list[list[NumberedTask]] = []
    last: NumberedTask | None = None  # that leaves a state
    for own in tasks:
        task = own.task
        continues = last is not None and task.before == last.task.item and not task.start_state
        if task.matte is None and continues:
            chains[-1].append(own)
            last = own
            continue
        chains.append([own])
        last = own if task.matte is None else None
    return chains


def _runs(
    chain: Sequence[NumberedTask], longest_frames: float
) -> list[tuple[SegmentTask | None, list[NumberedTask]]]:
    """Return a chain in runs that need nothing of each other, each with its lead."""
    runs: list[tuple[SegmentTask | None, list[NumberedTask]]] = [(None, [chain[0]])]
    for before, own in pairwise(chain):
        frames = sum(segment.frames for segment in runs[-1][1])
        twice = _frames_for_state(before)
        if twice is not None and twice <= MOST_TWICE * frames:
            runs.append((_state_only(before.task), [own]))
        elif frames + own.frames > longest_frames:
            runs.append((None, [own]))
        else:
            runs[-1][1].append(own)
    return runs


def _frames_for_state(segment: NumberedTask) -> int | None:
    """Return how many of a segment's frames have to be seen for the state at its end.

    None: all those before it in its shot have to be, too.
    """
    starts, frames = segment.task.shot_starts, segment.task.item.frames
    return frames - starts[-1] if starts and frames and segment.task.span is None else None


def _state_only(task: SegmentTask) -> SegmentTask:
    """Return the task of finding the state at a segment's end: from its last shot on."""
    return replace(task, before=None, start_state=None, end_state=None, targets={}, signs=None)
