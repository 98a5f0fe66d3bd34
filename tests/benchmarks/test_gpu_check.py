"""The check on a GPU: its targets, its steps, and what it writes, without a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bare, end_to_end, gpu_check, network, results, throughput
from benchmarks.processes import RunResult
from benchmarks.side_by_side import FEW_FRAMES
from benchmarks.targets import MEMORY_TEST, UNMEASURED, rows_of, table_of
from tests.support.markers import without_gpu
from tests.support.repository import ROOT

HANGS_SECONDS = 110.0  # the imports take 4 s, and have taken over 60 on a busy machine


def test_targets_without_figures_are_unmeasured() -> None:
    rows = rows_of({})
    assert all(row.held is None and row.measured == UNMEASURED for row in rows)
    assert table_of(rows).count(UNMEASURED) == 2 * len(rows)


def test_targets_are_held_or_not() -> None:
    case = {"precision": "fp16", "ours_ms": 20.0, "times_the_least": 1.5, "backend": "fused"}
    figures = {
        "GPU tests": {MEMORY_TEST: "passed", "test_two": "failure", "test_three": "skipped"},
        "throughput": {"ratios": [12.0], "overlap": 1.3},
        "the network alone": [{**case, "size": "8192x4096"}],
        "drift": {"fp16": {"mean": 0.2, "slope": 0.001}},
    }
    held = {row.target: row.held for row in rows_of(figures)}
    assert held["all GPU tests pass"] is False
    assert held["10 times the plain loop, 3840x2160"] is True
    assert held["wall time at most 1.2 of the slowest"] is False
    assert held["60 frames a second, 8192x4096"] is False
    assert held["at most 6 GiB on the card, 8192x4096"] is True
    assert held["full-size stage at most twice its least traffic's time, 3840x2160"] is None
    assert held["full-size stage at most twice its least traffic's time, 8192x4096"] is True


def test_what_a_gpu_lacks_is_no_failure() -> None:
    figures = {"GPU tests": {"test_one": "passed", "test_two": "skipped"}}
    row = next(row for row in rows_of(figures) if row.held is not None)
    assert row.held is True
    assert row.measured == "1 of 2 passed; test_two: skipped"


def test_a_step_is_ended_when_its_time_is_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; print('began', flush=True); time.sleep(60)"]
    step = gpu_check.Step("slow", command, 1.0, tmp_path / "figures.json")
    result = gpu_check.run_step(step, bare.environment_with_stubs(tmp_path), step.seconds)
    assert result.problem == "ended after 1 seconds"
    assert "began" in result.output
    assert gpu_check.read_figures(result) is None


def test_missing_packages_are_replaced_by_stubs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    environment = bare.environment_with_stubs(tmp_path / "stubs")
    bars = "import tqdm; bar = tqdm.tqdm(total=3); bar.update(1); bar.total += 1; bar.close()"
    command = [sys.executable, "-c", f"import matting.cli.main, benchmarks.throughput; {bars}"]
    step = gpu_check.Step("imports", command, HANGS_SECONDS, tmp_path / "none.json")
    result = gpu_check.run_step(step, environment, step.seconds)
    assert result.problem == "", result.output
    assert (tmp_path / "stubs" / "OpenImageIO" / "__init__.py").is_file()


def test_the_gpu_check_itself_needs_none_of_them() -> None:
    program = (
        "import sys; sys.path.insert(0, '.'); from benchmarks.bare import STUBS; "
        "sys.modules.update(dict.fromkeys(STUBS)); import benchmarks.gpu_check"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_progress_bars_are_left_out_of_the_output() -> None:
    output = "Matting on the CPU.\n\rMatting 50% |##  | 1/2\rIt is matted.\nMatting 9%, 1/11"
    assert gpu_check.without_progress(output) == "Matting on the CPU.\nIt is matted."


def test_the_steps_of_the_gpu_check_fit_in_its_time(tmp_path: Path) -> None:
    steps = gpu_check.steps(tmp_path)
    assert sum(step.seconds for step in steps) <= gpu_check.WHOLE_SECONDS <= 8 * 60
    named = {step.name: step for step in steps}
    assert str(ROOT / "tests" / "test_gpu.py") in named.pop("GPU tests").command
    del named["infer"]
    modules = (end_to_end, network, throughput)
    parse = {module.__name__: module.parse for module in modules}
    for step in named.values():
        module = step.command.index("-m") + 1
        words = [str(word) for word in step.command[module + 1 :]]
        assert parse[step.command[module]](words).json == step.figures


def test_the_rate_of_large_pictures_is_without_the_start() -> None:
    start = RunResult("", 5.0, 9.0, 0, 0)
    figures = end_to_end.Figures.of(RunResult("", 7.0, 13.0, 0, 0), start, FEW_FRAMES + 100)
    assert [figures.ms, figures.cpu_ms] == pytest.approx([20, 40])
    row, *_ = rows_of({"end to end, 8192x4096": {"rate": figures.rate}})
    assert (row.measured, row.held) == ("50.0 a second", False)


def test_outcomes_of_the_gpu_tests_are_read_by_name(tmp_path: Path) -> None:
    path = tmp_path / "tests.xml"
    path.write_text(
        "<testsuites><testsuite><testcase name='a'/><testcase name='b'><skipped/></testcase>"
        "</testsuite></testsuites>",
        encoding="utf-8",
    )
    result = gpu_check.StepResult(gpu_check.Step("GPU tests", [], 1.0, path), "", "")
    assert gpu_check.read_figures(result) == {"a": "passed", "b": "skipped"}


def test_the_gpu_check_writes_what_was_measured_and_what_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine with a GPU, with short steps in place of the real ones."""

    def steps(folder: Path) -> list[gpu_check.Step]:
        figures = folder / "drift.json"
        text = json.dumps({"fp16": {"mean": 0.25, "slope": 0.0}})
        write = f"import pathlib; pathlib.Path({str(figures)!r}).write_text({text!r})"
        return [
            gpu_check.Step("infer", [sys.executable, "-c", "print('Matting.')"], 30, folder / "-"),
            gpu_check.Step("drift", [sys.executable, "-c", write], 30, figures),
            gpu_check.Step("throughput", [sys.executable, "-c", "1 / 0"], 30, folder / "-"),
        ]

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "Card 9000")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(gpu_check, "steps", steps)
    monkeypatch.setattr(gpu_check, "write_clip", lambda path, *_: path)
    assert gpu_check.main() == 1
    text = results.RESULTS.read_text(encoding="utf-8")
    assert "## GPU check: Card 9000" in text
    assert "after 3000 frames | 0.2500/255 | held |" in text
    assert "| 10 times the plain loop, 3840x2160 | unmeasured | unmeasured |" in text
    assert "What `infer` says at 1920x1080:\n```\nMatting.\n```" in text
    assert "throughput: exit code 1." in text
    assert "ZeroDivisionError" in text


@without_gpu
def test_without_a_gpu_the_gpu_check_says_so_and_changes_nothing() -> None:
    results = ROOT / "benchmarks" / "RESULTS.md"
    before = results.read_bytes()
    done = subprocess.run(
        [sys.executable, "benchmarks/gpu_check.py"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == gpu_check.NO_GPU
    assert len(done.stdout.splitlines()) == 1
    assert "nothing was measured" in done.stdout
    assert results.read_bytes() == before
