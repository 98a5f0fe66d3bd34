"""Stage two: every frame once, the state carried, and only proven work counted as done."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

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
from tests.support.clips import decode, make_clip, numbers, times
from tests.support.recorder import Recorder
from tests.support.stages import (
    FAST,
    composites,
    cut,
    matte,
    matting_options,
    processed,
    with_matte,
)


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
    assert progress.mentions("CPU")


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


def last_state(folder: MattedFolder, name: str) -> list[torch.Tensor]:
    state = torch.load(folder.state(name), weights_only=True)
    return list(state)


def test_the_state_goes_on_over_cuts(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    in_three = matte(cut(tmp_path, progress), light_checkpoint, progress)
    long = CuttingOptions(seconds=Fraction(100))
    in_one = infer(
        segment(tmp_path / "clip.mp4", long, tmp_path / "one", progress),
        matting_options(light_checkpoint),
        None,
        progress,
    )
    cut_up, whole = last_state(in_three, "output_002.mp4"), last_state(in_one, "output_000.mp4")
    for a, b in zip(cut_up, whole, strict=True):
        assert (a - b).abs().max() < 1e-5


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


def test_bfloat16_stays_near_float32(
    tmp_path: Path, progress: Recorder, light_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 20)
    kinds = OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA), encoding=FAST)
    full = infer(segments, matting_options(light_checkpoint, kinds, 0.5), None, progress)
    half = infer(
        segments,
        with_matte(matting_options(light_checkpoint, kinds, 0.5), precision=Precision.BF16),
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
    with av.open(str(composites(matted)[0])) as container:
        context = container.streams.video[0].codec_context
        tags = (context.colorspace, context.color_primaries, context.color_trc)
    assert tags == (6, 6, 6)  # what a picture of so few lines is taken to have
    (_, before), *_ = decode(folder / "a.mkv")
    (_, after), *_ = decode(composites(matted)[0])
    assert np.abs((after.astype(int) - before).mean(axis=(0, 1))).max() < 3
