"""Image sequences are matted like a segment."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from matting.errors import DecodeError, SegmentsFailedError
from matting.infer import infer
from matting.media.images.png import encode_png
from matting.media.images.sequence import ImageSequence
from tests.support.clips import decode, number_of, picture, times
from tests.support.pixels import RGB8, RGB16
from tests.support.recorder import Recorder
from tests.support.stages import composites, matting_options, processed, with_output

GREY = np.full((4, 6), 100, np.uint8)


def write_sequence(folder: Path, suffix: str, count: int = 12) -> Path:
    folder.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(picture(index)).save(folder / f"shot {index}{suffix}")
    return folder


def test_compressed_tiff(tmp_path: Path) -> None:
    pixels = np.dstack([GREY] * 3)
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression="tiff_lzw")
    (chunk,) = ImageSequence(tmp_path, Fraction(30)).chunks(1)
    assert chunk.pictures.luma_or_rgb.unique().tolist() == [100]


def test_a_picture_for_print_is_refused(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (200, 30, 30, 0)).save(tmp_path / "a.jpg")
    with pytest.raises(DecodeError, match="print"):
        ImageSequence(tmp_path, Fraction(30))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_folder_of_pictures(
    suffix: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = write_sequence(tmp_path / "take", suffix)
    rate = Fraction(30000, 1001)
    options = with_output(matting_options(opaque_checkpoint), frame_rate=rate)
    matted = infer(folder, options, None, progress)
    (result,) = composites(matted)
    assert result.name == "take.mp4"
    assert [number_of(rgb) for _, rgb in decode(result)] == list(range(12))
    assert times(result) == [index / rate for index in range(12)]
    infer(folder, options, None, progress)
    assert progress.mentions("1 of 1 are done already")


def test_folders_of_pictures_beside_each_other(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    write_sequence(tmp_path / "shots" / "b", ".png", 3)
    write_sequence(tmp_path / "shots" / "a", ".png", 4)
    options = with_output(matting_options(opaque_checkpoint), frame_rate=Fraction(25))
    matted = infer(tmp_path / "shots", options, None, progress)
    assert processed(matted) == {"a": True, "b": True}
    assert [p.name for p in composites(matted)] == ["a.mp4", "b.mp4"]


def test_a_picture_of_another_size_is_named(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = write_sequence(tmp_path / "take", ".png", 3)
    Image.fromarray(picture(0, (32, 32))).save(folder / "shot 2.png")
    with pytest.raises(SegmentsFailedError, match="shot 2.png"):
        infer(folder, matting_options(opaque_checkpoint), None, progress)


def test_a_broken_picture_is_named(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = write_sequence(tmp_path / "take", ".png", 3)
    (folder / "shot 1.png").write_bytes(b"no picture")
    with pytest.raises(SegmentsFailedError, match="shot 1.png"):
        infer(folder, matting_options(opaque_checkpoint), None, progress)


def test_a_sequence_has_the_depth_of_its_first_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(RGB16))
    (tmp_path / "b.png").write_bytes(encode_png(RGB8))
    sequence = ImageSequence(tmp_path, Fraction(30))
    assert (sequence.size_px, sequence.frames) == ((64, 48), 2)
    assert sequence.depth == 16
    (_, first), (_, second) = sequence.pictures()
    assert np.array_equal(first, RGB16)
    assert np.array_equal(second, RGB8.astype(np.uint16) * 257)
    (chunk,) = sequence.chunks(4)
    assert chunk.pictures.luma_or_rgb.shape == (2, 3, 48, 64)


def test_a_picture_of_more_bits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(RGB8))
    (tmp_path / "b.png").write_bytes(encode_png(RGB16))
    sequence = ImageSequence(tmp_path, Fraction(30))
    assert sequence.depth == 8
    with pytest.raises(DecodeError, match="b.png has 16 bits a channel, the first picture has 8"):
        list(sequence.pictures())


def test_results_have_the_pictures_names(tmp_path: Path) -> None:
    (tmp_path / "shot 10.png").write_bytes(encode_png(RGB8))
    Image.fromarray(RGB8).save(tmp_path / "shot 2.b.jpg")
    sequence = ImageSequence(tmp_path, Fraction(30))
    assert sequence.result_names == ("shot 2.b.png", "shot 10.png")
    Image.fromarray(RGB8).save(tmp_path / "shot 10.jpg")
    sequence = ImageSequence(tmp_path, Fraction(30))
    assert sequence.result_names == ("shot 2.b.jpg.png", "shot 10.jpg.png", "shot 10.png.png")
