"""VR video the whole way: cut, matted, and delivered as headset players take it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest

from benchmarks.checkpoints import write_varied_checkpoint
from benchmarks.vr.pictures import in_circles
from benchmarks.vr.player import BT601, BT709, Floats, read_mattes, red_of
from matting.deliver import deliver
from matting.delivery.formats import FORMATS
from matting.errors import InputError
from matting.imaging.matte_planes import MAX_ALPHA
from matting.infer import infer
from matting.job_option import JobOption
from matting.media.colour_tags import Matrix
from matting.media.matte_file import MatteFile
from matting.media.mp4.spatial_view import view_of_boxes
from matting.media.probe import frame_times, read_contents, read_spatial
from matting.media.tracks import TrackKind
from matting.options import (
    EncodingOptions,
    FormatName,
    MattingOptions,
    OutputKind,
    OutputOptions,
)
from matting.project.inputs import read_inputs
from matting.project.job_signs import JobSigns
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.range_options import RangeOptions, Rectangle
from matting.rematte import rematte
from matting.renewed_outputs import RenewedOutputs
from matting.run import run
from matting.segment import segment
from matting.view import AutoView, Projection, StereoLayout, parse_view
from matting.vr_options import FisheyeView, VrOptions
from matting.workers.supervisor import Supervisor
from tests.support.clips import decode, make_clip
from tests.support.recorder import Recorder
from tests.support.stages import SECOND, cut, interrupt_after, matting_options, with_output

ROWS = [FORMATS[FormatName.VR_GREEN], FORMATS[FormatName.VR_ALPHA]]
SIDE, FRAMES = 128, 34  # in two segments
COEFFICIENTS = {Matrix.BT709: BT709, Matrix.BT470BG: BT601, Matrix.SMPTE170M: BT601}
BLOCK = 8  # pixels; a packed chroma sample is five
NAME = "trip_FISHEYE190_LR"


class Job(NamedTuple):
    """A matted VR video, and what was delivered of it."""

    video: Path
    matted: MattedFolder
    options: MattingOptions
    green: Path
    alpha: Path


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """One whose mattes are soft, and others in every frame; interrupted twice, and gone on with."""
    folder = tmp_path_factory.mktemp("vr")
    checkpoint = write_varied_checkpoint(folder / "varied.pth", seed=7)
    video = make_clip(folder / f"{NAME}.mp4", FRAMES, size=(2 * SIDE, SIDE), audio=True)
    segments = segment(video, SECOND, None, Recorder())
    encoding = EncodingOptions(quality=4)  # whose own noise does not hide what differs
    options = matting_options(checkpoint, OutputOptions(encoding=encoding), ratio=0.5)
    matted, progress = MattedFolder.of(segments), Recorder()
    interrupt_after(progress, matted, "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        infer(segments, options, None, progress)
    infer(segments, options, None, Recorder())
    with pytest.raises(KeyboardInterrupt):
        deliver(matted.root, ROWS, options, None, progress)
    return Job(video, matted, options, *deliver(matted.root, ROWS, options, None, Recorder()))


def test_results_lie_beside_the_video_under_names_that_players_read(job: Job) -> None:
    assert job.green == job.video.with_name("trip_MATTED_LR_FISHEYE190.mp4")
    assert job.alpha == job.video.with_name("trip_MATTED_LR_FISHEYE190_alpha.mp4")
    for path in (job.green, job.alpha):
        assert path.with_suffix(".hsp").is_file()
        assert path.with_suffix(".json").is_file()


def test_they_are_whole_with_audio_and_say_that_there_are_two_eyes(job: Job) -> None:
    for path in (job.green, job.alpha):
        assert len(frame_times(path)) == FRAMES
        assert len(read_contents(path).of(TrackKind.AUDIO)) == 1
        spatial = read_spatial(path)
        assert [box[4:8] for box in spatial.entry] == [b"st3d"]
        assert view_of_boxes(spatial).stereo is StereoLayout.LEFT_RIGHT


def test_picture_and_matte_are_of_the_same_frame_in_every_segment(job: Job) -> None:
    circles = in_circles(SIDE)
    filmed = [rgb.mean(axis=2) for _, rgb in decode(job.video)]
    alphas = [
        alpha[0].numpy().astype(float) / MAX_ALPHA
        for path in sorted(job.matted.output_folder(OutputKind.MATTE).glob("*.mkv"))
        for chunk in MatteFile.open(path).chunks(8)
        for alpha in chunk.matte.alpha
    ]
    assert len(filmed) == len(alphas) == FRAMES
    wanted = [
        np.concatenate([inner_of(eye) for eye in (own[:, :SIDE], own[:, SIDE:])], axis=1)
        for own in alphas
    ]
    for number, (picture, red) in enumerate(frames_of(job.alpha)):
        distances = [np.abs(picture - other)[circles].mean() for other in filmed]
        assert int(np.argmin(distances)) == number
        seen = np.concatenate([inner_of(matte) for matte in read_mattes(red, SIDE)], axis=1)
        errors = [np.abs(seen - other).mean() for other in wanted]
        assert int(np.argmin(errors)) == number
        assert errors[number] < 0.03


def inner_of(matte: Floats) -> Floats:
    """Return the middle of an eye's matte, in means of blocks that are larger than samples."""
    middle = matte[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4]
    blocks = SIDE // 2 // BLOCK
    means: Floats = middle.reshape(blocks, BLOCK, blocks, BLOCK).mean(axis=(1, 3))
    return means


