"""Parts of the picture that are worked on each by itself, such as eyes, and put together again.

A picture that is not divided is a single part: then nothing is copied.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch

from matting.imaging.matte_planes import MattePlanes, blank_corrections
from matting.imaging.planes import Planes, signed_view
from matting.imaging.sample_format import SampleFormat, Size
from matting.range_options import Rectangle
from matting.system.memory import Splittable
from matting.view import StereoLayout, View

C = TypeVar("C", bound=Splittable)
D = TypeVar("D", bound=Splittable)


class PicturePart(ABC):
    """A part of every frame, as what works on it sees it; immutable."""

    @abstractmethod
    def size(self, frame: Size) -> Size:
        """Return the size of what `cut` returns of frames of that size."""

    @abstractmethod
    def cut(self, frames: Planes) -> Planes:
        """Return the part of some frames."""

    @abstractmethod
    def place(self, matte: MattePlanes, whole: MattePlanes) -> None:
        """Put the matte of the part, on the same device, into that of the frames, in place."""


@dataclass(frozen=True)
class WholePicture(PicturePart):
    """The picture as a whole."""

    def size(self, frame: Size) -> Size:
        return frame

    def cut(self, frames: Planes) -> Planes:
        return frames

    def place(self, matte: MattePlanes, whole: MattePlanes) -> None:
        area = Rectangle(0, 0, *whole.size)
        RectanglePart(area, area).place(matte, whole)


@dataclass(frozen=True)
class RectanglePart(PicturePart):
    """A rectangle.

    Attributes:
        area: what is seen of the frame; whole chroma samples, but at the frame's far edges.
        owned: where its alpha is put. Beyond the area, which is in it, its edge is repeated.
    """

    area: Rectangle
    owned: Rectangle

    def size(self, frame: Size) -> Size:
        return Size(self.area.width, self.area.height)

    def cut(self, frames: Planes) -> Planes:
        return _window(frames, self.area)

    def place(self, matte: MattePlanes, whole: MattePlanes) -> None:
        area, owned = self.area, self.owned
        own = Rectangle(owned.left - area.left, owned.top - area.top, owned.width, owned.height)
        target = signed_view(_window(whole.alpha_planes, owned).luma_or_rgb)
        target.copy_(signed_view(_window(matte.alpha_planes, own).luma_or_rgb))
        corrections = _window(whole.corrections, area)
        corrections.luma_or_rgb.copy_(matte.luma_or_rgb)
        if corrections.chroma is not None and matte.chroma is not None:
            corrections.chroma.copy_(matte.chroma)


WHOLE_PICTURE: tuple[PicturePart, ...] = (WholePicture(),)


@dataclass(frozen=True)
class FrameParts(Generic[C]):
    """T frames, and what was made of each part of them.

    Attributes:
        source: the frames.
        parts: the parts.
        contents: what was made of each, of T frames.
    """

    source: Planes
    parts: tuple[PicturePart, ...]
    contents: tuple[C, ...]

    def __len__(self) -> int:
        return len(self.source)

    @property
    def whole(self) -> C:
        """What was made of frames that are not divided.

        Raises:
            ValueError: they are.
        """
        if self.parts != WHOLE_PICTURE:
            raise ValueError("the frames are divided into parts")
        return self.contents[0]

    def split(self, frames: int) -> list[FrameParts[C]]:
        """Return the same in parts of at most `frames` frames, in the same memory."""
        contents = zip(*(content.split(frames) for content in self.contents), strict=True)
        pairs = zip(self.source.split(frames), contents, strict=True)
        return [replace(self, source=source, contents=own) for source, own in pairs]

    def made_into(self, make: Callable[[C], D]) -> FrameParts[D]:
        """Return the same frames with what `make` makes of each content."""
        return FrameParts(self.source, self.parts, tuple(map(make, self.contents)))


def whole_frames(source: Planes, content: C) -> FrameParts[C]:
    """Return frames that are not divided, with what was made of them."""
    return FrameParts(source, WHOLE_PICTURE, (content,))


def eye_parts(
    layout: StereoLayout | None, size: Size, sample_format: SampleFormat
) -> tuple[PicturePart, ...]:
    """Return the eyes as parts of frames of that size, from the left or from above.

    What shares a chroma sample with the other eye, or is a middle column or row of an odd number,
    is in neither; its alpha is that of the nearest pixel that is in one. Too small a picture is not
    divided.

    Args:
        layout: where the eyes lie; None: the picture is not divided.
    """
    layout = layout or StereoLayout.MONO
    columns, rows = layout.grid
    if columns * rows == 1:
        return WHOLE_PICTURE
    across = columns > 1
    length, other = size if across else size[::-1]
    step = sample_format.subsampling[0 if across else 1]
    eye = View(layout).eye_size(size)[0 if across else 1]
    end, begin = eye // step * step, -(-(length - eye) // step) * step
    if not 0 < end <= begin < length:
        return WHOLE_PICTURE
    seam = (end + begin + 1) // 2
    sides = (((0, end), (0, seam)), ((begin, length), (seam, length)))
    return tuple(
        RectanglePart(*(_strip(side, other, across=across) for side in both)) for both in sides
    )


def put_together(frames: FrameParts[MattePlanes]) -> MattePlanes:
    """Return the matte of frames, of those of its parts."""
    if frames.parts == WHOLE_PICTURE:
        return frames.whole
    source = frames.source
    shape, device = (len(source), 1, source.height, source.width), source.device
    alpha = torch.zeros(shape, dtype=torch.int16, device=device).view(torch.uint16)
    corrections = blank_corrections(source, source.size)
    whole = MattePlanes(
        alpha, corrections.luma_or_rgb, corrections.chroma, corrections.sample_format
    )
    for part, matte in zip(frames.parts, frames.contents, strict=True):
        part.place(matte, whole)
    return whole


def _window(frames: Planes, area: Rectangle) -> Planes:
    return frames.window(area.left, area.top, Size(area.width, area.height))


def _strip(side: tuple[int, int], other: int, *, across: bool) -> Rectangle:
    """Return the part from one column, or row, to another, of a frame with `other` of the rest."""
    begin, end = side
    if across:
        return Rectangle(begin, 0, end - begin, other)
    return Rectangle(0, begin, other, end - begin)
