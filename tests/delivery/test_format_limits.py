"""What a format does not hold is said once, and only of what the source has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import pytest

from matting.delivery.format_limits import announce_limits
from matting.delivery.formats import FORMATS
from matting.imaging.sample_format import Size, TransferFunction
from matting.media.hdr_metadata import HdrMetadata
from matting.options import FormatName, MattingOptions
from matting.project.entry import Delivered, Entry, RecordedSettings
from matting.project.inputs import Input, InputFolder, read_inputs
from matting.project.job_options import JobOptions
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from tests.support.clips import make_clip
from tests.support.pictured_source import VIDEO, PicturedSource
from tests.support.recorder import Recorder

DELIVERED = [row for row in FORMATS.values() if row.kind.is_delivered]
HDR = replace(VIDEO, bits=10, transfer=TransferFunction.PQ)
SMALL = {"webm-alpha", "hevc-alpha", "vr-green", "vr-alpha"}
WHOLE = Fraction(1, 25)  # of a second: whole milliseconds


def said(
    inputs: InputFolder, ledger: Ledger, rows: Iterable[FormatName] = FormatName
) -> dict[str, str]:
    """Return what is said of each format."""
    progress = Recorder()
    chosen = [row for row in DELIVERED if row.name in set(rows)]
    announce_limits(chosen, inputs, ledger, MattingOptions(), progress, video=None)
    return dict(text.split(": ", 1) for text in progress.said)


def said_of(source: PicturedSource, folder: Path) -> dict[str, str]:
    video = make_clip(folder / "clip.mp4", 1)
    inputs = InputFolder(folder, None, (Input(video.name, video, "clip"),))
    with (
        patch.object(Input, "open", return_value=source),
        patch.object(Input, "frame_times", return_value=[n * WHOLE for n in range(3)]),
    ):
        return said(inputs, Ledger(MattedFolder.of(folder)))


def test_of_a_plain_video_there_is_next_to_nothing_to_say(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", 3, rate=Fraction(25))
    found = said(read_inputs(tmp_path), Ledger(MattedFolder.of(tmp_path)))
    assert found == dict.fromkeys(("png", "exr"), "Pictures have no times.")


def test_times_and_audio_that_are_there_are_spoken_of(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", 3, rate=Fraction(30), audio=True)
    found = said(read_inputs(tmp_path), Ledger(MattedFolder.of(tmp_path)))
    assert {name for name, text in found.items() if "milliseconds" in text} == {
        "webm-alpha",
        "ffv1",
    }
    assert {name for name, text in found.items() if "no audio" in text} == {"png", "exr"}


@pytest.mark.parametrize(
    ("source", "words", "names"),
    [
        (PicturedSource(sample_format=HDR), "HDR", SMALL | {"png", "exr"}),
        (
            PicturedSource(sample_format=HDR, hdr=HdrMetadata(None, (1000, 400))),
            "mastering",
            SMALL | {"prores4444", "ffv1"},
        ),
        (
            PicturedSource(sample_format=replace(VIDEO, subsampling=(1, 1))),
            "4:2:0",
            SMALL,
        ),
        (PicturedSource(sample_format=replace(VIDEO, bits=12)), "10 bits", {"prores4444"}),
        (PicturedSource(size_px=Size(4098, 2162)), "twice", {"stacked", "side-by-side"}),
    ],
    ids=["hdr", "mastering", "4:4:4", "12 bits", "large"],
)
def test_what_a_source_has_is_spoken_of(
    source: PicturedSource, words: str, names: set[str], tmp_path: Path
) -> None:
    assert {name for name, text in said_of(source, tmp_path).items() if words in text} == names


def test_a_job_is_told_once(tmp_path: Path) -> None:
    """Not of what it was asked for before, nor of what is made already."""
    make_clip(tmp_path / "clip.mp4", 3)
    inputs, ledger = read_inputs(tmp_path), Ledger(MattedFolder.of(tmp_path))
    own = Delivered(
        file="clip",
        size_bytes=1,
        sha256="0" * 64,
        matte_sha256="0" * 64,
        settings=RecordedSettings(),
    )
    ledger.begin(["clip.mp4"], None, options=JobOptions(formats=(FormatName.PNG,)))
    ledger.amend("clip.mp4", Entry(delivered={FORMATS[FormatName.EXR].kind: own}))
    assert said(inputs, ledger).keys() == {"webm-alpha", "ffv1"}
