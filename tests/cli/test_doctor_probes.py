"""What the doctor finds out about this computer, part by part."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from matting.cli import doctor_probes
from matting.cli.doctor_probes import Machine, TorchProbe
from matting.errors import MachineError, MissingError
from matting.inference import weights
from matting.media import ffmpeg
from matting.media.encoder_table import NVENC_ENCODERS, SOFTWARE_ENCODERS
from matting.media.hardware_probe import probe_decoders, probe_encoders
from matting.system.subprocesses import run_isolated
from tests.support.fake_nvdec import FAKE_NVDEC, FakeNvdec
from tests.support.markers import without_gpu


def test_ffmpeg_tells_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ffmpeg.version()
    for path in (tmp_path / "gone", Path(sys.executable)):
        monkeypatch.setenv("FFMPEG_PATH", str(path))
        with pytest.raises(MissingError):
            ffmpeg.version()


def test_weights_of_ones_own_are_loaded(random_checkpoint: Path) -> None:
    own = Machine()
    assert own.weights(load=True) is None
    path = weights.default_path()
    path.write_bytes(random_checkpoint.read_bytes())
    probe = own.weights(load=True)
    assert probe is not None and probe.trouble == ""
    path.write_bytes(b"cut off")
    probe = own.weights(load=True)
    assert probe is not None and "cannot be read" in probe.trouble
    untried = own.weights(load=False)
    assert untried is not None and untried.trouble == ""


@pytest.mark.parametrize(
    ("nvdec", "words"), [(FAKE_NVDEC, ""), (FakeNvdec(wrong=1), "other pictures")]
)
def test_each_codec_is_decoded(nvdec: FakeNvdec, words: str) -> None:
    tried = probe_decoders(nvdec)
    assert set(tried) == set(SOFTWARE_ENCODERS)
    assert all(bool(why) == bool(words) and words in why for why in tried.values())


@without_gpu
def test_each_codec_is_encoded() -> None:
    tried = probe_encoders("cpu")
    assert set(tried) == set(NVENC_ENCODERS)
    assert all(tried.values())


def test_what_crashes_takes_nothing_along(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MachineError, match="code 5"):
        run_isolated(_crash, 60)
    monkeypatch.setattr(doctor_probes, "load_torch", _crash)
    assert Machine().torch() == TorchProbe(
        None, "does not load (the process that tried it crashed (code 5))"
    )


def _crash() -> None:
    os._exit(5)
