"""What the segments of one shot descend from, as their files and records stand.

Inside a shot, each segment continues the network's state from the one before. Where a shot starts,
nothing from before it counts; where the plan does not say so or shots are off, the whole video is
one. In a folder without a plan, each input is one. Near its end, a segment may depend on those
after it: a shot that starts there is run up over its first frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import UNSET

from matting.errors import InputError
from matting.network_choice import RUN_UP_FRAMES
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.lineage import adopt_lineages, frames_identity, same_matte, state_after
from matting.system.fingerprint import Fingerprint

Ahead = list[tuple[Input, int]]  # segments in order, and how many of the first frames of each


class Shot:
    """The segments of a job, and which states they have to begin from."""

    def __init__(
        self,
        inputs: InputFolder,
        ledger: Ledger,
        settings: Callable[[Input], RecordedSettings],
    ) -> None:
        """
        Args:
            ledger: as the run finds it; entries of earlier versions are given their lineage.
            settings: returns what shapes the results of an input.
        """
        self._items = inputs.inputs
        self._chained = inputs.plan is not None
        self._ledger = ledger
        self._settings = settings
        self._index = {item.name: index for index, item in enumerate(self._items)}
        self._sources: dict[str, Fingerprint | None] = {}
        self._states: list[str] = []  # their identities after the first, second, ... segment
        names = [item.name for item in self._items]
        adopt_lineages(ledger, [names] if self._chained else [[name] for name in names])

    def index(self, item: Input) -> int:
        """Return the place of a segment, from 0."""
        return self._index[item.name]

    def place(self, name: str) -> int:
        """Return the place of the segment of that name, from 0."""
        return self._index[name]

    def before(self, item: Input) -> Input | None:
        """Return the segment that `item` continues; None at the start of a shot."""
        index = self._index[item.name]
        continues = self._chained and index > 0 and 0 not in self.starts(item)
        return self._items[index - 1] if continues else None

    def starts(self, item: Input) -> tuple[int, ...]:
        """Return the numbers of the frames of a segment at which shots start that are run up."""
        starts = self._settings(item).shots
        return () if starts is UNSET else starts

    def ahead(self, item: Input) -> Ahead:
        """Return which frames after a segment the run-up of its last shot takes."""
        if not self._chained or not self.starts(item):
            return []
        following = self._index[item.name] + 1
        return frames_ahead(item, self._items[following : following + RUN_UP_FRAMES])

    def ahead_identity(self, item: Input) -> str | None:
        """Return the identity of those frames; None where there are none."""
        ahead = [(self.source(other), frames) for other, frames in self.ahead(item)]
        return frames_identity(ahead) if ahead else None

    def unread_identity(self, item: Input) -> str:
        """Return the identity of those frames as they are now, where they cannot be read."""
        ahead = [
            (self.source(other) if other.path.exists() else None, frames)
            for other, frames in self.ahead(item)
        ]
        return frames_identity(ahead, unread=True)

    def state_before(self, item: Input) -> str | None:
        """Return the identity of the state before a segment; None at the start of a shot."""
        if self.before(item) is None:
            return None
        while len(self._states) < self._index[item.name]:
            other = self._items[len(self._states)]
            begins_anew = self.before(other) is None or self.starts(other)
            start = None if begins_anew else self._states[-1]
            ahead = self.ahead_identity(other)
            after = state_after(start, self.source(other), self._settings(other), ahead)
            self._states.append(after)
        return self._states[self._index[item.name] - 1]

    def source(self, item: Input) -> Fingerprint | None:
        """Return the fingerprint of a segment as it is now; once it is gone, as it was matted."""
        if item.name not in self._sources:
            try:
                self._sources[item.name] = item.fingerprint()
            except InputError:
                self._sources[item.name] = self._ledger.entry(item.name).source
        return self._sources[item.name]

    def note_source(self, item: Input, source: Fingerprint) -> None:
        """Take notice of the content that a segment had when it was matted."""
        if item.name in self._sources and source != self._sources[item.name]:
            # Those before it may depend on it, too; on what was not known yet, none does.
            del self._states[max(0, self._index[item.name] - RUN_UP_FRAMES) :]
        self._sources[item.name] = source

    def is_of_today(self, item: Input) -> bool:
        """Return whether a result is of the segment as it is now, by the settings for its matte."""
        entry = self._ledger.entry(item.name)
        same = same_matte(entry.settings, self._settings(item))
        return same and entry.source == self.source(item)

    def is_right(self, item: Input) -> bool:
        """Return whether a result is that of one uncut pass over the shot as it is now."""
        return self.begins_right(item) and self._is_run_up(item)

    def begins_right(self, item: Input) -> bool:
        """Return whether a result, by today's settings, continues such a pass."""
        entry = self._ledger.entry(item.name)
        lineage = entry.lineage
        if not entry.outputs or lineage is None or not lineage.exact:
            return False
        if not same_matte(entry.settings, self._settings(item)):
            return False
        return lineage.start == self.state_before(item)

    def is_settled(self, item: Input) -> bool:
        """Return whether a result is right, or would be no better if it were made again."""
        return self.begins_right(item) and (self._is_run_up(item) or self.lacks_frames(item))

    def ends_right(self, item: Input) -> bool:
        """Return whether the state after a result is that of one uncut pass over the shot."""
        entry = self._ledger.entry(item.name)
        if not self.starts(item) or not entry.outputs:
            return self.is_right(item)
        return same_matte(entry.settings, self._settings(item)) and self._is_run_up(item)

    def lacks_frames(self, item: Input) -> bool:
        """Return whether frames ahead could not be read for a result, and cannot be now."""
        lineage = self._ledger.entry(item.name).lineage
        if lineage is None or lineage.ahead != self.unread_identity(item):
            return False
        entries = ((other, self._ledger.entry(other.name)) for other, _ in self.ahead(item))
        return not all(
            other.path.exists() and entry.outputs and entry.source == self.source(other)
            for other, entry in entries
        )

    def _is_run_up(self, item: Input) -> bool:
        """Return whether a result's last shot was run up over the frames that are there now."""
        lineage = self._ledger.entry(item.name).lineage
        return lineage is not None and lineage.ahead == self.ahead_identity(item)

    def intact_state(self, item: Input) -> Path | None:
        """Return the file of the state after a segment, if it is what was recorded."""
        path = self._ledger.folder.state(item.name)
        recorded = self._ledger.entry(item.name).end_state
        return path if recorded is not None and recorded.matches(path) else None


def frames_ahead(item: Input, following: Iterable[Input]) -> Ahead:
    """Return which frames after a segment belong to the run-up of the last shot that starts in it.

    Args:
        following: the segments after it, in order; no more of them are asked for than needed.
    """
    ahead: Ahead = []
    if not item.shot_starts or item.frames is None:
        return ahead
    lacking = item.shot_starts[-1] + 1 + RUN_UP_FRAMES - item.frames
    others = iter(following)
    while lacking > 0 and (other := next(others, None)) is not None:
        starts, frames = other.shot_starts, other.frames
        if starts is None or frames is None:
            break
        taken = min(lacking, starts[0] if starts else frames)
        if taken:
            ahead.append((other, taken))
        if starts:
            break
        lacking -= taken
    return ahead
