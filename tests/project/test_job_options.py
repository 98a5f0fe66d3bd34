"""A job remembers what it was asked for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.cli import option_values, parser
from matting.errors import InputError
from matting.network_choice import Foreground, MatteQuality, Model, Shots, SmallPeople, Subject
from matting.options import (
    Chroma,
    CodecBackend,
    FormatName,
    MattingOptions,
    OutputKind,
    Precision,
    VideoCodec,
)
from matting.project import records
from matting.project.entry import Entry, OutputFile
from matting.project.inputs import Input
from matting.project.job_options import DEFAULTS, JobOptions
from matting.project.recorded_settings import settings_of
from matting.project.resumed_options import take_up
from matting.view import AutoView, Eyes, parse_view
from tests.support.recorder import Recorder

VIDEO = Input("a.mp4", Path("a.mp4"), "a")
COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06X}")
RATES = st.fractions(Fraction(1, 100), 1000, max_denominator=1001)
KINDS = (OutputKind.ALPHA, OutputKind.FOREGROUND, OutputKind.ALPHA_PNG)
REMEMBERED = st.builds(
    JobOptions,
    checkpoint=st.none() | st.just("/weights/own.pth"),
    precision=st.sampled_from(Precision),
    downsample_ratio=st.none() | st.integers(1, 1000).map(lambda value: value / 1000),
    subject=st.sampled_from(Subject),
    shots=st.sampled_from(Shots),
    foreground=st.sampled_from(Foreground),
    small_people=st.sampled_from(SmallPeople),
    view=st.sampled_from(
        [*AutoView, *map(parse_view, ("mono", "top-bottom,360", "left-right,mkx200"))]
    ),
    eyes=st.sampled_from(Eyes),
    background=COLOURS | st.just(str(Path(__file__).absolute())),
    save=st.sets(st.sampled_from(KINDS)).map(lambda kinds: tuple(k for k in KINDS if k in kinds)),
    codec=st.sampled_from(VideoCodec),
    quality=st.none() | st.integers(0, 51),
    bitrate=st.none(),
    chroma=st.sampled_from(Chroma),
    encoder=st.sampled_from(CodecBackend),
    frame_rate=st.none() | RATES,
    keep_matte=st.booleans(),
    formats=st.lists(st.sampled_from(FormatName), unique=True, max_size=3).map(tuple),
    matte_quality=st.sampled_from(MatteQuality),
    model=st.none() | st.sampled_from(Model),
).filter(lambda job: job.checkpoint is None or job.model is None)


def typed(*words: str) -> MattingOptions:
    return option_values.matting_options(parser.parse(["infer", "take", *words]))


@settings(max_examples=40)
@given(REMEMBERED)
def test_what_a_job_remembers_comes_back(
    tmp_path_factory: pytest.TempPathFactory, job: JobOptions
) -> None:
    path = tmp_path_factory.getbasetemp() / "options.json"
    records.write(path, job)
    assert records.read(path, JobOptions, "") == job
    progress = Recorder()
    taken = take_up(typed(), job, progress)
    assert JobOptions.of(taken) == job
    assert progress.mentions("goes on with its own options") == (job != DEFAULTS)


@settings(max_examples=40)
@given(REMEMBERED)
def test_what_is_said_of_a_jobs_options_can_be_typed(job: JobOptions) -> None:
    words = job.in_words().replace("'", "").split()
    assert JobOptions.of(typed(*words)) == job


def test_what_is_typed_replaces_one_by_one() -> None:
    job = JobOptions.of(
        typed("--background", "#102030", "--quality", "30", "--subject", "portrait")
    )
    progress = Recorder()
    taken = take_up(typed("--codec", "h264", "--save", "alpha"), job, progress)
    assert progress.mentions("--background") and not progress.mentions("h264")
    assert taken.output.background == (0x10, 0x20, 0x30)
    assert taken.output.encoding.codec is VideoCodec.H264
    assert taken.output.encoding.quality is None  # that was on another scale
    assert taken.output.kinds == (OutputKind.COMPOSITE, OutputKind.ALPHA)
    assert taken.matte.subject is Subject.PORTRAIT
    taken = take_up(typed("--bitrate", "8M"), job, Recorder())
    assert (taken.output.encoding.bitrate_bps, taken.output.encoding.quality) == (8_000_000, None)
    fixed = msgspec.structs.replace(job, downsample_ratio=0.5)
    taken = take_up(typed("--subject", "full-body"), fixed, Recorder())
    assert taken.matte.ratio is None
    taken = take_up(typed("--downsample-ratio", "auto"), fixed, Recorder())
    assert taken.matte.ratio is None
    av1 = JobOptions(codec=VideoCodec.AV1)
    assert take_up(typed("--quality", "60"), av1, Recorder()).output.encoding.quality == 60
    with pytest.raises(InputError, match="takes 0 to 51"):
        take_up(typed("--quality", "60"), JobOptions(), Recorder())
    large = JobOptions.of(typed("--model", "resnet50"))
    taken = take_up(typed("--model", __file__), large, Recorder())
    assert (taken.matte.model, taken.matte.checkpoint) == (None, Path(__file__))
    taken = take_up(typed("--model", "mobilenetv3"), JobOptions.of(taken), Recorder())
    assert (taken.matte.model, taken.matte.checkpoint) == (Model.MOBILENETV3, None)
    # All that a program in Python gives counts, for it gives all.
    options = MattingOptions()
    assert take_up(options, job, Recorder()) == options


@settings(max_examples=40)
@given(REMEMBERED.filter(lambda job: job.background.startswith("#")))
def test_an_earlier_versions_results_imply_their_options(job: JobOptions) -> None:
    options = job.applied_to(MattingOptions())
    recorded = settings_of(VIDEO, options, "ab" * 32)
    outputs = {OutputKind.COMPOSITE: OutputFile("a.mp4", 1, "0" * 64)}
    implied = JobOptions.implied_by([Entry(), Entry(settings=recorded, outputs=outputs)])
    assert implied is not None
    again = implied.applied_to(MattingOptions())
    if job.encoder is CodecBackend.HARDWARE:  # which is chosen anew, by what is done
        encoding = replace(again.output.encoding, encoder=CodecBackend.HARDWARE)
        again = replace(again, output=replace(again.output, encoding=encoding))
    assert settings_of(VIDEO, again, "ab" * 32) == recorded


def test_a_job_that_stored_no_mattes_stores_them_where_that_is_typed() -> None:
    """Taken up a second time, as by `run` and then by `infer`, it still does."""
    earlier = JobOptions()
    for words, kept in (((), False), (("--keep-matte", "yes"), True)):
        once = take_up(typed(*words), earlier, Recorder())
        assert take_up(once, earlier, Recorder()).output.keep_matte is kept


def test_what_differs_from_other_options_can_be_typed() -> None:
    own = JobOptions(background="#0000FF", quality=30, downsample_ratio=0.5)
    made = JobOptions(background="#FF0000", codec=VideoCodec.H264)
    words = made.in_words(own).replace("'", "").split()
    assert words == [
        *["--downsample-ratio", "auto", "--background", "#FF0000"],
        *["--codec", "h264", "--quality", "18"],
    ]
    assert own.in_words(own) == ""


def test_a_job_of_an_earlier_version_keeps_the_networks_foreground() -> None:
    job = msgspec.structs.replace(DEFAULTS, foreground=msgspec.UNSET)
    for asked in (typed(), typed("--quality", "20"), MattingOptions()):
        assert take_up(asked, job, Recorder()).matte.foreground is Foreground.NETWORK
    chosen = take_up(typed("--foreground", "fused"), job, Recorder())
    assert chosen.matte.foreground is Foreground.FUSED
