"""What a file's boxes or its name say of its view, each fact by itself, and what follows of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matting.view import Projection, StereoLayout, View

# Width by height of one eye's part, where that says anything.
EYE_ASPECTS = {
    Projection.HALF_EQUIRECTANGULAR: 1.0,
    Projection.EQUIRECTANGULAR: 2.0,
    Projection.FISHEYE: 1.0,
}
ASPECT_TOLERANCE = 0.02


@dataclass(frozen=True)
class StatedView:
    """What one source says of a view.

    Attributes:
        stereo, projection: None: it does not say.
        right_eye_first, field_of_view_deg, lens_tag: as a View has them, of what it says.
    """

    stereo: StereoLayout | None = None
    right_eye_first: bool = False
    projection: Projection | None = None
    field_of_view_deg: float | None = None
    lens_tag: str | None = None

    def __bool__(self) -> bool:
        return self.stereo is not None or self.projection is not None

    def completed(self, other: StatedView) -> StatedView:
        """Return it with what only `other` says."""
        whole = self
        if whole.stereo is None:
            whole = replace(whole, stereo=other.stereo, right_eye_first=other.right_eye_first)
        if whole.projection is None:
            whole = replace(
                whole,
                projection=other.projection,
                field_of_view_deg=other.field_of_view_deg,
                lens_tag=other.lens_tag,
            )
        return whole

    def contradicts(self, other: StatedView) -> bool:
        """Return whether both say something of the same, and not the same."""
        layouts, projections = {self.stereo, other.stereo}, {self.projection, other.projection}
        return len(layouts - {None}) > 1 or len(projections - {None}) > 1

    def view(self) -> View:
        """Return the view; what nobody says is one flat picture."""
        return View(
            self.stereo or StereoLayout.MONO,
            self.projection or Projection.FLAT,
            self.field_of_view_deg,
            self.lens_tag,
            self.right_eye_first,
        )


def layout_by_size(projection: Projection, size: tuple[int, int]) -> StereoLayout | None:
    """Return the layout in which each eye's part has the shape of that projection; None: none has.

    Args:
        size: width and height of the frame.
    """
    wanted = EYE_ASPECTS.get(projection)
    if wanted is None:
        return None
    return next((layout for layout in StereoLayout if _has_aspect(layout, size, wanted)), None)


def projection_by_size(layout: StereoLayout, size: tuple[int, int]) -> Projection | None:
    """Return the projection whose parts have the shape of two eyes in that layout; None: none has.

    No film in two eyes is square, and few are twice as wide as high.
    """
    if layout is StereoLayout.MONO:
        return None
    by_shape = (Projection.HALF_EQUIRECTANGULAR, Projection.EQUIRECTANGULAR)
    return next((p for p in by_shape if _has_aspect(layout, size, EYE_ASPECTS[p])), None)


def _has_aspect(layout: StereoLayout, size: tuple[int, int], wanted: float) -> bool:
    width, height = View(layout).eye_size(size)
    return height > 0 and abs(width / height / wanted - 1) <= ASPECT_TOLERANCE
