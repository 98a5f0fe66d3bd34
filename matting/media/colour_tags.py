"""How a stream's tags say what its numbers mean.

The integers are those of ITU-T H.273, as FFmpeg numbers them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from matting.imaging.sample_format import SampleFormat, TransferFunction

UNSPECIFIED = 2
RGB, BT709, FCC, BT470BG, SMPTE170M, SMPTE240M, BT2020 = 0, 1, 4, 5, 6, 7, 9
SD_HEIGHT_PX = 576
LIMITED, FULL = 1, 2

# Red's and blue's share of luma: ITU-T H.273, table 4.
LUMA_COEFFICIENTS = {
    BT709: (0.2126, 0.0722),
    FCC: (0.30, 0.11),
    BT470BG: (0.299, 0.114),
    SMPTE170M: (0.299, 0.114),
    SMPTE240M: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
}
TRANSFERS = {16: TransferFunction.PQ, 18: TransferFunction.HLG}

# Where chroma lies, in pixels right of and below the first one, by FFmpeg's numbers.
UNSPECIFIED_LOCATION, LEFT = 0, 1
LOCATIONS = {
    LEFT: (0.0, 0.5),
    2: (0.5, 0.5),  # center
    3: (0.0, 0.0),  # topleft
    4: (0.5, 0.0),  # top
    5: (0.0, 1.0),  # bottomleft
    6: (0.5, 1.0),  # bottom
}
LOCATION_NAMES = ("unspecified", "left", "center", "topleft", "top", "bottomleft", "bottom")


@dataclass(frozen=True)
class ColourTags:
    """A stream's colour tags, as they stand in the file (UNSPECIFIED where there are none)."""

    matrix: int
    range: int
    transfer: int
    primaries: int
    location: int = UNSPECIFIED_LOCATION

    @classmethod
    def of(
        cls, context: VideoCodecContext, pixel_format: str, location: int = UNSPECIFIED_LOCATION
    ) -> ColourTags:
        """The tags of an opened stream. The old yuvj formats mean full range by their name."""
        full = pixel_format.startswith("yuvj") or context.color_range == FULL
        return cls(
            int(context.colorspace),
            FULL if full else LIMITED,
            int(context.color_trc),
            int(context.color_primaries),
            location,
        )

    def completed(self, frame: VideoFrame) -> ColourTags:
        """The same, with what only a decoded frame says: VP8's matrix, for one."""
        tags = {
            "matrix": int(frame.colorspace),
            "transfer": int(frame.color_trc),
            "primaries": int(frame.color_primaries),
        }
        untold = {name: tag for name, tag in tags.items() if getattr(self, name) == UNSPECIFIED}
        # R'G'B' is of full range, but what is made of it need not be.
        full = FULL if frame.color_range == FULL and not frame.format.is_rgb else self.range
        return replace(self, range=full, **untold)

    def as_sdr(self) -> ColourTags:
        """The same, or BT.709's where these are of HDR."""
        if self.transfer not in TRANSFERS:
            return self
        return replace(self, matrix=BT709, transfer=BT709, primaries=BT709)

    def matrix_for(self, height_px: int) -> int:
        """The matrix to compute with.

        An untagged stream higher than 576 lines is taken as BT.709, any other as BT.601: what
        players do. So is R'G'B' that becomes video.
        """
        if self.matrix in LUMA_COEFFICIENTS:
            return self.matrix
        return BT709 if height_px > SD_HEIGHT_PX else SMPTE170M

    def sample_format(self, bits: int, step: tuple[int, int], height_px: int) -> SampleFormat:
        """What the samples of Y'CbCr mean.

        Args:
            bits: of a sample.
            step: columns and rows of pixels that share a chroma sample.
            height_px: of the whole picture.
        """
        # Unless it says so, chroma lies where H.264 and H.265 have it: left, between two rows.
        across, down = LOCATIONS.get(self.location, LOCATIONS[LEFT])
        return SampleFormat(
            bits,
            LUMA_COEFFICIENTS[self.matrix_for(height_px)],
            self.range == FULL,
            step,
            (across if step[0] > 1 else 0.0, down if step[1] > 1 else 0.0),
            TRANSFERS.get(self.transfer, TransferFunction.SDR),
        )

    def apply_to(self, context: CodecContext) -> None:
        """Writes the tags into an encoder of Y'CbCr that is not open yet.

        The matrix of R'G'B' is tagged as what `matrix_for` replaces it by.
        """
        if not isinstance(context, VideoCodecContext):
            raise TypeError(f"not a video encoder: {context!r}")
        known = {*LUMA_COEFFICIENTS, UNSPECIFIED}
        context.colorspace = (
            self.matrix if self.matrix in known else self.matrix_for(context.height)
        )
        context.color_range = self.range
        context.color_trc = self.transfer
        context.color_primaries = self.primaries
        if self.location != UNSPECIFIED_LOCATION:
            name = LOCATION_NAMES[self.location]
            context.options = {**context.options, "chroma_sample_location": name}
