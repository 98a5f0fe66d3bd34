"""How the samples of a frame are to be read: their code values, colour matrix and chroma layout.

Needs no torch, so that commands which compute nothing can import it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple


class TransferFunction(Enum):
    """How code values become light: as on an SDR display (ITU-R BT.1886), or by BT.2100."""

    SDR = "sdr"
    PQ = "pq"
    HLG = "hlg"


class Size(NamedTuple):
    """Width and height, in pixels or samples."""

    width: int
    height: int


class CodeRange(NamedTuple):
    """Which code values stand for the normalised values 0 and 1.

    Attributes:
        zero: the code value of 0: black, or no colour difference.
        span: the distance from there to the code value of 1; of chroma, which normalised lies in
            [-0.5, 0.5], from one extreme to the other.
    """

    zero: float
    span: float


@dataclass(frozen=True)
class SampleFormat:
    """What samples mean. Source: ITU-T H.273 (matrices, ranges, chroma sample locations).

    Attributes:
        bits: of a sample, 8 to 16.
        luma_coefficients: Kr and Kb, the weights of red and blue in luma; None: R'G'B' samples.
        full_range: whether black and white are the least and the largest code value.
        subsampling: how many columns and rows of pixels share a chroma sample.
        siting: how far right of and below the centre of its first pixel a chroma sample lies, in
            pixels.
        lsb_padding: unused bits below each sample's own, in P010 for example.
        semi_planar: whether Cb and Cr are interleaved in one plane, as in NV12 and P010.
    """

    bits: int = 8
    luma_coefficients: tuple[float, float] | None = None
    full_range: bool = True
    subsampling: tuple[int, int] = (1, 1)
    siting: tuple[float, float] = (0.0, 0.0)
    transfer: TransferFunction = TransferFunction.SDR
    lsb_padding: int = 0
    semi_planar: bool = False

    @property
    def sample_bytes(self) -> int:
        """Memory of one sample."""
        return 1 if self.bits == 8 else 2

    @property
    def pixel_bytes(self) -> float:
        """Memory of one pixel, with its share of the chroma samples."""
        columns, rows = self.subsampling
        samples = 3 if self.luma_coefficients is None else 1 + 2 / (columns * rows)
        return samples * self.sample_bytes

    @property
    def max_code_value(self) -> int:
        """The largest code value, without padding."""
        return (1 << self.bits) - 1

    @property
    def luma_code_range(self) -> CodeRange:
        """Code values of black and white, of luma and of R'G'B'; without padding."""
        if self.full_range:
            return CodeRange(0.0, float(self.max_code_value))
        unit = 1 << (self.bits - 8)
        return CodeRange(16.0 * unit, 219.0 * unit)

    @property
    def chroma_code_range(self) -> CodeRange:
        """Code values of colour differences, without padding."""
        unit = 1 << (self.bits - 8)
        span = float(self.max_code_value) if self.full_range else 224.0 * unit
        return CodeRange(128.0 * unit, span)

    def chroma_size(self, size: Size) -> Size:
        """Return the size of the chroma planes of a frame of `size`."""
        columns, rows = self.subsampling
        return Size(-(-size.width // columns), -(-size.height // rows))

    def has_chroma_sites_of(self, other: SampleFormat) -> bool:
        """Return whether chroma samples lie in the same places in both formats."""
        return (self.subsampling, self.siting) == (other.subsampling, other.siting)


def surface_format(sample_format: SampleFormat) -> SampleFormat:
    """Return the format in which NVIDIA's video hardware holds 4:2:0: NV12, P010 or P016."""
    return replace(
        sample_format,
        lsb_padding=16 - sample_format.bits if sample_format.bits > 8 else 0,
        semi_planar=True,
    )
