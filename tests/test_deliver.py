"""Stored mattes become what editors, browsers and players take: real files of a tiny clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from matting.deliver import deliver
from matting.delivery.formats import FORMATS, DeliveryFormat, delivery_formats
from matting.errors import InputError, StorageError
from matting.imaging.matte_planes import MAX_ALPHA
from matting.infer import infer
from matting.infer_and_deliver import infer_and_deliver
from matting.media.matte_file import MatteFile
from matting.media.probe import frame_times
from matting.options import FormatName, MattingOptions, OutputKind
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.run import run
from matting.segment import segment
from matting.system import files as files_module
from matting.workers import preflight
from tests.support.clips import make_clip
from tests.support.image_sequences import write_take
from tests.support.recorder import Recorder
from tests.support.soft_disc import read_alpha
from tests.support.stages import SECOND, cut, matting_options, with_output

COUNTS = [30, 4]  # of frames, by segment
# Whether this computer can write the other is found out when it is asked for.
ROWS = [
    row
    for row in FORMATS.values()
    if row.kind.is_delivered and row.name != FormatName.HEVC and not row.name.is_vr
]


FINISHED = [FORMATS[FormatName.PRORES], FORMATS[FormatName.PNG]]


class Job(NamedTuple):
    """A matted clip, delivered."""

    matted: MattedFolder
    options: MattingOptions
    finished: list[Path]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> Job:
    """One in all formats that every computer has; two of them are finished."""
    segments = cut(tmp_path_factory.mktemp("deliver"), Recorder(), sum(COUNTS))
    options = matting_options(light_checkpoint)
    folder = infer(segments, options, None, Recorder())
    with patch("matting.deliver.finish", return_value=[]):
        deliver(folder.root, ROWS, options, None, Recorder())
    return Job(folder, options, deliver(folder.root, FINISHED, options, None, Recorder()))


@pytest.fixture(scope="module")
def matted(job: Job) -> MattedFolder:
    return job.matted


def files(matted: MattedFolder, kind: OutputKind) -> list[Path]:
    return sorted(matted.output_folder(kind).glob("output_*"))


def stored_alpha(matte: Path) -> NDArray[np.uint16]:
    """Return the alpha of a stored matte, [T, H, W], 0..1023."""
    parts = [chunk.matte.alpha[:, 0].numpy() for chunk in MatteFile.open(matte).chunks(8)]
    return np.concatenate(parts)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.name))
def test_each_segment_has_all_its_frames_at_their_times(
    row: DeliveryFormat, matted: MattedFolder
) -> None:
    there = files(matted, row.kind)
    if row.pictures:
        names = [picture.name for folder in there for picture in sorted(folder.iterdir())]
        assert names == [f"{number:07d}{row.suffix}" for number in range(sum(COUNTS))]
    else:
        assert [path.name for path in there] == [f"output_00{n}{row.suffix}" for n in (0, 1)]
        assert [len(frame_times(path)) for path in there] == COUNTS


def test_the_finished_files_lie_beside_the_video_and_say_who_takes_them(job: Job) -> None:
    video = job.matted.root.parent / "clip.mp4"
    assert [path.name for path in job.finished] == [
        "clip_MATTED_prores4444.mov",
        "clip_MATTED_png",
    ]
    assert {path.parent for path in job.finished} == {video.parent}
    for path in job.finished:
        if path.is_dir():
            assert len(list(path.iterdir())) == sum(COUNTS)
        else:
            assert len(frame_times(path)) == len(frame_times(video))


def test_delivering_again_makes_nothing(job: Job) -> None:
    before = [path.stat().st_mtime_ns for path in job.finished]
    progress = Recorder()
    assert deliver(job.matted.root, FINISHED, job.options, None, progress) == job.finished
    assert [path.stat().st_mtime_ns for path in job.finished] == before
    assert progress.mentions("Already delivered")


@pytest.mark.parametrize("name", ["clip_MATTED_matte.mp4", "clip_MATTED_exr"])
def test_what_somebody_else_put_where_a_result_goes_is_named_before_anything_is_made(
    name: str, job: Job, tmp_path: Path
) -> None:
    theirs = tmp_path / name
    if theirs.suffix:
        theirs.write_text("mine", encoding="utf-8")
    else:
        theirs.mkdir()
        (theirs / "notes.txt").write_text("mine", encoding="utf-8")
    row = next(row for row in ROWS if name.startswith(f"clip_MATTED_{row.name}"))
    with (
        patch("matting.deliver.DeliveryRun.run", side_effect=AssertionError("it began")),
        pytest.raises(InputError, match=name),
    ):
        deliver(job.matted.root, [FINISHED[0], row], job.options, tmp_path, Recorder())
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_in_the_way_of_a_format_is_named_before_anything_is_matted(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    options = replace(matting_options(light_checkpoint), formats=(FormatName.MATTE,))
    segments = cut(tmp_path, Recorder(), 4)
    theirs = tmp_path / "clip_MATTED_matte.mp4"
    theirs.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=theirs.name):
        infer_and_deliver(segments, options, None, Recorder())
    with pytest.raises(InputError, match=theirs.name):
        run(tmp_path / "clip.mp4", SECOND, options, None, Recorder())
    assert not MattedFolder.of(segments).output_folder(OutputKind.MATTE).exists()


def test_another_green_is_delivered_as_the_composite(job: Job) -> None:
    mattes = [path.read_bytes() for path in files(job.matted, OutputKind.MATTE)]
    green = with_output(job.options, background=(0, 255, 0))
    [final] = deliver(job.matted.root, [FORMATS[FormatName.GREEN]], green, None, Recorder())
    assert final == job.matted.root.parent / "clip_MATTED.mp4"
    assert len(frame_times(final)) == sum(COUNTS)
    assert [path.read_bytes() for path in files(job.matted, OutputKind.MATTE)] == mattes


def test_all_steps_and_a_format_in_one_go(tmp_path: Path, light_checkpoint: Path) -> None:
    video, progress = make_clip(tmp_path / "clip.mp4", 4), Recorder()
    rows = [FORMATS[FormatName.PRORES]]
    options = replace(matting_options(light_checkpoint), formats=(rows[0].name,))
    run(video, SECOND, options, None, progress)
    assert {path.name for path in tmp_path.glob("clip_MATTED*")} == {
        "clip_MATTED.mp4",
        "clip_MATTED_prores4444.mov",
    }


def test_what_is_matted_is_delivered_at_once(tmp_path: Path, light_checkpoint: Path) -> None:
    segments = cut(tmp_path, Recorder(), 4)
    options = matting_options(light_checkpoint)
    options = replace(options, formats=(FormatName.GREEN, FormatName.EXR))
    infer_and_deliver(segments, options, None, Recorder())
    assert len(frame_times(tmp_path / "clip_MATTED.mp4")) == 4
    assert len(list((tmp_path / "clip_MATTED_exr").iterdir())) == 4


@pytest.mark.parametrize("begun_by", ["run", "infer"])
def test_a_job_goes_on_to_deliver_what_it_was_begun_with(
    begun_by: str, tmp_path: Path, light_checkpoint: Path
) -> None:
    """Interrupted while the network works, and dropped on a batch file again."""
    video, progress = make_clip(tmp_path / "clip.mp4", 4), Recorder()
    begun = replace(matting_options(light_checkpoint), formats=(FormatName.PNG,))
    resumed = replace(begun, formats=(), typed=frozenset())

    def interrupt() -> None:
        raise KeyboardInterrupt

    progress.on_segment_end = interrupt
    again = Recorder()
    if begun_by == "run":
        with pytest.raises(KeyboardInterrupt):
            run(video, SECOND, begun, None, progress)
        run(video, SECOND, resumed, None, again)
    else:
        segments = segment(video, SECOND, None, Recorder())
        with pytest.raises(KeyboardInterrupt):
            infer_and_deliver(segments, begun, None, progress)
        infer_and_deliver(segments, resumed, None, again)
    assert len(list((tmp_path / "clip_MATTED_png").iterdir())) == 4
    assert again.mentions("--as png")
    assert progress.mentions("png: Pictures have no times") and not again.mentions("no times")


def test_what_is_delivered_later_is_not_what_a_job_was_begun_with(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, Recorder(), 4)
    options = replace(matting_options(light_checkpoint), formats=(FormatName.PNG,))
    infer_and_deliver(segments, options, None, Recorder())
    matted, progress = MattedFolder.of(segments), Recorder()
    typed = replace(options, formats=(), typed=frozenset())
    deliver(matted.root, delivery_formats("green,exr"), typed, None, progress)
    assert not progress.mentions("--as")
    remembered = Ledger(matted).remembered
    assert remembered is not None and remembered.formats == (FormatName.PNG,)


def test_formats_without_stored_mattes_are_refused_before_the_first_hour(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    video = make_clip(tmp_path / "clip.mp4", 4)
    options = with_output(matting_options(light_checkpoint), keep_matte=False)
    with pytest.raises(InputError, match="none are stored"):
        run(video, SECOND, replace(options, formats=(FormatName.PRORES,)), None, Recorder())
    assert not (tmp_path / "clip_segments").exists()


def test_the_alpha_that_is_delivered_is_the_one_that_is_stored(matted: MattedFolder) -> None:
    pairs = zip(files(matted, OutputKind.FFV1), files(matted, OutputKind.MATTE), strict=True)
    for video, matte in pairs:
        stored = stored_alpha(matte)
        assert stored.min() < stored.max()
        size_px = MatteFile.open(matte).size_px
        np.testing.assert_array_equal(read_alpha(video, 10, size_px), stored)


def test_a_disk_that_is_too_small_is_told_before(
    tmp_path: Path, light_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = matting_options(light_checkpoint)
    matted = infer(cut(tmp_path, Recorder(), 4), options, None, Recorder())
    monkeypatch.setattr(preflight, "WORTH_PIXELS", 1)
    monkeypatch.setattr(files_module, "free_disk_bytes", lambda _: 10)
    with pytest.raises(StorageError, match="too small"):
        deliver(matted.root, [FORMATS[FormatName.PRORES]], options, None, Recorder())
    assert not matted.output_folder(OutputKind.PRORES4444).exists()


def test_edges_shape_what_is_delivered_and_not_what_is_stored(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    options = matting_options(light_checkpoint)
    matted = infer(cut(tmp_path, Recorder(), 4), options, None, Recorder())
    [matte] = files(matted, OutputKind.MATTE)
    stored, content = stored_alpha(matte), matte.read_bytes()
    least = int(np.median(stored))
    assert stored.min() < least
    keyed = with_output(options, key_cutoff=least / MAX_ALPHA)
    deliver(matted.root, [FORMATS[FormatName.FFV1]], keyed, None, Recorder())
    [video] = files(matted, OutputKind.FFV1)
    shown = read_alpha(video, 10, MatteFile.open(matte).size_px)
    np.testing.assert_array_equal(shown, np.where(stored < least, 0, stored))
    assert matte.read_bytes() == content


def test_what_a_format_does_not_hold_of_this_source_is_said(
    tmp_path: Path, light_checkpoint: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 4, pixel_format="yuv444p10le")
    options = matting_options(light_checkpoint)
    matted = infer(segment(clip, SECOND, None, Recorder()), options, None, Recorder())
    progress = Recorder()
    deliver(matted.root, [FORMATS[FormatName.WEBM]], options, None, progress)
    assert progress.mentions("The source is 4:4:4 in 10 bits")
    assert progress.details[0].endswith("encoding by VP9.")


def test_background_needs_a_picture_or_a_video(job: Job) -> None:
    with pytest.raises(InputError, match="--background"):
        deliver(job.matted.root, delivery_formats("background"), job.options, None, Recorder())


def test_separate_videos_get_a_finished_file_each(tmp_path: Path, light_checkpoint: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("one.mp4", "two.mp4"):
        make_clip(folder / name, 3)
    options = matting_options(light_checkpoint)
    matted = infer(folder, options, None, Recorder())
    rows = [FORMATS[FormatName.PRORES], FORMATS[FormatName.GREEN]]
    finished = deliver(matted.root, rows, options, None, Recorder())
    movies = [matted.root / f"{stem}_MATTED_prores4444.mov" for stem in ("one", "two")]
    assert finished == [matted.root, *movies]
    assert [len(frame_times(path)) for path in movies] == [3, 3]
    assert {path.name for path in matted.root.glob("*_MATTED.mp4")} == {
        "one_MATTED.mp4",
        "two_MATTED.mp4",
    }


def test_pictures_need_no_audio_and_so_no_video(tmp_path: Path, light_checkpoint: Path) -> None:
    options = matting_options(light_checkpoint)
    matted = infer(cut(tmp_path, Recorder(), 4), options, None, Recorder())
    (tmp_path / "clip.mp4").unlink()
    with pytest.raises(InputError, match="clip.mp4"):
        deliver(matted.root, [FORMATS[FormatName.PRORES]], options, None, Recorder())
    progress = Recorder()
    [folder] = deliver(matted.root, [FORMATS[FormatName.PNG]], options, None, progress)
    assert progress.mentions(str(folder))
    assert folder == tmp_path / "clip_MATTED_png"
    assert len(list(folder.iterdir())) == 4


def test_pictures_become_pictures_or_need_a_rate(tmp_path: Path, light_checkpoint: Path) -> None:
    write_take(tmp_path / "takes" / "take", 3)
    options = matting_options(light_checkpoint)
    matted = infer(tmp_path / "takes", options, None, Recorder())
    with pytest.raises(InputError, match="--frame-rate"):
        deliver(matted.root, [FORMATS[FormatName.PRORES]], options, None, Recorder())
    progress = Recorder()
    [folder] = deliver(matted.root, [FORMATS[FormatName.PNG]], options, None, progress)
    assert progress.mentions(str(folder))
    assert len(list(folder.iterdir())) == 3
