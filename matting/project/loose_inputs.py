"""What can be matted in a folder that no cut has made: its videos and image sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matting.project.paths import MATTED_SUFFIX, SEGMENTS_SUFFIX, is_result_name
from matting.system.files import image_files, is_video, visible

NAMED = 5  # how many of what is left out a message names


@dataclass(frozen=True)
class LooseInputs:
    """What there is.

    Attributes:
        paths: the videos and the folders of pictures; the folder itself if it holds only pictures.
        results: the videos that this program made, by their names, and which are left out.
        passed_over: the folders that are no image sequences.
    """

    paths: tuple[Path, ...]
    results: tuple[Path, ...] = ()
    passed_over: tuple[Path, ...] = ()

    def notes(self) -> Iterator[str]:
        """Yield sentences on what is left out."""
        if self.results:
            yield f"Left out (made by this program): {_names(self.results)}"
        if self.passed_over:
            yield (
                f"Folders in it are passed over: {_names(self.passed_over)}. To have their videos "
                "matted, give each folder by itself."
            )


def find_loose_inputs(folder: Path) -> LooseInputs:
    """Return what can be matted in a folder, in the order of the names.

    Results are left out where there is anything else: else somebody wants them matted.
    """
    there = visible(folder)
    videos = [path for path in there if is_video(path)]
    sequences = [path for path in there if path.is_dir() and image_files(path)]
    if not videos and not sequences and image_files(folder):
        return LooseInputs((folder,), passed_over=_passed_over(there, [folder]))
    results = tuple(path for path in videos if is_result_name(path.stem))
    if len(results) == len(videos) and not sequences:
        results = ()
    chosen = {*videos, *sequences}.difference(results)
    paths = tuple(path for path in there if path in chosen)
    return LooseInputs(paths, results, _passed_over(there, paths))


def _passed_over(there: Sequence[Path], inputs: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders that are no inputs, but for other jobs'."""
    own = (SEGMENTS_SUFFIX, MATTED_SUFFIX)
    names = {path.name for path in inputs}
    folders = (path for path in there if path.is_dir() and path.name not in names)
    return tuple(path for path in folders if not path.name.endswith(own))


def _names(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:NAMED])
    others = len(paths) - NAMED
    return f"{names} and {others} more" if others > 0 else names
