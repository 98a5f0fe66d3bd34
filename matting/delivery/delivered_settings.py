"""What shapes a segment in a delivered format, beside its matte."""

from __future__ import annotations

from dataclasses import replace as replace_field

from msgspec import UNSET
from msgspec.structs import replace

from matting.delivery.formats import DeliveryFormat
from matting.delivery.vr_plan import vr_plan
from matting.media.encoder_table import quality_of
from matting.media.hevc_alpha import DEFAULT_QUALITY
from matting.options import FormatName, MattingOptions, OutputOptions, VideoCodec
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input
from matting.project.recorded_settings import EDGE_SETTINGS, settings_of

ENCODING = ("codec", "encoder", "quality", "bitrate_bps", "preset", "chroma")


def delivered_settings(item: Input, output: OutputOptions, row: DeliveryFormat) -> RecordedSettings:
    """Return the settings that shape one input in a format; all others are unset.

    Args:
        item: with its view.
        output: with the encoder decided.
    Raises:
        InputError: it cannot be made for headsets.
    """
    vr = vr_plan(row.name, item.view, output.vr, item.path)
    if vr is not None:
        output = replace_field(output, encoding=vr.encoding(output.encoding))
    every = settings_of(item, MattingOptions(output=output), "")
    names = list(EDGE_SETTINGS)
    if output.despill or row.name is FormatName.VR_GREEN:
        names.append("background")
    if not row.pictures:
        names += ["frame_rate", "tags_assumed"]
    if not row.has_own_encoding:
        names += ENCODING
    settings = RecordedSettings(**{name: getattr(every, name) for name in names})
    if vr is not None:
        fringe = True if vr.is_packed and vr.options.fringe else UNSET
        return replace(
            settings,
            view=vr.view,
            lens=vr.lens.marker,
            headset=vr.options.headset,
            fringe=fringe,
        )
    if row.name is FormatName.HEVC:
        same = output.encoding.codec is VideoCodec.HEVC
        quality = quality_of(output.encoding) if same else DEFAULT_QUALITY
        return replace(settings, quality=quality)
    return replace(settings, first_frame=item.first_frame if row.pictures else UNSET)
