"""A matted folder that a user gives, and what it was made from."""

from __future__ import annotations

from pathlib import Path

from matting.errors import InputError
from matting.project import records
from matting.project.ledger import Ledger
from matting.project.manifest import START_OVER
from matting.project.paths import (
    MATTED_SUFFIX,
    MattedFolder,
    is_result_name,
    matted_folders_of,
    segments_folder,
)
from matting.system.files import is_video, require_possible
from matting.system.invocation import Command, give, named, sentence, start


def require_matted(folder: MattedFolder, then: Command) -> None:
    """Refuse what is no matted folder.

    Args:
        then: what was asked for.
    Raises:
        InputError: it is not there, or holds no results.
    """
    require_possible(folder.root)
    if not folder.root.is_dir():
        problem = "a file, not the folder of matted segments"
        raise InputError(
            f"{folder.root} is {problem if folder.root.is_file() else 'not there'}.",
            give("the folder whose name ends in _matted"),
        )
    if not folder.manifest.is_file():
        raise InputError(
            f"{folder.root} holds no results of {named(Command.INFER)}: there is no "
            f"{folder.manifest.name}.",
            sentence(
                start(Command.INFER, "the folder of segments"),
                start(then, "the folder that it makes (it ends in _matted)"),
            ),
        )


def find_matted(given: Path, output: Path | None, then: Command) -> MattedFolder:
    """Return the matted folder that is given, or that was made of the video or segments given.

    Args:
        output: where the job may be besides; None: beside what is given.
        then: what was asked for.
    Raises:
        InputError: there is none.
    """
    folders = [MattedFolder(given), *matted_folders_of(given, output)]
    matted = next((folder for folder in folders if folder.manifest.is_file()), None)
    if matted is not None:
        return matted
    if is_video(given) and is_result_name(given.stem):
        raise InputError(
            f"{given.name} is, by its name, itself a result.",
            give("the video that it was made of, or the folder whose name ends in _matted"),
        )
    if is_video(given):
        usual = MattedFolder.of(segments_folder(given)).root
        raise InputError(
            f"{given.name} is not matted yet: there is no {usual}.",
            sentence(start(Command.RUN, "it"), start(then, "it", again=True)),
        )
    require_matted(MattedFolder(given), then)
    return MattedFolder(given)


def seems_done(folder: MattedFolder) -> bool:
    """Return whether processed.json says that all of a job is done; the job itself finds out."""
    try:
        done = records.read(folder.processed, dict[str, bool], START_OVER)
    except InputError:
        return False
    return bool(done) and all(done.values())


def matted_from(ledger: Ledger) -> Path:
    """Return the folder of the inputs that were matted: beside the results, or where it was.

    Raises:
        InputError: it is not there.
    """
    root = ledger.folder.root
    beside = root.with_name(root.name.removesuffix(MATTED_SUFFIX))
    origin = Path(ledger.origin) if ledger.origin else beside
    for folder in (beside, origin):
        if folder != root and folder.is_dir():
            return folder
    raise InputError(
        f"{origin} is not there, which was matted: what is shown is made of it and its mattes.",
        "Put it back, or cut the video again.",
    )


def weights_of(ledger: Ledger) -> str:
    """Return the hash of the weights that a job's mattes were made with; "": unknown."""
    settings = [ledger.agreed, *(ledger.entry(name).settings for name in ledger.names)]
    recorded = [own.checkpoint for own in settings if own is not None]
    return next((sha256 for sha256 in recorded if isinstance(sha256, str)), "")
