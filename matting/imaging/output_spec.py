"""What is to be made of source and stored matte, and by which way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from matting.imaging.matte_planes import chroma_halo
from matting.imaging.sample_format import SampleFormat, Size

INTERMEDIATE_BITS = 16


class Style(Enum):
    """What is made of source and matte."""

    COMPOSITE = auto()
    FADED_FOREGROUND = auto()  # black where nobody is
    STRAIGHT_FOREGROUND = auto()  # the source where nobody is, except where that is masked
    ALPHA = auto()


@dataclass(frozen=True)
class OutputSpec:
    """One output to be made.

    Attributes:
        source, target: the formats of what it is made from, and of what is made.
        background: R'G'B' behind it, 0..255.
        over_frames: whether there are frames behind it, not that colour.
        is_grey: whether the source has neither chroma nor R'G'B'.
    """

    style: Style
    source: SampleFormat
    target: SampleFormat
    background: tuple[int, int, int]
    is_grey: bool
    over_frames: bool = False

    @property
    def is_direct(self) -> bool:
        """Whether the target's code values are blended, without conversion."""
        source, target = self.source, self.target
        return self.style is Style.ALPHA or (
            source.luma_coefficients == target.luma_coefficients
            and (
                source.luma_coefficients is None
                or self.is_grey
                or source.has_chroma_sites_of(target)
            )
        )

    @property
    def blended(self) -> SampleFormat:
        """The format in which code values are blended: the target, or what is converted to it."""
        if self.is_direct:
            return self.target
        return replace(self.source, bits=INTERMEDIATE_BITS, lsb_padding=0, semi_planar=False)

    @property
    def behind(self) -> SampleFormat:
        """The format of frames behind it: what is blended, in planes without padding."""
        return replace(self.blended, lsb_padding=0, semi_planar=False)

    @property
    def kept_shift(self) -> int | None:
        """By how many bits the source's samples move to be what is blended where alpha is full.

        None: more than that becomes of them.
        """
        own, made = self.source, self.blended
        if self.style is Style.ALPHA or self.is_grey:
            return None
        shift = made.bits - own.bits
        if own.lsb_padding:
            as_they_are = (own.bits, own.full_range, own.lsb_padding) == (
                made.bits,
                made.full_range,
                made.lsb_padding,
            )
            return 0 if as_they_are else None
        if shift < 0 or _scaled_ranges(own, shift) != _scaled_ranges(made, 0):
            return None
        return shift + made.lsb_padding

    @property
    def halo(self) -> Size:
        """How many pixels around a region its blended samples depend on, whole chroma samples."""
        return Size(0, 0) if self.style is Style.ALPHA else chroma_halo(self.blended)


def _scaled_ranges(sample_format: SampleFormat, shift: int) -> list[float]:
    """Return the code ranges of luma and chroma, as those of code values so many bits farther."""
    ranges = (*sample_format.luma_code_range, *sample_format.chroma_code_range)
    return [value * (1 << shift) for value in ranges]
