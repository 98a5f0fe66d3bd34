"""How a video's picture is meant to be seen: where each eye's part lies, and how it is projected.

Nothing here needs a package, as in `matting.options`.
"""

from __future__ import annotations

from dataclasses import dataclass

from matting.job_option import Choice
from matting.range_options import Rectangle

# Cameras whose fisheye pictures players know by a tag of their own, with the field of view. None
# of them is exactly equidistant, so their pictures are never warped by a general formula.
LENSES = {"RF52": 190.0, "MKX200": 200.0, "MKX220": 220.0, "VRCA220": 220.0}
MOST_DEGREES = 360
FISHEYE_WORD = "fisheye"


class StereoLayout(Choice):
    """Where the eyes' parts of a frame lie."""

    MONO = "mono"
    LEFT_RIGHT = "left-right"
    TOP_BOTTOM = "top-bottom"

    @property
    def grid(self) -> tuple[int, int]:
        """How many parts there are in a row, and how many rows."""
        if self is StereoLayout.MONO:
            return 1, 1
        return (2, 1) if self is StereoLayout.LEFT_RIGHT else (1, 2)


class Projection(Choice):
    """How directions become places in each eye's part."""

    FLAT = "flat"
    HALF_EQUIRECTANGULAR = "180"  # of the directions in front
    EQUIRECTANGULAR = "360"
    FISHEYE = FISHEYE_WORD  # a circle in a square part


class AutoView(Choice):
    """What may be asked for in the place of a view."""

    FOUND = "auto"  # it is looked for
    # So it is, but people are looked for in the picture as if it were one, however many eyes it
    # holds, as earlier versions did.
    WHOLE = "whole"


class Eyes(Choice):
    """Whether two eyes are matted each by itself, or in one picture."""

    AUTO = "auto"
    APART = "apart"
    TOGETHER = "together"

    def apart(self, layout: StereoLayout) -> bool:
        """Return whether the eyes of a picture are matted each by itself."""
        if layout is StereoLayout.MONO:
            return False
        return self is Eyes.APART or (self is Eyes.AUTO and layout in USUALLY_APART)

    def in_words(self, layout: StereoLayout) -> str:
        """Return how two eyes that lie so are matted, as a clause; "" of one eye."""
        if layout is StereoLayout.MONO:
            return ""
        return EACH_EYE if self.apart(layout) else BOTH_EYES


# Side by side, no eye is found better by itself, and some people are found worse.
USUALLY_APART = {StereoLayout.TOP_BOTTOM}
EACH_EYE = "each eye is matted by itself"
BOTH_EYES = "both eyes are matted as one picture"
# Layouts as they are typed: which, and whether the right eye's part comes first.
LAYOUTS = {
    "mono": (StereoLayout.MONO, False),
    "left-right": (StereoLayout.LEFT_RIGHT, False),
    "right-left": (StereoLayout.LEFT_RIGHT, True),
    "top-bottom": (StereoLayout.TOP_BOTTOM, False),
    "bottom-top": (StereoLayout.TOP_BOTTOM, True),
}
LAYOUT_WORDS = {
    "mono": "one picture",
    "left-right": "two eyes side by side",
    "right-left": "two eyes side by side, the right one first",
    "top-bottom": "two eyes one above the other",
    "bottom-top": "two eyes one above the other, the right one first",
}
PROJECTION_WORDS = {
    Projection.FLAT: "flat",
    Projection.HALF_EQUIRECTANGULAR: "180° equirectangular",
    Projection.EQUIRECTANGULAR: "360° equirectangular",
}
CHOICES = (
    f"{', '.join(AutoView)}, {', '.join(LAYOUTS)}; and, after a layout and a comma, flat, 180, "
    f"360, fisheye, fisheye190 or other degrees, {', '.join(map(str.lower, LENSES))}"
)


