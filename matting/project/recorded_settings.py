"""Everything that shapes a result, as it is recorded; and what changes make it another one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from matting.choices import AUTO, HARDWARE, SOFTWARE
from matting.look import Look
from matting.media.encoders import Encoding
from matting.project.paths import ALPHA_PNG

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


def settings_of(
    *,
    checkpoint_sha256: str,
    precision: str,
    ratio: float | None,
    subject: str,
    look: Look,
    sequence_rate: Fraction | None,
    pictures: bool,
    first_frame: int = 0,
) -> dict[str, Any]:
    """The settings in effect, as JSON values. Where it is computed is not part of them.

    Args:
        precision: AUTO, like the device that it suits, is no part of them.
        ratio: the downsample ratio; None: the subject's.
        sequence_rate: frames a second of an image sequence; None for a video, which has its own.
        pictures: whether the results are pictures, for which nothing of the encoding counts.
        first_frame: the number by which the first picture of a numbered alpha is called.
    """
    if pictures:
        rate: str | None = PICTURES
    else:
        rate = None if sequence_rate is None else str(sequence_rate)
    return {
        "checkpoint": checkpoint_sha256,
        "ratio": f"auto, {subject}" if ratio is None else ratio,
        **({} if precision == AUTO else {"precision": precision}),
        "background": "#{:02X}{:02X}{:02X}".format(*look.background),
        "kinds": list(look.kinds),
        **({} if pictures else _encoded(look.encoding)),
        "frame_rate": rate,
        **({"first_frame": first_frame} if ALPHA_PNG in look.kinds else {}),
    }


def _encoded(encoding: Encoding) -> dict[str, Any]:
    """How videos are encoded."""
    constant = encoding.quality is not None or encoding.bitrate_bps is None
    return {
        "codec": encoding.codec,
        "encoder": HARDWARE if encoding.by_hardware else SOFTWARE,
        "quality": encoding.quality_or_default if constant else None,
        "bitrate_bps": encoding.bitrate_bps,
        "preset": encoding.preset_or_default,
        "chroma": encoding.chroma,
    }


def in_words(setting: str) -> str:
    """What the user calls a setting: mostly the option by which it is given."""
    return WORDS.get(setting, setting if " " in setting else f"--{setting}")


def encoder_of(recorded: Mapping[str, Any]) -> str:
    """SOFTWARE or HARDWARE; before there was a choice, it was software."""
    return str(recorded.get("encoder", SOFTWARE))


def changed_settings(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """The names of the settings for which a result has to be made anew.

    A result of more kinds than are wanted will do.
    """
    have = {"encoder": encoder_of(recorded), **recorded}
    changed = [name for name, value in wanted.items() if have.get(name) != value]
    if "kinds" in changed and set(wanted["kinds"]) <= set(recorded.get("kinds") or []):
        changed.remove("kinds")
    if recorded.get("frame_rate") == PICTURES:
        # There was no encoding yet: what has changed is that there is one.
        return [name for name in changed if name in recorded]
    return changed
