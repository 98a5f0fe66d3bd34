"""Where the finished file of a delivered format goes, and whether that place is free for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matting.delivery.formats import DeliveryFormat
from matting.delivery.vr_plan import VrPlan
from matting.delivery.vr_sidecars import SUFFIXES as SIDECARS
from matting.errors import InputError
from matting.project.job_places import Place, length_error, require_places
from matting.project.own_files import require_own_final
from matting.project.own_folders import require_own_folder
from matting.project.paths import Container, MattedFolder, format_name


@dataclass(frozen=True)
class FinishedPlace:
    """The place of a finished file, or of a finished folder of pictures.

    Attributes:
        folder: of the finished file.
        name: the finished file's, without its suffix.
        beside: the path beside which the record of it lies; parts are joined in its folder.
        vr: what it is like, if it is for headsets.
    """

    row: DeliveryFormat
    folder: Path
    name: str
    beside: Path
    vr: VrPlan | None = None

    @classmethod
    def of_video(
        cls,
        matted: MattedFolder,
        row: DeliveryFormat,
        video: Path,
        output: Path | None,
        vr: VrPlan | None = None,
    ) -> FinishedPlace:
        """Return that of a video that was cut; it lies beside the video, or in `output`."""
        beside = matted.root / f"{row.name.upper()}_DELIVERED{row.suffix}"
        return cls(row, output or video.parent, _name(row, video.stem, vr), beside, vr)

    @classmethod
    def of_separate(
        cls, matted: MattedFolder, row: DeliveryFormat, stem: str, vr: VrPlan | None = None
    ) -> FinishedPlace:
        """Return that of a separate video or of a folder of pictures, by its results' stem."""
        beside = matted.root / format_name(stem, row.name, row.suffix)
        return cls(row, matted.root, _name(row, stem, vr), beside, vr)

    def path_in(self, container: Container | None = None) -> Path:
        """Return the finished file in a container; None: the folder of pictures."""
        suffix = container.suffix if container else ""
        return self.folder / f"{self.name}{suffix}"

    @property
    def paths(self) -> list[Path]:
        """All that the finished file can be called, the likeliest first."""
        return [self.path_in(container) for container in self.row.containers or (None,)]

    @property
    def _places(self) -> list[Place]:
        return [Place(path, is_folder=self.row.pictures) for path in self.paths]

    def length_error(self, source: Path) -> InputError | None:
        """Return why the finished file's name is too long; None where it is not.

        Args:
            source: as for `require_possible`.
        """
        beside = SIDECARS if self.vr else ()
        sidecars = [Place(path.with_suffix(end)) for path in self.paths for end in beside]
        return length_error([*self._places, *sidecars], source)

    def require_possible(self, source: Path) -> None:
        """Refuse names that are too long, and a folder where a file is needed or the reverse.

        Args:
            source: what is delivered, to be named in the error.
        Raises:
            InputError: names the place.
        """
        error = self.length_error(source)
        if error is not None:
            raise error
        require_places(self._places, source)

    def require_own(self) -> None:
        """Refuse to replace what lies there and was not made by this program.

        Raises:
            InputError: names it.
        """
        require = require_own_folder if self.row.pictures else require_own_final
        require(self.paths[0], self.beside)

    def require_free(self, source: Path) -> None:
        """Refuse this place where the finished file could not be put there.

        Raises:
            InputError: as `require_possible` and `require_own`.
        """
        self.require_possible(source)
        self.require_own()


def _name(row: DeliveryFormat, stem: str, vr: VrPlan | None) -> str:
    return format_name(stem, row.name, "") if vr is None else vr.stem(stem)
