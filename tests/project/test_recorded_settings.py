"""What shapes a result is recorded, and its changes are found, in earlier versions' records too."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from matting.network_choice import Foreground, Shots, SmallPeople, Subject
from matting.options import (
    Chroma,
    CodecBackend,
    EncodingOptions,
    MatteOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    Precision,
    VideoCodec,
)
from matting.project.entry import Entry, OutputFile, RecordedSettings
from matting.project.inputs import Input
from matting.project.lineage import same_matte
from matting.project.recorded_settings import (
    changed_settings,
    in_words,
    settings_of,
    with_tags_as_before,
)
from matting.view import StereoLayout
from tests.support.repository import ROOT
from tests.support.stages import matting_options, with_matte, with_output

CHECKPOINT = "5a" * 32
EARLIER: dict[str, dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "earlier_jobs" / "settings.json").read_text(encoding="utf-8")
)
EVERY_KIND = (OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND, OutputKind.ALPHA_PNG)
OPTIONS = {
    "plain": MattingOptions(),
    "all_kinds": MattingOptions(
        MatteOptions(precision=Precision.FP16, subject=Subject.PORTRAIT),
        OutputOptions(
            background=(0, 0, 0),
            kinds=EVERY_KIND,
            encoding=EncodingOptions(
                VideoCodec.AV1,
                bitrate_bps=8_000_000,
                chroma=Chroma.YUV420,
                encoder=CodecBackend.HARDWARE,
            ),
        ),
    ),
    "pictures": MattingOptions(MatteOptions(ratio=0.375)),
    "pictures_to_video": MattingOptions(
        output=OutputOptions(
            frame_rate=Fraction(30000, 1001),
            encoding=EncodingOptions(VideoCodec.H264, quality=4, preset="slow"),
        )
    ),
}


def input_of(job: str, folder: Path) -> Input:
    """Return a video as an input, or a folder of pictures for a job that has one."""
    path = folder / job
    if job.startswith("pictures"):
        path.mkdir()
    return Input(job, path, job, first_frame=450)


def earlier(job: str, **changes: object) -> RecordedSettings:
    return msgspec.convert({**EARLIER[job], **changes}, RecordedSettings)


def without(job: str, *names: str) -> RecordedSettings:
    value = {name: value for name, value in EARLIER[job].items() if name not in names}
    return msgspec.convert(value, RecordedSettings)


@pytest.mark.parametrize("job", EARLIER)
def test_earlier_versions_records_are_todays(job: str, tmp_path: Path) -> None:
    made = Entry(
        settings=earlier(job), outputs={OutputKind.COMPOSITE: OutputFile("a", 0, "00" * 32)}
    )
    options = with_tags_as_before(OPTIONS[job], [Entry(), made])
    options = with_output(options, keep_matte=False)  # as such a job goes on
    options = with_matte(
        options, shots=Shots.OFF, foreground=Foreground.NETWORK, small_people=SmallPeople.OFF
    )
    wanted = settings_of(input_of(job, tmp_path), options, CHECKPOINT)
    assert changed_settings(earlier(job), wanted) == []
    assert msgspec.to_builtins(wanted) == EARLIER[job] | {"kinds": tuple(EARLIER[job]["kinds"])}


def test_todays_results_carry_assumed_tags(tmp_path: Path) -> None:
    item = input_of("plain", tmp_path)
    settings = settings_of(item, OPTIONS["plain"], CHECKPOINT)
    assert settings.tags_assumed is True
    made = Entry(settings=settings, outputs={OutputKind.COMPOSITE: OutputFile("a", 0, "00" * 32)})
    assert with_tags_as_before(OPTIONS["plain"], [made]) == OPTIONS["plain"]


@pytest.mark.parametrize(
    ("job", "changes", "names"),
    [
        ("plain", {"checkpoint": "00" * 32}, ["checkpoint"]),
        ("plain", {"ratio": "auto, portrait"}, ["ratio"]),
        ("plain", {"ratio": 0.5}, ["ratio"]),
        ("plain", {"background": "#78FF9C"}, ["background"]),
        ("plain", {"background": f"sha256:{'00' * 32}"}, ["background"]),
        ("plain", {"quality": 21}, ["quality"]),
        ("plain", {"quality": None, "bitrate_bps": 1000}, ["quality", "bitrate_bps"]),
        ("plain", {"preset": "fast"}, ["preset"]),
        ("plain", {"codec": "h264", "encoder": "hardware"}, ["codec", "encoder"]),
        ("plain", {"chroma": "4:2:0"}, ["chroma"]),
        ("plain", {"frame_rate": "25"}, ["frame_rate"]),
        # A precision that suits the device need not be that of another device.
        ("plain", {"precision": "fp16"}, []),
        # More kinds than are wanted will do.
        ("plain", {"kinds": ["COMPOSITE", "ALPHA"]}, []),
        ("plain", {"kinds": ["ALPHA"]}, ["kinds"]),
        # The pictures of a video are numbered only where there are any.
        ("plain", {"first_frame": 3}, []),
        ("all_kinds", {"first_frame": 3}, ["first_frame"]),
        ("all_kinds", {"precision": "bf16"}, ["precision"]),
        ("plain", {"matte_quality": "best"}, ["matte_quality"]),
        ("pictures_to_video", {"frame_rate": "30"}, ["frame_rate"]),
        # Once pictures were made: that there is an encoding now is not named, but that it is one.
        ("pictures_to_video", {"frame_rate": "pictures"}, ["frame_rate"]),
    ],
)
def test_what_has_changed(job: str, changes: dict[str, object], names: list[str]) -> None:
    assert changed_settings(earlier(job, **changes), earlier(job)) == names
    assert all(map(in_words, names))


def test_what_an_earlier_version_did_not_know() -> None:
    assert changed_settings(without("plain", "encoder"), earlier("plain")) == []
    hardware = earlier("plain", encoder="hardware")
    assert changed_settings(without("plain", "encoder"), hardware) == ["encoder"]
    unset = without("plain", "preset", "bitrate_bps", "frame_rate")
    assert changed_settings(unset, earlier("plain")) == ["preset"]
    assert changed_settings(RecordedSettings(), earlier("plain"))[0] == "checkpoint"


def test_a_video_made_of_what_were_pictures_names_the_rate_alone(tmp_path: Path) -> None:
    item = input_of("pictures", tmp_path)
    output = OutputOptions(frame_rate=Fraction(25), keep_matte=False)
    options = MattingOptions(
        MatteOptions(
            ratio=0.375,
            shots=Shots.OFF,
            foreground=Foreground.NETWORK,
            small_people=SmallPeople.OFF,
        ),
        output,
    )
    wanted = settings_of(item, options, CHECKPOINT)
    assert changed_settings(earlier("pictures"), wanted) == ["frame_rate"]


@pytest.mark.parametrize("kind", ["plain", "pictures"])
def test_shots_are_off_unless_they_are_recorded(kind: str, tmp_path: Path) -> None:
    item = replace(input_of(kind, tmp_path), shot_starts=(0, 12))
    on, off = (
        settings_of(item, with_matte(OPTIONS[kind], shots=shots), CHECKPOINT) for shots in Shots
    )
    assert on.shots == (0, 12) and off.shots is msgspec.UNSET
    assert changed_settings(off, on) == changed_settings(on, off) == ["shots"]
    unknown = replace(item, shot_starts=None)  # by the plan of an earlier version
    assert settings_of(unknown, OPTIONS[kind], CHECKPOINT) == off
    assert changed_settings(on, msgspec.structs.replace(on, shots=(0,))) == ["shots"]


def test_the_foreground_is_the_networks_unless_another_is_recorded(tmp_path: Path) -> None:
    item = input_of("plain", tmp_path)
    fused, own = (
        settings_of(item, with_matte(OPTIONS["plain"], foreground=foreground), CHECKPOINT)
        for foreground in Foreground
    )
    assert fused.foreground is Foreground.FUSED and own.foreground is msgspec.UNSET
    assert changed_settings(fused, own) == changed_settings(own, fused) == ["foreground"]
    assert not same_matte(fused, own)


def test_nobody_is_seen_a_second_time_unless_that_is_recorded(tmp_path: Path) -> None:
    item = input_of("plain", tmp_path)
    on, off = (
        settings_of(item, with_matte(OPTIONS["plain"], small_people=choice), CHECKPOINT)
        for choice in SmallPeople
    )
    assert on.small_people is SmallPeople.AUTO
    assert off.small_people is msgspec.UNSET
    assert changed_settings(off, on) == changed_settings(on, off) == ["small_people"]


def test_the_eyes_are_recorded_where_the_ratio_is_by_one_of_them(tmp_path: Path) -> None:
    whole = input_of("plain", tmp_path)
    stacked = replace(whole, eyes=StereoLayout.TOP_BOTTOM)
    by_picture, by_eye = (settings_of(i, OPTIONS["plain"], CHECKPOINT) for i in (whole, stacked))
    assert by_eye.eyes is StereoLayout.TOP_BOTTOM
    assert changed_settings(by_picture, by_eye) == changed_settings(by_eye, by_picture) == ["eyes"]
    assert in_words("eyes") == "--view"
    assert not same_matte(by_picture, by_eye)
    fixed = with_matte(OPTIONS["plain"], ratio=0.5)
    assert settings_of(stacked, fixed, CHECKPOINT) == settings_of(whole, fixed, CHECKPOINT)


def test_eyes_are_recorded_where_each_is_matted_by_itself(tmp_path: Path) -> None:
    together = input_of("plain", tmp_path)
    apart = replace(together, apart=StereoLayout.TOP_BOTTOM)
    for options in (OPTIONS["plain"], with_matte(OPTIONS["plain"], ratio=0.5)):
        one, each = (settings_of(item, options, CHECKPOINT) for item in (together, apart))
        assert each.apart is StereoLayout.TOP_BOTTOM
        assert changed_settings(one, each) == changed_settings(each, one) == ["apart"]
        assert in_words("apart") == "--eyes"
        assert not same_matte(one, each)


def test_settings_without_an_encoder_mean_software() -> None:
    recorded = RecordedSettings(codec=VideoCodec.HEVC)
    for encoder, changed in ((CodecBackend.SOFTWARE, []), (CodecBackend.HARDWARE, ["encoder"])):
        settings = RecordedSettings(codec=VideoCodec.HEVC, encoder=encoder)
        assert changed_settings(recorded, settings) == changed


def test_a_shift_of_picture_numbers_is_a_changed_setting(tmp_path: Path) -> None:
    """Where a segment has gained frames, all pictures after it change their names."""
    output = OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA_PNG))
    recorded, current = (
        settings_of(
            Input("a", tmp_path / "a", "a", first_frame=number),
            matting_options(None, output, ratio=None),
            "",
        )
        for number in (70, 75)
    )
    assert changed_settings(recorded, current) == ["first_frame"]
    assert changed_settings(recorded, recorded) == []
