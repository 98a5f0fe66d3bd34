"""Everything that shapes a result, as it is recorded; and what changes make it another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matting.media.encoders import preset_of, quality_of
from matting.options import CodecBackend, EncodingOptions, MattingOptions, OutputKind, Precision
from matting.project.inputs import Input

PICTURES = "pictures"  # what stands for the frame rate of those
# What the user calls them, where it is not the option of the same name.
WORDS = {
    "checkpoint": "the network's weights",
    "ratio": "--downsample-ratio or --subject",
    "bitrate_bps": "--bitrate",
    "kinds": "--save",
    "preset": "how carefully the encoder works",
    "frame_rate": "--frame-rate",
    "first_frame": "the numbers of the pictures",
}


def settings_of(item: Input, options: MattingOptions, checkpoint_sha256: str) -> dict[str, Any]:
    """Return all that shapes the results of one input, as JSON values.

    Where it is computed is not part of it, nor is a precision that suits the device (AUTO).
    """
    matte, output = options.matte, options.output
    pictures = not item.gives_video(output.frame_rate)
    if pictures:  # nothing of the encoding counts
        rate: str | None = PICTURES
    else:  # a video has its own
        rate = str(output.frame_rate) if item.is_sequence else None
    return {
        "checkpoint": checkpoint_sha256,
        "ratio": f"auto, {matte.subject}" if matte.ratio is None else matte.ratio,
        **({} if matte.precision is Precision.AUTO else {"precision": matte.precision.value}),
        "background": "#{:02X}{:02X}{:02X}".format(*output.background),
        "kinds": [kind.value for kind in output.kinds],
        **({} if pictures else _encoded(output.encoding)),
        "frame_rate": rate,
        **({"first_frame": item.first_frame} if OutputKind.ALPHA_PNG in output.kinds else {}),
    }


def _encoded(encoding: EncodingOptions) -> dict[str, Any]:
    """How videos are encoded."""
    constant = encoding.quality is not None or encoding.bitrate_bps is None
    return {
        "codec": encoding.codec.value,
        "encoder": (CodecBackend.HARDWARE if encoding.by_hardware else CodecBackend.SOFTWARE).value,
        "quality": quality_of(encoding) if constant else None,
        "bitrate_bps": encoding.bitrate_bps,
        "preset": preset_of(encoding),
        "chroma": encoding.chroma.value,
    }


def in_words(setting: str) -> str:
    """What the user calls a setting: mostly the option by which it is given."""
    return WORDS.get(setting, setting if " " in setting else f"--{setting}")


def encoder_of(recorded: Mapping[str, Any]) -> CodecBackend:
    """SOFTWARE or HARDWARE; before there was a choice, it was software."""
    return CodecBackend(recorded.get("encoder", CodecBackend.SOFTWARE))


def changed_settings(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """The names of the settings for which a result has to be made anew.

    A result of more kinds than are wanted will do.
    """
    have = {"encoder": encoder_of(recorded).value, **recorded}
    changed = [name for name, value in wanted.items() if have.get(name) != value]
    if "kinds" in changed and set(wanted["kinds"]) <= set(recorded.get("kinds") or []):
        changed.remove("kinds")
    if recorded.get("frame_rate") == PICTURES:
        # There was no encoding yet: what has changed is that there is one.
        return [name for name in changed if name in recorded]
    return changed
