"""What the segments of one shot descend from, as their files and records stand.

Inside a shot, each segment continues the network's state from the one before. The whole video is
one shot. In a folder without a plan, each input is one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matting.errors import InputError
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.lineage import adopt_lineages, same_matte, state_after
from matting.system.fingerprint import Fingerprint


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

    def before(self, item: Input) -> Input | None:
        """Return the segment that `item` continues; None at the start of a shot."""
        index = self._index[item.name]
        return self._items[index - 1] if self._chained and index > 0 else None

    def state_before(self, item: Input) -> str | None:
        """Return the identity of the state before a segment; None at the start of a shot."""
        if self.before(item) is None:
            return None
        while len(self._states) < self._index[item.name]:
            other = self._items[len(self._states)]
            start = self._states[-1] if self.before(other) is not None else None
            self._states.append(state_after(start, self.source(other), self._settings(other)))
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
        if source != self._sources.get(item.name):
            self._sources[item.name] = source
            del self._states[self._index[item.name] :]

    def is_of_today(self, item: Input) -> bool:
        """Return whether a result is of the segment as it is now, by the settings for its matte."""
        entry = self._ledger.entry(item.name)
        same = same_matte(entry.settings, self._settings(item))
        return same and entry.source == self.source(item)

    def is_right(self, item: Input) -> bool:
        """Return whether a result is that of one uncut pass over the shot as it is now."""
        entry = self._ledger.entry(item.name)
        lineage = entry.lineage
        if not entry.outputs or lineage is None or not lineage.exact:
            return False
        if not same_matte(entry.settings, self._settings(item)):
            return False
        return lineage.start == self.state_before(item)

    def intact_state(self, item: Input) -> Path | None:
        """Return the file of the state after a segment, if it is what was recorded."""
        path = self._ledger.folder.state(item.name)
        recorded = self._ledger.entry(item.name).end_state
        return path if recorded is not None and recorded.matches(path) else None
