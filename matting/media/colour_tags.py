"""How a stream's tags say what its code values mean.

The numbers are those of ITU-T H.273, as FFmpeg has them. There are more than have a name here: a
stream keeps those, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from matting.imaging.sample_format import SampleFormat, TransferFunction

SD_HEIGHT_PX = 576


class Matrix(IntEnum):
    """Matrix coefficients: ITU-T H.273, table 4."""

    RGB = 0
    BT709 = 1
    UNSPECIFIED = 2
    FCC = 4
    BT470BG = 5
    SMPTE170M = 6
    SMPTE240M = 7
    YCGCO = 8
    BT2020 = 9
    BT2020_CONSTANT_LUMINANCE = 10
    SMPTE2085 = 11
    FROM_PRIMARIES = 12
    FROM_PRIMARIES_CONSTANT_LUMINANCE = 13
    ICTCP = 14
    YCGCO_RE = 16
    YCGCO_RO = 17


class Transfer(IntEnum):
    """Transfer characteristics: ITU-T H.273, table 3."""

    BT709 = 1
    UNSPECIFIED = 2
    SMPTE170M = 6
    PQ = 16
    HLG = 18


class Primaries(IntEnum):
    """Colour primaries: ITU-T H.273, table 2."""

    BT709 = 1
    UNSPECIFIED = 2
    BT470BG = 5
    SMPTE170M = 6
    BT2020 = 9
    P3_D65 = 12


class ColourRange(IntEnum):
    """FFmpeg's AVColorRange."""

    UNSPECIFIED = 0
    LIMITED = 1
    FULL = 2


class ChromaLocation(IntEnum):
    """FFmpeg's AVChromaLocation, by whose names encoders take it."""

    UNSPECIFIED = 0
    LEFT = 1
    CENTER = 2
    TOPLEFT = 3
    TOP = 4
    BOTTOMLEFT = 5
    BOTTOM = 6


# Red's and blue's share of luma: ITU-T H.273, table 4.
LUMA_COEFFICIENTS: dict[int, tuple[float, float]] = {
    Matrix.BT709: (0.2126, 0.0722),
    Matrix.FCC: (0.30, 0.11),
    Matrix.BT470BG: (0.299, 0.114),
    Matrix.SMPTE170M: (0.299, 0.114),
    Matrix.SMPTE240M: (0.212, 0.087),
    Matrix.BT2020: (0.2627, 0.0593),
}
HDR_TRANSFERS: dict[int, TransferFunction] = {
    Transfer.PQ: TransferFunction.PQ,
    Transfer.HLG: TransferFunction.HLG,
}
# Where chroma lies, in pixels right of and below the first one of those that share it.
SITINGS: dict[int, tuple[float, float]] = {
    ChromaLocation.LEFT: (0.0, 0.5),
    ChromaLocation.CENTER: (0.5, 0.5),
    ChromaLocation.TOPLEFT: (0.0, 0.0),
    ChromaLocation.TOP: (0.5, 0.0),
    ChromaLocation.BOTTOMLEFT: (0.0, 1.0),
    ChromaLocation.BOTTOM: (0.5, 1.0),
}
# H.264 and H.265 have chroma there unless they say where: at the left, between two rows.
USUAL_SITING = SITINGS[ChromaLocation.LEFT]


