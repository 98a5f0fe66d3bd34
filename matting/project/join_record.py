"""A record beside a combined file of what it was joined from, so that audio joins nothing stale."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from matting.options import OutputKind
from matting.project import records
from matting.project.ledger import Ledger
from matting.project.plan import Plan
from matting.project.records import Count
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint, Sha256
from matting.system.invocation import Command, sentence, start

MOST_FINALS = 8


def combine_again() -> str:
    """Return, as a sentence, how the results are joined once more."""
    return sentence(start(Command.COMBINE, "the folder that ends in _matted", again=True))


class JoinRecord(Struct, frozen=True, kw_only=True):
    """What a combined file is.

    Attributes:
        source: the video it was cut from; None for a folder of any videos.
        frames: their number.
        parts_sha256: the hash of the hashes of its segments, in order.
        file: the fingerprint of the file itself; None before it is there.
        replaced: that of the one before it, which a kill may have left in its place.
        finals: the final files that were made from it or from those before it.
    """

    version: Literal[1] = 1
    source: SourceFingerprint | None
    frames: Count
    parts_sha256: Sha256
    file: Fingerprint | None = None
    replaced: Fingerprint | None = None
    finals: Annotated[tuple[SourceFingerprint, ...], Meta(max_length=MOST_FINALS)] = ()

    @classmethod
    def of(cls, ledger: Ledger, kind: OutputKind) -> JoinRecord:
        """Return the record of the file that `ledger`'s segments would give now."""
        return cls.of_hashes(
            (ledger.entry(name).outputs[kind].sha256 for name in ledger.names),
            source=ledger.plan.source if ledger.plan else None,
            frames=sum(ledger.entry(name).frames for name in ledger.names),
        )

    @classmethod
    def of_hashes(
        cls, parts: Iterable[Sha256], *, source: SourceFingerprint | None, frames: int
    ) -> JoinRecord:
        """Return the record of what is joined from parts of those hashes, in order."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part.encode())
        return cls(source=source, frames=frames, parts_sha256=digest.hexdigest())

    @classmethod
    def of_format(cls, parts: Iterable[Sha256], plan: Plan) -> JoinRecord:
        """Return the record of a format's finished file, joined from parts of those hashes."""
        frames = sum(segment.frames for segment in plan.segments)
        return cls.of_hashes(parts, source=plan.source, frames=frames)

    def with_file(
        self,
        combined: Path,
        replaced: Fingerprint | None = None,
        finals: tuple[SourceFingerprint, ...] = (),
    ) -> JoinRecord:
        """Return the same, with the fingerprint of the file `combined`."""
        return replace(self, file=Fingerprint.of(combined), replaced=replaced, finals=finals)

    def with_final(self, final: SourceFingerprint, name: str) -> JoinRecord:
        """Return the same, with one more final file, which is to have that name."""
        finals = [replace(final, name=name, modified_ns=None), *self.finals]
        return replace(self, finals=tuple(finals[:MOST_FINALS]))

    def has_parts_of(self, other: JoinRecord) -> bool:
        """Return whether both are of the same segments, whatever became of them."""
        parts = [(r.source, r.frames, r.parts_sha256) for r in (self, other)]
        return parts[0] == parts[1]

    def describes(self, combined: Path) -> bool:
        """Return whether the file `combined` is there and intact."""
        return self.file is not None and self.file.matches(combined)

    def write(self, combined: Path) -> None:
        """Put the record beside `combined`.

        Raises:
            StorageError: it cannot be written.
        """
        records.write(_path(combined), self)

    @classmethod
    def read(cls, combined: Path) -> JoinRecord | None:
        """Return the record beside `combined`; None where there is none.

        Raises:
            InputError: it cannot be read.
        """
        path = _path(combined)
        return records.read(path, cls, combine_again()) if path.is_file() else None


def _path(combined: Path) -> Path:
    return combined.with_suffix(".json")
