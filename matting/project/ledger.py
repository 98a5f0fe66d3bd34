"""processed.json and manifest.json: what is done, and the fingerprints that prove it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from matting.errors import InputError
from matting.options import OutputKind
from matting.project.paths import LIST_NAME, MattedFolder
from matting.project.plan import UNREADABLE, Plan, concat_list
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint

VERSION = 2
START_OVER = "Delete it, and infer mattes all of this folder anew."


class InitialState(str, Enum):
    """Where the network's state at a segment's first frame came from."""

    FRESH = "fresh"  # no frame before it was looked at
    CARRIED = "carried"  # from the segment before
    WARMED_UP = "warmed up"  # by some frames before it
    RESET = "reset"  # the state before did not fit its pictures

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Entry:
    """What came of one segment.

    Attributes:
        source: the segment's own file or folder name, and the fingerprint of its content.
        settings: everything that shapes the result, the checkpoint's hash included.
        start_state: None while nothing was matted.
        outputs: per kind of result the name of its file, or of its folder of pictures, and the
            fingerprint; empty while not done.
        end_state: fingerprint of the file of the network's state after it; None: none was kept.
        error: what went wrong, empty when nothing did.
    """

    source: Fingerprint | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    start_state: InitialState | None = None
    frames: int = 0
    outputs: Mapping[OutputKind, tuple[str, Fingerprint]] = field(default_factory=dict)
    end_state: Fingerprint | None = None
    error: str = ""


class Ledger:
    """The record of one matted folder. Every change is on the disk before the call returns."""

    def __init__(self, folder: MattedFolder) -> None:
        """Reads what is there; nothing there is an empty ledger.

        Raises:
            InputError: a file of it cannot be read.
        """
        self.folder = folder
        self._names: list[str] = []
        self._done: dict[str, bool] = {}
        self._entries: dict[str, Entry] = {}
        self.plan: Plan | None = None
        self._read()

    @property
    def names(self) -> tuple[str, ...]:
        """The segments, in order."""
        return tuple(self._names)

    def entry(self, name: str) -> Entry:
        """What is known of a segment; an empty entry where nothing is."""
        return self._entries.get(name, Entry())

    def begin(self, names: Sequence[str], plan: Plan | None) -> None:
        """States which segments there are, in order; those not heard of before are not done."""
        self._names = list(names)
        self.plan = plan
        self._save_manifest()
        self._save_processed()

    def reopen(self, names: Sequence[str]) -> None:
        """Takes back what was said of those segments: they are to be done (again)."""
        for name in names:
            self._done[name] = False
        self._save_processed()

    def is_done(self, name: str) -> bool:
        """Whether people and program agree that it is done, and its files are what was recorded."""
        entry = self.entry(name)
        if not self._done.get(name) or not entry.outputs:
            return False
        return all(
            fingerprint.matches(self.folder.layer(kind) / file)
            for kind, (file, fingerprint) in entry.outputs.items()
        )

    def output(self, name: str, kind: OutputKind) -> Path | None:
        """A segment's result of one kind; None where it was not made."""
        made = self.entry(name).outputs.get(kind)
        return self.folder.layer(kind) / made[0] if made else None

    def record(self, name: str, entry: Entry) -> None:
        """Records what came of a segment; it is done when the entry has outputs and no error."""
        self._entries[name] = entry
        done = bool(entry.outputs) and not entry.error
        # `true` only after the fingerprint is on the disk, `false` before it changes.
        if done:
            self._save_manifest()
        self._done[name] = done
        self._save_processed()
        if not done:
            self._save_manifest()

    def write_lists(self, kinds: Iterable[OutputKind]) -> None:
        """Lists the results, for people who join them themselves; of videos only."""
        for kind in kinds:
            made = [self.output(name, kind) for name in self.names]
            names = [path.name for path in made if path is not None and not path.is_dir()]
            path = self.folder.layer(kind) / LIST_NAME
            if names:
                atomic_files.write_text(path, concat_list(names))
            else:
                atomic_files.remove(path)

    def _read(self) -> None:
        processed, manifest = self.folder.processed, self.folder.manifest
        if manifest.is_file():
            self._read_manifest(manifest)
        if processed.is_file():
            done = atomic_files.read_json(processed, START_OVER)
            if not isinstance(done, dict):
                raise InputError(f"{processed} is not a list of segments.", START_OVER)
            self._done = {str(name): value is True for name, value in done.items()}

    def _read_manifest(self, path: Path) -> None:
        value = atomic_files.read_json(path, START_OVER)
        try:
            if value["version"] != VERSION:
                raise ValueError(f"version {value['version']!r}")
            self.plan = Plan.from_json(value["plan"]) if value["plan"] else None
            self._entries = {n: _entry_from_json(e) for n, e in value["segments"].items()}
            self._names = list(self._entries)
        except UNREADABLE as error:
            raise InputError(
                f"{path} cannot be read by this version ({error}).", START_OVER
            ) from error

    def _save_processed(self) -> None:
        done = {name: self._done.get(name, False) for name in self._names}
        atomic_files.write_json(self.folder.processed, done)

    def _save_manifest(self) -> None:
        value = {
            "version": VERSION,
            "plan": self.plan.to_json() if self.plan else None,
            "segments": {name: _entry_to_json(self.entry(name)) for name in self._names},
        }
        atomic_files.write_json(self.folder.manifest, value)


def _entry_to_json(entry: Entry) -> dict[str, Any]:
    return {
        "source": _json(entry.source),
        "settings": dict(entry.settings),
        "start_state": entry.start_state.value if entry.start_state else "",
        "frames": entry.frames,
        "outputs": {
            kind: {"file": file, **vars(fingerprint)}
            for kind, (file, fingerprint) in entry.outputs.items()
        },
        "end_state": _json(entry.end_state),
        "error": entry.error,
    }


def _entry_from_json(value: Any) -> Entry:
    return Entry(
        source=_optional_fingerprint(value["source"]),
        settings=dict(value["settings"]),
        start_state=InitialState(value["start_state"]) if value["start_state"] else None,
        frames=int(value["frames"]),
        outputs={
            kind: (Path(made["file"]).name, _fingerprint(made))
            for kind, made in value["outputs"].items()
        },
        end_state=_optional_fingerprint(value["end_state"]),
        error=str(value["error"]),
    )


def _json(fingerprint: Fingerprint | None) -> dict[str, Any] | None:
    return vars(fingerprint) if fingerprint else None


def _optional_fingerprint(value: Any) -> Fingerprint | None:
    return _fingerprint(value) if value else None


def _fingerprint(value: Any) -> Fingerprint:
    return Fingerprint(int(value["size_bytes"]), str(value["sha256"]))
