"""A range as it is asked for, checked against the video, in the form in which it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from fractions import Fraction

from matting.errors import InputError
from matting.media.static_mask import require_mask
from matting.project.entry import OutputFile, RecordedSettings
from matting.project.inputs import InputFolder
from matting.project.range_frames import range_frames
from matting.project.ranges import MattingRange, RangePart
from matting.range_options import RangeOptions, Rectangle
from matting.system.fingerprint import Fingerprint


def new_range(
    inputs: InputFolder,
    asked: RangeOptions,
    settings: RecordedSettings | None,
    number: int,
    rate: Fraction | None,
) -> MattingRange:
    """Return the range that is asked for.

    Args:
        settings: by which the network finds its mattes; None: nothing new is to be found.
        rate: frames a second of an image sequence, as for `Input.open`.
    Raises:
        InputError: it holds no frames, leaves the video, or its mask or a rectangle cannot be used.
    """
    frames = range_frames(inputs, asked, rate)
    source = frames.parts[0].item.open(rate)
    for option, parts in (("--keep-out", asked.keep_out), ("--hold-in", asked.hold_in)):
        _require_inside(parts, source.size_px, option)
    mask = None
    if asked.static_mask is not None:
        require_mask(asked.static_mask, source.size_px, source.pixel_aspect)
        content = Fingerprint.of(asked.static_mask)
        name = f"{number:03d}_mask{asked.static_mask.suffix}"
        mask = OutputFile(name, content.size_bytes, content.sha256)
    blend = 0 if asked.is_whole else asked.blend_frames
    return MattingRange(
        number=number,
        start_seconds=None if asked.is_whole else asked.start_seconds or Fraction(0),
        end_seconds=asked.end_seconds,
        parts={
            part.item.name: RangePart(part.first, part.frames, part.item.fingerprint())
            for part in frames.parts
        },
        settings=settings,
        blend_frames=blend,
        blend_in=0 if frames.starts_shot else blend,
        blend_out=0 if frames.ends_shot else blend,
        mask=mask,
        keep_out=asked.keep_out,
        hold_in=asked.hold_in,
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )


def _require_inside(parts: Sequence[Rectangle], size_px: tuple[int, int], option: str) -> None:
    width, height = size_px
    for part in parts:
        if part.left >= width or part.top >= height:
            raise InputError(
                f"{option} {part} lies outside of the picture, which has {width}x{height} pixels.",
                "Give x,y,width,height from the upper left corner of the video as it is shown.",
                option=option,
            )
