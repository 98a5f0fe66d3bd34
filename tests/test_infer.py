"""Stage two: every frame once, the state carried, and only proven work counted as done."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from matting.combine import combine
from matting.errors import BusyError, InputError, SegmentsFailedError
from matting.infer import infer
from matting.options import (
    CuttingOptions,
    EncodingOptions,
    OutputKind,
    OutputOptions,
    Precision,
    VideoCodec,
)
from matting.project.paths import MattedFolder
from matting.segment import segment
from matting.system.file_lock import folder_lock
from tests.support.clips import decode, make_clip, numbers, times
from tests.support.recorder import Recorder, carry_on, once_done
from tests.support.stages import (
    FAST,
    assert_same,
    composites,
    cut,
    interrupt_after,
    matte,
    matting_options,
    processed,
    with_matte,
    with_output,
)


def snapshot(paths: list[Path]) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def test_every_frame_once_at_its_time(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    folder = matte(segments, opaque_checkpoint, progress)
    assert folder.root == tmp_path / "clip_segments_matted"
    assert [n for path in composites(folder) for n in numbers(path)] == list(range(70))
    for path in composites(folder):
        assert times(path) == times(segments / path.name)
    assert processed(folder) == {f"output_{i:03d}.mp4": True for i in range(3)}
    assert list(processed(folder)) == [f"output_{i:03d}.mp4" for i in range(3)]
    assert progress.done == progress.totals[-1] == 70
    assert (folder.output_folder(OutputKind.COMPOSITE) / "file_list.txt").is_file()
    assert progress.heard("CPU")


def test_where_everything_is_foreground_the_composite_is_the_source(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 10)
    folder = matte(segments, opaque_checkpoint, progress)
    source, result = decode(segments / "output_000.mp4"), decode(composites(folder)[0])
    error = np.array([b.astype(int) - a for (_, a), (_, b) in zip(source, result, strict=True)])
    assert np.abs(error).mean() < 3  # chroma is halved once more, on a pattern of hard edges
    assert np.abs(error.mean(axis=(0, 1, 2))).max() < 1


@pytest.mark.parametrize("colour", [(120, 255, 155), (0, 0, 0), (10, 20, 200)])
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_where_nothing_is_foreground_the_composite_is_flat(
    colour: tuple[int, int, int],
    codec: str,
    tmp_path: Path,
    progress: Recorder,
    empty_checkpoint: Path,
) -> None:
    segments = cut(tmp_path, progress, 3)
    output = OutputOptions(background=colour, encoding=EncodingOptions(VideoCodec(codec)))
    folder = infer(segments, matting_options(empty_checkpoint, output), None, progress)
    for _, rgb in decode(composites(folder)[0]):
        assert np.abs(rgb.astype(int) - colour).max() <= 3
        assert rgb.std(axis=(0, 1)).max() < 0.5


def test_a_second_run_does_nothing(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    folder = matte(segments, opaque_checkpoint, progress)
    before = snapshot(composites(folder))
    progress.totals.clear()
    matte(segments, opaque_checkpoint, progress)
    assert snapshot(composites(folder)) == before
    assert progress.totals == []


@pytest.mark.parametrize("how", ["set to false", "deleted", "damaged"])
def test_only_what_is_not_done_is_done_again(
    how: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    folder = matte(segments, opaque_checkpoint, progress)
    whole = snapshot(composites(folder))
    middle = folder.output_folder(OutputKind.COMPOSITE) / "output_001.mp4"
    if how == "set to false":
        done = {**processed(folder), "output_001.mp4": False}
        folder.processed.write_text(json.dumps(done), encoding="utf-8")
    elif how == "deleted":
        middle.unlink()
    else:
        content = bytearray(middle.read_bytes())
        content[len(content) // 2] ^= 1
        middle.write_bytes(content)
    matte(segments, opaque_checkpoint, progress)
    after = snapshot(composites(folder))
    assert progress.totals[-1] == 30
    assert all(processed(folder).values())
    for name in ("output_000.mp4", "output_002.mp4"):
        assert after[name] == whole[name]
    assert after["output_001.mp4"][1] == whole["output_001.mp4"][1]


def test_interrupted_in_the_second_segment(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    uncut = matte(segments, random_checkpoint, progress, tmp_path / "uncut")

    folder = MattedFolder(tmp_path / "clip_segments_matted")
    interrupt_after(progress, folder, "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        matte(segments, random_checkpoint, progress)
    assert processed(folder) == {
        "output_000.mp4": True,
        "output_001.mp4": False,
        "output_002.mp4": False,
    }
    # The second may have got its name already, and not its entry; nothing else is left.
    names = {path.name for path in folder.output_folder(OutputKind.COMPOSITE).iterdir()}
    assert {"output_000.mp4"} <= names <= {"output_000.mp4", "output_001.mp4"}
    first = snapshot(composites(folder))

    progress.on_segment_end = carry_on
    matte(segments, random_checkpoint, progress)
    assert snapshot(composites(folder)[:1]) == first
    assert all(processed(folder).values())
    # As if it had never been interrupted.
    assert_same(folder, uncut)


def last_state(folder: MattedFolder, name: str) -> list[torch.Tensor]:
    state = torch.load(folder.state(name), weights_only=True)
    return list(state)


def test_the_state_goes_on_over_cuts(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    in_three = matte(cut(tmp_path, progress), random_checkpoint, progress)
    long = CuttingOptions(seconds=Fraction(100))
    in_one = infer(
        segment(tmp_path / "clip.mp4", long, tmp_path / "one", progress),
        matting_options(random_checkpoint),
        None,
        progress,
    )
    cut_up, whole = last_state(in_three, "output_002.mp4"), last_state(in_one, "output_000.mp4")
    for a, b in zip(cut_up, whole, strict=True):
        assert (a - b).abs().max() < 1e-5


def test_one_bad_segment_does_not_stop_the_others(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    good = (segments / "output_001.mp4").read_bytes()
    (segments / "output_001.mp4").write_text("no video", encoding="utf-8")
    with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*output_001.mp4") as caught:
        matte(segments, opaque_checkpoint, progress)
    assert caught.value.exit_code == 1
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert list(processed(folder).values()) == [True, False, True]
    first = snapshot(composites(folder)[:1])
    (segments / "output_001.mp4").write_bytes(good)
    progress.totals.clear()
    matte(segments, opaque_checkpoint, progress)
    assert all(processed(folder).values())
    assert snapshot(composites(folder)[:1]) == first
    # The third had to begin without the second; now it need not, which the forecast knows.
    assert progress.heard("output_002.mp4 is done again")
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    assert manifest["segments"]["output_002.mp4"]["start_state"] == "carried"
    matte(segments, opaque_checkpoint, progress)
    assert progress.totals == [40]


def test_a_segment_that_lost_frames_fails(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    make_clip(segments / "output_001.mp4", 29)
    with pytest.raises(SegmentsFailedError, match="29 frames, but was cut with 30"):
        matte(segments, opaque_checkpoint, progress)


@pytest.mark.parametrize("where", [0.3, 0.6, 0.9])
def test_a_damaged_segment_is_never_called_done(
    where: float, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 30)
    path = segments / "output_000.mp4"
    content = bytearray(path.read_bytes())
    start = int(len(content) * where)
    content[start : start + 400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(SegmentsFailedError):
        matte(segments, opaque_checkpoint, progress)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert processed(folder) == {"output_000.mp4": False}
    assert composites(folder) == []


def test_other_settings_are_said_and_done_again(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    matte(segments, opaque_checkpoint, progress)
    matte(segments, empty_checkpoint, progress)
    assert progress.heard("3 are done again, for these have changed: the network's weights.")
    output = OutputOptions(background=(0, 0, 0), encoding=FAST)
    infer(segments, matting_options(empty_checkpoint, output), None, progress)
    assert progress.heard("changed: --background.")


def test_alpha_and_foreground(tmp_path: Path, progress: Recorder, opaque_checkpoint: Path) -> None:
    segments = cut(tmp_path, progress, 20)
    output = OutputOptions(
        kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND), encoding=FAST
    )
    folder = infer(segments, matting_options(opaque_checkpoint, output), None, progress)
    for _, rgb in decode(folder.output_folder(OutputKind.ALPHA) / "output_000.mp4"):
        assert int(rgb.min()) >= 253
    assert numbers(folder.output_folder(OutputKind.FOREGROUND) / "output_000.mp4") == list(
        range(20)
    )


def test_a_folder_of_any_videos(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    """A FIX_ME folder: no plan, each file its own whole."""
    folder = tmp_path / "FIX_ME"
    folder.mkdir()
    make_clip(folder / "b 10.mp4", 8)
    make_clip(folder / "b 9.mov", 6)
    make_clip(folder / "a.mkv", 4)
    make_clip(folder / "a.mp4", 5)
    (folder / "notes.txt").write_text("not a video", encoding="utf-8")
    matted = matte(folder, opaque_checkpoint, progress)
    assert list(processed(matted)) == ["a.mkv", "a.mp4", "b 9.mov", "b 10.mp4"]
    found = {p.name: len(numbers(p)) for p in composites(matted)}
    assert found == {"a.mkv.mp4": 4, "a.mp4.mp4": 5, "b 9.mp4": 6, "b 10.mp4": 8}


def test_a_rotated_video_comes_out_upright(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = tmp_path / "phone"
    folder.mkdir()
    make_clip(folder / "a.mp4", 3, rotation=90)
    matted = matte(folder, opaque_checkpoint, progress)
    (_, upright), *_ = decode(composites(matted)[0])
    (_, coded), *_ = decode(folder / "a.mp4")
    assert upright.shape == (64, 48, 3)
    assert np.abs(np.rot90(coded).astype(int) - upright).mean() < 4


def test_odd_sizes(tmp_path: Path, progress: Recorder, opaque_checkpoint: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    make_clip(folder / "a.mkv", 3, size=(65, 49), codec="libvpx-vp9")
    matted = matte(folder, opaque_checkpoint, progress)
    assert decode(composites(matted)[0])[0][1].shape == (50, 66, 3)


def test_a_folder_that_is_in_use(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 10)
    with (
        folder_lock(tmp_path / "clip_segments_matted"),
        pytest.raises(BusyError) as caught,
    ):
        matte(segments, opaque_checkpoint, progress)
    assert caught.value.exit_code == 5
    matte(segments, opaque_checkpoint, progress)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]"])
def test_a_broken_ledger_is_named_and_kept(
    content: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 10)
    folder = matte(segments, opaque_checkpoint, progress)
    folder.manifest.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="manifest.json"):
        matte(segments, opaque_checkpoint, progress)
    assert len(composites(folder)) == 1


def test_bfloat16_stays_near_float32(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 20)
    kinds = OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA), encoding=FAST)
    full = infer(segments, matting_options(random_checkpoint, kinds, 0.5), None, progress)
    half = infer(
        segments,
        with_matte(matting_options(random_checkpoint, kinds, 0.5), precision=Precision.BF16),
        tmp_path / "half",
        progress,
    )
    a = [rgb for _, rgb in decode(full.output_folder(OutputKind.ALPHA) / "output_000.mp4")]
    b = [rgb for _, rgb in decode(half.output_folder(OutputKind.ALPHA) / "output_000.mp4")]
    assert np.abs(np.array(a).astype(int) - np.array(b)).mean() < 2


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
@pytest.mark.parametrize("frames", [1, 2, 3, 17, 18])
def test_videos_shorter_than_the_encoders_look_ahead(
    codec: str, frames: int, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = tmp_path / "short"
    folder.mkdir()
    make_clip(folder / "a.mp4", frames)
    output = OutputOptions(encoding=EncodingOptions(VideoCodec(codec)))
    matted = infer(folder, matting_options(opaque_checkpoint, output), None, progress)
    assert numbers(composites(matted)[0]) == list(range(frames))
    assert times(composites(matted)[0]) == [Fraction(index, 30) for index in range(frames)]


def test_a_mended_segment_of_another_size_starts_anew(
    tmp_path: Path, progress: Recorder, random_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 40)
    make_clip(segments / "output_001.mp4", 10, size=(80, 64))
    folder = matte(segments, random_checkpoint, progress)
    manifest = json.loads(folder.manifest.read_text(encoding="utf-8"))
    assert manifest["segments"]["output_001.mp4"]["start_state"] == "reset"
    progress.totals.clear()
    matte(segments, random_checkpoint, progress)
    assert progress.totals == []


def test_a_segment_that_changes_while_it_is_matted_is_not_done(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 60)
    other = make_clip(tmp_path / "other.mp4", 30, gop=5).read_bytes()

    def swap() -> None:
        (segments / "output_001.mp4").write_bytes(other)

    progress.on_advance = once_done(45, swap)
    with pytest.raises(SegmentsFailedError, match="changed while"):
        matte(segments, opaque_checkpoint, progress)
    folder = MattedFolder(tmp_path / "clip_segments_matted")
    assert processed(folder) == {"output_000.mp4": True, "output_001.mp4": False}


def test_a_video_that_changes_while_it_is_matted_is_not_done(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    """Without a plan nothing is known of its content before."""
    (tmp_path / "videos").mkdir()
    video = make_clip(tmp_path / "videos" / "clip.mp4", 40)

    def append(done: int) -> None:
        if done == 20:
            with video.open("ab") as file:
                file.write(b"more")

    progress.on_advance = append
    with pytest.raises(SegmentsFailedError, match="changed while"):
        matte(video.parent, opaque_checkpoint, progress)
    assert processed(MattedFolder(tmp_path / "videos_matted")) == {"clip.mp4": False}


def test_a_segment_that_is_only_touched_is_the_same(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 30)

    def touch(_done: int) -> None:
        os.utime(segments / "output_000.mp4")

    progress.on_advance = touch
    folder = matte(segments, opaque_checkpoint, progress)
    assert processed(folder) == {"output_000.mp4": True}


def test_settings_that_change_nothing_redo_nothing(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 20)
    both = OutputOptions(
        kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA), encoding=EncodingOptions(VideoCodec.H264)
    )
    infer(segments, matting_options(opaque_checkpoint, both), None, progress)
    same = OutputOptions(encoding=EncodingOptions(VideoCodec.H264, quality=18))
    progress.totals.clear()
    options = with_output(matting_options(opaque_checkpoint, same), frame_rate=Fraction(25))
    infer(segments, options, None, progress)
    assert progress.totals == []


@pytest.mark.parametrize("rotation", [0, 90])
def test_pixels_that_are_not_square(
    rotation: int, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = tmp_path / "wide"
    folder.mkdir()
    make_clip(folder / "a.mp4", 3, rotation=rotation, pixel_aspect=Fraction(4, 3))
    matted = matte(folder, opaque_checkpoint, progress)
    with av.open(str(composites(matted)[0])) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
    assert aspect == (Fraction(3, 4) if rotation else Fraction(4, 3))


def test_rgb_video_is_tagged_as_what_it_becomes(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    folder = tmp_path / "rgb"
    folder.mkdir()
    make_clip(folder / "a.mkv", 3, codec="libx264rgb", pixel_format="rgb24")
    matted = matte(folder, opaque_checkpoint, progress)
    (_, before), *_ = decode(folder / "a.mkv")
    (_, after), *_ = decode(composites(matted)[0])
    assert np.abs((after.astype(int) - before).mean(axis=(0, 1))).max() < 3


def test_a_segment_that_was_mended_elsewhere_is_accepted_and_mentioned(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 60)
    mended = segments / "output_001.mp4"
    # In milliseconds, as many converters write: no time is exact, none is off by more than one.
    make_clip(tmp_path / "mended.mkv", 30)
    mended.write_bytes((tmp_path / "mended.mkv").read_bytes())
    folder = matte(segments, opaque_checkpoint, progress)
    assert all(processed(folder).values())
    assert progress.heard("output_001.mp4 is not what was cut any more")
    assert not progress.heard("output_000.mp4 is not what")


def test_a_segment_with_other_times_is_refused(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 60)
    times = [*range(20), *range(21, 31)]
    make_clip(segments / "output_001.mp4", 30, pts=times)
    with pytest.raises(SegmentsFailedError, match="frame 20 is shown at another time"):
        matte(segments, opaque_checkpoint, progress)


def test_interrupted_with_other_settings(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, empty_checkpoint: Path
) -> None:
    """Nothing of the old results may count as done, or be combined with the new."""
    segments = cut(tmp_path, progress)
    folder = matte(segments, opaque_checkpoint, progress)

    interrupt_after(progress, folder, "output_000.mp4")
    with pytest.raises(KeyboardInterrupt):
        matte(segments, empty_checkpoint, progress)
    assert list(processed(folder).values()) == [True, False, False]
    with pytest.raises(InputError, match="2 of 3 segments are not done"):
        combine(folder.root, None, progress)


def test_segments_cannot_be_cut_anew_while_they_are_matted(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)
    refused: list[int] = []

    def cut_anew() -> None:
        with pytest.raises(BusyError) as caught:
            segment(tmp_path / "clip.mp4", CuttingOptions(overwrite=True), None, Recorder())
        refused.append(caught.value.exit_code)

    progress.on_advance = once_done(40, cut_anew)
    matte(segments, opaque_checkpoint, progress)
    assert refused == [5]


def test_a_segment_that_disappears_while_it_is_matted_fails_alone(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress)

    progress.on_advance = once_done(45, (segments / "output_001.mp4").unlink)
    with pytest.raises(SegmentsFailedError, match=r"1 of 3(.|\n)*output_001.mp4.*cannot be read"):
        matte(segments, opaque_checkpoint, progress)
