"""`infer` decodes by NVDEC, where software fills its surfaces, and in software where it cannot."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from matting.errors import SegmentsFailedError
from matting.infer import infer
from matting.media.cuda import Nvdec
from matting.options import CodecBackend
from matting.progress import Progress
from matting.workers.executor import ExecutorFactory, WorkerSetup
from matting.workers.supervisor import Supervisor
from matting.workers.worker import Worker
from tests.support.clips import make_clip, numbers
from tests.support.fake_nvdec import FAKE_NVDEC, FakeNvdec
from tests.support.recorder import Recorder
from tests.support.stages import composites, cut, matting_options, with_compute


def with_nvdec(nvdec: Nvdec) -> ExecutorFactory:
    """Return a factory of supervisors whose workers decode by `nvdec`."""

    def start(setup: WorkerSetup, _folder: Path, _progress: Progress) -> Worker:
        return Worker(setup, nvdec=nvdec)

    return partial(Supervisor, start=start)


def test_the_second_try_decodes_in_software(
    tmp_path: Path,
    progress: Recorder,
    opaque_checkpoint: Path,
) -> None:
    segments = cut(tmp_path, progress, 12)
    breaking = with_nvdec(FakeNvdec(broken=8))
    folder = infer(segments, matting_options(opaque_checkpoint), None, progress, breaking)
    assert progress.mentions("decoded by NVDEC")
    assert progress.mentions("Trying again, 2 of 3")
    assert [n for path in composites(folder) for n in numbers(path)] == list(range(12))


@pytest.mark.parametrize("planned", [True, False])
def test_auto_decodes_by_nvdec_only_what_segment_has_checked(
    planned: bool,
    tmp_path: Path,
    progress: Recorder,
    opaque_checkpoint: Path,
) -> None:
    segments = cut(tmp_path, progress, 40)
    options = matting_options(opaque_checkpoint)
    in_software = with_compute(options, decoder=CodecBackend.SOFTWARE)
    plain = infer(segments, in_software, tmp_path / "plain", progress, with_nvdec(FAKE_NVDEC))
    if not planned:
        (segments / "segments.json").unlink()
    folder = infer(segments, options, None, progress, with_nvdec(FAKE_NVDEC))
    reasons = [
        text
        for text in progress.said
        if "The processor decodes, not the graphics card: only" in text
    ]
    assert len(reasons) == (0 if planned else 1)
    for mine, theirs in zip(composites(folder), composites(plain), strict=True):
        assert mine.read_bytes() == theirs.read_bytes()


def test_hardware_that_is_asked_for_refuses_what_it_cannot_decode(
    tmp_path: Path, opaque_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matting.workers.run_device.require_decoder", lambda *_: None)
    make_clip(tmp_path / "clip.mkv", 5, pixel_format="yuv444p")
    options = with_compute(matting_options(opaque_checkpoint), decoder=CodecBackend.HARDWARE)
    with pytest.raises(SegmentsFailedError, match="NVDEC gives no yuv444p"):
        infer(tmp_path, options, None, Recorder(), with_nvdec(FAKE_NVDEC))
