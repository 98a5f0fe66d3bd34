"""What shapes a segment in a delivered format, beside its matte."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from matting.delivery.formats import DeliveryFormat
from matting.media.encoders import quality_of
from matting.media.hevc_alpha import DEFAULT_QUALITY
from matting.options import FormatName, MattingOptions, OutputOptions, VideoCodec
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input
from matting.project.recorded_settings import EDGE_SETTINGS, settings_of

ENCODING = ("codec", "encoder", "quality", "bitrate_bps", "preset", "chroma")


def delivered_settings(item: Input, output: OutputOptions, row: DeliveryFormat) -> RecordedSettings:
    """Return the settings that shape one input in a format; all others are unset.

    Args:
        output: with the encoder decided.
    """
    every = settings_of(item, MattingOptions(output=output), "")
    names = list(EDGE_SETTINGS)
    if output.despill:
        names.append("background")
    if not row.pictures:
        names += ["frame_rate", "tags_assumed"]
    if not row.codec:
        names += ENCODING
    settings = RecordedSettings(**{name: getattr(every, name) for name in names})
    if row.name is FormatName.HEVC:
        same = output.encoding.codec is VideoCodec.HEVC
        quality = quality_of(output.encoding) if same else DEFAULT_QUALITY
        return replace(settings, quality=quality)
    return replace(settings, first_frame=item.first_frame if row.pictures else UNSET)
