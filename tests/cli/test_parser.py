"""What may be typed, in which spellings, and what is said of the rest."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.cli import arg_types, option_values
from matting.cli.parser import CommandParser, TextRequested, parse
from matting.errors import InputError
from matting.network_choice import MatteQuality, Model
from matting.options import FormatName
from matting.system.invocation import VERSION, Command
from tests.support.repository import ROOT


def refusal(line: str) -> str:
    """Return what is said of a line that is refused."""
    with pytest.raises(InputError) as error:
        parse(shlex.split(line))
    assert str(error.value).count("Help: ") + str(error.value).count("All commands: ") == 1
    return error.value.what


def text_of(*words: str) -> str:
    """Return the text that is asked for."""
    with pytest.raises(TextRequested) as text:
        parse(words)
    return str(text.value)


def test_help_is_given_however_it_is_asked_for() -> None:
    texts = {text_of(*words) for words in ((), ("help",), ("--help",), ("-h",), ("/?",), ("HELP",))}
    assert len(texts) == 1
    for command in Command:
        assert re.search(rf"^  {command} +\w", texts.copy().pop(), re.MULTILINE)
        helps = {text_of("help", command), text_of(command, "--help"), text_of(command, "-h")}
        assert len(helps) == 1
    assert text_of("--version") == text_of("version") == f"RVM on Segments {VERSION}"
    assert VERSION not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # it is asked for


@pytest.mark.parametrize("command", list(Command))
def test_the_help_of_a_command_has_a_sentence_groups_and_examples_that_work(
    command: Command,
) -> None:
    text = text_of("help", command)
    sentence, general, examples = (text.index(part) for part in (".\n", "\ngeneral:", "\nexample"))
    assert sentence < general < examples
    lines = text[examples:].strip().splitlines()[1:]
    assert lines
    for line in lines:
        program, arguments = line.split("inference_custom.py ")
        assert program
        assert parse(shlex.split(arguments)).command is command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("segmnt a", "Did you mean segment?"),
        ("add_audo a", "Did you mean add-audio?"),
        ("fly a", "no command fly."),
        (f"{'x' * 5000} a", "no command x"),
        (f"'{Path(__file__)}'", "Which command is meant"),
        ("segment a --sceonds 3", "Did you mean --seconds?"),
        ("segment a --sec 3", "Did you mean --seconds?"),  # no abbreviations
        ("segment a -seconds 3", "Did you mean --seconds?"),
        ("segment a --Seconds 3", "Did you mean --seconds?"),
        ("segment a \u2013seconds 3", "Did you mean --seconds?"),
        (
            "segment a --subject=portrait",
            "--subject is an option of infer, rematte, run and preview",
        ),
        (
            "segment --background red",
            "--background is an option of infer, deliver, deliver-vr, run and preview",
        ),
        ("segment a --zzz", "segment has no option --zzz."),
        ("segment my clip.mp4", "quotation marks"),
        ("deliver a --as vr-alpha vr-green", "--as vr-alpha,vr-green."),
        ("deliver a --as vr-alpha, vr-green --quiet", "--as vr-alpha,vr-green."),
        ("deliver --as vr-alpha vr-green png a", "--as vr-alpha,vr-green,png."),
        ("deliver a --view left-right, 180", "--view left-right,180."),
        ("deliver a --view=left-right , 180", "--view left-right,180."),
        ("infer a --background 0 177 64", "--background 0,177,64."),
        ("rematte a --keep-out 1 2 30 40", "--keep-out 1,2,30,40."),
        ("preview a --at 1:00 2:00", "--at 1:00,2:00."),
        ("deliver a --as vr-alpha b c", "quotation marks"),
        ("deliver a --as vr-alpha vr-green --fishy", "no option --fishy"),
        ("deliver a --as webm_alpha,vralpha", "Did you mean vr-alpha?"),
        ("infer", "infer needs a SEGMENTS_DIR"),
        ("deliver a --as prores", "Formats: green, background, prores4444"),
        ("infer a --subject potrait", "Did you mean portrait?"),
        ("infer a --codec", "a value is missing"),
        ("segment a --seconds --quiet", "a value is missing"),
        ("segment a --seconds -1", "--seconds: '-1' is not above 0"),
        ("segment a --seconds=-1.5", "--seconds: '-1.5' is not above 0"),
        ("segment a --seconds -1/2", "--seconds: '-1/2' is not above 0"),
        ("segment a --seconds 0", "--seconds: '0' is not above 0"),
        ("infer a --frame-rate -30", "--frame-rate: '-30' is not above 0"),
        ("infer a --downsample-ratio -.5", "--downsample-ratio: '-.5' is not"),
        ("infer a --quality -3", "--quality: '-3' is not a whole number, 0 or more"),
        ("infer a --chunk -3", "--chunk: '-3' is not a whole number, 1 or more"),
        ("infer a --bitrate -40M", "--bitrate: '-40M' is no bit rate"),
        ("infer a --background -1,2,3", "--background: '-1,2,3' is no colour"),
    ],
)
def test_what_is_meant_is_asked(line: str, words: str) -> None:
    assert words in refusal(line)


def test_a_folder_may_be_called_like_a_format() -> None:
    options = parse(["deliver", "--as", "vr-alpha", "green"])
    assert (options.path.name, options.formats) == ("green", (FormatName.VR_ALPHA,))


def test_a_choice_is_taken_in_every_spelling() -> None:
    line = "INFER a --subject Portrait --codec H265 --chroma 420 --save ALPHA_PNG --decoder AUTO"
    options = parse([*line.split(), "--device", "CUDA:0", "--downsample-ratio", "Auto"])
    assert options.command is Command.INFER
    assert (options.subject, options.codec, options.chroma) == ("portrait", "hevc", "4:2:0")
    assert parse(["deliver", "a", "--as", "VR_Alpha"]).formats == (FormatName.VR_ALPHA,)
    assert (options.save, options.decoder, options.devices) == (["alpha-png"], "auto", ("cuda:0",))
    assert parse(["add_audio", "a"]).command is Command.ADD_AUDIO


@given(data=st.data(), command=st.sampled_from(list(Command)))
@settings(deadline=None, max_examples=40)
def test_no_slip_in_an_option_is_taken_for_another_option(
    data: st.DataObject, command: Command
) -> None:
    known = [o for o in CommandParser(command).options if len(o) > 5]
    if not known:
        return
    option = data.draw(st.sampled_from(known))
    index = data.draw(st.integers(3, len(option) - 1))
    slip = option[:index] + option[index + 1 :]
    if slip not in known and option != "--help":
        with pytest.raises(InputError, match=f"Did you mean {option}"):
            parse([command, "a", slip])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, (0, 177, 64)) for text in ("#00B140", "00b140", "0,177,64", "'#00B140'")),
        *((text, (255, 255, 255)) for text in ("#fff", "FFF", "255, 255, 255", "255 255 255")),
        *((text, (255, 255, 255)) for text in ("white", " White ", "rgb(255,255,255)")),
        ("dark green", (0, 100, 0)),
        ("light-green", (144, 238, 144)),
        ("LightGreen", (144, 238, 144)),
    ],
)
def test_a_colour_in_all_its_spellings(text: str, value: tuple[int, int, int]) -> None:
    """In single quotes is what Windows' command window makes of a colour in them."""
    assert arg_types.colour(text) == value


