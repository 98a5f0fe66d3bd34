"""What this program made itself, and so may replace. Nothing else is overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Set
from pathlib import Path

from matting.errors import InputError, MattingError
from matting.progress import Progress
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.result_names import places
from matting.project.source_fingerprint import SourceFingerprint
from matting.system import atomic_files
from matting.system.files import sha256


def not_made_here(path: Path) -> InputError:
    """Return the refusal to overwrite something that this program has no record of."""
    return InputError(
        f"{path} is in the way: nothing says that this program made it, so it is not overwritten.",
        "Move it or give it another name.",
        retry=True,
    )


def require_own_results(ledger: Ledger, targets: Iterable[Path]) -> None:
    """Refuse to write results over what is no result of this folder.

    Raises:
        InputError: names the first.
    """
    there = [path for path in targets if os.path.lexists(path)]
    if not there:
        return
    known = {place for path, _ in ledger.recorded_files() for place in places(path)}
    for path in there:
        if not known & places(path):
            raise not_made_here(path)


def overwritten(
    ledger: Ledger, names: Set[str], paths_of: Callable[[str], Iterable[Path]]
) -> set[str]:
    """Return the other segments whose results are overwritten when the given ones are matted.

    Results can get other names when inputs are added to a folder or removed from it. A segment
    whose result is overwritten has to be matted again, and may overwrite others in turn; those are
    included.

    Args:
        paths_of: returns where a segment's results would go now.
    """
    lost: set[str] = set()
    latest = set(names)
    while latest:
        taken = {place for name in latest for path in paths_of(name) for place in places(path)}
        latest = {
            name
            for name in set(ledger.names) - names - lost
            for kind, output in ledger.entry(name).outputs.items()
            if taken & places(ledger.folder.output_folder(kind) / output.file)
        }
        lost |= latest
    return lost


def require_own_combined(combined: Path) -> None:
    """Refuse to overwrite a file beside which there is no record of a joined one.

    Raises:
        InputError: names it.
    """
    if os.path.lexists(combined) and not _has_record(combined):
        raise not_made_here(combined)


def require_own_final(final: Path, combined: Path) -> None:
    """Refuse to overwrite a final file that was not made from this job, or a link to nowhere.

    Args:
        combined: the job's joined file, with its record beside it.
    Raises:
        InputError: names it.
    """
    if os.path.lexists(final) and not is_own_final(final, combined):
        raise not_made_here(final)


def replace_combined(combined: Path, record: JoinRecord, temporary: Path) -> Path | None:
    """Give a finished joined file its name; return where what had the name went, if it was kept.

    Args:
        record: of it.
    """
    earlier = _record(combined)
    finals = earlier.finals if earlier else ()
    known = [earlier.file, earlier.replaced] if earlier else []
    kept = None
    if combined.exists() and combined.stat().st_size not in {f.size_bytes for f in known if f}:
        kept = atomic_files.set_aside(combined)
    # First the record: whatever a kill leaves under the name is known.
    record.with_file(temporary, replaced=known[0] if known else None, finals=finals).write(combined)
    atomic_files.publish(temporary, combined)
    return kept


def known_finals(combined: Path) -> tuple[SourceFingerprint, ...]:
    """Return the final files that the record beside `combined` knows; none where it is unusable."""
    record = _record(combined)
    return record.finals if record else ()


def current_final(
    finals: Iterable[Path], combined: Path, record: JoinRecord, progress: Progress
) -> Path | None:
    """Return which of the files is intact, and what `record` says would be made again.

    Args:
        combined: the file beside which the record of the one that was made lies.
        progress: told how many more bytes have been read.
    """
    earlier = _record(combined)
    if earlier is None or earlier.file is None or not earlier.has_parts_of(record):
        return None
    for path in filter(earlier.file.has_size_of, finals):
        progress.start(f"Checking {path.name}", earlier.file.size_bytes, "B")
        try:
            if sha256(path, progress.advance) == earlier.file.sha256:
                return path
        finally:
            progress.finish()
    return None


def publish_final(temporary: Path, final: Path, combined: Path, record: JoinRecord) -> None:
    """Give a finished final file its name, and note in the record of `combined` that it is ours."""
    record.with_final(SourceFingerprint.of(temporary), final.name).write(combined)
    atomic_files.publish(temporary, final)


def is_own_final(final: Path, combined: Path) -> bool:
    """Return whether a final file was made from a job's joined file, or an earlier one of it."""
    record = _record(combined)
    if record is None or not final.is_file():
        return False
    found = SourceFingerprint.of(final)
    if any(found.looks_like(known) for known in record.finals):
        return True
    if record.finals or not combined.is_file():
        return False
    from matting.media.probe import packet_sizes

    # Earlier versions took no note of it: it holds the very packets of the joined file.
    try:
        return packet_sizes(final) == packet_sizes(combined)
    except MattingError:
        return False


def _record(combined: Path) -> JoinRecord | None:
    try:
        return JoinRecord.read(combined)
    except InputError:
        return None  # damaged, or another version's


def _has_record(combined: Path) -> bool:
    try:
        return JoinRecord.read(combined) is not None
    except InputError:
        return True
