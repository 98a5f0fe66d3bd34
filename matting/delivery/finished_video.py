"""Whether all that was asked of a video is made, without reading it through: of many, most are."""

from __future__ import annotations

from pathlib import Path

from matting.delivery.formats import FORMATS
from matting.errors import InputError
from matting.options import CuttingOptions, MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.clip_settings import with_clip_settings
from matting.project.job_options import JobOptions
from matting.project.join_record import JoinRecord
from matting.project.ledger import Ledger
from matting.project.own_files import is_own_final, known_finals
from matting.project.own_folders import folder_fingerprint
from matting.project.paths import COMPOSITE_CONTAINERS, MattedFolder, final_file, segments_folder
from matting.project.source_fingerprint import SourceFingerprint


def finished_file(
    video: Path, cutting: CuttingOptions, matting: MattingOptions, output: Path | None
) -> Path | None:
    """Return the finished file of a video whose job has nothing more to do; None: it may have.

    By the job's own records, also where its working files are deleted. What is there is taken by
    its name, its size and its ends to be what was made.

    Args:
        output: where results go instead of beside the video.
    """
    if cutting.overwrite:
        return None
    try:
        return _finished_file(video, matting, output)
    except (InputError, OSError):  # the video's own turn comes, and shows why
        return None


def _finished_file(video: Path, matting: MattingOptions, output: Path | None) -> Path | None:
    folder = MattedFolder.of(segments_folder(video, output))
    if not folder.manifest.is_file():
        return None
    ledger = Ledger(folder)
    places = (output or video.parent, video.parent)
    if not _is_as_asked(ledger, with_clip_settings(matting, video, places, Progress())):
        return None
    if ledger.plan is None or not SourceFingerprint.of(video).looks_like(ledger.plan.source):
        return None
    if not _is_matted(ledger) or not _has_formats(ledger, output or video.parent):
        return None
    combined = folder.combined()
    record = JoinRecord.read(combined)
    if record is None or not record.has_parts_of(JoinRecord.of(ledger, OutputKind.COMPOSITE)):
        return None
    finals = (final_file(video, output, container) for container in COMPOSITE_CONTAINERS)
    return next((final for final in finals if is_own_final(final, combined)), None)


def _is_as_asked(ledger: Ledger, options: MattingOptions) -> bool:
    """Return whether a job was asked for the same before."""
    job = ledger.remembered
    if job is None:
        return False
    return job.with_typed(JobOptions.of(options), options.typed or frozenset()) == job


def _is_matted(ledger: Ledger) -> bool:
    """Return whether all segments are done, or were until their files were deleted at the end."""
    entries = [ledger.entry(name) for name in ledger.names]
    if not entries or any(OutputKind.COMPOSITE not in entry.outputs for entry in entries):
        return False
    files = [ledger.output(name, OutputKind.COMPOSITE) for name in ledger.names]
    is_there = [file is not None and file.is_file() for file in files]
    done = [ledger.says_done(name) for name in ledger.names]
    return (all(done) and all(is_there)) or not (any(done) or any(is_there))


def _has_formats(ledger: Ledger, folder: Path) -> bool:
    """Return whether the finished files of all other formats that a job makes are there."""
    names = ledger.remembered.formats if ledger.remembered else ()
    rows = [FORMATS[name] for name in names if FORMATS[name].kind.is_delivered]
    return all(
        _has_final(ledger.folder.root / f"{row.name.upper()}_DELIVERED{row.suffix}", folder)
        for row in rows
    )


def _has_final(beside: Path, folder: Path) -> bool:
    """Return whether a finished file of a format is in `folder`; its record is `beside`."""
    for known in known_finals(beside):
        path = folder / known.name
        of = folder_fingerprint if path.is_dir() else SourceFingerprint.of
        if path.exists() and of(path).looks_like(known):
            return True
    return False