@pytest.mark.parametrize("text", ["greenish", "#ffff", "1,2", "256,0,0", "1,2,3,4", "", "rgb()"])
def test_what_is_no_colour(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no colour"):
        arg_types.colour(text)


@given(st.text(max_size=30))
@settings(deadline=None, max_examples=100)
def test_a_colour_has_three_bytes_or_is_refused(text: str) -> None:
    try:
        value = arg_types.colour(text)
    except argparse.ArgumentTypeError:
        return
    assert len(value) == 3
    assert all(0 <= part <= 255 for part in value)


def test_a_network_is_named_or_is_a_file() -> None:
    assert parse(["run", "a.mp4", "--model", "ResNet50"]).model is Model.RESNET50
    for option in ("--model", "--checkpoint"):
        options = parse(["run", "a.mp4", option, "own.pth"])
        assert options.checkpoint == Path("own.pth").absolute()
        assert "model" not in options


@pytest.mark.parametrize("words", ["--quality best", "--quality=BEST", "--matte-quality best"])
def test_the_quality_of_the_matte_is_a_word_and_the_encoders_a_number(words: str) -> None:
    for others in ("--quality 18", "--bitrate 40M", ""):
        for line in (f"{words} {others}", f"{others} {words}"):
            options = option_values.matting_options(parse(["run", "a.mp4", *line.split()]))
            assert options.matte.quality is MatteQuality.BEST
            assert options.output.encoding.quality == (18 if "18" in others else None)
    assert "number" in refusal("deliver a_segments_matted --quality best")
