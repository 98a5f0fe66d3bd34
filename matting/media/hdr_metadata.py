"""The display on which an HDR video was mastered, and the video's light levels.

Decoded frames carry both; encoders take them as parameters. Source: SMPTE ST 2086, CTA-861.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from matting.media.container import side_data

# The units of H.264's and H.265's messages: ITU-T H.265, D.3.28.
CHROMATICITY = 50_000
LUMINANCE = 10_000
BRIGHTEST = 10_000  # of SMPTE ST 2084, in candela per square metre
MOST_LIGHT = 65_535  # CTA-861.3 has 16 bits for it
NONSENSE = (
    "What it says of its HDR picture's brightness and colours makes no sense, and is left out."
)

Point = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class MasteringDisplay:
    """The mastering display, exactly as the stream describes it.

    Attributes:
        red, green, blue, white: CIE 1931 x and y.
        brightest, darkest: luminance in candela per square metre.
    """

    red: Point
    green: Point
    blue: Point
    white: Point
    brightest: Fraction
    darkest: Fraction

    @property
    def is_plausible(self) -> bool:
        """Whether there can be such a display; encoders refuse others."""
        points = (self.red, self.green, self.blue, self.white)
        is_chromatic = all(0 <= share <= 1 for point in points for share in point)
        return is_chromatic and 0 <= self.darkest <= self.brightest <= BRIGHTEST

    def in_units(self) -> str:
        """Format it in the units of H.264 and H.265, as x264 and x265 read it."""
        green, blue, red, white = (
            f"({round(x * CHROMATICITY)},{round(y * CHROMATICITY)})"
            for x, y in (self.green, self.blue, self.red, self.white)
        )
        light = f"{round(self.brightest * LUMINANCE)},{round(self.darkest * LUMINANCE)}"
        return f"G{green}B{blue}R{red}WP{white}L({light})"

    def in_decimals(self) -> str:
        """Format it in decimal numbers, as SVT-AV1 reads it."""
        green, blue, red, white = (
            f"({float(x):.8f},{float(y):.8f})"
            for x, y in (self.green, self.blue, self.red, self.white)
        )
        light = f"{float(self.brightest):.8f},{float(self.darkest):.8f}"
        return f"G{green}B{blue}R{red}WP{white}L({light})"


@dataclass(frozen=True)
class HdrMetadata:
    """A stream's HDR metadata, of which at least one part is there.

    Attributes:
        display: None: not stated.
        light: the brightest pixel (MaxCLL) and the brightest frame's mean (MaxFALL), in candela
            per square metre; None: not stated.
    """

    display: MasteringDisplay | None
    light: tuple[int, int] | None

    @classmethod
    def of(cls, frame: VideoFrame) -> HdrMetadata | None:
        """Return a decoded frame's metadata, its container's included; None where it has none.

        Ask the first frame: H.264's decoder gives it with key frames only.
        """
        display = _display(side_data(frame, Type.MASTERING_DISPLAY_METADATA) or b"")
        light = _light(side_data(frame, Type.CONTENT_LIGHT_LEVEL) or b"")
        return None if display is None and light is None else cls(display, light)

    def x265(self) -> str:
        """Return parameters for `x265-params`, without a colon at the ends."""
        return self._join("master-display", "max-cll")

    def x264(self) -> str:
        """Return parameters for `x264-params`, without a colon at the ends."""
        return self._join("mastering-display", "cll")

    def svtav1(self) -> str:
        """Return parameters for `svtav1-params`, without a colon at the ends."""
        return self._join("mastering-display", "content-light", decimal=True)

    def _join(self, display: str, light: str, *, decimal: bool = False) -> str:
        parts = []
        if self.display is not None:
            text = self.display.in_decimals() if decimal else self.display.in_units()
            parts.append(f"{display}={text}")
        if self.light is not None:
            parts.append(f"{light}={self.light[0]},{self.light[1]}")
        return ":".join(parts)


def hdr_note(frame: VideoFrame) -> str:
    """Return a sentence where a decoded frame's metadata is left out; "" where it is not."""
    known = HdrMetadata.of(frame) or HdrMetadata(None, None)
    display = side_data(frame, Type.MASTERING_DISPLAY_METADATA)
    light = side_data(frame, Type.CONTENT_LIGHT_LEVEL)
    lost = (display is not None and known.display is None) or (
        light is not None and any(light) and known.light is None
    )
    return NONSENSE if lost else ""


def _display(content: bytes) -> MasteringDisplay | None:
    """Parse FFmpeg's AVMasteringDisplayMetadata: ten fractions, then which of them count.

    None, too, where only half of it is known, for no encoder takes half, or where it is nonsense.
    """
    if len(content) < 88:
        return None
    *numbers, has_primaries, has_luminance = struct.unpack_from("22i", content)
    if not (has_primaries and has_luminance) or 0 in numbers[1::2]:
        return None
    values = [Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
    red, green, blue, white = zip(values[0:8:2], values[1:8:2], strict=True)
    display = MasteringDisplay(red, green, blue, white, brightest=values[9], darkest=values[8])
    return display if display.is_plausible else None


def _light(content: bytes) -> tuple[int, int] | None:
    if len(content) < 8:
        return None
    brightest, mean = struct.unpack_from("2I", content)
    return (brightest, mean) if 0 < max(brightest, mean) <= MOST_LIGHT else None
