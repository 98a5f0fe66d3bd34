"""What options are: choices among values, and which of them a job remembers."""

from __future__ import annotations

from enum import Enum


class Choice(str, Enum):
    """A value of an option, which is also what is typed and recorded for it."""

    def __str__(self) -> str:
        return str(self.value)


class CleanUp(Choice):
    """Which working files of a finished job are removed; the value is how it is typed."""

    ASK = "ask"
    NO = "no"
    ALL_BUT_MATTE = "yes"
    ALL = "all"


class JobOption(Choice):
    """An option that shapes results, and that a job remembers; the value is how it is typed."""

    CHECKPOINT = "--checkpoint"
    MODEL = "--model"
    PRECISION = "--precision"
    DOWNSAMPLE_RATIO = "--downsample-ratio"
    SUBJECT = "--subject"
    SHOTS = "--shots"
    VIEW = "--view"
    EYES = "--eyes"
    FOREGROUND = "--foreground"
    MATTE_QUALITY = "--matte-quality"
    SMALL_PEOPLE = "--small-people"
    BACKGROUND = "--background"
    SAVE = "--save"
    CODEC = "--codec"
    QUALITY = "--quality"
    BITRATE = "--bitrate"
    CHROMA = "--chroma"
    ENCODER = "--encoder"
    FRAME_RATE = "--frame-rate"
    KEEP_MATTE = "--keep-matte"
    KEY_CUTOFF = "--key-cutoff"
    KEY_CONTRAST = "--key-contrast"
    DESPILL = "--despill"
    HEADSET = "--headset"
    FISHEYE = "--fisheye"
    FRINGE = "--fringe"
    SIDECAR = "--sidecar"
    FORMATS = "--as"

    @property
    def shapes_matte(self) -> bool:
        """Whether the network finds something else by it."""
        return self in {
            JobOption.CHECKPOINT,
            JobOption.MODEL,
            JobOption.MATTE_QUALITY,
            JobOption.PRECISION,
            JobOption.DOWNSAMPLE_RATIO,
            JobOption.SUBJECT,
            JobOption.SHOTS,
            JobOption.VIEW,
            JobOption.EYES,
        }

    @property
    def field(self) -> str:
        """Its name where options are fields."""
        if self is JobOption.FORMATS:
            return "formats"  # a field cannot be called `as`
        return str(self.value)[2:].replace("-", "_")
