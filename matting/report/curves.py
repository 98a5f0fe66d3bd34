"""The signs of all frames as curves that a page can hold: a byte for each of so many points."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
from numpy.typing import NDArray

from matting.imaging.frame_signs import CELL_PX, SIGNS
from matting.project.job_signs import JobSigns
from matting.report.frame_clock import FrameClock

MOST_POINTS = 200_000  # a curve: of 500,000 frames, each shows the largest of three
MOST_KNOTS = 2_000  # times that are written out; those between lie evenly
UNKNOWN, LARGEST_CODE = 255, 254

Values = NDArray[np.float64]


def curve_data(signs: JobSigns, clock: FrameClock) -> dict[str, object]:
    """Return what the page's script draws curves from; JSON can hold it.

    A point stands for `step` frames, and is the largest value among them. Its byte is the root of
    its share of the curve's `top`, times LARGEST_CODE; UNKNOWN where no frame's value is known.
    """
    frames = len(signs.values)
    step = max(1, -(-frames // MOST_POINTS))
    knots = np.unique(np.linspace(0, max(0, frames - 1), min(frames, MOST_KNOTS)).astype(int))
    return {
        "frames": frames,
        "step": step,
        "knots": [[int(k), round(float(clock.seconds[k]), 3)] for k in knots],
        "lanes": [
            {"name": name, "unit": unit, "digits": digits, **_encoded(values, step)}
            for name, unit, digits, values in _lanes(signs)
        ],
    }


def _lanes(signs: JobSigns) -> list[tuple[str, str, int, Values]]:
    """Return the name, the unit, the decimals and the values of each curve."""
    own = {name: signs.values[:, place].astype(float) for place, name in enumerate(SIGNS)}
    optional = (("Difference of the eyes", signs.eyes), ("Difference of both views", signs.views))
    with np.errstate(divide="ignore", invalid="ignore"):
        # In each cell of the contour, half-transparent pixels are a band of this width.
        width = CELL_PX * own["soft"] / own["contour"]
    width[own["contour"] == 0] = 0
    return [
        ("Doubt: haze beyond edges", "%", 2, 100 * own["clouds"]),
        ("Haze", "%", 2, 100 * own["haze"]),
        ("People", "%", 1, 100 * own["area"]),
        ("Half transparent", "%", 2, 100 * own["soft"]),
        ("Width of edges", "px of 288", 1, np.minimum(width, 99)),
        ("Flicker", "%", 3, 100 * own["flicker"]),
        ("Specks and holes", "%", 3, 100 * (own["specks"] + own["holes"])),
        *(
            (name, "%", 1, 100 * values.astype(float))
            for name, values in optional
            if np.isfinite(values).any()
        ),
    ]


def _encoded(values: Values, step: int) -> dict[str, object]:
    padded = np.full(-(-len(values) // step) * step, np.nan)
    padded[: len(values)] = values
    rows = padded.reshape(-1, step)
    known = np.isfinite(rows)
    largest = np.where(known, rows, -np.inf).max(1) if len(rows) else np.zeros(0)
    is_known = known.any(1)
    top = float(largest[is_known].max()) if is_known.any() else 0.0
    codes = np.full(len(rows), UNKNOWN, np.uint8)
    shares = np.clip(largest[is_known] / (top or 1.0), 0, 1)
    codes[is_known] = np.round(np.sqrt(shares) * LARGEST_CODE)
    return {"top": top, "points": b64encode(codes.tobytes()).decode()}
