"""The benchmarks on tiny clips: they run, and their tables say what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import pytest
import torch

from benchmarks import (
    naive,
    network,
    stages,
    throughput,
    warm_up,
)
from benchmarks.drift import Drift, measure_drift, slope_of
from benchmarks.footage import write_clip
from benchmarks.half import HalfPrecision
from benchmarks.memory import report as memory_report
from benchmarks.parts import Case, frame_bytes, least_bytes, measure
from benchmarks.processes import RunResult, run
from benchmarks.side_by_side import Figures, Round
from benchmarks.side_by_side import report as throughput_report
from benchmarks.stages import Stage
from matting.demo import CHECKPOINT
from matting.imaging.compositor import Matte, render
from matting.imaging.sample_format import SampleFormat, Size
from matting.inference.weights import load_checkpoint
from matting.network_choice import Subject
from matting.options import OutputKind, Precision
from model import load_network
from tests.support.clips import make_clip, number_of
from tests.support.frames import NV12, random_video
from tests.support.repository import ROOT
from tests.support.stages import FAST_OUTPUT

CPU = torch.device("cpu")
FRAMES = 7


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", Size(64, 48), FRAMES)


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_no_two_frames_of_the_footage_are_the_same(clip: Path) -> None:
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]
    assert len(set(frames)) == len(frames) == FRAMES


def test_the_plain_loop_finds_frames_by_number(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "numbered.mp4", 30)
    with naive.RandomAccess(path) as video:
        assert len(video) == 30
        assert [number_of(video[i]) for i in (0, 1, 17, 18, 5, 29)] == [0, 1, 17, 18, 5, 29]
        with pytest.raises(IndexError):
            video[30]


def test_the_plain_loop_mattes_every_frame(clip: Path, tmp_path: Path) -> None:
    job = naive.Job(clip, tmp_path / "naive.mp4", ratio=0.5, codec="h264")
    measured = naive.matte(load_network(CHECKPOINT), job)
    assert count_frames(job.result) == measured.frames == FRAMES
    assert measured.seconds > 0


def test_the_plain_loop_blends_over_the_background(
    clip: Path, tmp_path: Path, empty_checkpoint: Path
) -> None:
    job = naive.Job(clip, tmp_path / "naive.mp4", ratio=0.5, codec="h264")
    naive.matte(load_network(empty_checkpoint), job)
    with naive.RandomAccess(job.result) as video:
        middle = video[3][24, 32].astype(int)
    assert abs(middle - naive.BACKGROUND).max() <= 4


def test_each_stage_works_on_the_whole_clip(clip: Path, tmp_path: Path) -> None:
    result = tmp_path / "stages.mp4"
    network = load_checkpoint(CHECKPOINT).network
    times = stages.measure(network, clip, result, ratio=0.5, device="cpu", output=FAST_OUTPUT)
    steps = [f"network: {step}" for step in ("features", "decoder", "maps")]
    names = ["decode", "small copy", *steps, "full-size stage", "encode", "check"]
    assert [stage.name for stage in times.stages] == names
    assert times.frames == count_frames(result) == FRAMES


def test_a_process_is_measured_with_those_it_starts() -> None:
    child = "import time; block = bytearray(80_000_000); time.sleep(0.5); print('child')"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    result = run([sys.executable, "-c", parent])
    assert result.output.strip() == "child"
    assert result.seconds >= 0.5
    if sys.platform == "linux":
        assert 80_000_000 < result.peak_bytes < 200_000_000
        assert result.cpu_seconds > 0


def test_a_process_that_fails_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run([sys.executable, "-c", "raise SystemExit(2)"])


def make_round(naive_seconds: float, whole_seconds: float) -> Round:
    return Round(
        naive=RunResult("", naive_seconds + 1, 0, 2**20, 0),
        loop=(naive_seconds, 2 * naive_seconds),
        whole=RunResult("", whole_seconds, 9.0, 3 * 2**20, 0),
        start=RunResult("", 2.0, 1.0, 0, 0),
        stages=[
            Stage("decode", "reader", 1.0, 1.0),
            Stage("full-size stage", "writer", 3.0, 3.0),
            Stage("encode", "writer", 2.0, 4.0),
        ],
    )


def test_throughput_is_compared_with_the_plain_loop() -> None:
    rounds = [make_round(seconds, 10.0) for seconds in (20.0, 40.0, 20.0)]
    figures = Figures.of(rounds, frames=10)
    assert figures.ours == (10.0, 10.0)  # (10 - 2) seconds for 10 - 2 frames
    assert figures.ratios == [2.0, 4.0, 2.0]
    assert figures.overlap == 2.0  # the writer's stages take 5 seconds
    text = throughput_report(figures, rounds)
    assert "| plain loop | 0.500 | 0.476 | 2000 | 4000 | 1 | 0 |" in text
    assert "| this program | 1.000 | 1.000 | 1000 | 1000 | 3 | 0 |" in text
    assert "Ratio: 2.00 (rounds: 2.00, 4.00, 2.00); of processor time: 4.00." in text
    assert "| encode | writer | 200.0 | 400.0 | 50% |" in text


def test_both_sides_get_the_same_settings(clip: Path, tmp_path: Path) -> None:
    settings = throughput.Clip(
        folder=clip.parent,
        short=clip.parent,
        results=tmp_path / "results",
        frames=FRAMES,
        settings=("--checkpoint", CHECKPOINT, "--ratio", 0.5, "--device", "cpu"),
        codec="h264",
        bitrate_bps=1_000_000,
    )
    commands = throughput.commands(settings, tmp_path)
    for name, ratio, rate in (
        ("naive", "--ratio", "--bitrate-bps"),
        ("stages", "--ratio", "--bitrate-bps"),
        ("whole", "--downsample-ratio", "--bitrate"),
        ("start", "--downsample-ratio", "--bitrate"),
    ):
        words = commands[name]
        for option, value in ((ratio, "0.5"), (rate, "1000000"), ("--codec", "h264")):
            assert words[words.index(option) + 1] == value


def test_growth_is_how_much_more_a_longer_video_takes() -> None:
    text = memory_report({60: 500.0, 600: 512.25})
    assert "| 600 s | 512.2 |" in text
    assert "Growth: 12.2 MiB" in text
    assert "Growth: -12.2 MiB" in memory_report({60: 512.25, 600: 500.0})


def test_the_network_is_measured_in_parts(clip: Path) -> None:
    case = Case(clip, Size(64, 48), 0.5, Precision.FP32)
    measured = measure(load_network(CHECKPOINT), case, CPU, rounds=1)
    assert case.least_bytes == 2 * 64 * 48 * 3 // 2 + 8 * 4 * 32 * 24
    assert measured.ratio is not None and measured.ratio > 0
    assert measured.mean_error < 0.01  # the network for inference is the published one
    cells = dict(zip(network.HEAD, network.row_of(measured, 1e10), strict=True))
    assert cells["size, ratio"] == "64x48, 0.500"
    assert cells["memory (MiB)"] == "-"
    assert float(cells["ours"]) == pytest.approx(measured.ours_ms, abs=0.01)


def test_the_least_traffic_is_that_of_all_samples_and_maps() -> None:
    source = random_video(NV12, 1, 46, 70)
    slope, offset = torch.zeros(2, 1, 4, 17, 28)
    formats = {OutputKind.COMPOSITE: NV12, OutputKind.ALPHA: SampleFormat(16)}
    outputs = render(Matte(source, slope, offset), formats, naive.BACKGROUND)
    composite, alpha = outputs[OutputKind.COMPOSITE], outputs[OutputKind.ALPHA]
    tensors = [source.luma_or_rgb, source.chroma, composite.luma_or_rgb, composite.chroma]
    tensors.append(alpha.luma_or_rgb)
    least = sum(tensor.nbytes for tensor in tensors if tensor is not None)
    size, map_size = Size(70, 46), Size(28, 17)
    assert least_bytes(NV12, formats, size) == least
    assert least_bytes(NV12, formats, size, map_size) == least + 8 * 4 * 28 * 17
    assert frame_bytes(SampleFormat(10), size) == 3 * 2 * 70 * 46


def test_emulated_half_precision_is_nearly_the_real_one() -> None:
    x = torch.rand(1, 8, 12, 12, generator=torch.Generator().manual_seed(1))
    weight = torch.rand(4, 8, 3, 3, generator=torch.Generator().manual_seed(2))
    exact = torch.conv2d(x, weight)
    with HalfPrecision():
        emulated = torch.conv2d(x.bfloat16(), weight.bfloat16())
        untouched = torch.conv2d(x, weight)
    real = torch.conv2d(x.bfloat16(), weight.bfloat16())
    assert emulated.dtype == torch.bfloat16
    assert untouched.equal(exact)
    assert 0 < (emulated.float() - exact).abs().max() < 0.3
    assert (emulated.float() - real.float()).abs().max() <= 2**-4  # one step at 8 to 16


def test_drift_is_measured_by_window() -> None:
    film = [torch.full((3, 48, 64), value, dtype=torch.uint8) for value in (40, 90, 140)]
    windows = measure_drift(
        load_network(CHECKPOINT), "bf16", film, frames=12, ratio=0.5, device=CPU
    )
    assert [window.first for window in windows] == [0]
    assert 0 < windows[0].mean <= windows[0].largest
    rising = [Drift(first, 0.1 + first / 10_000, 1.0) for first in (0, 300, 600)]
    assert slope_of(rising) == pytest.approx(0.1)


def test_the_figures_can_be_read_by_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    words = ["--sizes", "64x48", "--ratio", "0.5", "--rounds", "1", "--device", "cpu"]
    words += ["--checkpoint", str(CHECKPOINT), "--json", str(path)]
    monkeypatch.setattr(sys, "argv", ["network", *words])
    network.main()
    assert "| 64x48, 0.500 | fp32 |" in capsys.readouterr().out
    (figures,) = json.loads(path.read_text(encoding="utf-8"))
    assert figures["size"] == "64x48"
    assert figures["times_the_least"] > 0


def test_the_warm_up_is_measured_for_a_subject() -> None:
    assert warm_up.parse([]).subject is Subject.PORTRAIT
    assert warm_up.parse(["--subject", "full-body"]).subject is Subject.FULL_BODY


@pytest.mark.parametrize("name", ["network", "throughput"])
def test_a_benchmark_can_be_run_by_its_path(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
