"""Collects the signs of doubt of a segment's frames, and pictures of the most doubtful ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from matting.imaging.display_light import DisplayLight
from matting.imaging.eye_difference import eye_differences
from matting.imaging.frame_signs import DOUBT, CellMeans, SmallCopy, frame_signs
from matting.imaging.renderer import StoredFrames
from matting.imaging.small_views import SmallViews, small_views
from matting.media.images.pillow import encode_webp
from matting.project.segment_signs import DoubtfulMoment, SegmentSigns
from matting.view import StereoLayout

CPU = torch.device("cpu")
# Of what a picture is there already: else each frame of a rising doubt would be pictured.
CLEARLY_MORE = 1.05
QUALITY = 78  # of the pictures


@dataclass
class _Seen:
    """A frame that is to be pictured.

    Attributes:
        views: its pictures, or what makes them.
    """

    frame: int
    doubt: float
    views: SmallViews | Callable[[], SmallViews]

    def picture(self) -> SmallViews:
        """Return its pictures; from then on the frame need not be held."""
        if not isinstance(self.views, SmallViews):
            self.views = self.views()
        return self.views


class DoubtfulFrames:
    """The frames of greatest doubt so far, apart from each other.

    The newest of them is pictured only when the next is found, or at the end: where doubt rises
    from frame to frame each takes the place of the one before.
    """

    def __init__(self, most: int, apart: int) -> None:
        """
        Args:
            most: how many to keep.
            apart: how many frames there are from one to the next at the least.
        """
        self._most = most
        self._apart = apart
        self._seen: list[_Seen] = []

    def offer(self, frame: int, doubt: float, views: Callable[[], SmallViews]) -> None:
        """Look at the next frame.

        Args:
            views: makes its pictures, where they are wanted.
        """
        near = [own for own in self._seen if frame - own.frame < self._apart]
        if not near and len(self._seen) >= self._most:
            near = [min(self._seen, key=lambda own: own.doubt)]
        if all(doubt > CLEARLY_MORE * own.doubt for own in near):
            self._seen = [own for own in self._seen if own not in near]
            self.picture()
            self._seen.append(_Seen(frame, doubt, views))

    def picture(self) -> None:
        """Picture all frames that have been found so far."""
        for own in self._seen:
            own.picture()

    def moments(self) -> tuple[DoubtfulMoment, ...]:
        """Return them, in order."""
        return tuple(_moment(own.frame, own.picture()) for own in self._seen)


class SignCollector:
    """The signs of one segment, frame by frame."""

    def __init__(
        self,
        moments: int,
        apart: int,
        colour: tuple[int, int, int],
        *,
        light: DisplayLight,
        eyes: StereoLayout = StereoLayout.MONO,
        made_by: str = "",
    ) -> None:
        """
        Args:
            moments: how many frames to picture at the most.
            apart: how many frames there are from one to the next at the least.
            colour: behind the people in the pictures, R'G'B'.
            light: what the colours of the frames stand for.
            eyes: where those that are compared lie.
            made_by: as of `SegmentSigns`.
        """
        self._began = time.time()
        self._doubtful = DoubtfulFrames(moments, apart)
        self._views_of = partial(small_views, colour=colour, light=light)
        self._eyes = eyes
        self._made_by = made_by
        self._values: list[Tensor] = []
        self._differences: list[Tensor] = []
        self._views: list[Tensor] = []
        self._frames = 0
        self._first: CellMeans | None = None
        self._last: CellMeans | None = None

    def take(self, frames: StoredFrames, views: Tensor | None = None) -> None:
        """Look at the next frames.

        Args:
            views: [T], how much the mattes of two views of them differ; None: there was
                one view. It is known of all frames, or of none.
        """
        copy = SmallCopy.of(frames)
        values, cells = frame_signs(copy, self._last)
        values = values.to(CPU)
        self._values.append(values)
        if self._eyes is not StereoLayout.MONO:
            self._differences.append(_between_eyes(copy.alpha, self._eyes).to(CPU))
        if views is not None:
            self._views.append(views.to(CPU))
        self._first = self._first or cells.between(0, 1)
        self._last = cells.between(len(frames) - 1, len(frames))
        for frame, doubt in zip(frames.split(1), values[:, DOUBT].tolist(), strict=True):
            self._doubtful.offer(self._frames, doubt, partial(self._views_of, frame))
            self._frames += 1
        if frames.source.device != CPU:  # whose memory is scarcer than the time for a picture
            self._doubtful.picture()

    def collected(self) -> SegmentSigns:
        """Return what was seen of all frames.

        Raises:
            ValueError: there were none.
        """
        if self._first is None or self._last is None:
            raise ValueError("there are no frames")
        return SegmentSigns(
            torch.cat(self._values).numpy(),
            self._first,
            self._last,
            self._began,
            time.time(),
            self._doubtful.moments(),
            torch.cat(self._differences).numpy() if self._differences else None,
            torch.cat(self._views).numpy() if self._views else None,
            self._made_by,
        )


def _moment(frame: int, views: SmallViews) -> DoubtfulMoment:
    pictures = (encode_webp(each.numpy(), QUALITY) for each in views.pictures)
    return DoubtfulMoment(frame, *pictures)


def _between_eyes(alpha: Tensor, eyes: StereoLayout) -> Tensor:
    """Return how much the mattes of both eyes differ, [T], of an alpha [T, h, w]."""
    columns, _ = eyes.grid
    left, right = alpha[:, None].tensor_split(2, 3 if columns == 2 else 2)
    side = min(left.shape[2], right.shape[2]), min(left.shape[3], right.shape[3])
    return eye_differences(*(eye[..., : side[0], : side[1]] for eye in (left, right)))
