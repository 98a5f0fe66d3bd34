"""A preview of a whole clip, by a network that stands in; and what is chosen, as a job uses it."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from matting.errors import InputError
from matting.imaging.renderer import render_matte_planes
from matting.imaging.sample_format import TransferFunction
from matting.infer import infer
from matting.inference.session import MattingSession
from matting.inference.weights import load_checkpoint
from matting.job_option import JobOption
from matting.media.matte_file import MatteFile
from matting.network_choice import SmallPeople
from matting.options import (
    ComputeOptions,
    CuttingOptions,
    EncodingOptions,
    MatteOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    Precision,
    VideoCodec,
)
from matting.preview import choose, preview
from matting.project.clip_settings import read_settings, settings_path
from matting.project.ledger import Ledger
from matting.report import preview_maker
from matting.report.comparison import Clip, PreviewedVideo, matte_of
from matting.report.moments import Moment
from matting.report.preview_folder import preview_folder
from matting.report.preview_page import page_path
from matting.segment import segment
from matting.system.temporary_files import create_temporary, create_temporary_folder
from tests.support.clips import make_clip
from tests.support.damage import damage_packets
from tests.support.hdr import PATCH_PX, patches_clip
from tests.support.interlaced import interlaced
from tests.support.recorder import Recorder

# All below half of the reference white, above which HDR is compressed.
COLOURS = [(128, 128, 128), (40, 40, 40), (170, 40, 40), (40, 160, 60), (50, 60, 170), (16, 16, 16)]


def options_of(checkpoint: Path) -> MattingOptions:
    matte = MatteOptions(checkpoint, precision=Precision.FP32, small_people=SmallPeople.OFF)
    output = OutputOptions(encoding=EncodingOptions(VideoCodec.H264, preset="ultrafast"))
    return MattingOptions(matte, output, ComputeOptions("cpu", isolated=False))


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Return a clip in a folder of its own."""
    (tmp_path / "videos").mkdir()
    return make_clip(tmp_path / "videos" / "clip.mp4", 40, size=(96, 64), gop=10)


def test_a_page_shows_moments_in_all_settings_with_what_they_cost(
    video: Path, opaque_checkpoint: Path, progress: Recorder
) -> None:
    page = preview(video, [Fraction(1, 2)], options_of(opaque_checkpoint), None, progress)
    assert page.path == video.with_name("clip_preview.html")
    assert sorted(path.name for path in video.parent.iterdir()) == ["clip.mp4", page.path.name]
    assert page.is_finished
    assert page.moments[0].frame == 15
    assert page.moments[0].reason == "asked for"
    for moment in page.moments:
        assert [result.number for result in moment.results] == [1, 2]
    for row in page.settings:
        assert row.forecast is not None
        assert row.forecast.frames == 40
        assert row.forecast.output_bytes > 0
    text = page.path.read_text(encoding="utf-8")
    assert text.count('class="people"') == 2 * len(page.moments)
    assert any(str(page.path) in said for said in progress.said)


def test_when_the_time_is_over_a_few_moments_are_shown_by_all_settings(
    video: Path, opaque_checkpoint: Path, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_maker, "LIMIT_SECONDS", 0)
    monkeypatch.setattr(preview_maker, "FEWEST_MOMENTS", 1)
    page = preview(video, [Fraction(0)], options_of(opaque_checkpoint), None, progress)
    assert [moment.numbers for moment in page.moments] == [{1, 2}]
    assert page.expected > 1
    assert "too short" in page.progress


def test_an_interlaced_video_is_tried_as_it_will_be_matted(
    tmp_path: Path, opaque_checkpoint: Path, progress: Recorder
) -> None:
    video = interlaced(tmp_path / "woven.mp4", "libx264")
    page = preview(video, [], options_of(opaque_checkpoint), None, progress)
    assert all(row.forecast is not None for row in page.settings)


def test_a_job_goes_before_what_nobody_typed(
    video: Path, opaque_checkpoint: Path, progress: Recorder
) -> None:
    options = options_of(opaque_checkpoint)
    begun = replace(options, matte=replace(options.matte, ratio=0.75))
    infer(segment(video, CuttingOptions(), None, progress), begun, None, progress)
    asked = replace(options, typed=frozenset({JobOption.BACKGROUND}))
    page = preview(video, [], asked, None, progress)
    assert [row.ratio for row in page.settings] == [0.75, 0.375, 1.0]
    assert "--downsample-ratio" not in page.settings[0].line  # the job goes on by it
    assert "--downsample-ratio 0.375" in page.settings[1].line
    choose(video, 2, asked, None, progress)
    chosen = read_settings(settings_path(video))
    assert chosen is not None
    assert chosen.downsample_ratio == 0.375


