"""Every delivered format, read by ffmpeg, looks over any colour as the matte does."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813 - its own name for itself
import pytest

from matting.delivery.format_writers import create_format_writer, format_input
from matting.delivery.formats import FORMATS, AlphaTravel, DeliveryFormat
from matting.errors import MediaError
from matting.imaging import large_frames
from matting.imaging.delivered_frames import DeliveredFrames
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction
from matting.media.colour_tags import BT709_TAGS
from matting.media.probe import probe
from matting.media.vp9_alpha import Vp9AlphaWriter
from matting.options import CodecBackend, EncodingOptions, FormatName, VideoCodec
from tests.support.pictured_source import PicturedSource
from tests.support.soft_disc import (
    DISC_SIZE,
    FRAMES,
    GREEN,
    PTS,
    RED,
    WHITE,
    Floats,
    delivered,
    disc,
    over,
    read_light,
    read_rgba,
    worst_mean_error,
)

SOFTWARE = EncodingOptions(VideoCodec.H264, quality=1, encoder=CodecBackend.SOFTWARE)
CHANNELS = [row for row in FORMATS.values() if row.alpha is AlphaTravel.STRAIGHT]
PACKED = [FORMATS[name] for name in (FormatName.STACKED, FormatName.SIDE_BY_SIDE)]
PICTURED = [row for row in FORMATS.values() if not row.name.is_vr]  # those have writers of theirs
LOSSLESS = {FormatName.PNG, FormatName.EXR, FormatName.FFV1}


def write(
    row: DeliveryFormat,
    path: Path,
    source: PicturedSource,
    encoding: EncodingOptions = SOFTWARE,
    *,
    premultiplied: bool = False,
) -> Path:
    """Write the disc; return the file, or what ffmpeg calls the pictures."""
    samples = format_input(row, source, encoding)
    frames = delivered(*disc(), samples.sample_format, premultiplied=premultiplied)
    with create_format_writer(
        row, path, source=source, encoding=encoding, samples=samples, first_frame=7
    ) as writer:
        writer.write(frames, PTS)
        writer.finish()
    return path / f"%07d{row.suffix}" if row.pictures else path


def shown(row: DeliveryFormat, path: Path) -> Floats:
    options = ("-start_number", "7") if row.pictures else ()
    decoder = ("-c:v", "libvpx-vp9") if row.name is FormatName.WEBM else ()
    if row.name is FormatName.HEVC:
        width, height = DISC_SIZE
        return read_rgba(path, Size(98, 66))[:, :height, :width]  # no odd sides
    return read_rgba(path, DISC_SIZE, *options, *decoder)


@pytest.mark.parametrize("row", CHANNELS, ids=lambda row: row.name)
def test_straight_alpha_looks_over_any_colour_as_it_should(
    row: DeliveryFormat, tmp_path: Path
) -> None:
    written = write(row, tmp_path / f"disc{row.suffix}", PicturedSource())
    bound = 1.0 if row.name in LOSSLESS else 2.0
    assert worst_mean_error(shown(row, written), *disc()) <= bound


@pytest.mark.parametrize("large", [True, False])
def test_of_large_frames_webm_is_made_by_one_encoder_at_a_time(
    large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(large_frames, "LARGE_PX", 0)
    row, source = FORMATS[FormatName.WEBM], PicturedSource()
    samples = format_input(row, source, SOFTWARE)
    path = tmp_path / "opened.webm"
    with create_format_writer(
        row, path, source=source, encoding=SOFTWARE, samples=samples
    ) as writer:
        assert isinstance(writer, Vp9AlphaWriter) == large
    written = write(row, tmp_path / "disc.webm", source)
    assert worst_mean_error(shown(row, written), *disc()) <= 2


@pytest.mark.parametrize("row", CHANNELS, ids=lambda row: row.name)
def test_multiplied_colours_would_be_noticed(row: DeliveryFormat, tmp_path: Path) -> None:
    path = tmp_path / f"disc{row.suffix}"
    written = write(row, path, PicturedSource(), premultiplied=True)
    assert worst_mean_error(shown(row, written), *disc()) > 2


def camera_code(light: Floats) -> Floats:
    """Return code values of light by the camera's curve. Source: ITU-R BT.709, 1.2."""
    return np.where(light < 0.018, 4.5 * light, 1.099 * np.maximum(light, 0) ** 0.45 - 0.099)


def camera_light(code: Floats) -> Floats:
    """Return the light of code values, by looking for it on the camera's curve."""
    light = np.linspace(0, 1, 100_001)
    return np.asarray(np.interp(code, camera_code(light), light))


def exr_error(light: Floats) -> float:
    """Return the worst mean error over three colours of premultiplied light [T, H, W, 4]."""
    foreground, alpha = disc()
    errors = []
    for rgb in (RED, GREEN, WHITE):
        behind = camera_light(np.asarray(rgb) / 255)
        composite = light[..., :3] + behind * (1 - light[..., 3:])
        expected = over_light(camera_light(foreground), alpha, behind)
        difference = camera_code(composite) - camera_code(expected)
        errors.append(float(np.abs(difference)[alpha[..., 0] > 0].mean() * 255))
    return max(errors)


