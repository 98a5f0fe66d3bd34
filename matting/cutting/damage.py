"""Damage in a source: the cut stops with a report of it, or the segments are repaired."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from matting.cutting.checkpoint import CutCheckpoint
from matting.cutting.cut_job import CutSegment
from matting.cutting.repair import repair
from matting.errors import MediaError
from matting.media.video_info import VideoInfo
from matting.options import OnDamage
from matting.progress import Progress, quantity
from matting.system.humanize import exact_clock

NAMED_TIMES = 3  # how many damaged frames a message names


def repair_or_refuse(
    info: VideoInfo, cut: CutCheckpoint, work: Path, on_damage: OnDamage, progress: Progress
) -> Sequence[CutSegment]:
    """Return segments without damage; repaired ones if that is asked for.

    Args:
        work: the folder that they lie in; on STOP, what is intact is kept there.
    Raises:
        MediaError: the source is damaged; says where.
        DecodeError: it has not one good frame.
        StorageError: a segment cannot be written.
    """
    damaged = [pts for s in cut.segments for pts in (*s.damaged, *s.repeated)]
    if not damaged and cut.truncated_at is None:
        return cut.segments
    report = damage_report(info, damaged, cut.truncated_at)
    if on_damage == OnDamage.STOP:
        intact = sum(s.path.parent == work and not s.damaged for s in cut.segments)
        if intact:
            cut.write(work)
        kept = f" {quantity(intact, 'intact segment')} will not be cut again." if intact else ""
        raise MediaError(
            report,
            f"Copy or download it again; or add --damaged {OnDamage.REPEAT} to use what is there, "
            f"with the last good picture in place of each damaged one.{kept}",
            option="--damaged",
        )
    segments = repair(info, cut.segments, progress)
    repeated = sum(len(segment.repeated) for segment in segments)
    replaced = f" {repeated} were replaced by the last good one." if repeated else ""
    progress.say(f"{report}{replaced}")
    return segments


def damage_report(info: VideoInfo, damaged: Sequence[int], truncated_at: Fraction | None) -> str:
    """Return a sentence on where a source is damaged, by a player's clock.

    Args:
        damaged: the PTS of frames that cannot be decoded.
        truncated_at: when the file ends although it should go on, in seconds; None: it is whole.
    """
    findings = []
    if damaged:
        clocks = [
            exact_clock((pts - info.start_pts) * info.time_base) for pts in damaged[:NAMED_TIMES]
        ]
        more = len(damaged) - len(clocks)
        others = f" and {more} more" if more else ""
        frames = quantity(len(damaged), "frame")
        findings.append(f"is damaged: {frames} cannot be decoded, at {', '.join(clocks)}{others}")
    if truncated_at is not None:
        end = exact_clock(truncated_at - info.start_pts * info.time_base)
        findings.append(f"is cut off: it ends at {end}")
    return f"{info.path} {', and '.join(findings)}."
