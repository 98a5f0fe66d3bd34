"""OpenEXR files in linear light, written and read again by OpenImageIO."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own name for itself
from numpy.typing import NDArray

from matting.errors import EncodeError, writing
from matting.imaging.linear_light import Curve
from matting.imaging.tone_mapping import WHITE_NITS
from matting.media.colour_tags import ColourTags, Primaries, Transfer

# CIE 1931 x and y of red, green, blue and white: ITU-T H.273, table 2.
CHROMATICITIES = {
    Primaries.BT709: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290),
    Primaries.BT470BG: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, 0.3127, 0.3290),
    Primaries.SMPTE170M: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, 0.3127, 0.3290),
    Primaries.BT2020: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
}
# Otherwise it writes what time it is: the same picture would be another file each time.
NO_DATE = "1970:01:01 00:00:00"
# By their numbers in ITU-T H.273, table 3. Any other is taken as a camera's.
CURVES = {4: Curve.GAMMA_22, 5: Curve.GAMMA_28, 8: Curve.LINEAR, 13: Curve.SRGB}
CURVES |= {Transfer.PQ: Curve.PQ, Transfer.HLG: Curve.HLG}


@dataclass(frozen=True)
class ExrLight:
    """What the numbers of a picture mean.

    Attributes:
        curve: by which code values became light.
        chromaticities: of red, green, blue and white, x and y each.
        pixel_aspect: width of a pixel by its height.
    """

    curve: Curve
    chromaticities: tuple[float, ...]
    pixel_aspect: Fraction = Fraction(1)

    @classmethod
    def of(cls, colour: ColourTags, pixel_aspect: Fraction, *, picture: bool) -> ExrLight:
        """Return how a source's code values become light.

        Args:
            picture: whether the source is pictures, which are of sRGB unless they say otherwise.
        """
        untagged = colour.transfer == Transfer.UNSPECIFIED
        curve = CURVES.get(colour.transfer, Curve.CAMERA)
        known = {int(key): value for key, value in CHROMATICITIES.items()}
        return cls(
            Curve.SRGB if picture and untagged else curve,
            known.get(colour.primaries, CHROMATICITIES[Primaries.BT709]),
            pixel_aspect,
        )


def write_exr(path: Path, values: NDArray[np.float16], light: ExrLight) -> None:
    """Write a picture of premultiplied linear light as `path`, which may end half written.

    Args:
        values: [H, W, 4], RGBA.
    Raises:
        EncodeError: OpenImageIO refuses it.
        StorageError: the file cannot be written.
    """
    height, width = values.shape[:2]
    spec = oiio.ImageSpec(width, height, 4, "half")
    spec.channelnames = ("R", "G", "B", "A")
    spec.alpha_channel = 3
    spec.attribute("compression", "zip")
    spec.attribute("PixelAspectRatio", float(light.pixel_aspect))
    spec.attribute("DateTime", NO_DATE)
    spec.attribute("chromaticities", "float[8]", light.chromaticities)
    if light.curve in {Curve.PQ, Curve.HLG}:
        spec.attribute("whiteLuminance", float(WHITE_NITS))  # OpenEXR's own: of R = G = B = 1
    spec.attribute(
        "ImageDescription",
        f"Linear light by the inverse of {light.curve.value}; colours are multiplied by alpha.",
    )
    oiio.attribute("oiio:print_uncaught_errors", 0)  # they are raised here
    with writing(path):
        path.touch()  # a folder that cannot be written is named as such
    output = oiio.ImageOutput.create(str(path))
    if output is None:
        raise EncodeError(f"{path} cannot be encoded ({oiio.geterror()}).")
    try:
        intact = output.open(str(path), spec) and output.write_image(values)
    finally:
        intact = output.close() and intact
    if not intact:
        # It does not say what the system said: that does, asked for as much room.
        with writing(path):
            path.write_bytes(bytes(values.nbytes))
        raise EncodeError(f"{path} cannot be encoded ({output.geterror()}).")


def read_exr(path: Path) -> NDArray[np.float16]:
    """Return a picture's numbers, [H, W, channels].

    Raises:
        ValueError: it is damaged, or none.
    """
    oiio.attribute("oiio:print_uncaught_errors", 0)
    file = oiio.ImageInput.open(str(path))
    if file is None:
        raise ValueError(oiio.geterror())
    try:
        values = file.read_image("half")
        if values is None or file.has_error:
            raise ValueError(file.geterror())
    finally:
        file.close()
    return np.asarray(values, np.float16)
