"""Stage one: a video is cut into segments, without loss and without re-encoding unless asked."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from matting import durable, ffmpeg
from matting.errors import InputError, MediaError, writing
from matting.lock import folder_lock
from matting.media.door import require_file
from matting.media.probe import FrameTime, VideoInfo, frame_times, listed_frames, probe
from matting.plan import Plan, PlannedSegment, SourceFile, concat_list, read_plan, write_plan
from matting.progress import Progress
from matting.workspace import LIST_NAME, PLAN_NAME, UNFINISHED, segment_name, segments_folder

DEFAULT_SECONDS = Fraction(15)
PIECES = "output_%03d.mp4"
PIECE_GLOB = "output_[0-9][0-9][0-9]*.mp4"
LONGEST_LIST = 20_000  # characters; Windows takes no longer command than 32,767
REENCODE = "Use --reencode: it makes new, clean pieces, at the cost of time."


@dataclass(frozen=True)
class SegmentOptions:
    """How to cut.

    Attributes:
        seconds: the length of a piece that is aimed at; None: 15, or as it was cut before.
        reencode: make new pieces in H.265 at CRF 18.
        overwrite: cut anew what is cut already.
    """

    seconds: Fraction | None = None
    reencode: bool = False
    overwrite: bool = False


def segment(video: Path, options: SegmentOptions, output: Path | None, progress: Progress) -> Path:
    """Cuts `video` into its segments folder, and returns that.

    A folder that is already cut from this video is left as it is.

    Raises:
        InputError: no such file, or the folder holds something else.
        MediaError: it is no video, or cannot be cut without loss.
        StorageError, BusyError, MissingError.
    """
    require_file(video)
    info = probe(video)
    folder = segments_folder(video, output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is in the way.", "Move it, or choose a place with --output.")
    with folder_lock(folder):
        if not options.overwrite:
            earlier = _earlier_cut(folder, video, options)
            if earlier is not None:
                missing = [s.name for s in earlier.segments if not (folder / s.name).is_file()]
                if not missing:
                    progress.say(f"Already cut: {_count(earlier, folder)}")
                    return folder
                progress.say(f"Cutting again as before: {missing[0]} is missing in {folder}")
                options = replace(
                    options, seconds=Fraction(earlier.seconds), reencode=earlier.reencoded
                )
        plan = _cut_and_install(info, options, folder, progress)
    progress.say(f"Cut and counted: {_count(plan, folder)}")
    return folder


def _cut_and_install(
    info: VideoInfo, options: SegmentOptions, folder: Path, progress: Progress
) -> Plan:
    work = folder / UNFINISHED
    _remove(work)
    durable.make_folder(work)
    try:
        plan = _cut(info, options, work, progress)
    except BaseException:
        _remove(work)
        raise
    # From here on it stays until the plan is written: it says that pieces may be missing.
    _install(work, folder, plan)
    _remove(work)
    return plan


def _count(plan: Plan, folder: Path) -> str:
    pieces = len(plan.segments)
    return f"{plan.frames} frames in {pieces} segment{'s' if pieces > 1 else ''}: {folder}"


def _earlier_cut(folder: Path, video: Path, options: SegmentOptions) -> Plan | None:
    """The plan by which `folder` was cut from this video; an error if it holds other things."""
    plan = read_plan(folder)
    if plan is None:
        if any(folder.glob("*.mp4")) and not (folder / UNFINISHED).exists():
            raise InputError(
                f"{folder} holds videos that were not cut by this program.",
                "Move them away, or choose a place with --output.",
            )
        return None
    overwrite = "To cut it anew, add --overwrite; to keep both, choose a place with --output."
    if plan.source != SourceFile.of(video):
        raise InputError(f"{folder} was cut from another video ({plan.source.name}).", overwrite)
    if options.seconds is not None and Fraction(plan.seconds) != options.seconds:
        raise InputError(f"{folder} was cut into pieces of {plan.seconds} seconds.", overwrite)
    if options.reencode and not plan.reencoded:
        raise InputError(f"{folder} was cut without re-encoding.", overwrite)
    return plan


def _cut(info: VideoInfo, options: SegmentOptions, work: Path, progress: Progress) -> Plan:
    seconds = options.seconds or DEFAULT_SECONDS
    cut = _reencode_pieces if options.reencode else _copy_pieces
    segments = cut(info, seconds, work, progress)
    return Plan(
        source=SourceFile.of(info.path),
        time_base=info.time_base,
        rate=info.rate,
        start_pts=info.start_pts,
        seconds=str(seconds),
        reencoded=options.reencode,
        segments=segments,
    )


def _copy_pieces(
    info: VideoInfo, seconds: Fraction, work: Path, progress: Progress
) -> tuple[PlannedSegment, ...]:
    """Copies packets; every frame of the source is in exactly one piece, at its own time."""
    if info.container == "avi" and info.reorders:
        raise MediaError(f"{info.path}: AVI does not tell its frames' order.", REENCODE)
    times = frame_times(info.path)
    starts = choose_cuts(times, seconds / info.time_base)
    pts = [time.pts for time in times]
    if len(starts) == 1 and (max(pts) - min(pts)) * info.time_base > 2 * seconds:
        progress.say(
            "This video has no place where it can be cut without losing frames, so it stays in "
            "one piece. For shorter pieces use --reencode."
        )
    listed = ",".join(map(str, starts[1:]))
    if len(listed) > LONGEST_LIST:
        raise InputError(f"{len(starts)} pieces are too many.", "Choose a larger --seconds.")
    cuts = ["-segment_frames", listed] if listed else ["-segment_time", str(10**9)]
    progress.start("Cutting", len(times), "frame")
    try:
        _run_segmenter(info, ["-c", "copy", *cuts], work, progress)
    finally:
        progress.finish()
    ends = [*starts[1:], len(times)]
    groups = [times[a:b] for a, b in zip(starts, ends, strict=True)]
    pieces = sorted(work.glob("*.mp4"), key=lambda path: (len(path.name), path.name))
    if len(pieces) != len(groups):
        raise MediaError(
            f"{info.path} came apart into {len(pieces)} pieces instead of {len(groups)}.", REENCODE
        )
    return tuple(
        _checked(piece, index, [t.pts for t in group], info)
        for index, (piece, group) in enumerate(zip(pieces, groups, strict=True))
    )


def choose_cuts(times: Sequence[FrameTime], ticks: Fraction) -> list[int]:
    """Where to cut, as indices of packets; the first is always 0.

    A cut is possible before a key frame that no other frame crosses: all packets before it are
    shown before it, all after it are shown after it. Of those, the first in each `ticks` since
    the last cut is taken.

    Args:
        times: every packet of the source, in decoding order.
        ticks: the length of a piece.
    """
    pts = [time.pts for time in times]
    latest_before = [min(pts), *accumulate(pts, max)]
    earliest_after = list(accumulate(reversed(pts), min))[::-1]
    first = min(pts)
    starts = [0]
    wanted = first + ticks
    for index in range(1, len(times)):
        time = pts[index]
        if not times[index].key or time < wanted:
            continue
        if latest_before[index] < time <= earliest_after[index]:
            starts.append(index)
            wanted = first + ((time - first) // ticks + 1) * ticks
    return starts


def _checked(piece: Path, index: int, expected: list[int], info: VideoInfo) -> PlannedSegment:
    """The plan's line for a piece, after holding its own list of times against the source's.

    `expected`: the times of its frames in the source, in decoding order.
    """
    time_base = probe(piece).time_base
    found = [time.pts for time in frame_times(piece)]
    want = [(pts - min(expected)) * info.time_base for pts in expected]
    have = [(pts - min(found)) * time_base for pts in found]
    if len(have) != len(want) or any(
        abs(a - b) > info.time_base for a, b in zip(have, want, strict=True)
    ):
        raise MediaError(
            f"{info.path} cannot be cut without loss: piece {index} would have {len(have)} frames "
            f"instead of {len(want)}, or the wrong times.",
            REENCODE,
        )
    return PlannedSegment(segment_name(index), min(expected), len(expected))


def _reencode_pieces(
    info: VideoInfo, seconds: Fraction, work: Path, progress: Progress
) -> tuple[PlannedSegment, ...]:
    """Encodes what can be decoded to H.265 at CRF 18; says how many frames came of it."""
    length = f"{float(seconds):.6f}"
    listing = work / "pieces.csv"
    progress.start("Re-encoding", 0, "frame")
    arguments = ["-c:v", "libx265", "-crf", "18", "-preset", "fast", "-tag:v", "hvc1"]
    arguments += ["-x265-params", "open-gop=0:log-level=error"]
    # The source's own times, in the source's own ticks.
    arguments += ["-fps_mode", "vfr", "-enc_time_base", "demux"]
    arguments += ["-force_key_frames", f"expr:gte(t,n_forced*{length})", "-segment_time", length]
    arguments += ["-segment_list", listing.name, "-segment_list_type", "csv"]
    try:
        _run_segmenter(info, arguments, work, progress)
    finally:
        progress.finish()
    with listing.open(encoding="utf-8", newline="") as rows:
        starts = [(row[0], Fraction(row[1])) for row in csv.reader(rows)]
    listing.unlink()
    if not starts:
        raise MediaError(f"Not one frame of {info.path} can be decoded.", "Copy it again.")
    counts = [len(frame_times(work / name)) for name, _ in starts]
    listed = listed_frames(info.path)
    if sum(counts) != listed:
        progress.say(f"Of {listed} frames, {sum(counts)} could be decoded; the others are lost.")
    return tuple(
        PlannedSegment(
            segment_name(index), info.start_pts + round(start / info.time_base), counts[index]
        )
        for index, (_, start) in enumerate(starts)
    )


def _run_segmenter(
    info: VideoInfo, arguments: Sequence[str], work: Path, progress: Progress
) -> None:
    stream = ["-map", "0:V:0", "-an", "-sn", "-dn"]
    # Not shifted to hide B-frames' early decoding times: pieces would be cut and start too late.
    muxer = ["-avoid_negative_ts", "disabled", "-f", "segment", "-segment_format", "mp4"]
    muxer += ["-reset_timestamps", "1"]
    ffmpeg.run(
        [*ffmpeg.input_file(info.path), *stream, *arguments, *muxer, PIECES],
        folder=work,
        subject=info.path,
        hint="If the video plays elsewhere, cut it with --reencode; otherwise copy it again.",
        on_frames=progress.advance,
    )


def _install(work: Path, folder: Path, plan: Plan) -> None:
    """Puts the checked pieces in place of what was there. The plan comes last: it says 'whole'."""
    with writing(folder):
        (folder / PLAN_NAME).unlink(missing_ok=True)
        for old in folder.glob(PIECE_GLOB):
            old.unlink()
    for planned in plan.segments:
        durable.publish(work / planned.name, folder / planned.name)
    durable.write_text(folder / LIST_NAME, concat_list([s.name for s in plan.segments]))
    write_plan(folder, plan)


def _remove(work: Path) -> None:
    if work.exists():
        with writing(work):
            shutil.rmtree(work)