@dataclass(frozen=True)
class View:
    """How a video's picture is meant to be seen.

    Attributes:
        field_of_view_deg: of a fisheye, across the whole circle, in (0, 360]; None: it is not
            known, or this is no fisheye.
        lens_tag: of a fisheye, its name in LENSES; None: an equidistant or unknown lens.
        right_eye_first: whether the right eye's part is the left or the upper one.
    """

    stereo: StereoLayout = StereoLayout.MONO
    projection: Projection = Projection.FLAT
    field_of_view_deg: float | None = None
    lens_tag: str | None = None
    right_eye_first: bool = False

    def __post_init__(self) -> None:
        degrees = self.field_of_view_deg
        if self.projection is not Projection.FISHEYE and (degrees or self.lens_tag) is not None:
            raise ValueError("Expected a field of view or a lens of nothing but a fisheye")
        if degrees is not None and not 0 < degrees <= MOST_DEGREES:
            raise ValueError(f"Expected a field of view above 0, up to {MOST_DEGREES} degrees")
        if self.lens_tag is not None and self.lens_tag not in LENSES:
            raise ValueError(f"Expected a lens of {', '.join(LENSES)}")
        if self.right_eye_first and self.stereo is StereoLayout.MONO:
            raise ValueError("Expected two eyes, one of which comes first")

    def __str__(self) -> str:
        """Return it as it is typed after `--view`."""
        return f"{self._layout},{self._projection}"

    @property
    def is_plain(self) -> bool:
        """Whether it is an ordinary flat picture."""
        return self.stereo is StereoLayout.MONO and self.projection is Projection.FLAT

    @property
    def is_vr(self) -> bool:
        """Whether both eyes are shown what is in front of them, as headsets show it."""
        in_front = self.projection in {Projection.HALF_EQUIRECTANGULAR, Projection.FISHEYE}
        return in_front and self.stereo is not StereoLayout.MONO

    def eye_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the width and height of one eye's part of a frame of that width and height.

        Of an odd number of columns or rows the middle one belongs to neither eye.
        """
        columns, rows = self.stereo.grid
        return size[0] // columns, size[1] // rows

    def eyes(self, size: tuple[int, int]) -> tuple[Rectangle, ...]:
        """Return each eye's part of a frame of that width and height, the left eye's first."""
        width, height = self.eye_size(size)
        columns, rows = self.stereo.grid
        parts = [Rectangle(0, 0, width, height)]
        if columns * rows > 1:
            left, top = size[0] - width, size[1] - height
            parts.append(Rectangle(left, top, width, height))
        return tuple(parts[::-1] if self.right_eye_first else parts)

    def describe(self) -> str:
        """Return it in words, such as "two eyes side by side, fisheye of 200° (MKX200)"."""
        return f"{LAYOUT_WORDS[self._layout]}, {self._projection_in_words()}"

    def _projection_in_words(self) -> str:
        if self.projection is not Projection.FISHEYE:
            return PROJECTION_WORDS[self.projection]
        if self.field_of_view_deg is None:
            return "fisheye of an unknown field of view"
        lens = f" ({self.lens_tag})" if self.lens_tag else ""
        return f"fisheye of {self.field_of_view_deg:g}°{lens}"

    @property
    def _layout(self) -> str:
        layout = self.stereo, self.right_eye_first
        return next(word for word, which in LAYOUTS.items() if which == layout)

    @property
    def _projection(self) -> str:
        if self.lens_tag is not None:
            return self.lens_tag.lower()
        degrees = "" if self.field_of_view_deg is None else f"{self.field_of_view_deg:g}"
        return f"{self.projection.value}{degrees}"


def parse_choice(text: str) -> View | AutoView:
    """Return what `text` asks for, as it is typed after `--view`; case does not matter.

    Raises:
        ValueError: as `parse_view`.
    """
    word = text.strip().lower()
    return AutoView(word) if word in list(AutoView) else parse_view(word)


def parse_view(text: str) -> View:
    """Return the view that `text` says, as it is typed after `--view`; case does not matter.

    Raises:
        ValueError: it says none; names all there are.
    """
    layout, comma, projection = text.strip().lower().replace(" ", "").partition(",")
    if layout not in LAYOUTS or (comma and not projection):
        raise ValueError(f"is no view; there are {CHOICES}")
    stereo, right_first = LAYOUTS[layout]
    if projection.upper() in LENSES:
        lens = projection.upper()
        return View(stereo, Projection.FISHEYE, LENSES[lens], lens, right_first)
    if projection.startswith(FISHEYE_WORD):
        degrees = _degrees(projection.removeprefix(FISHEYE_WORD))
        return View(stereo, Projection.FISHEYE, degrees, None, right_first)
    if projection and projection not in list(Projection):
        raise ValueError(f"is no view; there are {CHOICES}")
    known = Projection(projection) if projection else Projection.FLAT
    return View(stereo, known, right_eye_first=right_first)


def _degrees(text: str) -> float | None:
    """Return a field of view as it is typed; None where nothing is."""
    if not text:
        return None
    try:
        degrees = float(text)
    except ValueError:
        degrees = 0
    if not 0 < degrees <= MOST_DEGREES:
        raise ValueError(f"is no view: a fisheye sees up to {MOST_DEGREES} degrees")
    return degrees
