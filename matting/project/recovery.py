"""What a kill has left half-way between two results, brought to its end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from matting.options import OutputKind
from matting.project.entry import Entry, OutputFile, ProvenFile, SideFile
from matting.project.manifest import Incoming
from matting.project.paths import MattedFolder
from matting.system import atomic_files
from matting.system.temporary_files import holds_replaced


def complete(folder: MattedFolder, incoming: Incoming) -> bool:
    """Give the files of an announced result their names, if that had begun; remove the others.

    Delivered formats get theirs in any case: nothing else has to be true with them.

    Returns:
        whether the whole result is in its place now.
    """
    results = _announced(incoming)
    waiting = {
        kind: ProvenFile(kind, path.with_name(incoming.temporary[kind]), path)
        for kind, output in results.items()
        for path in [folder.output_folder(kind) / output.file]
        if kind in incoming.temporary and not output.fingerprint.matches(path)
    }
    begun = incoming.is_delivery or len(waiting) < len(results)
    _complete_signs(folder, incoming, begun=begun)
    for kind, file in waiting.items():
        if begun and results[kind].fingerprint.matches(file.temporary):
            file.give_name()
        else:
            atomic_files.discard(file.temporary)
    return all(is_intact(folder, kind, output) for kind, output in results.items())


def _complete_signs(folder: MattedFolder, incoming: Incoming, *, begun: bool) -> None:
    """Give what was seen of an announced result its name, if the result gets its own."""
    own = incoming.entry.signs
    if own is None or incoming.signs is None:
        return
    path = folder.signs / own.file
    file = ProvenFile(SideFile.SIGNS, path.with_name(incoming.signs), path)
    if begun and own.fingerprint.matches(file.temporary):
        file.give_name()
    else:
        atomic_files.discard(file.temporary)


def restore_replaced(folder: MattedFolder, entries: Iterable[Entry]) -> None:
    """Bring back folders of pictures that were moved aside for others that never came.

    Those whose others came are removed.
    """
    recorded = [(kind, own.file) for entry in entries for kind, own in entry.files.items()]
    there = {kind for kind, _ in recorded}
    kinds = {kind for kind in there if holds_replaced(folder.output_folder(kind))}
    for kind, file in recorded:
        if kind in kinds:  # hardly ever: each is looked for among all others
            atomic_files.restore_replaced(folder.output_folder(kind) / file)


def is_intact(folder: MattedFolder, kind: OutputKind, output: OutputFile) -> bool:
    """Return whether a result's file is there, and what was recorded."""
    return output.fingerprint.matches(folder.output_folder(kind) / output.file)


def intact_files(folder: MattedFolder, entry: Entry) -> dict[OutputKind, OutputFile]:
    """Return those of a segment's results that are in their places."""
    return {kind: own for kind, own in entry.files.items() if is_intact(folder, kind, own)}


def recorded_files(folder: MattedFolder, entry: Entry) -> Iterator[tuple[Path, OutputFile]]:
    """Yield where each of a segment's results is or was."""
    for kind, output in entry.files.items():
        yield folder.output_folder(kind) / output.file, output
    for place, own in (
        (folder.bases, entry.base),
        (folder.signs, entry.signs),
        (folder.bases, entry.base_signs),
    ):
        if own is not None:
            yield place / own.file, own


def is_unknown(file: ProvenFile, recorded: Iterable[tuple[Path, OutputFile]]) -> bool:
    """Return whether something else than a result, or a damaged one, has the name of `file`.

    Args:
        recorded: where each recorded result is or was.
    """
    if file.kind is SideFile.STATE or not os.path.lexists(file.path):
        return False
    return not any(
        output.fingerprint.has_size_of(file.path) for path, output in recorded if path == file.path
    )


def _announced(incoming: Incoming) -> dict[OutputKind, OutputFile]:
    """Return what has to be there for an announced result to count."""
    entry = incoming.entry
    if not incoming.is_delivery:
        return dict(entry.outputs)
    return {kind: entry.delivered[kind] for kind in incoming.temporary}
