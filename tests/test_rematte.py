"""A range of a matted video is done again, and taken back; all else stays as it is, bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from matting.add_audio import add_audio
from matting.combine import combine
from matting.deliver import deliver
from matting.delivery.formats import FORMATS
from matting.errors import BusyError, InputError, SegmentsFailedError
from matting.infer import infer
from matting.job_option import JobOption
from matting.media.images.png import encode_png
from matting.media.matte_file import MatteFile
from matting.options import FormatName, MattingOptions, OutputKind
from matting.progress import Progress
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.range_options import LAST_RANGE, RangeOptions, Rectangle
from matting.rematte import rematte
from matting.segment import segment
from matting.system import atomic_files
from matting.system.file_lock import folder_lock
from matting.workers.executor import WorkerSetup
from matting.workers.supervisor import Supervisor
from tests.support.clips import SIZE, make_clip
from tests.support.recorder import Recorder
from tests.support.signs import assert_signs_of_mattes, sign_files
from tests.support.stages import SECOND, interrupt_after, matting_options, processed, with_matte

RATE = 6
FRAMES = 14  # in segments of 6, 6 and 2
# Over the end of the first segment; two frames of it are not blended.
FIRST, STOP = 4, 10
ACROSS = RangeOptions(Fraction(FIRST, RATE), Fraction(STOP, RATE), blend_frames=2)
INSIDE = slice(FIRST + 2, STOP - 2)
UNDO = RangeOptions(undo=LAST_RANGE)
LEFT = Rectangle(0, 0, SIZE[0] // 2, SIZE[1])
KILLED = KeyboardInterrupt


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path) -> MattedFolder:
    """A clip that is matted."""
    clip = make_clip(
        tmp_path_factory.mktemp("rematte") / "clip.mp4", FRAMES, rate=Fraction(RATE), gop=RATE
    )
    segments = segment(clip, SECOND, None, Recorder())
    return infer(segments, matting_options(light_checkpoint), None, Recorder())


@pytest.fixture(scope="module")
def with_range(
    original: MattedFolder, tmp_path_factory: pytest.TempPathFactory, light_checkpoint: Path
) -> MattedFolder:
    """The same with a range in it, done by another ratio."""
    job = copy_of(original, tmp_path_factory.mktemp("range"))
    again(job, ACROSS, with_matte(matting_options(light_checkpoint), ratio=0.5))
    return job


@pytest.fixture
def job(original: MattedFolder, tmp_path: Path) -> MattedFolder:
    """The clip that is matted, to be changed."""
    return copy_of(original, tmp_path)


@pytest.fixture
def ranged(with_range: MattedFolder, tmp_path: Path) -> MattedFolder:
    """The one with a range in it, to be changed."""
    return copy_of(with_range, tmp_path)


@pytest.fixture
def options(light_checkpoint: Path) -> MattingOptions:
    """The job's own."""
    return matting_options(light_checkpoint)


@pytest.fixture
def others(options: MattingOptions) -> MattingOptions:
    return with_matte(options, ratio=0.5)


def copy_of(job: MattedFolder, folder: Path) -> MattedFolder:
    return MattedFolder(shutil.copytree(job.root.parent, folder / "job") / job.root.name)


def again(
    job: MattedFolder,
    asked: RangeOptions,
    options: MattingOptions,
    progress: Recorder | None = None,
) -> None:
    rematte(job.root, asked, options, None, progress or Recorder())


def infer_again(job: MattedFolder, options: MattingOptions) -> Recorder:
    progress = Recorder()
    infer(job.root.parent / "clip_segments", options, None, progress)
    return progress


def alphas(job: MattedFolder) -> NDArray[np.uint16]:
    """Return the alpha of all frames, as it is stored: [T, H, W]."""
    files = sorted(job.output_folder(OutputKind.MATTE).glob("*.mkv"))
    chunks = (chunk for file in files for chunk in MatteFile.open(file).chunks(8))
    return np.concatenate([chunk.matte.alpha[:, 0].numpy() for chunk in chunks])


def snapshot(job: MattedFolder) -> dict[str, bytes]:
    """Return all videos and mattes, by their paths."""
    folder = job.root.parent
    paths = (path for path in folder.rglob("*") if path.suffix in {".mp4", ".mkv"})
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def changed_frames(before: NDArray[np.uint16], after: NDArray[np.uint16]) -> list[int]:
    return [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if not (a == b).all()]


