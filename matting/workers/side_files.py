"""What comes of a segment beside its outputs: under temporary names until somebody names it."""

from __future__ import annotations

import math
from pathlib import Path

from matting.project.entry import MOST_MOMENTS, ProvenFile, SideFile
from matting.project.ledger import Ledger
from matting.project.plan import Plan
from matting.system import atomic_files
from matting.system.temporary_files import create_temporary
from matting.workers.executor import SignsTarget
from matting.workers.schedule import Action, Step

ENOUGH_MOMENTS = 40  # in all segments together, of which a report shows the most doubtful


class SignsTargets:
    """Where a run saves what it sees of its segments' mattes."""

    def __init__(self, ledger: Ledger, plan: Plan | None, segments: int) -> None:
        """
        Args:
            plan: of the video; None: they are separate videos.
            segments: how many there are.
        """
        self._ledger = ledger
        self._moments = max(1, min(MOST_MOMENTS, math.ceil(ENOUGH_MOMENTS / max(1, segments))))
        self._seconds = None if plan is None else plan.frames / plan.rate

    def of(self, step: Step) -> SignsTarget | None:
        """Return where to save what a step sees; None: it is known, or not seen.

        Outputs that are made of a stored matte are a chance to see what is not known of it yet.
        """
        name, folder = step.item.name, self._ledger.folder
        signs = self._ledger.entry(name).signs
        is_known = (
            step.action is Action.RENDER
            and signs is not None
            and signs.fingerprint.matches(folder.signs / signs.file)
        )
        if is_known or step.action is Action.RESTORE_STATE:
            return None
        return SignsTarget(folder.segment_signs(name), self._moments, self._seconds)


class SideFiles:
    """The side files of one segment."""

    def __init__(self) -> None:
        self._files: dict[SideFile, ProvenFile] = {}

    def create(self, kind: SideFile, path: Path) -> Path:
        """Create an empty file that is to become `path`; return its name until then.

        Raises:
            StorageError: it cannot be created.
        """
        self._files[kind] = ProvenFile(kind, create_temporary(path), path)
        return self._files[kind].temporary

    @property
    def proven(self) -> tuple[ProvenFile, ...]:
        """All of them, once they are written: the state first."""
        return tuple(self._files[kind] for kind in SideFile if kind in self._files)

    def release(self) -> None:
        """Leave them to somebody who gives them their names."""
        self._files.clear()

    def close(self) -> None:
        """Remove them, unless they were released."""
        for file in self._files.values():
            atomic_files.discard(file.temporary)
