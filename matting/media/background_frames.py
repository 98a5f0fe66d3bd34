"""The frames behind those of one segment: at their times, of their size, in their colours."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import islice

from matting.errors import DecodeError, MediaError
from matting.imaging.code_values import quantise_luma_or_rgb
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.covering import cover
from matting.imaging.display_light import convert_light
from matting.imaging.planes import Planes, concatenate
from matting.imaging.sample_format import SampleFormat, Size
from matting.media.background import Background, light_of
from matting.media.source import FrameSource
from matting.system.closing import Closing
from matting.system.fingerprint import FileStamp

RGB16 = SampleFormat(16)


class BackgroundFrames(Closing):
    """What is behind a segment's frames, in their order. Nothing is open before the first.

    Args:
        source: the frames in front.
        times: when each of them is presented, in seconds after the first of the whole video.
    """

    def __init__(
        self, background: Background, source: FrameSource, times: Iterator[Fraction]
    ) -> None:
        self._background = background
        self._content = background.content
        self._times = times
        self._size_px = source.size_px
        self._pixel_shape = source.pixel_aspect / background.content.pixel_aspect
        self._light = light_of(source.colour, source.sample_format)
        self._pictures: Generator[Planes, None, None] | None = None
        self._number = -1  # of the picture that was taken last
        self._kept: dict[object, Planes] = {}  # what was made last

    @property
    def notes(self) -> list[str]:
        """Sentences on what becomes of its colours and its light, where these need one."""
        return [note for note in (self._content.note, self._light_note) if note]

    @property
    def _light_note(self) -> str:
        own = self._content.light
        if own.is_hdr == self._light.is_hdr:
            return ""
        if own.is_hdr:
            return (
                "The background is HDR and the video is not: what is brighter than white is "
                "compressed."
            )
        return "The video is HDR and the background is not: its white becomes 203 nits."

    def take(self, count: int, sample_format: SampleFormat) -> Planes:
        """Return what is behind the next frames.

        Args:
            count: of the frames.
            sample_format: planar and without padding.
        Returns:
            so many frames, or one that is behind all of them, on the CPU.
        Raises:
            DecodeError: the background cannot be decoded; names it.
        """
        numbers = [self._content.number_at(time) for time in islice(self._times, count)]
        if len(set(numbers)) == 1:
            return self._frame(numbers[0], sample_format)
        return concatenate([self._frame(number, sample_format) for number in numbers])

    def require_unchanged(self) -> None:
        """Refuse frames of a file that may have other content by now.

        Raises:
            MediaError: it was changed since it was opened.
        """
        path = self._background.path
        if FileStamp.of(path) != self._background.stamp:
            raise MediaError(f"The background {path} was changed meanwhile.", retry=True)

    def close(self) -> None:
        """Close the background's file."""
        if self._pictures is not None:
            self._pictures.close()
            self._pictures = None

    def _frame(self, number: int, sample_format: SampleFormat) -> Planes:
        key = number, sample_format, self._size_px, self._pixel_shape, self._light
        kept = self._background.kept if self._content.is_still else self._kept
        if key not in kept:
            kept.clear()
            kept[key] = self._convert(self._picture(number), sample_format)
        return kept[key]

    def _picture(self, number: int) -> Planes:
        try:
            if self._pictures is None or not self._content.can_go_on(self._number + 1, number):
                self.close()
                self._pictures = self._content.pictures_from(number)
                self._number = number - 1
            for picture in self._pictures:
                self._number += 1
                if self._number == number:
                    return picture
        except DecodeError as error:
            raise _undecodable(error.what) from error
        raise _undecodable(f"{self._background.path} ends too early.")

    def _convert(self, picture: Planes, sample_format: SampleFormat) -> Planes:
        own = picture.size, self._content.light, picture.sample_format
        is_wanted = own == (self._size_px, self._light, sample_format) and self._pixel_shape == 1
        if is_wanted and (picture.chroma is None) == (sample_format.luma_coefficients is None):
            return picture
        rgb = convert_light(
            cover(picture, Size(*self._size_px), self._pixel_shape),
            self._content.light,
            self._light,
        )
        return convert_planes(Planes(RGB16, quantise_luma_or_rgb(rgb, RGB16)), sample_format)


def _undecodable(what: str) -> DecodeError:
    return DecodeError(
        f"The background cannot be decoded: {what}",
        "Give another picture or video with --background.",
        option="--background",
    )
