"""The tracks of a source put beside its matted picture, by the ffmpeg program."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from matting.delivery.container_codecs import OPUS
from matting.delivery.edited_audio import Edits, edits_for_header, without_edits
from matting.delivery.mux_inputs import (
    SOURCE,
    UNEDITED,
    cover_arguments,
    input_arguments,
    shift_arguments,
)
from matting.delivery.mux_tags import (
    MOST_CHAPTERS,
    bounded_tags,
    file_tags,
    missing_tags,
    picture_tags,
    shape_arguments,
    track_tags,
)
from matting.delivery.stream_mapping import (
    NO_FALLBACKS,
    Fallbacks,
    StreamMapping,
    map_streams,
)
from matting.errors import writing
from matting.media import ffmpeg
from matting.media.ffmetadata import ffmetadata
from matting.media.media_index import IndexPart, forget_index, index_of
from matting.media.mp4.header_room import header_bytes
from matting.media.mp4.metadata import Additions, add_to_header
from matting.media.mp4.spatial import Spatial
from matting.media.packet_table import PacketTable
from matting.media.probe import frame_times, probe, read_contents, read_spatial
from matting.media.source_notes import unclocked_notes
from matting.media.streams import cover_bytes
from matting.media.timeline import Timeline
from matting.media.tracks import Contents, TrackKind
from matting.media.video_info import VideoInfo
from matting.progress import Progress
from matting.project.paths import COMPOSITE_CONTAINERS, Container

USUAL_SAMPLE_RATE = 48_000
OPUS_LAYOUTS = "mono|stereo|3.0|quad|5.0|5.1|6.1|7.1"  # those of RFC 7845, 5.1.1.2
TRACK_BYTES, TAG_BYTES = 1 << 12, 48  # what a header takes for each, but for its text
LARGEST_TICKS = 2**31 - 1
# A moment of the audio, not of the picture, which is not read from the source.
MOMENT_BYTES, MOMENT_SECONDS = 30_000, 1.0
CHAPTER_BYTES = 300  # of one, its title included; mp4 has all of them before the first picture


@dataclass(frozen=True)
class MuxRequest:
    """What goes into a final file.

    Attributes:
        source: the source.
        combined: its matted picture.
        contents: what the source holds.
        mapping: what of that goes along.
        spatial: how the source's picture is to be viewed.
        fallbacks: what of the mapping is so because ffmpeg refused another.
        containers: those that there is a choice of, as `map_streams` takes them.
    """

    source: VideoInfo
    combined: VideoInfo
    contents: Contents
    mapping: StreamMapping
    spatial: Spatial
    fallbacks: Fallbacks = NO_FALLBACKS
    containers: tuple[Container, ...] = COMPOSITE_CONTAINERS

    @classmethod
    def of(
        cls, video: Path, combined: Path, containers: tuple[Container, ...] = COMPOSITE_CONTAINERS
    ) -> MuxRequest:
        """Request all of `video` that a container can hold beside the picture of `combined`.

        Args:
            containers: those that there is a choice of, as `map_streams` takes them.
        Raises:
            InputError, MediaError: one of them cannot be read.
        """
        spatial, contents, source = read_spatial(video), read_contents(video), probe(video)
        frame_times(combined)  # the mux check needs them: read now, they take no second opening
        picture = probe(combined)
        mapping = map_streams(contents, picture.codec, containers=containers)
        request = cls(source, picture, contents, mapping, spatial, containers=containers)
        return request.adapted(NO_FALLBACKS)

    def for_codec(self, codec: str) -> MuxRequest:
        """Return the request for a picture in another codec than that of a trial's."""
        request = replace(self, combined=replace(self.combined, codec=codec))
        return request.adapted(self.fallbacks)

    def adapted(self, fallbacks: Fallbacks) -> MuxRequest:
        """Return the request without what ffmpeg has refused."""
        path, mapping = self.source.path, self._mapped(fallbacks)
        fallbacks = without_edits(path, self.contents, mapping, fallbacks)
        return replace(self, mapping=self._mapped(fallbacks), fallbacks=fallbacks)

    def _mapped(self, fallbacks: Fallbacks) -> StreamMapping:
        return map_streams(self.contents, self.combined.codec, fallbacks, self.containers)

    @property
    def edits(self) -> Edits:
        """The edit lists that the result's header takes over, by the source's tracks."""
        return edits_for_header(self.source.path, self.contents, self.mapping)

    @property
    def packets(self) -> PacketTable:
        """All packets of the source, and the line of time that they are put on.

        Raises:
            InputError, MediaError: it cannot be read.
        """
        return index_of(self.source.path, IndexPart.PACKETS).packets

    def notes(self) -> list[str]:
        """Return a sentence on each thing that does not go along as it was."""
        unclocked = unclocked_notes(self.source.path, self.packets.timeline.unclocked)
        return [*self.mapping.notes(), *unclocked, *self.spatial.notes]


