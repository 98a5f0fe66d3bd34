"""The options of the command line become those of the job."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from matting.cli import option_values, parser
from matting.cli.range_arguments import range_options
from matting.cluster_options import ClusterOptions
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


def cluster_of(line: str) -> ClusterOptions:
    return option_values.matting_options(parser.parse(line.split())).compute.cluster


def test_work_is_shared_where_several_devices_or_others_are_named() -> None:
    assert not cluster_of("infer take").is_asked_for
    assert not cluster_of("infer take --device cuda:1").is_asked_for
    options = option_values.matting_options(
        parser.parse(["infer", "take", "--device", "CUDA:0, cuda:1"])
    )
    assert options.compute.device == "cuda:0"
    assert options.compute.cluster == ClusterOptions(devices=("cuda:0", "cuda:1"))
    assert cluster_of("run clip.mp4 --device cpu,cpu").devices == ("cpu", "cpu")
    assert cluster_of("infer take --workers 10.0.0.5").scheduler == "tcp://10.0.0.5:8786"
    shared = cluster_of("deliver take --workers TLS://[fe80::1]:99 --certificates keys")
    assert shared.scheduler == "tls://[fe80::1]:99"
    assert shared.certificates == Path.cwd() / "keys"
    assert shared.is_asked_for


@pytest.mark.parametrize(("text", "seconds"), [("10:00", 600), ("90.5", Fraction(181, 2))])
def test_how_long_a_run_of_one_worker_may_be_is_a_time(text: str, seconds: Fraction) -> None:
    assert cluster_of(f"rematte take --longest-run {text}").longest_run_seconds == seconds


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("preview a --device cpu,cpu", "preview computes on one device only"),
        ("demo --device cuda:0,cuda:1", "demo computes on one device only"),
        ("infer a --device cpu,auto", "'auto' cannot be one of several"),
        ("infer a --device cpu cpu a", "--device cpu,cpu"),
        ("infer a --device ,", "names no device"),
        ("infer a --workers tcp://host:0", "is no address"),
        ("infer a --workers http://host", "is no address"),
        ("infer a --workers tcp://[1.2.3.4]", "is no address"),
        ("infer a --longest-run 0", "is not above 0"),
        ("deliver a --longest-run 10:00", "--longest-run is an option of"),
        ("preview a --workers tcp://host", "--workers is an option of"),
        ("infer a --workers host --device cpu,cpu", "only one of them"),
        ("infer a --certificates keys", "--certificates is for --workers"),
    ],
)
def test_work_that_cannot_be_shared_so_is_refused(line: str, words: str) -> None:
    with pytest.raises(InputError) as info:
        option_values.matting_options(parser.parse(line.split()))
    assert words in str(info.value)
