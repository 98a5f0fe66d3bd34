"""The options of the command line become those of the job."""

from __future__ import annotations

from fractions import Fraction

import pytest

from matting.cli import option_values, parser
from matting.cli.range_arguments import range_options
from matting.errors import InputError
from matting.job_option import JobOption
from matting.options import OutputKind
from matting.range_options import LAST_RANGE, RangeOptions, Rectangle


def test_options_of_the_command_line() -> None:
    arguments = parser.parse(["infer", "take", "--save", "alpha-png", "--save", "alpha"])
    options = option_values.matting_options(arguments)
    assert options.output.kinds == (OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.ALPHA_PNG)
    assert options.output.frame_rate is None
    arguments = parser.parse(["infer", "take", "--frame-rate", "30000/1001"])
    assert option_values.matting_options(arguments).output.frame_rate == Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:41:10", 2470),
        ("41:10.5", Fraction(4941, 2)),
        ("41:10,5", Fraction(4941, 2)),
        ("90", 90),
        ("90:00", 5400),
        ("0", 0),
    ],
)
def test_times_are_read_as_players_show_them(text: str, seconds: Fraction) -> None:
    arguments = parser.parse(["rematte", "take", "--from", text])
    assert range_options(arguments).start_seconds == seconds


@pytest.mark.parametrize(
    "words",
    [
        ["--from", "0:61:10"],
        ["--from", "1:75"],
        ["--from", "1:2:3:4"],
        ["--to", "soon"],
        ["--to", "-5"],
        ["--keep-out", "1,2,3"],
        ["--keep-out", "1,2,0,5"],
        ["--hold-in", "1,2,3,x"],
        ["--hold-in", " "],
        ["--undo", "0"],
    ],
)
def test_what_is_no_time_and_no_rectangle_is_refused(words: list[str]) -> None:
    with pytest.raises(InputError):
        parser.parse(["rematte", "take", *words])


def test_a_range_is_asked_for() -> None:
    words = ["--keep-out", "1,2,3,4 5,6,7,8", "--keep-out", "9, 9, 9, 9", "--undo"]
    arguments = parser.parse(["rematte", "take", *words, "--downsample-ratio", "0.5"])
    parts = Rectangle(1, 2, 3, 4), Rectangle(5, 6, 7, 8), Rectangle(9, 9, 9, 9)
    assert range_options(arguments) == RangeOptions(keep_out=parts, undo=LAST_RANGE)
    typed = option_values.matting_options(arguments).typed or ()
    assert [option for option in typed if option.shapes_matte] == [JobOption.DOWNSAMPLE_RATIO]
