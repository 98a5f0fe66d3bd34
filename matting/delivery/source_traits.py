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
