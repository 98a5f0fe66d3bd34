"""How a video is meant to be seen: by its boxes, else its name, else its pictures or size."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

from matting.imaging.sample_format import Size
from matting.job_option import Choice
from matting.media.fisheye_circles import fisheye_layout
from matting.media.media_index import IndexPart, MediaIndex, index_of, upright_size
from matting.media.mp4.spatial_view import view_of_boxes
from matting.media.source_spatial import FRAME_PACKINGS, INVERTED, spatial_of
from matting.media.stated_view import StatedView, layout_by_size, projection_by_size
from matting.media.stream_start import FirstFrame
from matting.media.view_markers import parse_view_name
from matting.view import Projection, StereoLayout, View

# Matroska's layouts that no box of MP4 has.
INVERTED_LAYOUTS = {
    "right_left": StereoLayout.LEFT_RIGHT,
    "bottom_top": StereoLayout.TOP_BOTTOM,
}
# What only VR video has: twice as wide as high, and larger than films of that shape.
VR_ASPECT, VR_HEIGHT_PX = 2, 1440


class Origin(Choice):
    """Where a fact of a view is from, as a user reads it."""

    BOXES = "the file says so"
    NAME = "by its name"
    PIXELS = "by its pictures"
    SIZE = "by its size"
    NOTHING = "nothing says otherwise"


@dataclass(frozen=True)
class FoundView:
    """The view of a video, and where it is from.

    Attributes:
        notes: sentences on what may be wrong with it.
    """

    view: View
    stereo_from: Origin = Origin.NOTHING
    projection_from: Origin = Origin.NOTHING
    notes: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return it in words, with where it is from."""
        origins = dict.fromkeys((self.stereo_from, self.projection_from))
        if len(origins) > 1:
            origins.pop(Origin.NOTHING, None)
        return f"{self.view.describe()} ({', '.join(origins)})"


def view_of(path: Path, name: str | None = None) -> FoundView:
    """Return the view of a video, decoding a few of its frames at the most.

    Args:
        name: by which its markers are read; None: its own.
    Raises:
        InputError: no such file, or a folder.
        MediaError: it is no video, or holds no picture.
        MissingError: this build of FFmpeg has no decoder for all of the picture.
    """
    index = index_of(path, IndexPart.MOOV | IndexPart.START)
    by_boxes, by_name = _stated_by_file(index), parse_view_name(Path(name or path.name).stem)
    notes = []
    if by_boxes.contradicts(by_name):
        boxes, named = by_boxes.view().describe(), by_name.view().describe()
        notes.append(
            f"The file {path.name} says of itself: {boxes}. Its name says: {named}. The file is "
            "believed; --view says otherwise."
        )
    stated = by_boxes.completed(by_name)
    stereo_from = _origin(by_boxes.stereo, by_name.stereo)
    projection_from = _origin(by_boxes.projection, by_name.projection)
    frame = index.start.frame
    if stated.projection is None and frame is not None and not frame.orientation.is_sideways:
        layout = fisheye_layout(path, frame.size_px, stated.stereo)
        if layout is not None:
            stated = stated.completed(StatedView(layout, projection=Projection.FISHEYE))
            stereo_from = Origin.PIXELS if stereo_from is Origin.NOTHING else stereo_from
            projection_from = Origin.PIXELS
    size = upright_size(index)
    found = _completed_by_size(FoundView(stated.view(), stereo_from, projection_from), size)
    if not stated and size.width == VR_ASPECT * size.height and size.height >= VR_HEIGHT_PX:
        notes.append(
            f"{path.name} has the shape of VR video, and nothing says what kind it is. If it is, "
            "say so with --view, such as --view left-right,180."
        )
    return replace(found, notes=tuple(notes))


def view_by_name(name: str, size: Size) -> FoundView:
    """Return the view of pictures of that size, in a folder of that name."""
    stated = parse_view_name(name)
    stereo_from, projection_from = (
        _origin(None, fact) for fact in (stated.stereo, stated.projection)
    )
    return _completed_by_size(FoundView(stated.view(), stereo_from, projection_from), size)


def _completed_by_size(found: FoundView, size: Size) -> FoundView:
    """Return a view with what its size says, if something else says the other half."""
    view = found.view
    if found.projection_from is Origin.NOTHING and found.stereo_from is not Origin.NOTHING:
        projection = projection_by_size(view.stereo, size)
        if projection is not None:
            view = replace(view, projection=projection)
            return replace(found, view=view, projection_from=Origin.SIZE)
    if found.stereo_from is Origin.NOTHING and found.projection_from is not Origin.NOTHING:
        layout = layout_by_size(view.projection, size)
        if layout is not None:
            return replace(found, view=replace(view, stereo=layout), stereo_from=Origin.SIZE)
    return found


def _origin(by_boxes: object, by_name: object) -> Origin:
    if by_boxes is not None:
        return Origin.BOXES
    return Origin.NOTHING if by_name is None else Origin.NAME


def _stated_by_file(index: MediaIndex) -> StatedView:
    """Return what the boxes say, and what the stream and Matroska say that boxes cannot."""
    picture, first = index.streams.picture, index.start.frame
    spatial = spatial_of(index.info.container, picture, index.moov, index.start)
    stated = view_of_boxes(spatial)
    inverted = INVERTED_LAYOUTS.get(picture.tags.get("stereo_mode", ""))
    if inverted is not None:
        return replace(stated, stereo=inverted, right_eye_first=True)
    return stated.completed(_frame_packing(first))


def _frame_packing(frame: FirstFrame | None) -> StatedView:
    """Return the layout by the stream itself (H.264's and H.265's frame packing message)."""
    if frame is None or frame.stereo is None:
        return StatedView()
    layout, flags = struct.unpack_from("=ii", frame.stereo)
    if layout not in FRAME_PACKINGS:
        return StatedView()
    return StatedView(FRAME_PACKINGS[layout], bool(flags & INVERTED))
