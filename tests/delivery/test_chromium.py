"""WebM with alpha as a browser shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matting.delivery.format_writers import create_format_writer, format_input
from matting.delivery.formats import FORMATS
from matting.imaging.sample_format import Size
from matting.options import EncodingOptions, FormatName
from tests.support.chromium import MISSING, PROGRAM, video_over
from tests.support.pictured_source import PicturedSource
from tests.support.soft_disc import RED, delivered, disc, over

SIZE, FRAMES = Size(160, 120), 3
BLUE = (0, 0, 255)


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
@pytest.mark.parametrize("premultiplied", [False, True])
def test_chromium_shows_webm_over_red_and_blue_as_it_should(
    premultiplied: bool, tmp_path: Path
) -> None:
    row, encoding = FORMATS[FormatName.WEBM], EncodingOptions()
    source = PicturedSource(size_px=SIZE, frames=FRAMES)
    samples = format_input(row, source, encoding)
    foreground, alpha = (np.repeat(part, FRAMES, axis=0) for part in disc(SIZE, 1))
    frames = delivered(foreground, alpha, samples.sample_format, premultiplied=premultiplied)
    path = tmp_path / "disc.webm"
    with create_format_writer(
        row, path, source=source, encoding=encoding, samples=samples
    ) as writer:
        writer.write(frames, [number * 3000 for number in range(FRAMES)])
        writer.finish()
    seen = alpha[0, ..., 0] > 0
    for shown, rgb in zip(
        video_over(path, ["#f00", "#00f"], SIZE, tmp_path), (RED, BLUE), strict=True
    ):
        errors = np.abs(shown - over(rgb)(foreground, alpha)[0] * 255)
        assert (errors[seen].mean() <= 2) != premultiplied
        assert errors[~seen].mean() <= 0.5
