"""The finished files of a whole job in a format: one, or one of each separate video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from matting.delivery.delivered_file import DeliveredPart, finish_format, finish_separate
from matting.delivery.finished_place import FinishedPlace
from matting.delivery.formats import DeliveryFormat
from matting.delivery.vr_plan import VrPlan, vr_plan
from matting.delivery.vr_sidecars import write_sidecars
from matting.errors import InputError, MattingError
from matting.options import OutputOptions
from matting.progress import Progress
from matting.project.inputs import InputFolder
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder


def source_of(
    inputs: InputFolder,
    rows: Sequence[DeliveryFormat],
    beside: Path,
    given: Path | None = None,
) -> Path | None:
    """Return the video that was cut; None for separate videos and pictures.

    Args:
        rows: what is made; pictures need no video, only its name.
        beside: the folder in which the matted folder lies.
        given: what the user gave, which may be that video, wherever it lies.
    Raises:
        InputError: it is not there.
    """
    if inputs.plan is None:
        return None
    name = inputs.plan.source.name
    if given is not None and given.name == name and given.is_file():
        return given
    for place in (beside, inputs.path.parent):
        if (place / name).is_file():
            return place / name
    if all(row.pictures for row in rows):
        return beside / name
    raise InputError(
        f"{name}, from which the audio comes, is not in {beside}.",
        "Put the video there; it is not changed.",
    )


def require_free_places(
    inputs: InputFolder,
    folder: MattedFolder,
    rows: Sequence[DeliveryFormat],
    *,
    video: Path | None,
    output: Path | None,
    options: OutputOptions,
) -> dict[str, MattingError]:
    """Refuse, before anything is made, places of finished files that are somebody else's.

    Args:
        inputs: with their views.
        video, output, options: as `finish` takes them.
    Returns:
        why which of separate videos and image sequences cannot have all of these: their names are
        too long.
    Raises:
        InputError: names the first that is not free, and what to do; or a format for headsets
            cannot be made of it; or all names are too long.
    """
    refused: dict[str, MattingError] = {}
    for row in rows:
        if inputs.plan is not None and video is not None:
            vr = vr_plan(row.name, inputs.inputs[0].view, options.vr, video)
            FinishedPlace.of_video(folder, row, video, output, vr).require_free(video)
            continue
        for item in inputs.inputs:
            vr = vr_plan(row.name, item.view, options.vr, item.path)
            place = FinishedPlace.of_separate(folder, row, item.stem, vr)
            error = place.length_error(item.path)
            if error is None:
                place.require_free(item.path)
            else:
                refused[item.name] = error
    if inputs.inputs and len(refused) == len(inputs.inputs):
        raise next(iter(refused.values()))
    return refused


def finish(
    inputs: InputFolder,
    ledger: Ledger,
    row: DeliveryFormat,
    progress: Progress,
    *,
    video: Path | None,
    output: Path | None,
    options: OutputOptions,
    alone: Callable[[str], AbstractContextManager[None]],
) -> Iterator[Path]:
    """Make finished files of what every segment was delivered as; yield each.

    The caller holds the lock of the matted folder.

    Args:
        inputs: with their views.
        video: what was cut; None: these are separate videos, or pictures.
        output: where to put the finished file of `video`; None: beside it.
        options: what results are like.
        alone: notes what is wrong with a separate video of that name, after which others go on.
    Raises:
        InputError, MediaError, EncodeError, StorageError, MissingError: as `finish_format`.
    """
    folder = ledger.folder
    entries = {item.name: ledger.entry(item.name) for item in inputs.inputs}
    results = {name: entry.delivered[row.kind] for name, entry in entries.items()}
    place = folder.output_folder(row.kind)
    parts = {
        name: DeliveredPart(place / own.file, own.sha256, entries[name].frames)
        for name, own in results.items()
    }
    if inputs.plan is not None and video is not None:
        in_order = list(parts.values())
        vr = vr_plan(row.name, inputs.inputs[0].view, options.vr, video)
        finished = finish_format(
            folder, inputs.plan, row, in_order, progress, video=video, output=output, vr=vr
        )
        _tell_players(finished, vr, options, progress)
        yield finished
        return
    for item in inputs.inputs:
        entry = entries[item.name]
        if entry.source is None:
            continue
        with alone(item.name):
            vr = vr_plan(row.name, item.view, options.vr, item.path)
            finished = finish_separate(
                folder,
                row,
                parts[item.name],
                progress,
                source=item.path,
                source_sha256=entry.source.sha256,
                vr=vr,
            )
            _tell_players(finished, vr, options, progress)
            yield finished


def _tell_players(
    finished: Path, vr: VrPlan | None, options: OutputOptions, progress: Progress
) -> None:
    """Put files beside one for headsets that say how it is seen, if they are wanted."""
    if vr is not None and options.vr.sidecar:
        write_sidecars(finished, vr, options.background, progress)
