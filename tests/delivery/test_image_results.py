"""Image sequences become image sequences of the same names and depth; alpha can become one, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from matting.cli.main import main
from matting.combine import combine
from matting.errors import InputError
from matting.infer import infer
from matting.options import OutputKind, OutputOptions
from matting.project.paths import MattedFolder
from tests.support.clips import make_clip, numbers, picture
from tests.support.commands import TINY
from tests.support.image_sequences import pictures, write_take
from tests.support.recorder import Recorder
from tests.support.stages import (
    FAST,
    cut,
    matting_options,
    processed,
)

ALL = OutputOptions(
    kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA, OutputKind.FOREGROUND, OutputKind.ALPHA_PNG),
    encoding=FAST,
)
PICTURES_OF_VIDEO = OutputOptions(kinds=(OutputKind.COMPOSITE, OutputKind.ALPHA_PNG), encoding=FAST)


def test_a_sequence_keeps_its_names_and_values(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take")
    folder = infer(take, matting_options(opaque_checkpoint, ALL), None, progress)
    source = pictures(take)
    for kind in (OutputKind.COMPOSITE, OutputKind.FOREGROUND):
        results = pictures(folder.output_folder(kind) / "take")
        assert list(results) == list(source)
        for name, values in results.items():
            assert values.dtype == np.uint8
            assert np.abs(values.astype(int) - source[name]).max() <= 1
    for kind, depth in ((OutputKind.ALPHA, np.uint8), (OutputKind.ALPHA_PNG, np.uint16)):
        results = pictures(folder.output_folder(kind) / "take")
        assert list(results) == list(source)
        for values in results.values():
            assert values.shape == (48, 64)
            assert values.dtype == depth
            assert int(values.min()) == np.iinfo(depth).max
    assert processed(folder) == {"take": True}
    assert sorted(p.name for p in folder.output_folder(OutputKind.COMPOSITE).iterdir()) == ["take"]


def test_a_sequence_of_16_bits_stays_one(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take", depth=16)
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    source = pictures(take)
    results = pictures(folder.output_folder(OutputKind.COMPOSITE) / "take")
    assert list(results) == list(source)
    for name, values in results.items():
        assert values.dtype == np.uint16
        assert np.array_equal(values, source[name])


def test_transparent_pictures_are_put_over_black_with_a_note(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    for name, alpha in (("clear", 128), ("opaque", 255)):
        take = tmp_path / name
        take.mkdir()
        rgba = np.dstack([picture(3), np.full(picture(3).shape[:2], alpha, np.uint8)])
        Image.fromarray(rgba).save(take / "a.png")
        folder = infer(take, matting_options(opaque_checkpoint), None, progress)
        assert progress.mentions("put over black") == (alpha < 255)
        progress.said.clear()
        results = pictures(folder.output_folder(OutputKind.COMPOSITE) / name)["a.png"]
        assert np.abs(results - picture(3) * (alpha / 255)).max() <= 0.51


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_the_colours_of_other_formats(
    suffix: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = tmp_path / "take"
    take.mkdir()
    Image.fromarray(picture(3)).save(take / f"a{suffix}")
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    with Image.open(take / f"a{suffix}") as source:
        expected = np.asarray(source).astype(int)
    results = pictures(folder.output_folder(OutputKind.COMPOSITE) / "take")["a.png"]
    assert np.abs(results - expected).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_the_colour_profile_is_kept(
    suffix: str, tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    take = tmp_path / "take"
    take.mkdir()
    Image.fromarray(picture(3)).save(take / f"a{suffix}", icc_profile=profile)
    folder = infer(take, matting_options(opaque_checkpoint, ALL), None, progress)
    kept = {
        OutputKind.COMPOSITE: profile,
        OutputKind.FOREGROUND: profile,
        OutputKind.ALPHA: None,
        OutputKind.ALPHA_PNG: None,
    }
    for kind, expected in kept.items():
        with Image.open(folder.output_folder(kind) / "take" / "a.png") as results:
            results.load()
            assert results.info.get("icc_profile") == expected
            assert "aspect" not in results.info or results.info["aspect"] == (1, 1)


def test_names_that_differ_by_their_suffix_only(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = tmp_path / "take"
    take.mkdir()
    for name in ("a.jpg", "a.png", "B.jpg", "b.png"):
        Image.fromarray(picture(1)).save(take / name)
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    expected = ["B.jpg.png", "a.jpg.png", "a.png.png", "b.png.png"]
    assert list(pictures(folder.output_folder(OutputKind.COMPOSITE) / "take")) == expected


def test_a_sequence_beside_a_video_of_its_name(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    both = tmp_path / "both"
    write_take(both / "a")
    make_clip(both / "a.mp4", 3)
    folder = infer(both, matting_options(opaque_checkpoint, PICTURES_OF_VIDEO), None, progress)
    assert numbers(folder.output_folder(OutputKind.COMPOSITE) / "a.mp4.mp4") == [0, 1, 2]
    assert len(pictures(folder.output_folder(OutputKind.COMPOSITE) / "a")) == 4
    alphas = pictures(folder.output_folder(OutputKind.ALPHA_PNG) / "a.mp4")
    assert list(alphas) == ["0000000.png", "0000001.png", "0000002.png"]
    listed = (folder.output_folder(OutputKind.COMPOSITE) / "file_list.txt").read_text(
        encoding="utf-8"
    )
    assert listed == "file 'a.mp4.mp4'\n"
    with pytest.raises(InputError, match="nothing to join"):
        combine(folder.root, None, progress)


def test_the_alpha_of_a_video_as_pictures(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 70)
    options = matting_options(opaque_checkpoint, PICTURES_OF_VIDEO)
    folder = infer(segments, options, None, progress)
    outputs = folder.output_folder(OutputKind.ALPHA_PNG)
    assert sorted(p.name for p in outputs.iterdir()) == [f"output_{i:03d}" for i in range(3)]
    names = [name for part in sorted(outputs.iterdir()) for name in pictures(part)]
    assert names == [f"{number:07d}.png" for number in range(70)]
    for values in pictures(outputs / "output_002").values():
        assert values.shape == (48, 64)
        assert values.dtype == np.uint16
        assert int(values.min()) == 65535
    combined = combine(folder.root, None, progress)
    assert numbers(combined) == list(range(70))
    assert len(list(outputs.iterdir())) == 3


def test_pictures_are_not_combined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], progress: Recorder, opaque_checkpoint: Path
) -> None:
    take = write_take(tmp_path / "take")
    folder = infer(take, matting_options(opaque_checkpoint), None, progress)
    assert main(["combine", str(folder.root)]) == 2
    said = capsys.readouterr().err
    assert "nothing to join" in said
    assert str(folder.output_folder(OutputKind.COMPOSITE) / "take") in said
    assert "--frame-rate" in said
    assert len(said.strip().splitlines()) == 3  # the last names the log


def test_by_a_worker_in_a_process_of_its_own(tmp_path: Path, opaque_checkpoint: Path) -> None:
    take = write_take(tmp_path / "take", depth=16)
    arguments = [str(take), "--checkpoint", str(opaque_checkpoint), *TINY, "--quiet"]
    assert main(["infer", *arguments, "--downsample-ratio", "1", "--save", "alpha-png"]) == 0
    folder = MattedFolder.of(take)
    assert processed(folder) == {"take": True}
    for kind in (OutputKind.COMPOSITE, OutputKind.ALPHA_PNG):
        assert list(pictures(folder.output_folder(kind) / "take")) == list(pictures(take))
