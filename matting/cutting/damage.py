"""Damage in a source: it is named and its frames are kept as shown, replaced, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from matting.cutting.cut_job import CutJob, CutSegment
from matting.cutting.repair import repair
from matting.cutting.review import SegmentPackets, review_segments
from matting.errors import MediaError
from matting.media.video_info import VideoInfo
from matting.options import OnDamage
from matting.progress import Notice, Progress, quantity
from matting.system.humanize import exact_clock

NAMED_TIMES = 3  # how many damaged frames a message names


@dataclass(frozen=True)
class SettledDamage:
    """What came of damage in a source.

    Attributes:
        segments: those that a strict decoder takes, or that show the same to a tolerant one.
        refusal: where the source is damaged, if that is to stop it.
        intact: how many segments the next run need not cut again, then.
    """

    segments: tuple[CutSegment, ...]
    refusal: MediaError | None = None
    intact: int = 0


def settle_damage(
    job: CutJob, cut: Sequence[CutSegment], on_damage: OnDamage, progress: Progress
) -> SettledDamage:
    """Review what a strict decoder refuses in segments, and repair it.

    What is doubtful in them is said in one message.

    Args:
        cut: the segments as they were cut.
    Raises:
        DecodeError: it has not one good frame.
        StorageError: a segment cannot be written.
    """
    segments, truncated_at = cut, job.index.truncated_at
    packets = None
    if any(segment.suspect for segment in segments):
        packets = SegmentPackets(job.index, segments)
        segments = review_segments(job, segments, packets, progress)
    doubtful = [pts for segment in segments for pts in segment.doubtful]
    missing = [pts for segment in segments for pts in segment.missing]
    repeated = [pts for segment in segments for pts in segment.repeated]
    damaged = sorted({*doubtful, *missing, *repeated})
    is_damaged = bool(damaged) or truncated_at is not None
    report = damage_report(job.info, damaged, truncated_at)
    if is_damaged and on_damage is OnDamage.STOP:
        intact = sum(s.path.parent == job.work and not s.damaged for s in segments)
        kept = f" {quantity(intact, 'intact segment')} will not be cut again." if intact else ""
        refusal = MediaError(
            report,
            "Copy or download it again; or leave --damaged out to use what is there, as a player "
            f"shows it.{kept}",
            option="--damaged",
        )
        return SettledDamage(tuple(segments), refusal, intact)
    if packets is not None and any(segment.suspect for segment in segments):
        repeat = on_damage is OnDamage.REPEAT
        segments = repair(job, segments, packets, progress, repeat=repeat)
        if repeat:
            doubtful, missing = [], []
            repeated = [pts for segment in segments for pts in segment.repeated]
    if is_damaged:
        done = _what_was_done(len(doubtful), len(missing), len(repeated))
        sentences = f"{report} {done}".strip()
        progress.say(sentences)
        progress.notice(Notice.REPEATED if repeated else Notice.DOUBTFUL, sentences)
    return SettledDamage(tuple(segments))


def _what_was_done(doubtful: int, missing: int, repeated: int) -> str:
    """Return sentences on what is in the place of damaged frames."""
    sentences = []
    if doubtful:
        sentences.append(f"{quantity(doubtful, 'frame')} stay as a player shows them.")
    if missing:
        sentences.append(
            f"{quantity(missing, 'frame')} cannot be shown: the one before stays longer."
        )
    if repeated:
        sentences.append(f"{repeated} were replaced by the last good one.")
    return " ".join(sentences)


def damage_report(info: VideoInfo, damaged: Sequence[int], truncated_at: Fraction | None) -> str:
    """Return a sentence on where a source is damaged, by a player's clock.

    Args:
        damaged: the PTS of frames that are doubtful or missing, rising.
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
        findings.append(
            f"is damaged: {frames} cannot be decoded without errors, at {', '.join(clocks)}{others}"
        )
    if truncated_at is not None:
        end = exact_clock(truncated_at - info.start_pts * info.time_base)
        findings.append(f"is cut off: it ends at {end}")
    return f"{info.path} {', and '.join(findings)}."
