"""Every GPU test and benchmark, with a table of the targets: python benchmarks/gpu_check.py

Each step runs in a process of its own and is ended when its time is up; what did not run is
unmeasured. All of it takes less than eight minutes. It installs nothing: packages that only image
sequences, audio and progress bars need are replaced by stubs where they are missing.
Exit codes: 0 every target was measured and held; 1 one was not; 3 there is no graphics card.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # where this is run by its path

import torch

from benchmarks.bare import environment_with_stubs
from benchmarks.footage import write_clip
from benchmarks.processes import ROOT, module_command
from benchmarks.results import measured_on, write_section
from benchmarks.targets import rows_of, table_of
from matting.imaging.sample_format import Size

NO_GPU = 3
WHOLE_SECONDS = 475
LAST_LINES = 12
MARK = "pytest.mark.gpu"
CLIPS = "clips"
CHECKPOINT = ROOT / "demo" / "demo_checkpoint.pth"


@dataclass(frozen=True)
class Step:
    """One process.

    Attributes:
        seconds: after which it is ended.
        figures: the file that it writes its figures to.
    """

    name: str
    command: Sequence[str]
    seconds: float
    figures: Path


@dataclass(frozen=True)
class StepResult:
    """What came of a step.

    Attributes:
        problem: why it failed; empty: it did not.
    """

    step: Step
    output: str
    problem: str


def steps(folder: Path) -> list[Step]:
    """Return all steps; their limits add up to at most WHOLE_SECONDS."""
    marked = [p for p in (ROOT / "tests").rglob("test_*.py") if MARK in p.read_text("utf-8")]
    tests = [sys.executable, "-m", "pytest", *map(str, marked), "-m", "gpu"]
    tests += ["-o", "addopts=--strict-markers -q", f"--junitxml={folder / 'tests.xml'}"]
    tests += ["-W", "ignore::pytest.PytestConfigWarning"]
    infer = [sys.executable, "inference_custom.py", "infer", str(folder / CLIPS), "-v"]
    infer += ["--checkpoint", str(CHECKPOINT), "--device", "cuda", "--decoder", "hardware"]
    network = ["--device", "cuda", "--rounds", 5, "--json"]
    return [
        Step(
            "end to end, 8192x4096",
            module_command("end_to_end", "--device", "cuda", "--json", folder / "large.json"),
            85,
            folder / "large.json",
        ),
        Step("GPU tests", tests, 115, folder / "tests.xml"),
        Step("infer", infer, 35, folder / "none.json"),
        Step(
            "the network alone",
            module_command(
                *("network", "--sizes", "3840x2160", "8192x4096", "--precisions", "fp32", "fp16"),
                *(*network, folder / "network.json"),
            ),
            85,
            folder / "network.json",
        ),
        Step(
            "throughput",
            module_command(
                *("throughput", "--width", 3840, "--height", 2160, "--frames", 150, "--rounds", 1),
                *("--ratio", 0.2, "--device", "cuda", "--json", folder / "throughput.json"),
            ),
            95,
            folder / "throughput.json",
        ),
        Step(
            "drift",
            module_command(
                *("network", "--drift", 3000, "--precisions", "fp16", "--device", "cuda"),
                *("--json", folder / "drift.json"),
            ),
            60,
            folder / "drift.json",
        ),
    ]


def run_step(step: Step, environment: Mapping[str, str], seconds: float) -> StepResult:
    """Run a step; end it, and all processes that it started, when its time is up."""
    process = subprocess.Popen(
        step.command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=os.name == "posix",
    )
    try:
        output, _ = process.communicate(timeout=max(1.0, seconds))
    except subprocess.TimeoutExpired:
        _end(process)
        output, _ = process.communicate()
        return StepResult(step, output, f"ended after {seconds:.0f} seconds")
    code = process.returncode
    return StepResult(step, output, "" if code == 0 else f"exit code {code}")


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started."""
    if sys.platform == "win32":
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(command, check=False, capture_output=True)
    else:
        os.killpg(process.pid, signal.SIGKILL)


def without_progress(output: str) -> str:
    """Return an output without its progress bars."""
    lines = [line.rpartition("\r")[2].strip() for line in output.split("\n")]
    progress = re.compile(r"[A-Z][a-z ]+ \d+%( \||, )")
    return "\n".join(line for line in lines if line and not progress.match(line))


def read_figures(result: StepResult) -> Any:
    """Return what a step measured; None: nothing."""
    path = result.step.figures
    if not path.is_file():
        return None
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    cases = ElementTree.parse(path).getroot().iter("testcase")
    return {case.get("name", ""): "passed" if len(case) == 0 else case[0].tag for case in cases}


def main() -> int:
    """Run all steps, print the table, and write it to RESULTS.md."""
    if not torch.cuda.is_available():
        print("There is no NVIDIA graphics card that torch can use: nothing was measured.")
        return NO_GPU
    deadline = time.monotonic() + WHOLE_SECONDS
    figures: dict[str, Any] = {}
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="gpu_check_") as name:
        folder = Path(name)
        environment = environment_with_stubs(folder / "stubs")
        environment["RVM_FAIL_WITHOUT_CUDA"] = "1"  # a test that finds no GPU is no skipped one
        (folder / CLIPS).mkdir()
        write_clip(folder / CLIPS / "clip.mp4", Size(1920, 1080), 30)
        said = ""
        for step in steps(folder):
            result = run_step(step, environment, min(step.seconds, deadline - time.monotonic()))
            print(f"== {step.name}\n{result.output}", flush=True)
            figures[step.name] = read_figures(result)
            lines = without_progress(result.output)
            if step.name == "infer":
                said = f"What `infer` says at 1920x1080:\n```\n{lines}\n```\n"
            if result.problem:
                last_lines = "\n".join(lines.splitlines()[-LAST_LINES:])
                problems.append(f"{step.name}: {result.problem}.\n```\n{last_lines}\n```\n")
    rows = rows_of(figures)
    gpu = torch.cuda.get_device_name()
    text = f"{gpu}. {measured_on()}\n\n{table_of(rows)}\n{said}\n" + "\n".join(problems)
    print(text)
    write_section(f"GPU check: {gpu}", text)
    return 0 if all(row.held for row in rows) and not problems else 1


if __name__ == "__main__":
    sys.exit(main())
