"""What a source may have that some formats do not hold. Needs neither torch nor PyAV."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Trait(Enum):
    """What a source has."""

    MORE_THAN_8_BITS = auto()  # or more chroma than 4:2:0
    MORE_THAN_10_BITS = auto()  # or samples of full range
    RGB = auto()
    HDR = auto()
    MASTERING = auto()  # what its HDR was graded on, and its light levels
    FINE_TIMES = auto()  # that are no whole milliseconds
    TIMES = auto()
    AUDIO = auto()
    TALL = auto()  # more than half of what few players exceed
    WIDE = auto()


class Limit(NamedTuple):
    """What a format does not hold.

    Attributes:
        trait: of sources that it concerns.
        sentence: what becomes of that.
    """

    trait: Trait
    sentence: str


# Of several formats.
MILLISECONDS = Limit(Trait.FINE_TIMES, "Its times are whole milliseconds.")
NO_MASTERING = Limit(
    Trait.MASTERING, "Of HDR it keeps the tags, not the mastering display and light levels."
)
EIGHT_BIT_LIMITS = (
    Limit(Trait.MORE_THAN_8_BITS, "It has 8 bits and 4:2:0 only."),
    Limit(Trait.HDR, "HDR shows steps."),
    NO_MASTERING,
)
PICTURE_LIMITS = (
    Limit(Trait.TIMES, "Pictures have no times."),
    Limit(Trait.AUDIO, "Pictures have no audio."),
)
