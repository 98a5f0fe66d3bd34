"""A source decoded through, and encoded into segments: losslessly, or at a constant quality."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path

from av.video.frame import VideoFrame

from matting.cutting.cut_job import CutJob, CutSegment
from matting.cutting.lossless_writer import FrameWriter
from matting.cutting.review import Review, review_packets
from matting.cutting.shot_watch import ShotWatch, with_shots
from matting.cutting.source_frames import TimedFrames, decode_frames, fill_gaps, no_good_frame
from matting.media.decode_check import decode_all
from matting.media.frame_decoding import Decoding
from matting.media.frame_filters import FrameFilters
from matting.media.frame_shape import common_shape
from matting.media.frame_times import FrameClock, rising_times, times_as_ffmpeg
from matting.media.hdr_metadata import HdrMetadata
from matting.media.validation import require_whole_pictures
from matting.media.video_info import VideoInfo
from matting.options import OnDamage
from matting.progress import Progress
from matting.project.paths import segment_name
from matting.system import atomic_files
from matting.system.temporary_files import create_temporary


def reencode(
    job: CutJob, crf: int | None, progress: Progress, on_damage: OnDamage
) -> list[CutSegment]:
    """Decode a source through, and encode it into segments.

    Args:
        crf: the encoder's constant rate factor; None: lossless.
    Returns:
        the segments. Of a source that is damaged or truncated, if that is to stop it, one segment
        that is the source itself.
    Raises:
        MediaError: the source cannot be read, or not decoded at all.
        StorageError: a segment cannot be written.
    """
    info, source = job.info, job.info.path
    watch = ShotWatch(info.colour.range)
    decoding = _decode_source(job, watch, progress)
    filters = _choose_filters(job, decoding, progress)
    review = _review(job, decoding, progress)
    repeat = on_damage is OnDamage.REPEAT
    if review is not None:
        held = {*review.hashes, *(review.missing if repeat else ())}
        indexed = {number: pts for number, pts in decoding.indexed.items() if number in held}
        decoding = replace(decoding, indexed=indexed, presented=list(review.hashes))
        if filters.shape is None and decoding.shapes:  # damaged headers give other sizes
            filters = replace(filters, shape=next(iter(decoding.shapes)))
    time_by_packet = _presentation_times(job, decoding)
    damage = _Damage.of(job, review, time_by_packet)
    times = sorted(time_by_packet.values())
    shots = [time_by_packet[number] for number in watch.shots() if number in time_by_packet]
    if on_damage is OnDamage.STOP and (damage or job.index.truncated_at is not None):
        return with_shots(_segments_of({source: times}, damage, repeat=False), shots)
    if not times:
        raise no_good_frame(source)
    replaced = damage.doubtful | damage.missing if repeat else frozenset()
    intact = {number: time for number, time in time_by_packet.items() if time not in replaced}
    frames = decode_frames(
        [source],
        lambda number, _: intact.get(number),
        strict=review is None,
        threads=0 if review is None else 1,
        only=job.index.decodable(),
        alive=progress.alive,
    )
    groups = _group_by_length(job, times)
    progress.start("Encoding", len(times), "frame")
    try:
        encode_segments(
            info,
            groups,
            filters.apply(info, frames),
            damaged=replaced,
            crf=crf,
            on_frames=progress.advance,
        )
    finally:
        progress.finish()
    return with_shots(_segments_of(groups, damage, repeat=repeat), shots)


@dataclass(frozen=True)
class _Damage:
    """The PTS of doubtful and of missing frames."""

    doubtful: frozenset[int] = frozenset()
    missing: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.doubtful or self.missing)

    @classmethod
    def of(cls, job: CutJob, review: Review | None, times: Mapping[int, int]) -> _Damage:
        """Return the damage that a review found, given the times of the packets that are used."""
        if review is None:
            return cls()
        packets = job.index.packets

        def time_of(number: int) -> int:
            packet = packets[number]
            own = times.get(number, packet.pts if packet.pts is not None else packet.dts)
            return job.info.start_pts if own is None else own

        return cls(
            frozenset(map(time_of, review.doubtful)), frozenset(map(time_of, review.missing))
        )


def _review(job: CutJob, decoding: Decoding, progress: Progress) -> Review | None:
    """Return what a tolerant decoder shows; None where a strict one shows all."""
    packets = job.index.packets
    corrupt = {number for number in decoding.indexed if packets[number].corrupt}
    suspects = decoding.damaged | corrupt
    if not suspects:
        return None
    progress.start("Inspecting damage", len(packets), "frame")
    try:
        return review_packets(job.info.path, job.index, suspects, on_frames=progress.advance)
    finally:
        progress.finish()


def _segments_of(
    groups: Mapping[Path, Sequence[int]], damage: _Damage, *, repeat: bool
) -> list[CutSegment]:
    """Return the segments that were encoded, with the damage in them noted."""
    missing = sorted(damage.missing)
    following = [group[0] for group in groups.values()][1:]
    segments = []
    for (path, group), stop in zip_longest(groups.items(), following):
        doubtful = tuple(time for time in group if time in damage.doubtful)
        own = tuple(pts for pts in missing if stop is None or pts < stop)
        missing = missing[len(own) :]
        if repeat:
            repeated = tuple(time for time in group if time in damage.doubtful | damage.missing)
            segments.append(CutSegment(path, tuple(group), repeated=repeated, copied=False))
        else:
            segments.append(CutSegment(path, tuple(group), (), doubtful, own, copied=False))
    return segments


def _decode_source(job: CutJob, watch: ShotWatch, progress: Progress) -> Decoding:
    """Decode a source through; `watch` knows its frames by their packets' numbers."""
    packets = job.index.packets
    progress.start("Checking", len(job.index.times()), "frame")
    try:
        decoding = decode_all(
            job.info.path,
            progress.advance,
            only=job.index.decodable(),
            watch=watch.of_file(lambda _, number: number if packets[number].presented else None),
        )
    finally:
        progress.finish()
    watch.accept()
    for number, packet in enumerate(packets):
        if not packet.presented:
            decoding.indexed.pop(number, None)
    return decoding


