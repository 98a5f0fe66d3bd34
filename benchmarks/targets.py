"""The targets on a GPU, and whether what was measured reaches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.results import table

MEMORY_TEST = "test_the_largest_picture_fits_into_six_gibibytes"
MAX_DRIFT = 0.1
UNMEASURED = "unmeasured"


@dataclass(frozen=True)
class Row:
    """One target.

    Attributes:
        held: whether it was reached; None: it was not measured.
    """

    target: str
    measured: str = UNMEASURED
    held: bool | None = None


def table_of(rows: Sequence[Row]) -> str:
    """Return the table for people."""
    words = {True: "held", False: "NOT HELD", None: UNMEASURED}
    return table(
        ["target", "measured", ""], [[row.target, row.measured, words[row.held]] for row in rows]
    )


def rows_of(figures: Mapping[str, Any]) -> list[Row]:
    """Return all targets.

    Args:
        figures: what each step measured, by its name; None where it measured nothing.
    """
    return [
        _large(figures.get("end to end, 8192x4096")),
        _tests(figures.get("GPU tests")),
        _memory(figures.get("GPU tests")),
        *_throughput(figures.get("throughput")),
        *_network(figures.get("the network alone")),
        *_drift(figures.get("drift")),
    ]


def _large(figures: Mapping[str, Any] | None) -> Row:
    target = "75 frames a second end to end, 8192x4096"  # another program's, with TensorRT
    if figures is None:
        return Row(target)
    rate = figures["rate"]
    return Row(target, f"{rate:.1f} a second", rate >= 75)


def _tests(outcomes: Mapping[str, str] | None) -> Row:
    target = "all GPU tests pass"
    if not outcomes:
        return Row(target)
    # What is skipped is what this GPU lacks: those of data centres have no NVENC.
    others = [f"{name}: {outcome}" for name, outcome in outcomes.items() if outcome != "passed"]
    failed = [o for o in outcomes.values() if o not in {"passed", "skipped"}]
    passed = f"{len(outcomes) - len(others)} of {len(outcomes)} passed"
    return Row(target, "; ".join([passed, *others]), not failed)


def _memory(outcomes: Mapping[str, str] | None) -> Row:
    target = "at most 6 GiB on the card, 8192x4096"
    outcome = (outcomes or {}).get(MEMORY_TEST, "skipped")
    if outcome == "skipped":
        return Row(target)
    return Row(target, f"its test, on a GPU limited to that: {outcome}", outcome == "passed")


def _throughput(figures: Mapping[str, Any] | None) -> list[Row]:
    ratio, overlap = "10 times the plain loop, 3840x2160", "wall time at most 1.2 of the slowest"
    if figures is None:
        return [Row(ratio), Row(overlap)]
    times = median(figures["ratios"])
    return [
        Row(ratio, f"{times:.1f} times", times >= 10),
        Row(overlap, f"{figures['overlap']:.2f}", figures["overlap"] <= 1.2),
    ]


def _network(figures: Sequence[Mapping[str, Any]] | None) -> list[Row]:
    """Return the rows for half precision, which a GPU computes with by default."""
    by_size = {case["size"]: case for case in figures or () if case["precision"] == "fp16"}
    rows = []
    for size in ("3840x2160", "8192x4096"):
        target = f"full-size stage at most twice its least traffic's time, {size}"
        times = by_size[size]["times_the_least"] if size in by_size else None
        if times is None:
            rows.append(Row(target))
        else:
            rows.append(Row(target, f"{times:.2f} ({by_size[size]['backend']})", times <= 2))
    speed, case = "60 frames a second, 8192x4096", by_size.get("8192x4096")
    if case is None:
        return [*rows, Row(speed)]
    rate = 1000 / case["ours_ms"]
    return [*rows, Row(speed, f"{rate:.1f} a second", rate >= 60)]


def _drift(figures: Mapping[str, Any] | None) -> list[Row]:
    target = "fp16 alpha within 1/255 of float32 on average after 3000 frames"
    still = f"no drift: less than {MAX_DRIFT}/255 more in 3000 frames"
    if figures is None:
        return [Row(target), Row(still)]
    mean, more = figures["fp16"]["mean"], figures["fp16"]["slope"] * 3
    return [
        Row(target, f"{mean:.4f}/255", mean <= 1),
        Row(still, f"{more:+.4f}/255", more < MAX_DRIFT),
    ]
