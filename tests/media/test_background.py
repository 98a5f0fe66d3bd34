"""What is behind the people: the right picture at every time, however the video was cut."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageCms

from matting.errors import DecodeError, InputError, MediaError
from matting.imaging.planes import Planes, concatenate, same_samples
from matting.imaging.sample_format import SampleFormat, TransferFunction
from matting.media.background import Background
from matting.media.background_frames import BackgroundFrames
from matting.media.images.writer import store_png
from matting.media.source import FrameSource
from matting.media.video_source import VideoSource
from matting.project.inputs import Input
from matting.project.plan import PlannedSegment
from matting.system.fingerprint import Fingerprint
from tests.support.clips import SIZE, decode, make_clip, number_of, picture
from tests.support.interlaced import FRAMES, combing, interlaced
from tests.support.open_files import open_files

RATE = Fraction(30)
RGB8 = SampleFormat()
# Groups of 10 frames, those that are shown before a key frame refer to what is before it.
OPEN_GOPS = {"bf": "2", "x264-params": "open-gop=1:scenecut=0", "crf": "20"}


@pytest.fixture
def front(tmp_path: Path) -> FrameSource:
    """Return the source of the frames in front."""
    return VideoSource(make_clip(tmp_path / "front.mp4", 2))


def times(first: int, count: int, rate: Fraction = RATE) -> Iterator[Fraction]:
    return (number / rate for number in range(first, first + count))


def frames_behind(
    path: Path, front: FrameSource, moments: Iterator[Fraction], sizes: Iterator[int]
) -> Planes:
    """Return what is behind frames that come in groups of these sizes."""
    parts: list[Planes] = []
    with BackgroundFrames(Background.open(path), front, moments) as behind:
        for size in sizes:
            part = behind.take(size, RGB8)
            parts += [part] * (size if len(part) == 1 else 1)
    return concatenate(parts)


def numbers(planes: Planes) -> list[int]:
    return [number_of(rgb) for rgb in planes.luma_or_rgb.permute(0, 2, 3, 1).numpy()]


def test_the_background_starts_again_at_its_end(tmp_path: Path, front: FrameSource) -> None:
    beach = make_clip(tmp_path / "beach.mp4", 7)
    behind = frames_behind(beach, front, times(0, 20), iter([1] * 20))
    assert numbers(behind) == [number % 7 for number in range(20)]


def test_a_background_of_another_rate_keeps_its_own_time(
    tmp_path: Path, front: FrameSource
) -> None:
    slow = make_clip(tmp_path / "slow.mp4", 4, rate=Fraction(15))
    assert numbers(frames_behind(slow, front, times(0, 10), iter([10]))) == [
        number // 2 % 4 for number in range(10)
    ]
    fast = make_clip(tmp_path / "fast.mp4", 8, rate=Fraction(60))
    assert numbers(frames_behind(fast, front, times(0, 6), iter([6]))) == [0, 2, 4, 6, 0, 2]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_times_that_a_container_has_rounded_drop_no_frame(
    suffix: str, tmp_path: Path, front: FrameSource
) -> None:
    beach = make_clip(tmp_path / f"beach{suffix}", 12)
    rounded = (Fraction(round(1000 * number / RATE), 1000) for number in range(12))
    assert numbers(frames_behind(beach, front, rounded, iter([12]))) == list(range(12))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_segments_of_any_length_show_the_same(
    suffix: str, tmp_path: Path, front: FrameSource
) -> None:
    """Each is rendered by itself, so the background is sought anew."""
    beach = make_clip(tmp_path / f"beach{suffix}", 45, options=OPEN_GOPS)
    whole = frames_behind(beach, front, times(30, 20), iter([20]))
    assert numbers(whole) == [number % 45 for number in range(30, 50)]
    for length in (1, 2, 5):
        segments = [
            planned(first, length).frame_times(front, None) for first in range(30, 50, length)
        ]
        parts = [frames_behind(beach, front, each, iter([length])) for each in segments]
        assert same_samples(concatenate(parts), whole)
    backwards = [frames_behind(beach, front, times(n, 1), iter([1])) for n in range(49, 29, -1)]
    assert same_samples(concatenate(backwards[::-1]), whole)


def planned(first: int, frames: int) -> Input:
    """Return a segment of a plan, whose clock starts anywhere."""
    tick = 1 / RATE
    pts = [1000 + number for number in range(first, first + frames)]
    segment = PlannedSegment.of("output_000.mp4", pts, Fingerprint(1, "0" * 64))
    path = Path("output_000.mp4")
    return Input(
        segment.name, path, "output_000", segment, tick, RATE, first, (pts[0] - 1000) * tick
    )


def test_far_into_a_video_little_is_decoded(
    tmp_path: Path, front: FrameSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    beach = make_clip(tmp_path / "beach.mp4", 200)
    decoded = []
    original = VideoSource._decode

    def counted(*arguments: object) -> Iterator[object]:
        for frame in original(*arguments):  # type: ignore[arg-type]
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(VideoSource, "_decode", counted)
    behind = frames_behind(beach, front, times(180, 3), iter([3]))
    assert numbers(behind) == [180, 181, 182]
    assert 0 < len(decoded) < 60


def test_a_picture_covers_the_video_and_stays(tmp_path: Path, front: FrameSource) -> None:
    width, height = SIZE
    wide = np.full((height, 3 * width, 3), 200, np.uint8)
    wide[:, width : 2 * width] = picture(21)
    store_png(tmp_path / "wide.png", wide)
    background = Background.open(tmp_path / "wide.png")
    for _ in range(2):
        with BackgroundFrames(background, front, times(0, 9)) as behind:
            planes = behind.take(5, RGB8)
            assert len(planes) == 1
            assert planes.luma_or_rgb[0].permute(1, 2, 0).numpy() == pytest.approx(picture(21))
            assert behind.take(4, RGB8) is planes
    assert len(background.kept) == 1


def test_a_video_of_the_same_samples_keeps_them(tmp_path: Path, front: FrameSource) -> None:
    beach = VideoSource(make_clip(tmp_path / "beach.mp4", 2))
    with BackgroundFrames(Background.open(beach.path), front, times(0, 2)) as behind:
        planes = behind.take(2, front.sample_format)
    with closing(beach.chunks(2)) as chunks:
        assert same_samples(planes, next(chunks).pictures)


def test_its_own_tags_turn_it_and_shape_its_pixels(tmp_path: Path, front: FrameSource) -> None:
    size = SIZE[1], SIZE[0]
    turned = make_clip(tmp_path / "turned.mp4", 1, size=size, rotation=90)
    (shown,) = frames_behind(turned, front, times(0, 1), iter([1])).luma_or_rgb
    upright = np.rot90(decode(turned)[0][1])
    assert np.abs(shown.permute(1, 2, 0).numpy().astype(int) - upright).mean() < 3
    narrow = (SIZE[0] // 2, SIZE[1])
    wide_pixels = make_clip(tmp_path / "wide.mp4", 1, size=narrow, pixel_aspect=Fraction(2))
    (wide,) = frames_behind(wide_pixels, front, times(0, 1), iter([1])).luma_or_rgb
    stored = torch.from_numpy(decode(wide_pixels)[0][1].copy()).permute(2, 0, 1)
    halves = wide.float().view(3, SIZE[1], narrow[0], 2).mean(3)
    assert (halves - stored).abs().mean() < 6


@dataclass
class HdrFront:
    """What a background has to know of an HDR video."""

    front: FrameSource

    def __getattr__(self, name: str) -> object:
        if name == "sample_format":
            return SampleFormat(10, (0.2627, 0.0593), False, transfer=TransferFunction.PQ)
        return getattr(self.front, name)


def test_white_behind_hdr_is_its_reference_white(tmp_path: Path, front: FrameSource) -> None:
    store_png(tmp_path / "white.png", np.full((8, 8, 3), 255, np.uint8))
    background = Background.open(tmp_path / "white.png")
    with BackgroundFrames(background, HdrFront(front), times(0, 1)) as behind:  # type: ignore[arg-type]
        assert "203 nits" in " ".join(behind.notes)
        white = behind.take(1, SampleFormat(16)).luma_or_rgb.double() / 65535
    assert white.numpy() == pytest.approx(0.5807, abs=0.003)  # ITU-R BT.2408, table 1


def test_what_cannot_be_shown_is_refused_by_name(tmp_path: Path) -> None:
    cut_off = make_clip(tmp_path / "cut_off.mp4", 30)
    cut_off.write_bytes(cut_off.read_bytes()[:-2000])
    (tmp_path / "words.txt").write_text("no picture")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand nothing")
    (tmp_path / "empty.jpg").touch()
    for name in ("cut_off.mp4", "words.txt", "broken.png", "empty.jpg", "gone.mp4", "."):
        with pytest.raises(InputError, match="background") as refusal:
            Background.open(tmp_path / name)
        assert str(tmp_path / name) in refusal.value.what
        assert "--background" in refusal.value.hint


def test_damage_in_its_midst_names_it(tmp_path: Path, front: FrameSource) -> None:
    beach = make_clip(tmp_path / "beach.mp4", 30)
    content = bytearray(beach.read_bytes())
    middle = content.index(b"mdat") + 4000
    content[middle : middle + 6000] = bytes(6000)
    beach.write_bytes(content)
    with pytest.raises(DecodeError, match=r"background .*beach\.mp4"):
        frames_behind(beach, front, times(0, 30), iter([30]))


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, front: FrameSource) -> None:
    store_png(tmp_path / "a.png", picture(1))
    behind = BackgroundFrames(Background.open(tmp_path / "a.png"), front, times(0, 1))
    behind.require_unchanged()
    store_png(tmp_path / "a.png", picture(2, (90, 50)))
    with pytest.raises(MediaError, match=r"a\.png was changed"):
        behind.require_unchanged()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at open files as Linux lists them")
def test_its_files_are_closed_before_its_end(tmp_path: Path, front: FrameSource) -> None:
    beach = make_clip(tmp_path / "beach.mp4", 30)
    with BackgroundFrames(Background.open(beach), front, times(0, 30)) as behind:
        behind.take(1, RGB8)
    assert open_files(tmp_path) == []


@pytest.mark.parametrize("top_first", [True, False])
def test_an_interlaced_background_is_of_whole_pictures(
    top_first: bool, tmp_path: Path, front: FrameSource
) -> None:
    beach = interlaced(tmp_path / "beach.mp4", "libx264", top_first=top_first)
    rate = Fraction(25)
    shown = frames_behind(beach, front, times(0, FRAMES, rate), iter([4] * (FRAMES // 4)))
    greys = shown.luma_or_rgb.double().mean(1).round().long().numpy()
    assert len(greys) == FRAMES
    assert max(combing(grey) for grey in greys) < 1
    # Whatever came before, and where decoding began.
    later = frames_behind(beach, front, times(11, 6, rate), iter([1] * 6))
    assert torch.equal(later.luma_or_rgb, shown.luma_or_rgb[11:17])


def with_red_and_green_exchanged() -> bytes:
    """Return an ICC profile in which what is called red is sRGB's green, and the reverse."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = {bytes(profile[at : at + 4]): at + 4 for at in range(132, 132 + 12 * count, 12)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    own = bytes(profile[red : red + 8])
    profile[red : red + 8] = profile[green : green + 8]
    profile[green : green + 8] = own
    return bytes(profile)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_pictures_own_profile_is_followed(bits: int, tmp_path: Path, front: FrameSource) -> None:
    red = np.zeros((8, 8, 3), np.uint16)
    red[..., 0] = 65535
    values = red if bits == 16 else (red >> 8).astype(np.uint8)
    store_png(tmp_path / "red.png", values, with_red_and_green_exchanged())
    with BackgroundFrames(Background.open(tmp_path / "red.png"), front, times(0, 1)) as behind:
        (shown,) = behind.take(1, SampleFormat(16)).luma_or_rgb.int()
        assert behind.notes == []
    assert (shown.flatten(1).T - torch.tensor([0, 65535, 0])).abs().max() <= 257


def test_a_profile_that_cannot_be_read_is_passed_over_and_spoken_of(
    tmp_path: Path, front: FrameSource
) -> None:
    profile = b"?" * 16 + b"RGB " + b"?" * 99
    store_png(tmp_path / "grey.png", np.full((8, 8, 3), 9, np.uint8), profile)
    with BackgroundFrames(Background.open(tmp_path / "grey.png"), front, times(0, 1)) as behind:
        assert (behind.take(1, RGB8).luma_or_rgb == 9).all()
        assert "sRGB" in " ".join(behind.notes)
