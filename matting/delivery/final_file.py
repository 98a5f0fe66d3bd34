"""A matted picture and all that its source holds beside the picture, as one proven file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as replace_field
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from matting.delivery.mux_check import check_mux
from matting.delivery.mux_trial import fitting_request, reduced_request
from matting.delivery.muxing import MuxRequest, mux
from matting.errors import EncodeError, MediaError
from matting.media.mp4.spatial import Spatial
from matting.media.probe import frame_times, probe
from matting.media.tracks import TrackKind
from matting.options import OutputKind
from matting.progress import Notice, Progress, ignore
from matting.project.entry import Entry
from matting.project.join_record import JoinRecord
from matting.project.own_files import publish_final, require_own_final
from matting.project.paths import COMPOSITE_CONTAINERS, Container, MattedFolder, final_name
from matting.project.source_watch import SourceWatch
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint
from matting.system.humanize import clock, gigabytes
from matting.system.temporary_files import create_temporary, sweep


@dataclass(frozen=True)
class FinalFile:
    """Where a final file goes, and how it is known again as this program's own.

    Attributes:
        path_in: returns its path in a container.
        combined: the file beside which its record lies.
        record: of what it is made of.
        containers: those that there is a choice of, as `map_streams` takes them.
        spatial: how its picture is viewed; None: as the source's.
        is_hashed: whether the record is to say what all of the final file's content is. Else it
            says that of `combined`.
    """

    path_in: Callable[[Container], Path]
    combined: Path
    record: JoinRecord
    containers: tuple[Container, ...] = COMPOSITE_CONTAINERS
    is_hashed: bool = False
    spatial: Spatial | None = None

    @classmethod
    def of_separate(cls, matted: MattedFolder, result: Path, entry: Entry) -> FinalFile:
        """Return that of a separate video, by its result; its record lies beside itself."""

        def path_in(container: Container) -> Path:
            return matted.root / final_name(result.stem, container)

        composite = entry.outputs[OutputKind.COMPOSITE]
        record = JoinRecord(source=None, frames=entry.frames, parts_sha256=composite.sha256)
        beside = path_in(Container.MP4)
        earlier = JoinRecord.read(beside)
        finals = earlier.finals if earlier else ()
        return cls(path_in, beside, replace(record, finals=finals))


def make_final_file(
    source: SourceWatch,
    picture: Path,
    final: FinalFile,
    require_intact: Callable[[], None],
    progress: Progress,
    *,
    announced: bool = False,
    complete: Callable[[Path], None] = ignore,
) -> Path:
    """Make the final file; return its path.

    Args:
        picture: the source's matted picture: a video whose times count from the source's start.
        require_intact: raises where the source or the picture is not what it has to be. Called
            when both have been read.
        complete: does what is still to be done to a new file; raises EncodeError where that lacks
            something of the picture.
        announced: whether it has been said already which picture and container are chosen.
    Raises:
        MediaError: ffmpeg refused a track that should go along.
        EncodeError: the new file does not hold what went in.
        StorageError, MissingError, and what `require_intact` raises.
    """
    source.read_through()  # beside the muxer: what was changed is noticed
    with TemporaryDirectory() as folder:
        request = MuxRequest.of(source.video, picture, final.containers)
        if final.spatial is not None:
            request = replace_field(request, spatial=final.spatial)
        request = fitting_request(request, Path(folder) / "moment")
    target = final.path_in(request.mapping.container)
    require_own_final(target, final.combined)
    if not announced:
        _announce_choices(request, target, progress)
    if not request.contents.of(TrackKind.AUDIO):
        progress.say(f"{source.video.name} has no audio: the result will have none either.")
    sweep(target)
    temporary = create_temporary(target)
    progress.start("Adding audio", len(frame_times(picture)), "frame")
    try:
        request, losses = mux_checked(request, temporary, progress)
        if final.path_in(request.mapping.container) != target:
            target = final.path_in(request.mapping.container)
            require_own_final(target, final.combined)
            progress.say(request.mapping.container_note(target.name))
        length_seconds = probe(temporary).declared_seconds
        complete(temporary)
        require_intact()
        record = final.record
        if final.is_hashed:
            fingerprint = Fingerprint.of(temporary, progress.alive)
            record = replace(record, file=fingerprint)
        publish_final(temporary, target, final.combined, record)
    except (MediaError, EncodeError):
        require_intact()  # else that is the reason
        raise
    finally:
        progress.finish()
        atomic_files.discard(temporary)
    for note in (*request.notes(), *losses):
        progress.say(note)
        progress.notice(Notice.LEFT_BEHIND, note)
    _mention_older_results(final, target, progress)
    length = clock(float(length_seconds))
    progress.say(f"Done. {length} long, {gigabytes(target.stat().st_size)}: {target}")
    return target


def mux_checked(
    request: MuxRequest, target: Path, progress: Progress
) -> tuple[MuxRequest, list[str]]:
    """Write `target`, and check it; a track that does not come through as it is, is converted.

    Returns:
        what was written, and what of it the container does not keep.
    Raises:
        MediaError, EncodeError, StorageError, MissingError: as `make_final_file`.
    """
    losses: list[str] = []

    def attempt(part: MuxRequest) -> None:
        mux(part, target, progress)
        losses[:] = check_mux(part, target)

    return reduced_request(request, attempt), losses


def _announce_choices(request: MuxRequest, target: Path, progress: Progress) -> None:
    choice = request.contents.picture_choice(request.source.path.name)
    for note in filter(None, (choice, request.mapping.container_note(target.name))):
        progress.say(note)


def _mention_older_results(final: FinalFile, target: Path, progress: Progress) -> None:
    """Name earlier results in other containers, which are not touched."""
    for container in final.containers:
        older = final.path_in(container)
        if older != target and older.is_file():
            progress.say(f"{older} is an older result. Delete it if you do not need it.")
