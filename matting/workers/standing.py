"""How the segments of a job stand: done, lacking outputs of a matte that is there, or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping

from matting.delivery.output_target import OutputTarget
from matting.options import OutputKind
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input
from matting.project.ledger import Ledger
from matting.project.recorded_settings import changed_settings, in_words
from matting.workers.shot import Shot


class Standing:
    """What a run finds done, and why the rest is not.

    Attributes:
        whole: the segments that are done and intact, by whatever options. Where the network is not
            to be used, their mattes play no part: what is made of them may be whole without.
        rendered: the segments that are not done, but whose mattes are: what is made of each.
        changes: what has changed of segments that were done and are matted again, and of how many.
        changed_outputs: the same of those that keep their mattes and get other outputs.
        of_other_options: the segments that are whole, but by other options.
    """

    def __init__(
        self,
        shot: Shot,
        ledger: Ledger,
        settings: Callable[[Input], RecordedSettings],
        targets: Callable[[Input], Mapping[OutputKind, OutputTarget]],
        *,
        network: bool,
    ) -> None:
        """
        Args:
            settings: returns what shapes the results of an input.
            targets: returns where these go.
            network: whether it can be used.
        """
        self._not_counted = frozenset() if network else frozenset({OutputKind.MATTE})
        self._shot = shot
        self._ledger = ledger
        self._settings = settings
        self._targets = targets
        self.whole: set[str] = set()
        self.rendered: dict[str, frozenset[OutputKind]] = {}
        self.changes: Counter[str] = Counter()
        self.changed_outputs: Counter[str] = Counter()
        self.of_other_options: list[Input] = []

    def is_done(self, item: Input) -> bool:
        """Return whether it is done, by these settings and of this content; note what changed."""
        name, entry = item.name, self._ledger.entry(item.name)
        says_done = self._ledger.says_done(name)
        if not says_done and not entry.waiting:
            return False
        intact = self._ledger.intact_outputs(name, entry.outputs)
        whole = says_done and entry.outputs.keys() - intact <= self._not_counted
        if whole:
            self.whole.add(name)
        changed = changed_settings(entry.settings, self._settings(item))
        same_content = not item.path.exists() or self._shot.source(item) == entry.source
        if whole and not changed and same_content:
            return True
        if self._has_matte(item, intact):
            self.rendered[name] = self._lacking(item, intact, changed)
        if not whole:
            return False
        if changed:
            self.of_other_options.append(item)
        changes = self.changed_outputs if name in self.rendered else self.changes
        changes[", ".join(map(in_words, changed)) or "the segment itself"] += 1
        return False

    def possible(self, item: Input) -> frozenset[OutputKind]:
        """Return what can be made of a segment's matte, from whatever state that began."""
        name, entry = item.name, self._ledger.entry(item.name)
        if not (self._ledger.says_done(name) or entry.waiting) or not item.path.exists():
            return frozenset()
        intact = self._ledger.intact_outputs(name, entry.outputs.keys() & {OutputKind.MATTE})
        if not intact or not self._shot.is_of_today(item):
            return frozenset()
        return frozenset(self._targets(item).keys() - {OutputKind.MATTE})

    def _has_matte(self, item: Input, intact: Collection[OutputKind]) -> bool:
        """Return whether the matte that is wanted is stored and intact, and its source is there."""
        return (
            OutputKind.MATTE in intact
            and item.path.exists()
            and self._shot.is_of_today(item)
            and self._shot.is_right(item)
        )

    def _lacking(
        self, item: Input, intact: Collection[OutputKind], changed: Collection[str]
    ) -> frozenset[OutputKind]:
        """Return what has to be made from a segment's matte.

        Args:
            intact: the outputs that are there and whole.
            changed: the settings that differ from those they were made with.
        """
        wanted = self._targets(item).keys() - {OutputKind.MATTE}
        lacking = wanted - set(intact) if set(changed) <= {"kinds"} else wanted
        return frozenset(lacking or wanted)