def test_what_a_killed_run_has_left_is_removed_where_no_other_is_at_work(video: Path) -> None:
    page = page_path(video)
    left, other = create_temporary_folder(page), create_temporary(video)
    (left / "trial").mkdir()
    half_page = create_temporary(page)
    with preview_folder(page) as used:
        assert [path.exists() for path in (left, half_page, other)] == [False, False, True]
        being_written = create_temporary(page)
        with preview_folder(page):
            assert used.is_dir()
            assert being_written.exists()
    assert not used.exists()


def test_a_moment_that_cannot_be_read_is_left_out_and_named(
    video: Path, opaque_checkpoint: Path, progress: Recorder
) -> None:
    damage_packets(video, range(31, 40))
    times = [Fraction(1, 2), Fraction(35, 30)]
    page = preview(video, times, options_of(opaque_checkpoint), None, progress)
    assert [moment.frame for moment in page.moments if moment.reason == "asked for"] == [15]
    assert any("left out" in said and str(video) in said for said in progress.said)
    assert page.is_finished


def test_what_is_shown_is_what_a_job_makes(
    video: Path, random_checkpoint: Path, progress: Recorder
) -> None:
    """At a shot's start, where the network is run up in both, alpha is the same."""
    options = options_of(random_checkpoint)
    shown = PreviewedVideo.open(video, options)
    clip = Clip.read(shown, Moment(2, 0, "after a cut"))
    network = load_checkpoint(random_checkpoint).network
    session = MattingSession(network, torch.device("cpu"), Precision.FP32)
    own = render_matte_planes(matte_of(clip, shown.settings[0], session))
    folder = infer(video.parent, options, None, progress)
    stored = MatteFile.open(folder.output_folder(OutputKind.MATTE) / "clip.mkv")
    third = list(stored.chunks(1))[2].matte.alpha
    assert np.array_equal(own.alpha.numpy(), third.numpy())


@pytest.mark.parametrize(
    ("transfer", "white"), [(TransferFunction.PQ, 148), (TransferFunction.HLG, 191)]
)
def test_hdr_looks_on_the_page_as_its_sdr_version(
    transfer: TransferFunction,
    white: int,
    tmp_path: Path,
    opaque_checkpoint: Path,
    progress: Recorder,
) -> None:
    """The colour behind it, too, whose numbers are HDR's own: `white` is its reference white."""
    video = patches_clip(tmp_path / "clip.mp4", COLOURS, transfer, frames=4)
    options = options_of(opaque_checkpoint)
    options = replace(options, output=replace(options.output, background=(white,) * 3))
    page = preview(video, [Fraction(0)], options, None, progress)
    assert 235 < int(page.wanted[1:3], 16) < 255
    moment = page.moments[0]
    for uri in (moment.source, *(result.people for result in moment.results)):
        picture = np.asarray(Image.open(BytesIO(b64decode(uri.partition(",")[2]))))
        centres = picture[PATCH_PX // 2, PATCH_PX // 2 :: PATCH_PX]
        assert np.abs(centres[:, :3] - np.array(COLOURS)).max() <= 6
        assert (centres[:, 3:] == 255).all()


def test_a_time_after_the_end_is_refused(
    video: Path, opaque_checkpoint: Path, progress: Recorder
) -> None:
    with pytest.raises(InputError, match="after the end"):
        preview(video, [Fraction(9)], options_of(opaque_checkpoint), None, progress)


def test_what_is_chosen_is_what_infer_goes_by(
    video: Path, opaque_checkpoint: Path, progress: Recorder
) -> None:
    options = replace(options_of(opaque_checkpoint), typed=frozenset())
    path = choose(video, 2, options, None, progress)
    assert path == settings_path(video)
    chosen = read_settings(path)
    assert chosen is not None
    with pytest.raises(InputError, match="no setting 7"):
        choose(video, 7, options, None, progress)
    assert read_settings(path) == chosen
    segments = segment(video, CuttingOptions(), None, progress)
    ledger = Ledger(infer(segments, options, None, progress))
    settings = [ledger.entry(name).settings for name in ledger.names]
    assert [own.ratio for own in settings if own] == [chosen.downsample_ratio] == [0.5]
    assert any(path.name in said for said in progress.said)