def forget_first(job: MattedFolder) -> None:
    """Have the first segment matted again."""
    text = job.processed.read_text(encoding="utf-8")
    job.processed.write_text(text.replace("true", "false", 1), encoding="utf-8")


def picture(folder: Path, values: NDArray[np.uint8]) -> Path:
    path = folder / "mask.png"
    path.write_bytes(encode_png(values))
    return path


def without_network(setup: WorkerSetup, folder: Path, progress: Progress) -> Supervisor:
    """Return an executor that must not load the network."""

    def prepare(*, network: bool) -> None:
        assert not network
        Supervisor.prepare(executor, network=network)

    executor = Supervisor(setup, folder, progress)
    executor.prepare = prepare  # type: ignore[method-assign]
    return executor


def killed_at(count: int, call: Callable[[], object]) -> bool:
    """Run something until it gives a file its name for that time; return whether it came to it."""
    publish, calls = atomic_files.publish, 0

    def counting(temporary: Path, path: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == count:
            raise KILLED
        publish(temporary, path)

    try:
        with patch.object(atomic_files, "publish", counting):
            call()
    except KILLED:
        return True
    return False


def says_true_of_what_is_whole(job: MattedFolder) -> bool:
    ledger = Ledger(job)
    ledger.recover()
    kinds = {OutputKind.COMPOSITE, OutputKind.MATTE}
    true = [name for name, done in processed(job).items() if done]
    return all(ledger.intact_outputs(name, kinds) == kinds for name in true)


def test_a_range_is_done_again_with_what_was_made_of_it_and_taken_back(
    job: MattedFolder, others: MattingOptions, options: MattingOptions
) -> None:
    combine(job.root, None, Recorder())
    add_audio(job.root.parent / "clip.mp4", None, Recorder())
    deliver(job.root, [FORMATS[FormatName.STACKED]], options, None, Recorder())
    before, mattes = snapshot(job), alphas(job)
    again(job, ACROSS, others)
    assert changed_frames(mattes, alphas(job)) == list(range(FIRST, STOP))
    assert_signs_of_mattes(job)
    assert all(processed(job).values())
    segments = [
        f"clip_segments_matted/{kind}/output_00{number}.{suffix}"
        for number in (0, 1)
        for kind, suffix in (("COMPOSITE", "mp4"), ("MATTE", "mkv"), ("STACKED", "mp4"))
    ]
    after = snapshot(job)
    assert {name for name in before if before[name] != after[name]} == {
        "clip_MATTED.mp4",
        "clip_MATTED_stacked.mp4",
        "clip_segments_matted/COMPOSITE_SEGMENTS_COMBINED.mp4",
        *segments,
    }
    assert infer_again(job, options).mentions("3 of 3 are done already")
    again(job, UNDO, options)
    assert snapshot(job) == before
    assert_signs_of_mattes(job)
    assert sign_files(job) == [f"output_00{number}.mp4.npz" for number in range(3)]
    assert not Ledger(job).ranges


def test_it_is_what_one_pass_by_these_options_finds_blended_in_and_out(
    original: MattedFolder, with_range: MattedFolder, others: MattingOptions, tmp_path: Path
) -> None:
    whole = infer(original.root.parent / "clip_segments", others, tmp_path, Recorder())
    expected, mattes = alphas(whole).astype(float), alphas(original).astype(float)
    after = alphas(with_range)
    assert (after[INSIDE] == expected[INSIDE]).all()
    for frame, share in {4: 1 / 3, 5: 2 / 3, 8: 2 / 3, 9: 1 / 3}.items():
        blended = mattes[frame] + (expected[frame] - mattes[frame]) * share
        assert np.abs(after[frame] - blended).max() <= 0.51


def test_a_mask_takes_away_without_the_network_in_every_frame(
    job: MattedFolder, options: MattingOptions, tmp_path: Path
) -> None:
    mattes = alphas(job)
    mask = np.zeros((SIZE[1] * 2, SIZE[0] * 2, 3), np.uint8)
    mask[:, -SIZE[0] :] = 255
    path = picture(tmp_path, mask)
    asked = RangeOptions(static_mask=path, keep_out=(Rectangle(0, 40, 1000, 1000),))
    rematte(job.root, asked, options, None, Recorder(), executor_of=without_network)
    path.unlink()
    after = alphas(job)
    assert not after[:, :, LEFT.width + 1 :].any()
    assert not after[:, 40:].any()
    kept = slice(0, LEFT.width - 1)
    assert (after[:, :40, kept] == mattes[:, :40, kept]).all()


def test_a_mask_holds_in_what_is_done_again_later(
    job: MattedFolder, options: MattingOptions
) -> None:
    mattes = alphas(job)
    again(job, RangeOptions(keep_out=(Rectangle(0, 40, 1000, 1000),)), options)
    typed = frozenset({JobOption.DOWNSAMPLE_RATIO})
    again(
        job,
        replace(ACROSS, hold_in=(LEFT,)),
        replace(with_matte(options, ratio=0.5), typed=typed),
    )
    both = alphas(job)
    assert not both[:, 40:].any()
    assert not both[INSIDE, :, LEFT.width :].any()
    again(job, RangeOptions(undo=1), options)
    after = alphas(job)
    assert (after[:, :40] == both[:, :40]).all()
    assert changed_frames(mattes, after) == list(range(FIRST, STOP))


def test_ranges_are_put_again_into_what_is_matted_again(
    ranged: MattedFolder, options: MattingOptions
) -> None:
    before = snapshot(ranged)
    forget_first(ranged)
    (ranged.output_folder(OutputKind.MATTE) / "output_001.mkv").unlink()
    infer_again(ranged, options)
    assert all(processed(ranged).values())
    assert snapshot(ranged) == before


def test_a_range_is_left_out_of_a_segment_with_other_content(
    original: MattedFolder, ranged: MattedFolder, options: MattingOptions
) -> None:
    path = ranged.root.parent / "clip_segments" / "output_000.mp4"
    path.write_bytes(path.read_bytes() + b"\0\0\0\x08free")
    assert infer_again(ranged, options).mentions("is left out of output_000.mp4")
    assert all(processed(ranged).values())
    assert changed_frames(alphas(original), alphas(ranged)) == list(range(RATE, STOP))


def test_killed_at_any_moment_the_same_command_goes_on(
    job: MattedFolder, options: MattingOptions
) -> None:
    before, mattes = snapshot(job), alphas(job)
    count = 1
    while killed_at(count, lambda: again(job, replace(ACROSS, keep_out=(LEFT,)), options)):
        assert says_true_of_what_is_whole(job)
        count += 3  # each run gets further, and begins with what the one before has left
    assert changed_frames(mattes, alphas(job)) == list(range(FIRST, STOP))
    assert not alphas(job)[INSIDE, :, : LEFT.width].any()
    assert_signs_of_mattes(job)
    count = 1
    while killed_at(count, lambda: again(job, UNDO, options)):
        assert says_true_of_what_is_whole(job)
        count += 3
    assert snapshot(job) == before
    assert sign_files(job) == [f"output_00{number}.mp4.npz" for number in range(3)]
    assert not Ledger(job).ranges


def test_stopped_within_the_network_it_goes_on_with_what_it_found(
    job: MattedFolder, others: MattingOptions
) -> None:
    progress = Recorder()

    def interrupt() -> None:
        raise KILLED

    progress.on_segment_end = interrupt
    with pytest.raises(KILLED):
        again(job, ACROSS, others, progress)
    assert all(processed(job).values())
    first = job.ranges / "001_output_000.mkv"
    found, mattes = first.stat().st_mtime_ns, alphas(job)
    again(job, ACROSS, others)
    assert first.stat().st_mtime_ns == found
    assert changed_frames(mattes, alphas(job)) == list(range(FIRST, STOP))


def test_infer_finishes_what_a_killed_rematte_left(
    job: MattedFolder, options: MattingOptions
) -> None:
    with (
        patch("matting.rematte.renew_mattes", side_effect=KILLED),
        pytest.raises(KILLED),
    ):
        again(job, replace(ACROSS, keep_out=(LEFT,)), options)
    infer_again(job, options)
    assert all(processed(job).values())
    assert not alphas(job)[INSIDE, :, : LEFT.width].any()


def test_ranges_of_separate_videos_and_of_unfinished_jobs(
    tmp_path: Path, options: MattingOptions
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("a.mp4", "b.mp4"):
        make_clip(clips / name, 4, rate=Fraction(RATE), rotation=90)
    job, progress = MattedFolder.of(clips), Recorder()
    interrupt_after(progress, job, "a.mp4")
    with pytest.raises(KILLED):
        infer(clips, options, None, progress)
    above = Rectangle(0, 0, 48, 10)
    asked = RangeOptions(Fraction(0), Fraction(2, RATE), blend_frames=0, keep_out=(above,))
    with pytest.raises(InputError, match="--video"):
        again(job, asked, options)
    with pytest.raises(InputError, match="not matted"):
        again(job, replace(asked, video="b.mp4"), options)
    add_audio(clips / "a.mp4", None, Recorder())
    with pytest.raises(SegmentsFailedError, match=r"1 of 2(.|\n)*b.mp4"):
        deliver(job.root, [FORMATS[FormatName.FFV1]], options, None, Recorder())
    finished = job.root / "a_MATTED.mp4", job.root / "a_MATTED_ffv1.mkv"
    before = [path.stat().st_ino for path in finished]
    again(job, replace(asked, video="a.mp4"), options)
    assert not {path.stat().st_ino for path in finished} & set(before)  # made of what is new
    after = alphas(job)
    assert after.shape == (4, 64, 48)
    assert not after[:2, :10].any()
    assert after[2:, :10].any(axis=(1, 2)).all()
    assert after[:2, 11:].any(axis=(1, 2)).all()
    assert processed(job) == {"a.mp4": True, "b.mp4": False}


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (RangeOptions(Fraction(2), Fraction(1)), "empty"),
        (RangeOptions(Fraction(5), Fraction(6)), "after the end"),
        (RangeOptions(Fraction(1), Fraction(20)), "after the end"),
        (RangeOptions(), "Nothing says what"),
        (RangeOptions(undo=7), "no range 7"),
        (UNDO, "no range to take back"),
        (replace(UNDO, keep_out=(LEFT,)), "not both"),
        (replace(ACROSS, keep_out=(Rectangle(64, 0, 1, 1),)), "outside of the picture"),
        (replace(ACROSS, static_mask=Path(__file__)), "mask"),
        (replace(ACROSS, static_mask=Path("/nowhere.png")), "mask"),
        (replace(ACROSS, video="clip.mp4"), "no separate video"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    asked: RangeOptions, what: str, original: MattedFolder, options: MattingOptions
) -> None:
    before = original.manifest.read_bytes()
    with pytest.raises(InputError, match=what):
        again(original, asked, options)
    assert original.manifest.read_bytes() == before


def test_a_mask_of_another_shape_is_refused(
    original: MattedFolder, options: MattingOptions, tmp_path: Path
) -> None:
    path = picture(tmp_path, np.zeros((30, 30, 3), np.uint8))
    with pytest.raises(InputError, match="another shape"):
        again(original, RangeOptions(static_mask=path), options)


def test_overlapping_ranges_are_refused_neighbours_are_not(
    ranged: MattedFolder, others: MattingOptions
) -> None:
    with pytest.raises(InputError, match="overlaps with range 1 .*0:00:00.667"):
        again(ranged, RangeOptions(Fraction(9, RATE), Fraction(12, RATE)), others)
    before = alphas(ranged)
    again(ranged, RangeOptions(Fraction(10, RATE), Fraction(11, RATE), blend_frames=0), others)
    assert changed_frames(before, alphas(ranged)) == [10]
    assert [own.number for own in Ledger(ranged).ranges] == [1, 2]


def test_a_range_needs_stored_mattes_and_an_unlocked_folder(
    original: MattedFolder, options: MattingOptions
) -> None:
    with folder_lock(original.root), pytest.raises(BusyError):
        again(original, ACROSS, options)
    unkept = replace(options, output=replace(options.output, keep_matte=False))
    with pytest.raises(InputError, match="No mattes are stored"):
        again(original, ACROSS, unkept)


def test_a_damaged_file_of_a_range_is_named_and_the_job_goes_on(
    original: MattedFolder, ranged: MattedFolder, options: MattingOptions
) -> None:
    (ranged.ranges / "001_output_000.mkv").write_bytes(b"damaged")
    forget_first(ranged)
    assert infer_again(ranged, options).mentions("001_output_000.mkv")
    assert all(processed(ranged).values())
    assert changed_frames(alphas(original), alphas(ranged)) == list(range(RATE, STOP))
