"""`infer` encodes by NVENC, where x264 stands in for it; and says so where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from matting.cli.main import main
from matting.errors import MissingError
from matting.infer import infer
from matting.media.hardware_probe import HardwareProbe
from matting.options import (
    CodecBackend,
    EncodingOptions,
    MattingOptions,
    OutputKind,
    OutputOptions,
    VideoCodec,
)
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from matting.project.recorded_settings import encoder_of
from tests.support.clips import decode, numbers, times
from tests.support.fake_nvenc import put_x264_in_place_of_nvenc
from tests.support.markers import without_gpu
from tests.support.recorder import Recorder
from tests.support.stages import composites, cut, matting_options

BY_HARDWARE = EncodingOptions(VideoCodec.H264, encoder=CodecBackend.HARDWARE)


@pytest.fixture
def nvenc(monkeypatch: pytest.MonkeyPatch) -> None:
    put_x264_in_place_of_nvenc(monkeypatch)


def options(
    checkpoint: Path,
    encoder: CodecBackend,
    kinds: tuple[OutputKind, ...] = (OutputKind.COMPOSITE,),
) -> MattingOptions:
    encoding = replace(BY_HARDWARE, quality=4, encoder=encoder)
    return matting_options(checkpoint, OutputOptions(kinds=kinds, encoding=encoding))


def encoders_of(folder: MattedFolder) -> set[str]:
    ledger = Ledger(folder)
    return {encoder_of(ledger.entry(name).settings) for name in ledger.names}


@pytest.mark.usefixtures("nvenc")
def test_infer_encodes_through_surfaces(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path
) -> None:
    segments = cut(tmp_path, progress, 40)
    kinds = (OutputKind.COMPOSITE, OutputKind.ALPHA)
    by_hardware = options(opaque_checkpoint, CodecBackend.HARDWARE, kinds)
    folder = infer(segments, by_hardware, None, progress)
    assert progress.details[0].endswith("full-size pictures in bands; encoding by libx264.")
    assert [n for path in composites(folder) for n in numbers(path)] == list(range(40))
    for path in composites(folder):
        assert times(path) == times(segments / path.name)
    for _, alpha in decode(folder.output_folder(OutputKind.ALPHA) / "output_000.mp4"):
        assert alpha.min() > 250
    assert encoders_of(folder) == {CodecBackend.HARDWARE}


@pytest.mark.usefixtures("nvenc")
def test_auto_keeps_the_encoder_of_what_is_done(
    tmp_path: Path,
    progress: Recorder,
    opaque_checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segments = cut(tmp_path, progress, 40)
    folder = infer(segments, options(opaque_checkpoint, CodecBackend.HARDWARE), None, progress)
    before = [path.stat().st_mtime_ns for path in composites(folder)]
    infer(segments, options(opaque_checkpoint, CodecBackend.AUTO), None, progress)
    assert [path.stat().st_mtime_ns for path in composites(folder)] == before
    monkeypatch.setattr(HardwareProbe, "run", lambda _: "it has gone.")
    infer(segments, options(opaque_checkpoint, CodecBackend.AUTO), None, progress)
    assert [path.stat().st_mtime_ns for path in composites(folder)] == before  # all is done
    composites(folder)[1].unlink()
    infer(segments, options(opaque_checkpoint, CodecBackend.AUTO), None, progress)
    assert progress.mentions("takes longer: NVENC cannot be used: it has gone.")
    assert progress.mentions("changed: --encoder")
    assert encoders_of(folder) == {CodecBackend.SOFTWARE}


@without_gpu
def test_hardware_that_is_missing_is_exit_code_3(
    tmp_path: Path, progress: Recorder, opaque_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    segments = cut(tmp_path, progress, 3)
    command = ["infer", str(segments), "--checkpoint", str(opaque_checkpoint), "--device", "cpu"]
    assert main([*command, "--encoder", "hardware"]) == MissingError.exit_code
    assert "NVENC cannot be used: Cannot load" in capsys.readouterr().err
    assert main([*command, "--decoder", "hardware"]) == MissingError.exit_code
    assert "needs an NVIDIA graphics card" in capsys.readouterr().err
