"""Finished segments moved to their place, with the plan that says what each of them holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from matting.cutting.checkpoint import CutCheckpoint
from matting.cutting.cut_job import CutSegment
from matting.cutting.shot_watch import shots_by_frame
from matting.errors import writing
from matting.imaging.sample_format import Size
from matting.media.video_info import VideoInfo
from matting.project.paths import LIST_NAME, PLAN_NAME, segment_name
from matting.project.plan import Plan, PlannedSegment, write_plan
from matting.project.result_lists import concat_list
from matting.system import atomic_files
from matting.system.fingerprint import Fingerprint, StampedFingerprint
from matting.view import View

SEGMENT_NAME = re.compile(r"output_\d{3,}\.mp4")


def plan_of(
    info: VideoInfo,
    cut: CutCheckpoint,
    segments: Sequence[CutSegment],
    *,
    reencoded: bool,
    view: View | None = None,
    size_px: Size | None = None,
    fingerprints: Mapping[Path, StampedFingerprint] = MappingProxyType({}),
) -> Plan:
    """Return the plan for finished segments.

    Args:
        segments: those of `cut`, once its damage is settled.
        reencoded: whether re-encoding was asked for.
        view, size_px: how the picture is meant to be seen, and its size upright.
        fingerprints: of segments, as far as they are known; one that was written to since, or that
            has none, is read.
    """
    return Plan(
        source=cut.source,
        time_base=info.time_base,
        rate=info.rate,
        start_pts=info.start_pts,
        seconds=cut.seconds,
        reencoded=reencoded,
        truncated=cut.truncated_at is not None,
        shots=shots_by_frame(segments),
        view=view,
        size_px=size_px,
        segments=tuple(
            PlannedSegment.of(
                segment_name(number),
                segment.times,
                _fingerprint(segment.path, fingerprints),
                repeated=segment.repeated,
                doubtful=segment.doubtful,
                missing=segment.missing,
            )
            for number, segment in enumerate(segments)
        ),
    )


def _fingerprint(path: Path, known: Mapping[Path, StampedFingerprint]) -> Fingerprint:
    earlier = known.get(path)
    if earlier is not None and earlier.is_still_of(path):
        return earlier.fingerprint
    return Fingerprint.of(path)


def publish_segments(folder: Path, segments: Sequence[CutSegment], plan: Plan) -> None:
    """Replace the segments in `folder` by finished ones.

    The plan is written last: it says that all of them are there.

    Raises:
        StorageError: something cannot be written.
    """
    with writing(folder):
        (folder / PLAN_NAME).unlink(missing_ok=True)
        for old in folder.iterdir():
            if SEGMENT_NAME.fullmatch(old.name):
                old.unlink()
    for segment, planned in zip(segments, plan.segments, strict=True):
        atomic_files.publish(segment.path, folder / planned.name)
    atomic_files.write_text(folder / LIST_NAME, concat_list([s.name for s in plan.segments]))
    write_plan(folder, plan)


def remove_work(work: Path) -> None:
    """Remove the folder in which segments were made, if it is there.

    Raises:
        StorageError: it cannot be removed.
    """
    atomic_files.remove(work)