@dataclass(frozen=True)
class ColourTags:
    """A stream's colour tags, as they stand in the file."""

    matrix: int = Matrix.UNSPECIFIED
    range: ColourRange = ColourRange.LIMITED
    transfer: int = Transfer.UNSPECIFIED
    primaries: int = Primaries.UNSPECIFIED
    location: int = ChromaLocation.UNSPECIFIED

    @classmethod
    def of(
        cls,
        context: VideoCodecContext,
        pixel_format: str,
        location: int = ChromaLocation.UNSPECIFIED,
    ) -> ColourTags:
        """Return the tags of an opened stream.

        The old yuvj formats are of full range by name, and so is grey that is not tagged.
        """
        full = context.color_range == ColourRange.FULL or pixel_format.startswith("yuvj")
        if context.color_range == ColourRange.UNSPECIFIED:
            full |= pixel_format.startswith(("gray", "ya", "mono"))
        return cls(
            int(context.colorspace),
            ColourRange.FULL if full else ColourRange.LIMITED,
            int(context.color_trc),
            int(context.color_primaries),
            location,
        )

    def completed(self, frame: VideoFrame) -> ColourTags:
        """Return the tags with what only a decoded frame says: VP8's matrix, for one."""
        matrix, transfer, primaries = self.matrix, self.transfer, self.primaries
        if matrix == Matrix.UNSPECIFIED:
            matrix = int(frame.colorspace)
        if transfer == Transfer.UNSPECIFIED:
            transfer = int(frame.color_trc)
        if primaries == Primaries.UNSPECIFIED:
            primaries = int(frame.color_primaries)
        # R'G'B' is of full range, but what is made of it need not be.
        full = frame.color_range == ColourRange.FULL and not frame.format.is_rgb
        return replace(
            self,
            matrix=matrix,
            range=ColourRange.FULL if full else self.range,
            transfer=transfer,
            primaries=primaries,
        )

    def as_sdr(self) -> ColourTags:
        """Return the tags themselves, or BT.709's where these are of HDR."""
        if self.transfer not in HDR_TRANSFERS:
            return self
        return replace(
            self, matrix=Matrix.BT709, transfer=Transfer.BT709, primaries=Primaries.BT709
        )

    def matrix_for(self, height_px: int) -> int:
        """Return the matrix to compute with.

        An untagged stream higher than 576 lines is taken as BT.709, any other as BT.601, which is
        what players do. So is R'G'B' that becomes video.
        """
        if self.matrix in LUMA_COEFFICIENTS:
            return self.matrix
        return Matrix.BT709 if height_px > SD_HEIGHT_PX else Matrix.SMPTE170M

    @property
    def is_untagged(self) -> bool:
        """Whether nothing is said of what the colours mean."""
        return (
            self.matrix in {Matrix.UNSPECIFIED, Matrix.RGB}
            and self.transfer == Transfer.UNSPECIFIED
            and self.primaries == Primaries.UNSPECIFIED
        )

    def assumed(self, height_px: int) -> ColourTags:
        """Return the tags with those that a stream without any is taken to have, as players do.

        Args:
            height_px: of the upright frames.
        """
        missing = self.matrix in {Matrix.UNSPECIFIED, Matrix.RGB}
        matrix = self.matrix_for(height_px) if missing else self.matrix
        if not self.is_untagged:
            return replace(self, matrix=matrix)
        if matrix == Matrix.BT709:
            transfer, primaries = Transfer.BT709, Primaries.BT709
        else:
            transfer = Transfer.SMPTE170M
            of_europe = height_px == SD_HEIGHT_PX  # of 625 lines
            primaries = Primaries.BT470BG if of_europe else Primaries.SMPTE170M
        return replace(self, matrix=matrix, transfer=transfer, primaries=primaries)

    def sample_format(
        self, bits: int, subsampling: tuple[int, int], height_px: int
    ) -> SampleFormat:
        """Return what the samples of Y'CbCr mean.

        Args:
            bits: of a sample.
            subsampling: how many columns and rows of pixels share a chroma sample.
            height_px: of the whole frame.
        """
        across, down = SITINGS.get(self.location, USUAL_SITING)
        columns, rows = subsampling
        return SampleFormat(
            bits,
            LUMA_COEFFICIENTS[self.matrix_for(height_px)],
            self.range == ColourRange.FULL,
            subsampling,
            (across if columns > 1 else 0.0, down if rows > 1 else 0.0),
            HDR_TRANSFERS.get(self.transfer, TransferFunction.SDR),
        )

    def apply_to(self, context: CodecContext) -> None:
        """Write the tags into an encoder of Y'CbCr that is not open yet.

        In place of the matrix of R'G'B' it gets that of `matrix_for`.
        """
        if not isinstance(context, VideoCodecContext):
            raise TypeError(f"not a video encoder: {context!r}")
        known = {*LUMA_COEFFICIENTS, Matrix.UNSPECIFIED}
        matrix = self.matrix if self.matrix in known else self.matrix_for(context.height)
        context.colorspace = matrix
        context.color_range = self.range
        context.color_trc = self.transfer
        context.color_primaries = self.primaries
        if self.location != ChromaLocation.UNSPECIFIED:
            name = ChromaLocation(self.location).name.lower()
            context.options = {**context.options, "chroma_sample_location": name}


# What HD video nearly always has.
BT709_TAGS = ColourTags(Matrix.BT709, ColourRange.LIMITED, Transfer.BT709, Primaries.BT709)
