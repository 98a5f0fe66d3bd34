"""What every source of frames promises, whatever its frames come from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from matting.errors import DecodeError, InputError, MachineError, MattingError
from matting.imaging.planes import Planes, same_samples
from matting.media.frame_chunks import take_frames
from matting.media.images.png import Values, encode_png
from matting.media.images.sequence import ImageSequence
from matting.media.images.still import to_16_bits
from matting.media.source import FrameChunk, FrameSource
from matting.media.video_source import VideoSource
from tests.support.clips import RATE, SIZE, crop_by_header, make_clip, number_of, picture
from tests.support.damage import damage_packets
from tests.support.fake_nvdec import FAKE_NVDEC
from tests.support.open_files import open_files

FRAMES = 9
SIZES = [1, 2, FRAMES, FRAMES + 5]
GOP = 3  # so that damage in one frame leaves those before it alone

Open = Callable[[Path], FrameSource]


@dataclass(frozen=True)
class Case:
    """A kind of source.

    Attributes:
        make: writes frames 0, 1, 2 ... into a folder; returns what is to be opened.
        open: opens that.
        damage: damages the frame of that number, and returns the file that an error has to name.
        error: what is raised at damage.
        decodes_skipped: whether frames before the wanted ones have to be decoded.
    """

    make: Callable[[Path], Path]
    open: Open
    damage: Callable[[Path, int], Path]
    error: type[MattingError] = DecodeError
    decodes_skipped: bool = True


def video(suffix: str, codec: str = "libx264", pixel_format: str = "yuv420p") -> Case:
    def make(folder: Path) -> Path:
        path = folder / f"clip.{suffix}"
        return make_clip(path, FRAMES, codec=codec, pixel_format=pixel_format, gop=GOP)

    return Case(make, VideoSource, damage_one)


def pictures(convert: Callable[[Values], Values] = lambda values: values) -> Case:
    def make(folder: Path) -> Path:
        for number in range(FRAMES):
            (folder / f"{number}.png").write_bytes(encode_png(convert(picture(number))))
        return folder

    def damage(folder: Path, number: int) -> Path:
        path = folder / f"{number}.png"
        path.write_bytes(path.read_bytes()[:-30])
        return path

    return Case(make, lambda folder: ImageSequence(folder, RATE), damage, decodes_skipped=False)


def cropped(folder: Path) -> Path:
    clip = make_clip(folder / "clip.mkv", FRAMES, gop=GOP)
    return crop_by_header(clip, left=0, bottom=6)


def by_nvdec(path: Path) -> FrameSource:
    source, reason = VideoSource(path).decoded_by(FAKE_NVDEC)
    assert reason == ""
    return source


def damage_one(path: Path, number: int) -> Path:
    return damage_packets(path, {number})


CASES = {
    "mp4": video("mp4"),
    "mkv of 10 bits": video("mkv", "libx265", "yuv420p10le"),
    "ts": video("ts", "mpeg2video"),
    "transparent": video("mkv", "ffv1", "bgra"),
    "cropped": Case(cropped, VideoSource, damage_one),
    "NVDEC": Case(video("mp4").make, by_nvdec, damage_one, MachineError),
    "pictures": pictures(),
    "pictures of 16 bits": pictures(to_16_bits),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def path(case: Case, tmp_path: Path) -> Path:
    return case.make(tmp_path)


@pytest.fixture
def source(case: Case, path: Path) -> FrameSource:
    return case.open(path)


def numbers_in(planes: Planes) -> list[int]:
    """Return the numbers that the frames carry."""
    sample_format = planes.sample_format
    values = planes.luma_or_rgb[:, 0].to(torch.int32) >> sample_format.lsb_padding
    scaled = (values * 255 // sample_format.max_code_value).to(torch.uint8)
    return [number_of(frame) for frame in scaled.numpy()]


def read(source: FrameSource, size: int = 2, last: int | None = None) -> list[FrameChunk]:
    with closing(source.chunks(size, last=last)) as chunks:
        return list(chunks)


def test_every_frame_comes_once_in_order_at_its_time(source: FrameSource) -> None:
    chunks = read(source)
    assert [n for chunk in chunks for n in numbers_in(chunk.pictures)] == list(range(FRAMES))
    pts = [time for chunk in chunks for time in chunk.pts]
    # A container may count in milliseconds.
    for number, time in enumerate(pts):
        seconds = (time - pts[0]) * source.time_base
        assert abs(seconds - number / RATE) <= Fraction(1, 1000)
    assert all(earlier < later for earlier, later in pairwise(pts))


@pytest.mark.parametrize("size", SIZES)
def test_chunks_are_full_but_for_the_last(size: int, source: FrameSource) -> None:
    chunks = read(source, size)
    lengths = [len(chunk.pts) for chunk in chunks]
    assert sum(lengths) == FRAMES
    assert all(length == size for length in lengths[:-1])
    assert 0 < lengths[-1] <= size
    assert lengths == [len(chunk.pictures) for chunk in chunks]


def test_what_it_is_is_known_before_the_first_frame(source: FrameSource, path: Path) -> None:
    assert source.path == path
    assert source.frames == FRAMES
    assert source.rate == RATE
    assert source.pixel_aspect == 1
    assert all(note.endswith(".") for note in source.notes)
    for chunk in read(source):
        planes = chunk.pictures
        assert (planes.width, planes.height) == source.size_px
        assert planes.sample_format == source.sample_format
    assert source.size_px.width == SIZE[0]


@pytest.mark.parametrize("last", [1, 4, FRAMES, FRAMES + 3])
def test_only_the_last_frames(last: int, case: Case, source: FrameSource) -> None:
    skipped: list[None] = []
    with closing(source.chunks(2, last=last, on_skip=lambda: skipped.append(None))) as chunks:
        numbers = [n for chunk in chunks for n in numbers_in(chunk.pictures)]
    first = max(0, FRAMES - last)
    assert numbers == list(range(first, FRAMES))
    assert len(skipped) == (first if case.decodes_skipped else 0)


def test_only_the_first_frames(source: FrameSource) -> None:
    with closing(source.chunks(2)) as chunks:
        taken = list(take_frames(chunks, 5))
    assert [n for chunk in taken for n in numbers_in(chunk.pictures)] == list(range(5))


def test_a_source_can_be_read_again_and_side_by_side(source: FrameSource) -> None:
    with closing(source.chunks(3)) as one, closing(source.chunks(3)) as other:
        for mine, theirs in zip(one, other, strict=True):
            assert mine.pts == theirs.pts
            assert same_samples(mine.pictures, theirs.pictures)
    assert sum(len(chunk.pts) for chunk in read(source)) == FRAMES


@pytest.mark.skipif(sys.platform != "linux", reason="looks at open files as Linux lists them")
@pytest.mark.parametrize("end", ["at the end", "before the first", "in the middle"])
def test_its_files_are_closed(end: str, source: FrameSource, tmp_path: Path) -> None:
    with closing(source.chunks(2)) as chunks:
        if end == "at the end":
            assert list(chunks)
        elif end == "in the middle":
            next(chunks)
    assert open_files(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks at open files as Linux lists them")
def test_its_files_are_closed_when_the_work_is_interrupted(
    source: FrameSource, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt) as raised, closing(source.chunks(2)) as chunks:
        next(chunks)
        raise KeyboardInterrupt
    # The error is still there, and all that its traceback holds.
    assert raised.value is not None
    assert open_files(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks at open files as Linux lists them")
def test_damage_is_an_error_that_names_the_file(
    case: Case, path: Path, source: FrameSource, tmp_path: Path
) -> None:
    """Also damage that comes after it was opened; nothing that was damaged is handed out."""
    damaged = case.damage(path, 7)
    numbers: list[int] = []
    with pytest.raises(case.error) as raised:
        for chunk in source.chunks(1):
            numbers += numbers_in(chunk.pictures)
    assert str(damaged) in raised.value.what
    assert numbers == list(range(len(numbers)))
    assert len(numbers) <= 7
    assert open_files(tmp_path) == []


def test_what_is_not_there_is_named(case: Case, path: Path) -> None:
    gone = path.with_name(f"gone{path.suffix}")
    with pytest.raises(InputError) as raised:
        case.open(gone)
    assert str(gone) in raised.value.what
