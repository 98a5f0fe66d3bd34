"""The options of the command line become those of the job."""

from __future__ import annotations

from fractions import Fraction

from matting.cli import option_values, parser
from matting.options import OutputKind


def test_options_of_the_command_line() -> None:
    arguments = parser.parse(["infer", "take", "--save", "alpha-png", "--save", "alpha"])
    options = option_values.matting_options(arguments)
    assert options.output.kinds == (OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.ALPHA_PNG)
    assert options.output.frame_rate is None
    arguments = parser.parse(["infer", "take", "--frame-rate", "30000/1001"])
    assert option_values.matting_options(arguments).output.frame_rate == Fraction(30000, 1001)