def mux(
    request: MuxRequest, target: Path, progress: Progress, *, only_a_moment: bool = False
) -> None:
    """Write `target`.

    Args:
        only_a_moment: whether to stop as soon as it shows that ffmpeg takes all of it.
    Raises:
        MediaError: ffmpeg refused a track.
        StorageError, MissingError.
    """
    container = request.mapping.container
    with tempfile.TemporaryDirectory() as folder:
        timeline = _start_of(request) if only_a_moment else request.packets.timeline
        edits, combined = request.edits, request.combined.path
        arguments = input_arguments(request.source, combined, request.mapping, timeline, edits)
        arguments += _tag_arguments(request, Path(folder), UNEDITED + bool(edits))
        arguments += _track_arguments(request, timeline)
        if container.is_matroska:
            arguments += cover_arguments(request.source.path, request.mapping, Path(folder))
            arguments += shape_arguments(request.source.path, request.combined)
        else:
            arguments += ["-movie_timescale", str(_movie_ticks(request.combined))]
        if not container.is_matroska and not only_a_moment:
            arguments += ["-moov_size", str(_header_bytes(request))]
        if only_a_moment:  # without waiting for the next subtitle
            arguments += ["-fs", str(_tag_bytes(request) + _chapter_bytes(request) + MOMENT_BYTES)]
            arguments += ["-max_interleave_delta", "1"]
        ffmpeg.run(
            [*arguments, "-f", container.value, f"./{target.name}"],
            folder=target.parent,
            subject=request.source.path,
            hint="Check that its audio plays; the matted picture without audio is whole.",
            on_frames=progress.advance,
            stop_after_seconds=MOMENT_SECONDS if only_a_moment else None,
        )
    if not container.is_matroska:
        with writing(target):
            add_to_header(target, _additions(request, target))
            forget_index(target)


def _start_of(request: MuxRequest) -> Timeline:
    """Return where the source's time starts, as far as that is known without its packets."""
    return Timeline(request.source.start_pts * request.source.time_base)


def _tag_arguments(request: MuxRequest, folder: Path, number: int) -> list[str]:
    """Write all tags to a file, and have ffmpeg take them from there.

    Args:
        number: of that file among those that ffmpeg opens.
    """
    contents, container = request.contents, request.mapping.container
    streams = [picture_tags(contents, request.spatial, request.combined, container)]
    streams += [track_tags(mapped.track) for mapped in request.mapping.tracks]
    path = folder / "tags.txt"
    with writing(path):
        path.write_bytes(ffmetadata(file_tags(contents, container), streams))
    arguments = [*ffmpeg.metadata_file(path), "-map_metadata:g", f"{number}:g"]
    for stream in range(len(streams)):
        arguments += [f"-map_metadata:s:{stream}", f"{number}:s:{stream}"]
    return arguments


