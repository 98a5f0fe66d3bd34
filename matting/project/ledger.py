"""processed.json and manifest.json: what is done, and the fingerprints that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from matting.errors import InputError
from matting.options import OutputKind
from matting.project import records
from matting.project.entry import Entry
from matting.project.paths import LIST_NAME, MattedFolder
from matting.project.plan import MOST_SEGMENTS, Plan, concat_list
from matting.project.records import FileName
from matting.project.result_names import same_name_forms
from matting.system import atomic_files

START_OVER = "Delete it, and all of this folder is matted again."


LONGEST_PATH = 1 << 15  # on Windows, which has the longest


class Manifest(Struct, frozen=True, kw_only=True):
    """The content of manifest.json.

    Attributes:
        origin: the folder of the inputs; None in records of earlier versions.
    """

    version: Literal[2] = 2
    plan: Plan | None
    origin: Annotated[str, Meta(max_length=LONGEST_PATH)] | None = None
    segments: Annotated[dict[FileName, Entry], Meta(max_length=MOST_SEGMENTS)]


class Ledger:
    """The record of one matted folder.

    Every change but those of `amend` is on the disk before the call returns.
    """

    def __init__(self, folder: MattedFolder) -> None:
        """Read what is there; where nothing is, the ledger is empty.

        Raises:
            InputError: a file of it cannot be read.
        """
        self.folder = folder
        self._names: list[str] = []
        self._done: dict[str, bool] = {}
        self._entries: dict[str, Entry] = {}
        self.plan: Plan | None = None
        self.origin: str | None = None
        self._read()

    @property
    def names(self) -> tuple[str, ...]:
        """The segments, in order."""
        return tuple(self._names)

    def entry(self, name: str) -> Entry:
        """Return what is known of a segment; an empty entry where nothing is."""
        return self._entries.get(name, Entry())

    def begin(self, names: Sequence[str], plan: Plan | None, origin: str | None = None) -> None:
        """Record which segments there are, in order; new ones are not done.

        Args:
            origin: the folder they lie in.
        """
        self._names = list(names)
        self.plan = plan
        self.origin = origin
        self._save_manifest()
        self._save_processed()

    def reopen(self, names: Sequence[str]) -> None:
        """Record that those segments are to be matted, or matted again."""
        for name in names:
            self._done[name] = False
        self._save_processed()

    def is_done(self, name: str) -> bool:
        """Return whether a segment is done: nobody said otherwise, and its files are intact."""
        outputs = self.entry(name).outputs
        if not self._done.get(name) or not outputs:
            return False
        return all(
            output.fingerprint.matches(self.folder.output_folder(kind) / output.file)
            for kind, output in outputs.items()
        )

    def output(self, name: str, kind: OutputKind) -> Path | None:
        """Return a segment's result of one output kind; None if there is none."""
        output = self.entry(name).outputs.get(kind)
        return self.folder.output_folder(kind) / output.file if output else None

    def overwritten(self, names: Set[str], paths_of: Callable[[str], Iterable[Path]]) -> set[str]:
        """Return the other segments whose results are overwritten when the given ones are matted.

        Results can get other names when inputs are added to a folder or removed from it. A segment
        whose result is overwritten has to be matted again, and may overwrite others in turn; those
        are included.

        Args:
            paths_of: returns where a segment's results would go now.
        """
        lost: set[str] = set()
        latest = set(names)
        while latest:
            places = {
                place for name in latest for path in paths_of(name) for place in _places(path)
            }
            latest = {
                name
                for name in self._entries.keys() - names - lost
                for kind, output in self._entries[name].outputs.items()
                if places & _places(self.folder.output_folder(kind) / output.file)
            }
            lost |= latest
        return lost

    def record(self, name: str, entry: Entry) -> None:
        """Record what came of a segment; it is done when the entry has outputs and no error."""
        self._entries[name] = entry
        done = bool(entry.outputs) and not entry.error
        # `true` only after the fingerprints are on the disk, `false` before they change.
        if done:
            self._save_manifest()
        self._done[name] = done
        self._save_processed()
        if not done:
            self._save_manifest()

    def amend(self, name: str, entry: Entry) -> None:
        """Add to what is known of a segment; the next change takes it to the disk.

        A whole job of an earlier version is amended at once: to write each would be slow.
        """
        self._entries[name] = entry

    def write_lists(self, kinds: Iterable[OutputKind]) -> None:
        """List the results, for people who join them themselves; of videos only."""
        for kind in kinds:
            outputs = [self.output(name, kind) for name in self.names]
            names = [path.name for path in outputs if path is not None and not path.is_dir()]
            path = self.folder.output_folder(kind) / LIST_NAME
            if names:
                atomic_files.write_text(path, concat_list(names))
            else:
                atomic_files.remove(path)

    def _read(self) -> None:
        processed, path = self.folder.processed, self.folder.manifest
        if path.is_file():
            manifest = records.read(path, Manifest, START_OVER, upgrade=_upgrade)
            self.plan = manifest.plan
            self.origin = manifest.origin
            self._entries = manifest.segments
            self._names = list(manifest.segments)
        if processed.is_file():
            done = atomic_files.read_json(processed, START_OVER)
            if not isinstance(done, dict):
                raise InputError(f"{processed} is not a list of segments.", START_OVER)
            self._done = {name: value is True for name, value in done.items()}

    def _save_processed(self) -> None:
        done = {name: self._done.get(name, False) for name in self._names}
        atomic_files.write_json(self.folder.processed, done)

    def _save_manifest(self) -> None:
        segments = {name: self.entry(name) for name in self._names}
        records.write(
            self.folder.manifest, Manifest(plan=self.plan, origin=self.origin, segments=segments)
        )


def _places(path: Path) -> set[tuple[Path, str]]:
    """Return a path in the forms by which file systems compare names."""
    return {(path.parent, form) for form in same_name_forms(path.name)}


def _upgrade(manifest: Any) -> None:
    """Bring a manifest of an earlier version into today's form.

    Earlier, the initial state of a segment of which nothing was matted was an empty text.
    """
    segments = manifest.get("segments") if isinstance(manifest, dict) else None
    for entry in segments.values() if isinstance(segments, dict) else ():
        if isinstance(entry, dict) and entry.get("start_state") == "":
            entry["start_state"] = None
