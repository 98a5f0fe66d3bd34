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
    def keeps_samples(self) -> bool:
        """Whether the target's samples are the source's own where alpha is full."""
        source, target = self.source, self.target
        return (
            self.style is not Style.ALPHA
            and self.is_direct
            and not self.is_grey
            and (source.bits, source.full_range, source.lsb_padding)
            == (target.bits, target.full_range, target.lsb_padding)
        )

    @property
    def halo(self) -> Size:
        """How many pixels around a region its blended samples depend on, whole chroma samples."""
        return Size(0, 0) if self.style is Style.ALPHA else chroma_halo(self.blended)
