"""AUTO encodes by NVENC where that works and loses nothing, and goes on with what was begun."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from matting.delivery.encoder_choice import EncoderChoice, choose_encoder, try_isolated
from matting.errors import InputError, MissingError
from matting.media.hardware_probe import HardwareProbe
from matting.media.video_source import VideoSource
from matting.options import CodecBackend, EncodingOptions, OutputKind, OutputOptions, VideoCodec
from matting.project.entry import Entry, OutputFile, RecordedSettings
from matting.project.inputs import read_inputs
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder
from tests.support.clips import SIZE, make_clip
from tests.support.recorder import Recorder
from tests.support.stages import cut

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
SOFTWARE, HARDWARE = CodecBackend.SOFTWARE, CodecBackend.HARDWARE
HEVC = EncodingOptions(VideoCodec.HEVC)


@dataclass
class StandInNvenc:
    """What trying NVENC comes to, and what was tried.

    Attributes:
        failure: why it does not work; "": it does.
    """

    failure: str = ""
    probes: list[HardwareProbe] = field(default_factory=list)

    def run(self, probe: HardwareProbe) -> str:
        self.probes.append(probe)
        return self.failure


def choose(
    folder: Path,
    device: torch.device,
    encoding: EncodingOptions,
    nvenc: StandInNvenc,
    finished_with: CodecBackend | None = None,
) -> EncoderChoice:
    """Choose an encoder for a folder.

    Args:
        finished_with: the encoder of all its segments; None: none is done.
    """
    inputs, ledger = read_inputs(folder), Ledger(MattedFolder.of(folder, None))
    if finished_with is not None:
        ledger.folder.root.mkdir(exist_ok=True)
        outputs = {OutputKind.COMPOSITE: OutputFile("a.mp4", 1, "0" * 64)}
        settings = RecordedSettings(encoder=finished_with)
        for item in inputs.inputs:
            ledger.record(item.name, Entry(settings=settings, outputs=outputs))
    return choose_encoder(
        OutputOptions(encoding=encoding),
        device,
        inputs,
        ledger,
        settings=lambda output: lambda _: RecordedSettings(encoder=output.encoding.encoder),
        run_probe=nvenc.run,
    )


def encoder_of(choice: EncoderChoice) -> CodecBackend:
    return choice.output.encoding.encoder


@pytest.mark.parametrize(
    ("failure", "encoder"), [("", HARDWARE), ("no GPU.", SOFTWARE)], ids=["works", "fails"]
)
def test_auto_tries_nvenc_where_the_network_is_on_a_gpu(
    failure: str, encoder: CodecBackend, tmp_path: Path, progress: Recorder
) -> None:
    nvenc = StandInNvenc(failure)
    segments = cut(tmp_path, progress, 40)
    choice = choose(segments, GPU, HEVC, nvenc)
    assert encoder_of(choice) == encoder
    assert failure in choice.reason
    assert [tried.device for tried in nvenc.probes] == ["cuda:0"]
    assert nvenc.probes[0].size_px == SIZE
    on_cpu = choose(segments, CPU, HEVC, nvenc)
    assert (encoder_of(on_cpu), on_cpu.reason) == (SOFTWARE, "")
    on_request = choose(segments, GPU, replace(HEVC, encoder=SOFTWARE), nvenc)
    assert (encoder_of(on_request), on_request.reason) == (SOFTWARE, "")
    assert len(nvenc.probes) == 1


@pytest.mark.parametrize(
    ("failure", "encoder"), [("", HARDWARE), ("no GPU.", SOFTWARE)], ids=["works", "fails"]
)
def test_auto_goes_on_with_the_encoder_of_what_is_done(
    failure: str, encoder: CodecBackend, tmp_path: Path, progress: Recorder
) -> None:
    nvenc = StandInNvenc(failure)
    segments = cut(tmp_path, progress, 40)
    assert encoder_of(choose(segments, GPU, HEVC, nvenc, finished_with=SOFTWARE)) == SOFTWARE
    assert nvenc.probes == []
    assert encoder_of(choose(segments, CPU, HEVC, nvenc, finished_with=HARDWARE)) == encoder
    assert len(nvenc.probes) == 1


@pytest.mark.parametrize(
    ("pixel_format", "loss"),
    [("yuv420p", ""), ("yuv420p10le", ""), ("yuv422p10le", "4:2:0"), ("yuv444p", "4:2:0")],
)
def test_auto_loses_no_samples(pixel_format: str, loss: str, tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", 2, codec="libx265", pixel_format=pixel_format)
    choice = choose(tmp_path, GPU, HEVC, StandInNvenc())
    assert encoder_of(choice) == (SOFTWARE if loss else HARDWARE)
    assert loss in choice.reason


def test_auto_loses_no_hdr_metadata(tmp_path: Path) -> None:
    display = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    parameters = {"x265-params": f"log-level=none:hdr10=1:{display}:max-cll=1000,400"}
    clip = tmp_path / "clip.mp4"
    make_clip(clip, 2, codec="libx265", pixel_format="yuv420p10le", options=parameters)
    choice = choose(tmp_path, GPU, HEVC, StandInNvenc())
    assert encoder_of(choice) == SOFTWARE
    assert "HDR" in choice.reason


@pytest.mark.parametrize(("siting", "encoder"), [(0, HARDWARE), (2, SOFTWARE)])
def test_auto_keeps_the_chroma_siting(siting: int, encoder: CodecBackend, tmp_path: Path) -> None:
    parameters = {"x265-params": f"log-level=none:chromaloc={siting}"}
    make_clip(tmp_path / "clip.mp4", 2, codec="libx265", options=parameters)
    choice = choose(tmp_path, GPU, HEVC, StandInNvenc())
    assert encoder_of(choice) == encoder
    assert ("where colour samples lie" in choice.reason) == (encoder == SOFTWARE)


def test_a_preset_of_another_encoder(tmp_path: Path, progress: Recorder) -> None:
    segments = cut(tmp_path, progress, 3)
    slow = replace(HEVC, preset="veryslow")
    choice = choose(segments, GPU, slow, StandInNvenc())
    assert encoder_of(choice) == SOFTWARE
    assert "p1 to p7" in choice.reason
    with pytest.raises(InputError, match="p1 to p7, not veryslow"):
        choose(segments, GPU, replace(slow, encoder=HARDWARE), StandInNvenc())


def test_hardware_that_was_asked_for_and_fails_is_an_error(
    tmp_path: Path, progress: Recorder
) -> None:
    segments = cut(tmp_path, progress, 3)
    with pytest.raises(MissingError, match=r"NVENC cannot be used: no GPU\."):
        choose(segments, GPU, replace(HEVC, encoder=HARDWARE), StandInNvenc("no GPU."))


class CrashingProbe(HardwareProbe):
    """A probe in which the driver takes the process down."""

    def run(self) -> str:
        os._exit(3)


def test_a_crash_of_a_probe_is_a_reason(tmp_path: Path) -> None:
    source = VideoSource(make_clip(tmp_path / "clip.mp4", 2))
    crashing = CrashingProbe(**vars(HardwareProbe.of(source, HEVC, CPU)))
    assert "crashed (code 3)" in try_isolated(crashing)