def frames_of(path: Path) -> list[tuple[Floats, Floats]]:
    """Return each frame's brightness and its red, as a player decodes it by the file's tag."""
    with av.open(str(path)) as container:
        matrix = COEFFICIENTS[container.streams.video[0].codec_context.colorspace]
        planes = [frame.to_ndarray() for frame in container.decode(video=0)]
    reds = [red_of(own[:SIDE], own[SIDE:].reshape(2, SIDE // 2, -1)[1], matrix) for own in planes]
    brightness = [rgb.mean(axis=2) for _, rgb in decode(path)]
    return list(zip(brightness, reds, strict=True))


def test_the_eyes_mattes_are_compared_in_every_frame(job: Job) -> None:
    """Side by side, too, where nothing else depends on there being two."""
    differences = JobSigns.read(Ledger(job.matted)).eyes
    assert len(differences) == FRAMES
    assert (differences > 0).all()


def test_delivering_again_makes_nothing(job: Job) -> None:
    before = job.alpha.stat().st_mtime_ns
    progress = Recorder()
    again = deliver(job.matted.root, ROWS, job.options, None, progress)
    assert again == [job.green, job.alpha]
    assert job.alpha.stat().st_mtime_ns == before
    assert progress.mentions("Already delivered")


def copy_of(job: Job, folder: Path) -> MattedFolder:
    """Return a copy of the job, for a test that changes it."""
    return MattedFolder(shutil.copytree(job.matted.root.parent, folder) / job.matted.root.name)


def test_by_another_view_that_is_typed_other_files_are_made_and_renewed(
    job: Job, tmp_path: Path
) -> None:
    """As 180 degrees equirectangular; the mattes, and what the job remembers, stay."""
    view = parse_view("left-right,180")
    options = replace(job.options, matte=replace(job.options.matte, view=view))
    options = with_output(options, vr=VrOptions(fisheye=FisheyeView.FISHEYE_180, sidecar=False))
    typed = frozenset({JobOption.VIEW, JobOption.FISHEYE, JobOption.SIDECAR})
    options, progress = replace(options, typed=typed), Recorder()
    copy, output = copy_of(job, tmp_path / "job"), tmp_path / "results"
    green, alpha = deliver(copy.root, ROWS, options, output, progress)
    assert green.name == "trip_MATTED_LR_180_SBS.mp4"
    assert alpha.name == "trip_MATTED_LR_180_FISHEYE_F180_alpha.mp4"
    stated = view_of_boxes(read_spatial(green))
    assert stated.projection is Projection.HALF_EQUIRECTANGULAR
    assert [box[4:8] for box in read_spatial(alpha).entry] == [b"st3d"]
    assert sorted(path.name for path in output.iterdir()) == sorted([green.name, alpha.name])
    assert progress.mentions(view.describe())
    ledger = Ledger(copy)
    assert ledger.remembered is not None and ledger.remembered.view is AutoView.FOUND
    inputs = read_inputs(copy.root.with_name(f"{NAME}_segments"))
    older = Path(shutil.copy(job.alpha, output))  # by the view that the name says
    RenewedOutputs(copy, inputs, job.options, output, progress, Supervisor).make()
    assert progress.mentions(f"{older} is an older result.")
    assert not any(progress.mentions(f"{path} is an older") for path in (green, alpha))
    for row in ROWS:
        made = [
            Ledger(copy).entry(item.name).delivered[row.kind].settings for item in inputs.inputs
        ]
        assert {settings.view for settings in made} == {view}
        assert {settings.lens for settings in made} <= {"180_SBS", "180_FISHEYE_F180"}


def test_a_flat_video_is_refused_before_anything_is_made(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, Recorder(), 4)
    options = matting_options(light_checkpoint)
    matted = infer(segments, options, None, Recorder())
    with pytest.raises(InputError, match=r"^clip\.mp4, .* no VR video") as refusal:
        deliver(matted.root, [ROWS[1]], options, None, Recorder())
    assert "--view" in refusal.value.hint
    assert not matted.output_folder(OutputKind.VR_ALPHA).exists()


def test_a_flat_video_is_refused_before_it_is_cut(tmp_path: Path, light_checkpoint: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 4)
    options = replace(matting_options(light_checkpoint), formats=(FormatName.VR_ALPHA,))
    with pytest.raises(InputError, match="no VR video"):
        run(clip, SECOND, options, None, Recorder())
    assert [path.name for path in tmp_path.iterdir()] == [clip.name]


def test_a_range_that_is_done_again_is_so_in_both_results(job: Job, tmp_path: Path) -> None:
    """Whoever is kept out of the left eye's picture is no longer in its matte."""
    copy = copy_of(job, tmp_path / "job")
    alpha = copy.root.parent / job.alpha.name
    before = frames_of(alpha)
    first, stop = 10, 20
    left_eye = Rectangle(0, 0, SIDE, SIDE)
    asked = RangeOptions(
        Fraction(first, 30), Fraction(stop, 30), blend_frames=0, keep_out=(left_eye,)
    )
    rematte(copy.root, asked, job.options, None, Recorder())
    for number, ((_, red), (_, earlier)) in enumerate(zip(frames_of(alpha), before, strict=True)):
        left, right = (inner_of(own).mean() for own in read_mattes(red, SIDE))
        left_before, right_before = (inner_of(own).mean() for own in read_mattes(earlier, SIDE))
        assert left_before > 0.1
        assert left < 0.02 if first <= number < stop else abs(left - left_before) < 0.02
        assert abs(right - right_before) < 0.03
