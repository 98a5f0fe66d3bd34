"""Limits of control groups, of both versions, and those of the groups around."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from matting.system.ram import available_bytes, killed_for_memory, let_give_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux' control groups")
MIB = 1 << 20


def write(files: dict[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


def test_this_computer_has_some() -> None:
    available = available_bytes()
    assert available is not None and available > 0
    assert killed_for_memory() >= 0


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("inner", "outer"), [(900, 5000), (5000, 900), (None, 900)])
def test_the_tightest_limit_counts(
    version: int, inner: int | None, outer: int, tmp_path: Path
) -> None:
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    root = cgroups / "memory" if version == 1 else cgroups
    no_limit = "9223372036854771712" if version == 1 else "max"
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control", "total_")
    limit, usage, events, stat = (
        names if version == 1 else ("memory.max", "memory.current", "memory.events", "")
    )
    write({proc / "meminfo": f"MemTotal: 1 kB\nMemAvailable: {8000 * 1024} kB\n"})
    write({proc / "self" / "cgroup": "7:cpu:/x\n4:memory:/a/b\n" if version == 1 else "0::/a/b\n"})
    for group, mib in ((root / "a", outer), (root / "a" / "b", inner)):
        write(
            {
                group / limit: f"{no_limit if mib is None else mib * MIB}\n",
                group / usage: f"{300 * MIB}\n",
                group / "memory.stat": f"cache 5\n{stat}inactive_file {100 * MIB}\n",
                group / events: f"oom 4\noom_kill {3 if mib == 900 else 0}\n",
            }
        )
    assert available_bytes(proc, cgroups) == 700 * MIB
    assert killed_for_memory(proc, cgroups) == 3


@pytest.mark.parametrize("text", ["", "0::\n", "nothing", "0::/../../x\n", "4:memory:/gone\n"])
def test_without_a_limit_the_computers_memory_counts(text: str, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    write({proc / "self" / "cgroup": text, proc / "meminfo": "MemAvailable: 12 kB\n"})
    assert available_bytes(proc, tmp_path / "cgroup") == 12 * 1024
    (proc / "meminfo").unlink()
    assert available_bytes(proc, tmp_path / "cgroup") is None
    assert killed_for_memory(proc, tmp_path / "cgroup") == 0


def test_a_process_that_can_be_replaced_gives_way() -> None:
    other = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    with other:
        let_give_way(other.pid)
        score = Path(f"/proc/{other.pid}/oom_score_adj").read_text(encoding="ascii")
    assert int(score) == 1000
    let_give_way(other.pid)  # it is gone
