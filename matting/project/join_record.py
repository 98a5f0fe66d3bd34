"""A note beside a combined file: what it was made of, so that nothing stale gets its sound."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from matting.errors import InputError
from matting.options import OutputKind
from matting.project.ledger import Ledger
from matting.project.plan import UNREADABLE, SourceFingerprint
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint

COMBINE_AGAIN = "Run combine (3_combine.bat) again on the folder that infer made."


@dataclass(frozen=True)
class JoinRecord:
    """What a combined file is.

    Attributes:
        source: the video it was cut from; None for a folder of any videos.
        frames: how many it holds.
        parts_sha256: of the hashes of its segments, in order.
        file: the fingerprint of the file itself; None while it is not made.
    """

    source: SourceFingerprint | None
    frames: int
    parts_sha256: str
    file: Fingerprint | None = None

    @classmethod
    def of(cls, ledger: Ledger, kind: OutputKind) -> JoinRecord:
        """That of the file that `ledger`'s segments would give now."""
        digest = hashlib.sha256()
        for name in ledger.names:
            digest.update(ledger.entry(name).outputs[kind][1].sha256.encode())
        frames = sum(ledger.entry(name).frames for name in ledger.names)
        return cls(ledger.plan.source if ledger.plan else None, frames, digest.hexdigest())

    def proven_by(self, combined: Path) -> JoinRecord:
        """The same, with the fingerprint of the file `combined`."""
        return replace(self, file=Fingerprint.of(combined))

    def write(self, combined: Path) -> None:
        """Puts the note beside `combined`."""
        atomic_files.write_json(_path(combined), asdict(self))

    @classmethod
    def read(cls, combined: Path) -> JoinRecord | None:
        """The note beside `combined`; None where there is none.

        Raises:
            InputError: it cannot be read.
        """
        path = _path(combined)
        if not path.is_file():
            return None
        value = atomic_files.read_json(path, COMBINE_AGAIN)
        try:
            source = SourceFingerprint(**value["source"]) if value["source"] else None
            file = Fingerprint(**value["file"])
            return cls(source, int(value["frames"]), str(value["parts_sha256"]), file)
        except UNREADABLE as error:
            raise InputError(f"{path} cannot be read.", f"Delete it. {COMBINE_AGAIN}") from error


def _path(combined: Path) -> Path:
    return combined.with_suffix(".json")
