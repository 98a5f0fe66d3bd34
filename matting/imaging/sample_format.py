"""What the samples of pictures mean."""

from __future__ import annotations

from dataclasses import dataclass, replace

SDR, PQ, HLG = "sdr", "pq", "hlg"


@dataclass(frozen=True)
class SampleFormat:
    """What samples mean.

    Attributes:
        bits: of a sample, 8 to 16.
        weights: of red and blue in luma; None: the samples are R'G'B' themselves.
        full_range: whether black and white are the least and the largest number.
        step: how many columns and rows of pixels share a chroma sample.
        siting: how far right of and below its first pixel's centre that lies, in pixels.
        transfer: SDR, PQ or HLG.
        shift: unused bits below each sample's own, in P010 for example.
        interleaved: whether Cb and Cr lie in memory in turns, as in NV12 and P010.
    """

    bits: int = 8
    luma_coefficients: tuple[float, float] | None = None
    full_range: bool = True
    subsampling: tuple[int, int] = (1, 1)
    siting: tuple[float, float] = (0.0, 0.0)
    transfer: str = SDR
    lsb_padding: int = 0
    semi_planar: bool = False

    @property
    def sample_bytes(self) -> int:
        """Memory that a sample takes."""
        return 1 if self.bits == 8 else 2

    @property
    def peak(self) -> int:
        """The largest number, before it is shifted."""
        return (1 << self.bits) - 1

    @property
    def luma(self) -> tuple[float, float]:
        """Black, and the distance from black to white, in numbers before they are shifted."""
        unit = 1 << (self.bits - 8)
        return (0.0, float(self.peak)) if self.full_range else (16.0 * unit, 219.0 * unit)

    @property
    def chroma(self) -> tuple[float, float]:
        """No colour, and the distance between the extremes, likewise."""
        unit = 1 << (self.bits - 8)
        return 128.0 * unit, float(self.peak) if self.full_range else 224.0 * unit

    @property
    def pixel_bytes(self) -> float:
        """Memory that a pixel takes."""
        samples = (
            3
            if self.luma_coefficients is None
            else 1 + 2 / (self.subsampling[0] * self.subsampling[1])
        )
        return samples * self.sample_bytes

    def chroma_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the chroma planes of a picture."""
        return -(-width // self.subsampling[0]), -(-height // self.subsampling[1])


def in_surfaces(sample_format: SampleFormat) -> SampleFormat:
    """The coding as a graphics card's video hardware has it in memory: NV12, P010 or P016."""
    return replace(
        sample_format,
        lsb_padding=16 - sample_format.bits if sample_format.bits > 8 else 0,
        semi_planar=True,
    )