def _track_arguments(request: MuxRequest, timeline: Timeline) -> list[str]:
    contents = request.contents
    chapters = "1" if len(contents.chapters) <= MOST_CHAPTERS else "-1"
    arguments = ["-map", "0:v:0", "-map_chapters", chapters, "-c", "copy"]
    rate = contents.timecode_rate
    has_timecode = contents.timecode and not request.mapping.container.is_matroska
    if has_timecode and rate and round(rate) != round(request.combined.rate):
        # By which the time code counts where frames come unevenly; their times stay.
        arguments += ["-r:v:0", str(rate)]
    for number, mapped in enumerate(request.mapping.tracks, 1):
        track = mapped.track
        file = UNEDITED if track.index in request.edits else SOURCE
        arguments += ["-map", f"{file}:{track.index}"]
        if mapped.is_copied:
            arguments += shift_arguments(timeline, track, f":{number}")
        else:
            arguments += [f"-c:{number}", mapped.codec]
            if track.kind == TrackKind.AUDIO:
                # PCM has no times of its own: what is missing in the source becomes silence.
                clock = "asetpts=STARTPTS+N/SR/TB," if track.index in timeline.unclocked else ""
                layouts = f",aformat=cl={OPUS_LAYOUTS}" if mapped.codec == OPUS else ""
                arguments += [f"-filter:{number}", f"{clock}aresample=async=1{layouts}"]
        if track.kind != TrackKind.ATTACHMENT:
            # Set for every track: otherwise ffmpeg makes the first of each type a default.
            arguments += [f"-disposition:{number}", "+".join(sorted(track.flags)) or "0"]
    return arguments


def _movie_ticks(combined: VideoInfo) -> int:
    """Return the ticks a second in which tracks' starts are noted; by default a thousand."""
    picture_ticks = combined.time_base.denominator
    common = math.lcm(picture_ticks, USUAL_SAMPLE_RATE)
    return common if common <= LARGEST_TICKS else picture_ticks


def _header_bytes(request: MuxRequest) -> int:
    """Return what to keep free for the header, so that players find it first."""
    contents = request.contents
    packets = len(frame_times(request.combined.path))
    packets += sum(len(times.pts) for times in request.packets.stream_times.values())
    packets += 2 * min(len(contents.chapters), MOST_CHAPTERS)  # of their track, and their list
    cover_sizes = [
        len(cover_bytes(request.source.path, cover.index)) for cover in request.mapping.covers
    ]
    spatial_bytes = sum(map(len, (*request.spatial.entry, *request.spatial.track)))
    others = TRACK_BYTES * len(request.mapping.tracks) + spatial_bytes + sum(cover_sizes)
    return header_bytes(packets) + _tag_bytes(request) + others


def _tag_bytes(request: MuxRequest) -> int:
    """Return what all tags take at most: some are written twice, each character in four bytes."""
    all_tags = [request.contents.tags, *(own.track.tags for own in request.mapping.tracks)]
    characters = sum(
        len(key) + len(value) for tags in all_tags for key, value in bounded_tags(tags).items()
    )
    return 8 * characters + TAG_BYTES * sum(map(len, all_tags))


def _chapter_bytes(request: MuxRequest) -> int:
    return CHAPTER_BYTES * min(len(request.contents.chapters), MOST_CHAPTERS)


def _additions(request: MuxRequest, target: Path) -> Additions:
    mapping = request.mapping
    numbered = list(enumerate(mapping.tracks, 1))
    languages = {number: own.track.language for number, own in numbered if own.track.language}
    written = read_contents(target).tags
    return Additions(
        spatial=request.spatial,
        tags=missing_tags(written, bounded_tags(request.contents.tags)),
        # mp4 files by ffmpeg have them already; QuickTime's only where on its own short list.
        languages={} if mapping.container is Container.MP4 else languages,
        # Its mp4 writer enables the first of a kind whatever was said.
        enabled={
            number: "default" in own.track.flags
            for number, own in numbered
            if own.track.kind == TrackKind.SUBTITLE
        },
        edits={
            number: request.edits[own.track.index]
            for number, own in numbered
            if own.track.index in request.edits
        },
        # They say of which coded channel each is, an order that decoding may change.
        spatial_audio={
            number: own.track.boxes for number, own in numbered if own.track.boxes and own.is_copied
        },
        covers=[
            (cover.codec, cover_bytes(request.source.path, cover.index)) for cover in mapping.covers
        ],
    )
