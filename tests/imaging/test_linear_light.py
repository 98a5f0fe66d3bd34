"""Light as compositing programs compute with it."""

from __future__ import annotations

import numpy as np
import pytest

from matting.imaging.linear_light import Curve, linear_light_table, premultiplied_light


@pytest.mark.parametrize("curve", Curve)
def test_light_rises_from_none(curve: Curve) -> None:
    table = linear_light_table(curve)
    assert table.shape == (65536,)
    assert table[0] == pytest.approx(0, abs=1e-4)
    assert (np.diff(table) >= 0).all()


@pytest.mark.parametrize(
    ("curve", "code", "light"),
    [
        *((curve, 1.0, 1.0) for curve in Curve if curve not in {Curve.PQ, Curve.HLG}),
        (Curve.CAMERA, 0.5, 0.2596),
        (Curve.SRGB, 0.5, 0.2140),
        (Curve.GAMMA_22, 0.5, 0.2176),
        (Curve.GAMMA_28, 0.5, 0.1436),
        (Curve.LINEAR, 0.5, 0.5),
        # ITU-R BT.2408: reference white is 58 % of PQ and 75 % of HLG.
        (Curve.PQ, 0.5807, 1.0),
        (Curve.PQ, 1.0, 10_000 / 203),
        (Curve.HLG, 0.75, 1.0),
        (Curve.HLG, 1.0, 1 / 0.26496),
    ],
)
def test_light_at_known_code_values(curve: Curve, code: float, light: float) -> None:
    table = linear_light_table(curve)
    assert table[round(code * 65535)] == pytest.approx(light, rel=2e-3)


def test_light_is_multiplied_by_alpha() -> None:
    codes = np.full((1, 3, 3), 65535, np.uint16)
    alpha = np.array([[[0], [512], [1023]]], np.uint16)
    light = premultiplied_light(codes, alpha, 1023, Curve.CAMERA)
    assert light.dtype == np.float16
    expected = np.array([0, 512 / 1023, 1])[None, :, None]
    assert light == pytest.approx(np.repeat(expected, 4, axis=2), abs=2**-11)
