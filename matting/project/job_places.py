"""All that a job will make, by its names at their longest; refused at the start if that cannot be.

What lists the places does not touch the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from matting.errors import InputError
from matting.options import OutputKind
from matting.project.paths import (
    COMPOSITE_CONTAINERS,
    LIST_NAME,
    LOG_NAME,
    MATTE_SUFFIX,
    PLAN_NAME,
    UNFINISHED,
    MattedFolder,
    final_file,
    final_name,
    picture_name,
    segment_name,
    segments_folder,
)
from matting.system.name_limits import NameLimits, limits_at
from matting.system.temporary_files import REPLACED, temporary_name

LAST_SEGMENT = 999_999
# Temporary names of long names are shorter than these, others are longer by this.
SPARE_UNITS = len(temporary_name(Path("x"), REPLACED).name) - 1


class Place(NamedTuple):
    """Where a file or a folder will be."""

    path: Path
    is_folder: bool = False

    def excess(self, limits: NameLimits) -> int:
        """Return by how many units it, or its temporary name, is too long."""
        return limits.excess(self.path, SPARE_UNITS)


def cutting_places(video: Path, output: Path | None) -> Iterator[Place]:
    """Yield where `segment` puts what it makes of `video`."""
    folder = segments_folder(video, output)
    yield Place(folder, is_folder=True)
    yield Place(folder / UNFINISHED, is_folder=True)
    for name in (PLAN_NAME, LIST_NAME, segment_name(LAST_SEGMENT)):
        yield Place(folder / name)


def matted_places(
    folder: MattedFolder, kinds: Sequence[OutputKind], results: Iterable[Place]
) -> Iterator[Place]:
    """Yield where `infer` and `combine` put what they make.

    Args:
        results: those of the inputs.
    """
    yield Place(folder.root, is_folder=True)
    records = (folder.processed, folder.manifest, folder.journal)
    for path in (*records, folder.report, folder.root / LOG_NAME):
        yield Place(path)
    for kind in kinds:
        yield Place(folder.output_folder(kind), is_folder=True)
        yield Place(folder.output_folder(kind) / LIST_NAME)
    last = segment_name(LAST_SEGMENT)
    for side_file in (folder.state(last), folder.segment_signs(last)):
        yield Place(side_file.parent, is_folder=True)
        yield Place(side_file)
    yield from results


def segment_results(folder: MattedFolder, kinds: Sequence[OutputKind]) -> Iterator[Place]:
    """Yield where the results of a video's segments go, and the files that join them."""
    last = segment_name(LAST_SEGMENT)
    for kind in kinds:
        if kind is OutputKind.MATTE:
            yield Place(folder.output_folder(kind) / Path(last).with_suffix(MATTE_SUFFIX).name)
        elif kind is OutputKind.ALPHA_PNG:
            pictures = folder.output_folder(kind) / Path(last).stem
            yield Place(pictures / picture_name(0))
        else:
            yield Place(folder.output_folder(kind) / last)
            yield Place(folder.combined(kind))


def final_places(video: Path, output: Path | None) -> Iterator[Place]:
    """Yield where `add-audio` may put the final file of `video`."""
    for container in COMPOSITE_CONTAINERS:
        yield Place(final_file(video, output, container))


def separate_final_places(folder: MattedFolder, stems: Iterable[str]) -> Iterator[Place]:
    """Yield where `add-audio` may put the final files of separate videos."""
    for stem in stems:
        yield Place(folder.root / f"{stem}_PICTURE.mp4")
        for container in COMPOSITE_CONTAINERS:
            yield Place(folder.root / final_name(stem, container))


def job_places(video: Path, output: Path | None, kinds: Sequence[OutputKind]) -> list[Place]:
    """Return where a whole job puts what it makes of `video`."""
    folder = MattedFolder.of(segments_folder(video, output))
    return [
        *cutting_places(video, output),
        *matted_places(folder, kinds, segment_results(folder, kinds)),
        *final_places(video, output),
    ]


def require_places(places: Sequence[Place], subject: Path) -> None:
    """Refuse what cannot be made: names that are too long, files and folders in each other's way.

    Args:
        places: at least one; all on one disk.
        subject: what the user gave, after which they are named.
    Raises:
        InputError: names the place, and the way out.
    """
    error = length_error(places, subject)
    if error is not None:
        raise error
    # Of thousands of segments, all results lie in a few folders.
    in_the_way = {folder: _in_the_way(folder) for folder in {own.path.parent for own in places}}
    for place in places:
        _require_free(place, in_the_way[place.path.parent])


def length_error(places: Sequence[Place], subject: Path) -> InputError | None:
    """Return the error for the place whose name is too long by most; None where all are possible.

    Args:
        places, subject: as for `require_places`.
    """
    limits = limits_at(places[0].path.parent)
    worst = max(places, key=lambda place: place.excess(limits))
    excess = worst.excess(limits)
    if not excess:
        return None
    units = "characters" if limits.utf_16 else "bytes (a letter is one, some are two to four)"
    only_name = limits.units(worst.path.name) - limits.name_units == excess
    return InputError(
        f"The name of {subject} is too long: no file could be called {worst.path}, which is made "
        "of it.",
        f"Give it a name that is shorter by {excess} {units}"
        + ("." if only_name else ", or choose a place with a shorter path with --output."),
        option=None if only_name else "--output",
    )


def _in_the_way(folder: Path) -> Path | None:
    """Return what is no folder, and is where one is needed on the way to `folder` or in its place.

    None where nothing is.
    """
    way = (own for own in (folder, *folder.parents) if own.exists() or own.is_symlink())
    lowest = next(way, None)
    return None if lowest is None or lowest.is_dir() else lowest


def _require_free(place: Place, in_the_way: Path | None) -> None:
    """Refuse a file where a folder is needed, and the reverse, also on the way to it.

    Args:
        in_the_way: what is on the way to it.
    """
    wrong = in_the_way
    if wrong is None and place.path.exists() and place.path.is_dir() is not place.is_folder:
        wrong = place.path
    if wrong is not None:
        needed = "file" if wrong == place.path and not place.is_folder else "folder"
        found = "folder" if needed == "file" else "file"
        raise InputError(
            f"{wrong} is in the way: it is a {found}, and a {needed} of that name is needed.",
            "Move it, or choose another place with --output.",
            option="--output",
        )
