"""The content of manifest.json, which the ledger reads and writes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from matting.options import OutputKind, Precision
from matting.project.entry import Entry, OutputFile, RecordedSettings
from matting.project.job_options import LONGEST_PATH, JobOptions
from matting.project.plan import MOST_SEGMENTS, Plan
from matting.project.ranges import Ranges
from matting.project.records import FileName

START_OVER = "Delete it, and all of this folder is matted again."


class Incoming(Struct, frozen=True):
    """A proven result that is about to take the place of another, or of none.

    Attributes:
        temporary: the names that its files have until then, beside their places.
        signs: the name that what was seen of it has until then; None: nothing was.
    """

    entry: Entry
    temporary: Annotated[dict[OutputKind, FileName], Meta(max_length=16)]
    signs: FileName | None = None

    @property
    def is_delivery(self) -> bool:
        """Whether it leaves the segment as it is, and adds formats made of its matte."""
        kinds = self.temporary.keys()
        return bool(kinds) and kinds <= self.entry.delivered.keys()


Superseded = Annotated[dict[FileName, OutputFile], Meta(max_length=MOST_SEGMENTS)]
LONGEST_KEY = 500
Precisions = Annotated[
    dict[Annotated[str, Meta(max_length=LONGEST_KEY)], Precision], Meta(max_length=64)
]
Entries = Annotated[dict[FileName, Entry], Meta(max_length=MOST_SEGMENTS)]


class Manifest(Struct, frozen=True, kw_only=True):
    """The content of manifest.json.

    Attributes:
        origin: the folder of the inputs; None in records of earlier versions.
        options: what the job was asked for; None in records of earlier versions.
        agreed: what that came to for its first segment, the weights' hash included.
        frames_per_second: how fast its last run was; None: unknown.
        incoming: by segment; what a kill may have left half-way between two results.
        former: results of segments that are no part of the folder at present.
        superseded: files of results that others have replaced under another name, by their own.
        ranges: of frames that were done again, by their numbers.
        precisions: what a trial has chosen, by the kind of processor and the weights.
        journal_key: of the journal that holds what has changed since; another whenever this is
            written while there is one. None in records of earlier versions.
    """

    version: Literal[2] = 2
    plan: Plan | None
    origin: Annotated[str, Meta(max_length=LONGEST_PATH)] | None = None
    options: JobOptions | None = None
    agreed: RecordedSettings | None = None
    frames_per_second: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    segments: Entries
    incoming: Annotated[dict[FileName, Incoming], Meta(max_length=MOST_SEGMENTS)] = {}
    former: Entries = {}
    superseded: Annotated[dict[OutputKind, Superseded], Meta(max_length=16)] = {}
    ranges: Ranges = ()
    precisions: Precisions = {}
    journal_key: Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")] | None = None


def upgrade(manifest: Any) -> None:
    """Bring a manifest of an earlier version into today's form.

    Earlier, the initial state of a segment of which nothing was matted was an empty text.
    """
    segments = manifest.get("segments") if isinstance(manifest, dict) else None
    for entry in segments.values() if isinstance(segments, dict) else ():
        if isinstance(entry, dict) and entry.get("start_state") == "":
            entry["start_state"] = None
