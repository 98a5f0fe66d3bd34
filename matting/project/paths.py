"""Every name and path on the disk, from one source path. Nothing here touches the disk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from matting.options import OutputKind
from matting.system.invocation import IS_INSTALLED, ROOT

PLAN_NAME = "segments.json"
LIST_NAME = "file_list.txt"
QUEUE_NAME = "queue.txt"  # of several videos, beside them
LOG_NAME = "job.log"  # in the folder of the segments, and in the matted folder
DEMO_FOLDER, DEMO_FILM = "demo_output", "demo.mp4"
# Holds the files of a segments folder until all are there and checked, or those of a damaged
# video until the next run.
UNFINISHED = ".cutting"
# In it, what is known of the intact segments of a damaged video.
CUT_CHECKPOINT = "kept.json"
# Holds the outputs of a trial, in the matted folder, while it lasts.
TRIAL = ".trial"
SEGMENTS_SUFFIX = "_segments"
MATTED_SUFFIX = "_matted"
FINAL_SUFFIX = "_MATTED"
MATTE_SUFFIX = ".mkv"  # of stored mattes


class Container(Enum):
    """What a final file can be; the value is FFmpeg's name of the muxer."""

    MP4 = "mp4"
    MOV = "mov"
    MATROSKA = "matroska"
    WEBM = "webm"  # of formats with alpha only

    @property
    def suffix(self) -> str:
        """The suffix of its files' names."""
        return ".mkv" if self is Container.MATROSKA else f".{self.value}"

    @property
    def is_matroska(self) -> bool:
        """Whether its files are built as Matroska's are, and not as those of QuickTime."""
        return self in {Container.MATROSKA, Container.WEBM}


# What the composite with its audio can be; what is first is best, what is last holds most.
COMPOSITE_CONTAINERS = (Container.MP4, Container.MOV, Container.MATROSKA)


def demo_folder() -> Path:
    """Return where the demo goes: into the program's folder; installed, into the current one."""
    return (Path.cwd() if IS_INSTALLED else ROOT) / DEMO_FOLDER


def segment_name(index: int) -> str:
    """Return the file name of segment `index`, counted from 0."""
    return f"output_{index:03d}.mp4"


def picture_name(frame: int) -> str:
    """Return the file name of a video's frame, counted from 0; any program sorts them in order."""
    return f"{frame:07d}.png"


def segments_folder(video: Path, output: Path | None = None) -> Path:
    """Return the folder for the segments of `video`: beside it, or in the folder `output`."""
    return (output or video.parent) / f"{video.stem}{SEGMENTS_SUFFIX}"


def final_file(
    video: Path, output: Path | None = None, container: Container = Container.MP4
) -> Path:
    """Return the path of the matted video with its audio, the last thing made of `video`."""
    return (output or video.parent) / final_name(video.stem, container)


def final_name(stem: str, container: Container) -> str:
    """Return the file name of a matted video with its audio."""
    return f"{stem}{FINAL_SUFFIX}{container.suffix}"


def is_result_name(stem: str) -> bool:
    """Return whether a name without its suffix is that of some finished file."""
    return f"{FINAL_SUFFIX}_" in f"{stem}_"


def format_name(stem: str, form: str, suffix: str) -> str:
    """Return the name of a matted video in a delivered format.

    Args:
        form: the format's name.
        suffix: of the file; "": it is a folder of pictures.
    """
    return f"{stem}{FINAL_SUFFIX}_{form}{suffix}"


@dataclass(frozen=True)
class MattedFolder:
    """The folder in which one segments folder is matted."""

    root: Path

    @classmethod
    def of(cls, segments: Path, output: Path | None = None) -> MattedFolder:
        """Return the one of a segments folder: beside it, or in the folder `output`."""
        return cls((output or segments.parent) / f"{segments.name}{MATTED_SUFFIX}")

    @property
    def processed(self) -> Path:
        """For people: which segments are done."""
        return self.root / "processed.json"

    @property
    def manifest(self) -> Path:
        """For the program: with what, from what, and what came of it."""
        return self.root / "manifest.json"

    @property
    def journal(self) -> Path:
        """For the program: what has changed since the manifest was written."""
        return self.root / "manifest.journal"

    def output_folder(self, kind: OutputKind) -> Path:
        """Return the folder of one output kind."""
        return _folder_of(self.root, kind)

    @property
    def ranges(self) -> Path:
        """The folder of what belongs to ranges that were done again."""
        return self.root / "RANGES"

    @property
    def bases(self) -> Path:
        """The folder of mattes as they were before any range was put into them."""
        return self.root / "MATTE_BEFORE"

    def state(self, segment: str) -> Path:
        """Return the file of the network's recurrent state at the end of a segment."""
        return self.root / "STATE" / f"{segment}.pt"

    @property
    def signs(self) -> Path:
        """The folder of what was seen of the mattes, by which frames are doubted."""
        return self.root / "SIGNS"

    def segment_signs(self, segment: str) -> Path:
        """Return the file of what was seen of a segment's matte."""
        return self.signs / f"{segment}.npz"

    @property
    def report(self) -> Path:
        """The page on what was done, and on what to look at."""
        return self.root / "report.html"

    def combined(self, kind: OutputKind = OutputKind.COMPOSITE) -> Path:
        """Return the file that joins all segments of one output kind."""
        return self.root / f"{kind}_SEGMENTS_COMBINED.mp4"


@lru_cache(maxsize=64)  # each segment's files are asked for again and again
def _folder_of(root: Path, kind: OutputKind) -> Path:
    return root / kind


def matted_folders_of(given: Path, output: Path | None = None) -> list[MattedFolder]:
    """Return the matted folders that may be those of some segments, or of a video; the best first.

    Args:
        output: where a job may be besides.
    """
    places = [output, None] if output else [None]
    segments = [*(segments_folder(given, place) for place in places), given]
    return list(map(MattedFolder.of, segments))
