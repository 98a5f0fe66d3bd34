"""A picture or a video of the user's that is put behind the people."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from matting.background import BackgroundFile
from matting.errors import InputError, MissingError
from matting.imaging.display_light import DisplayLight, Gamut
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.media.colour_tags import ColourTags, Primaries
from matting.media.container import require_file
from matting.media.foreign_files import read_guarded
from matting.media.images.pillow import can_convert, to_srgb
from matting.media.images.still import is_still, read_facts, read_still
from matting.media.video_source import VideoSource
from matting.options import OutputOptions
from matting.progress import Progress
from matting.system.files import sha256
from matting.system.fingerprint import FileStamp

GAMUTS: dict[int, Gamut] = {Primaries.BT2020: Gamut.BT2020, Primaries.P3_D65: Gamut.P3}
# Containers round times to milliseconds: a frame that is due so soon is shown already.
ROUNDED_BY_SECONDS = Fraction(1, 1000)


class BackgroundContent(Protocol):
    """Pictures that are shown one after the other, and again from the start."""

    @property
    def sample_format(self) -> SampleFormat: ...
    @property
    def pixel_aspect(self) -> Fraction: ...
    @property
    def light(self) -> DisplayLight: ...
    @property
    def is_still(self) -> bool: ...
    @property
    def note(self) -> str:
        """A sentence on what of it cannot be followed; "": nothing."""
        ...

    def number_at(self, seconds: Fraction) -> int:
        """Return which picture is shown at that time, at least 0, after the start."""

    def can_go_on(self, number: int, to: int) -> bool:
        """Return whether one picture is best reached from another, which is being shown."""

    def pictures_from(self, number: int) -> Generator[Planes, None, None]:
        """Yield the pictures from that one on, one frame each.

        Raises:
            DecodeError: one cannot be decoded.
        """


@dataclass(frozen=True)
class Background:
    """A file behind the people.

    Attributes:
        stamp: of the file when it was opened.
        kept: what was made of a still picture last, by what it was made for.
    """

    path: Path
    content: BackgroundContent
    stamp: FileStamp
    kept: dict[object, Planes] = field(default_factory=dict, compare=False)

    @classmethod
    def open(cls, path: Path) -> Background:
        """Open a file for reading its pictures.

        Raises:
            InputError: it is not there, or it can be read neither as a picture nor as a video.
        """
        try:
            require_file(path)
            stamp = FileStamp.of(path)
            return cls(path, StillContent(path) if is_still(path) else VideoContent(path), stamp)
        except (InputError, MissingError) as error:
            raise InputError(
                f"The background cannot be used: {error.what}",
                "Give another picture (PNG, JPEG or TIFF) or video, or a colour, with "
                "--background.",
                option="--background",
            ) from error


def with_background_read(output: OutputOptions) -> OutputOptions:
    """Return options with the content of the background's file known, where it is a file.

    Raises:
        InputError: as `Background.open`.
    """
    if not isinstance(output.background, BackgroundFile):
        return output
    path = output.background.path
    Background.open(path)
    return replace(output, background=BackgroundFile(path, sha256(path)))


class StillContent:
    """One picture, for all the time.

    Raises:
        MediaError: it cannot be read.
    """

    is_still = True
    pixel_aspect = Fraction(1)
    light = DisplayLight()

    def __init__(self, path: Path) -> None:
        self._path = path
        depth, self._is_converted, self.note = read_guarded(path, partial(_read_facts, path))
        self.sample_format = SampleFormat(depth)

    def number_at(self, seconds: Fraction) -> int:
        return 0

    def can_go_on(self, number: int, to: int) -> bool:
        return False

    def pictures_from(self, number: int) -> Generator[Planes, None, None]:
        still = read_still(self._path)
        values = to_srgb(still.rgb, still.profile) if self._is_converted else still.rgb
        rgb = np.ascontiguousarray(values.transpose(2, 0, 1))
        yield Planes(self.sample_format, torch.from_numpy(rgb)[None])


def _read_facts(path: Path, progress: Progress) -> tuple[int, bool, str]:
    """Return a picture's depth, whether its profile is followed, and why it is not.

    Raises:
        DecodeError: it cannot be read.
    """
    facts = read_facts(path, progress)
    if not facts.profile:
        return facts.depth, False, ""
    if can_convert(facts.profile):
        return facts.depth, True, ""
    return facts.depth, False, "The background's colour profile is unusable: it is taken as sRGB."


class VideoContent:
    """A video, which starts again at its end.

    Raises:
        MediaError: it cannot be decoded.
    """

    is_still = False
    note = ""

    def __init__(self, path: Path) -> None:
        self._video = video = VideoSource(path, deinterlaces=True)
        self._length = _length_seconds(video)

    @property
    def sample_format(self) -> SampleFormat:
        return self._video.sample_format

    @property
    def pixel_aspect(self) -> Fraction:
        return self._video.pixel_aspect

    @property
    def light(self) -> DisplayLight:
        return light_of(self._video.colour, self.sample_format)

    def number_at(self, seconds: Fraction) -> int:
        position = (seconds + ROUNDED_BY_SECONDS) % self._length
        times = self._video.times
        return bisect_right(times, times[0] + position / self._video.time_base) - 1

    def can_go_on(self, number: int, to: int) -> bool:
        start = self._video.seek_point(to)
        return number <= to and (start is None or start.frame <= number)

    def pictures_from(self, number: int) -> Generator[Planes, None, None]:
        return (planes for _, planes in self._video.frames_from(number))


def _length_seconds(video: VideoSource) -> Fraction:
    """Return how long a video takes from its first frame to the end of its last."""
    times = video.times
    by_rate = len(times) / video.rate
    before_last = (times[-1] - times[0]) * video.time_base
    if len(times) == 1 or abs(before_last + 1 / video.rate - by_rate) <= video.time_base:
        return by_rate  # of rounded times, more exact than they are
    return before_last + (times[-1] - times[-2]) * video.time_base  # the last as the one before


def light_of(colour: ColourTags, sample_format: SampleFormat) -> DisplayLight:
    """Return what the colours of frames stand for."""
    gamut = GAMUTS.get(colour.primaries, Gamut.BT709)
    return DisplayLight(sample_format.transfer, gamut)
