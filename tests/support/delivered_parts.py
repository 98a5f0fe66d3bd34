"""A job whose segments have been delivered in a format: a clip with audio, cut in two."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matting.delivery.delivered_file import DeliveredPart
from matting.delivery.format_writers import create_format_writer, format_input
from matting.delivery.formats import FORMATS, DeliveryFormat
from matting.options import CodecBackend, EncodingOptions, FormatName, VideoCodec
from matting.project.paths import MattedFolder
from matting.project.plan import Plan, PlannedSegment
from matting.project.source_fingerprint import SourceFingerprint
from matting.system.fingerprint import Fingerprint
from tests.support.clips import make_clip
from tests.support.pictured_source import PicturedSource
from tests.support.soft_disc import FRAMES, PTS, TIME_BASE, delivered, disc

ENCODING = EncodingOptions(VideoCodec.H264, quality=4, encoder=CodecBackend.SOFTWARE)
LATER = PTS[-1] + 3003  # of the second segment, in ticks
ALL_PTS = (*PTS, *(LATER + pts for pts in PTS))


@dataclass(frozen=True)
class DeliveredJob:
    row: DeliveryFormat
    video: Path
    matted: MattedFolder
    plan: Plan
    parts: list[DeliveredPart]


def delivered_job(
    folder: Path,
    name: FormatName,
    *,
    audio: bool = True,
    rotation: int = 0,
    pixel_aspect: Fraction | None = None,
) -> DeliveredJob:
    """Write a clip of 2 * FRAMES frames of uneven length, and its two segments in a format."""
    row = FORMATS[name]
    video = make_clip(
        folder / "clip.mp4",
        2 * FRAMES,
        pts=ALL_PTS,
        time_base=TIME_BASE,
        audio=audio,
        rotation=rotation,
        pixel_aspect=pixel_aspect,
    )
    matted = MattedFolder.of(folder / "clip_segments")
    parts = [_part(row, matted, number) for number in (0, 1)]
    fingerprint = Fingerprint.of(video)
    source = SourceFingerprint.of(video)
    plan = Plan(
        source=SourceFingerprint(
            source.name,
            source.size_bytes,
            source.ends_sha256,
            content_sha256=fingerprint.sha256,
            modified_ns=source.modified_ns,
        ),
        time_base=TIME_BASE,
        rate=Fraction(30),
        start_pts=0,
        seconds=Fraction(1),
        reencoded=False,
        segments=tuple(
            PlannedSegment.of(f"output_00{number}.mp4", [first + pts for pts in PTS], fingerprint)
            for number, first in ((0, 0), (1, LATER))
        ),
    )
    return DeliveredJob(row, video, matted, plan, parts)


def _part(row: DeliveryFormat, matted: MattedFolder, number: int) -> DeliveredPart:
    source = PicturedSource()
    samples = format_input(row, source, ENCODING)
    path = matted.root / row.name.upper() / f"output_00{number}{'' if row.pictures else row.suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with create_format_writer(
        row,
        path,
        source=source,
        encoding=ENCODING,
        samples=samples,
        first_frame=number * FRAMES,
    ) as writer:
        writer.write(delivered(*disc(), samples.sample_format), PTS)
        writer.finish()
    return DeliveredPart(path, Fingerprint.of(path).sha256, FRAMES)