def over_light(light: Floats, alpha: Floats, behind: Floats) -> Floats:
    return np.asarray(light * alpha + behind * (1 - alpha))


def test_exr_is_premultiplied_linear_light_by_two_readers(tmp_path: Path) -> None:
    row = FORMATS[FormatName.EXR]
    folder = tmp_path / "disc"
    pattern = write(row, folder, PicturedSource(pixel_aspect=Fraction(4, 3)))
    by_ffmpeg = read_light(pattern, DISC_SIZE, "-start_number", "7")
    assert exr_error(by_ffmpeg) <= 1
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{number:07d}.exr" for number in range(7, 7 + FRAMES)]
    images = [oiio.ImageBuf(str(folder / name)) for name in names]
    pixels = [np.asarray(image.get_pixels(oiio.FLOAT), np.float64) for image in images]
    by_oiio = np.stack(pixels)
    assert exr_error(by_oiio) <= 1
    straight = by_oiio.copy()
    straight[..., :3] /= np.maximum(straight[..., 3:], 1e-3)
    assert exr_error(straight) > 2
    spec = images[0].spec()
    assert str(spec.format) == "half"
    assert tuple(spec.channelnames) == ("R", "G", "B", "A")
    assert spec.getattribute("PixelAspectRatio") == pytest.approx(4 / 3)
    assert spec.getattribute("chromaticities")[:2] == pytest.approx((0.64, 0.33))


@pytest.mark.parametrize("row", PACKED, ids=lambda row: row.name)
def test_alpha_in_the_picture_looks_over_any_colour_as_it_should(
    row: DeliveryFormat, tmp_path: Path
) -> None:
    path = write(row, tmp_path / "disc.mp4", PicturedSource())
    info = probe(path)
    # Each half of a whole number of chroma samples along the seam.
    expected = Size(98, 132) if row.name is FormatName.STACKED else Size(196, 66)
    assert Size(info.width_px, info.height_px) == expected
    rgb = read_rgba(path, expected)[..., :3]
    width, height = DISC_SIZE
    if row.name is FormatName.STACKED:
        colour, alpha = rgb[:, :height, :width], rgb[:, 66 : 66 + height, :width]
    else:
        colour, alpha = rgb[:, :height, :width], rgb[:, :height, 98 : 98 + width]
    seen = np.concatenate((colour, alpha[..., :1]), axis=3)
    assert worst_mean_error(seen, *disc()) <= 2


def test_the_matte_is_grey_and_white_where_opaque(tmp_path: Path) -> None:
    path = write(FORMATS[FormatName.MATTE], tmp_path / "disc.mp4", PicturedSource())
    size = Size(98, 66)
    rgb = read_rgba(path, size)[:, : DISC_SIZE.height, : DISC_SIZE.width, :3]
    assert np.abs(rgb - disc()[1]).mean() * 255 <= 2


def test_a_composite_is_a_video_as_it_is_given(tmp_path: Path) -> None:
    row, source = FORMATS[FormatName.GREEN], PicturedSource()
    samples = format_input(row, source, SOFTWARE)
    foreground, alpha = disc()
    frames = delivered(over(GREEN)(foreground, alpha), alpha, samples.sample_format)
    path = tmp_path / "disc.mp4"
    with create_format_writer(
        row, path, source=source, encoding=SOFTWARE, samples=samples
    ) as writer:
        writer.write(DeliveredFrames(frames.colour, None), PTS)
        writer.finish()
    rgb = read_rgba(path, Size(98, 66))[:, : DISC_SIZE.height, : DISC_SIZE.width, :3]
    assert np.abs(rgb - over(GREEN)(foreground, alpha)).mean() * 255 <= 2


def test_what_becomes_too_large_twice_as_high_is_refused_at_once() -> None:
    source = PicturedSource(size_px=Size(8192, 4400))
    encoding = replace(SOFTWARE, codec=VideoCodec.AV1)
    with pytest.raises(MediaError, match="8192x8800"):
        format_input(FORMATS[FormatName.STACKED], source, encoding)
    format_input(FORMATS[FormatName.SIDE_BY_SIDE], source, encoding)


@pytest.mark.parametrize("row", PICTURED, ids=lambda row: row.name)
def test_every_format_that_is_listed_can_be_written(row: DeliveryFormat) -> None:
    hdr = replace(BT709_TAGS, transfer=16).sample_format(10, (2, 2), DISC_SIZE.height)
    assert hdr.transfer is TransferFunction.PQ
    samples = format_input(row, PicturedSource(sample_format=hdr), SOFTWARE)
    if row.pictures:
        assert samples.sample_format == SampleFormat(16, transfer=TransferFunction.PQ)
    else:
        assert samples.pixel_format