def _choose_filters(job: CutJob, decoding: Decoding, progress: Progress) -> FrameFilters:
    """Return the job's filters, with what only decoding shows is needed, and say what they do."""
    filters = job.filters
    if decoding.interlaced:
        require_whole_pictures(job.info)
        filters = replace(filters, deinterlace=True)
    filters = replace(filters, shape=common_shape(decoding.shapes))
    for sentence in filters.notes():
        progress.say(sentence)
    return filters


def _presentation_times(job: CutJob, decoding: Decoding) -> dict[int, int]:
    """Return each frame's PTS by its packet's number: when FFmpeg's program shows it, if it can.

    Frames that it shows at one time, before earlier ones, or before the source starts, are put
    between their neighbours.
    """
    packets = job.index.packets

    def clock_of(number: int) -> FrameClock:
        packet, brought_by = packets[number], decoding.brought_by.get(number)
        pts = packet.pts if decoding.indexed[number] is not None else None
        dts = None if brought_by is None else packets[brought_by].dts
        return FrameClock(pts, dts, packet.duration)

    order = [number for number in decoding.presented if number in decoding.indexed]
    order = list(dict.fromkeys(order))
    step = 1 / (job.info.rate * job.info.time_base)
    start = job.info.start_pts
    shown: dict[int, int | None] = {}
    as_ffmpeg = times_as_ffmpeg(map(clock_of, order), step, job.index.container_start_pts)
    shown.update(zip(order, as_ffmpeg, strict=True))
    for number in sorted(set(decoding.indexed) - set(order)):
        place = next((i for i, other in enumerate(order) if other > number), len(order))
        order.insert(place, number)
        shown[number] = clock_of(number).pts
    wanted = [time if (time := shown[n]) is None or time > start else None for n in order]
    if wanted != [shown[number] for number in order]:  # the first of these has the start itself
        wanted[0] = start
    times = rising_times(wanted, step, start)
    return dict(zip(order, times, strict=True))


def _group_by_length(job: CutJob, times: Sequence[int]) -> dict[Path, list[int]]:
    """Divide rising times among segments, one for each segment length from the start."""
    groups: dict[int, list[int]] = {}
    for time in times:
        groups.setdefault(int((time - times[0]) // job.segment_ticks), []).append(time)
    return {job.work / segment_name(number): group for number, group in enumerate(groups.values())}


def encode_segments(
    info: VideoInfo,
    groups: Mapping[Path, Sequence[int]],
    frames: TimedFrames,
    *,
    damaged: Collection[int],
    before: VideoFrame | None = None,
    crf: int | None,
    on_frames: Callable[[int], None],
) -> None:
    """Encode frames to files; each file is closed and decoded through before the next is begun.

    Args:
        groups: the times of each file's frames, rising.
        frames: the good frames, in order.
        damaged: the times that have no good frame.
        before: the frame that stands in for missing ones at the start; None: the first one.
        crf: the encoder's constant rate factor; None: lossless.
        on_frames: told how many more frames have been encoded; of none, as a sign of life.
    Raises:
        DecodeError: there is not one frame, or one that is not damaged does not come.
        EncodeError: a file does not hold what was written to it.
        StorageError: a file cannot be written.
    """
    times = [time for group in groups.values() for time in group]
    hdr: HdrMetadata | None = None
    with closing(frames):
        gapless = fill_gaps(times, frames, damaged, before, info.path)
        for path, group in groups.items():
            temporary = create_temporary(path)
            try:
                # Some decoders give HDR metadata with the source's first frame only.
                own = islice(gapless, len(group))
                hdr = _encode_file(
                    temporary,
                    info,
                    own,
                    most_frames=len(group),
                    crf=crf,
                    hdr=hdr,
                    on_frames=on_frames,
                )
                atomic_files.publish(temporary, path)
            finally:
                atomic_files.discard(temporary)


def _encode_file(
    path: Path,
    info: VideoInfo,
    frames: Iterator[tuple[int, VideoFrame]],
    *,
    most_frames: int,
    crf: int | None,
    hdr: HdrMetadata | None,
    on_frames: Callable[[int], None],
) -> HdrMetadata | None:
    time, first = next(frames)
    hdr = HdrMetadata.of(first) or hdr
    with FrameWriter(path, info, first, crf, hdr, most_frames=most_frames) as writer:
        writer.write(first, time)
        on_frames(1)
        for time, frame in frames:
            writer.write(frame, time)
            on_frames(1)
        writer.finish(lambda _: on_frames(0))
    return hdr
