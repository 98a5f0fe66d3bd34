"""The processor of this computer, by a name that those which compute alike have in common."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
WINDOWS_VARIABLE = "PROCESSOR_IDENTIFIER"  # such as "Intel64 Family 6 Model 143 Stepping 8, ..."
# In a virtual machine the name may say no more than "AMD EPYC".
GENERATION = ("cpu family", "model", "stepping")
HALF_PRECISION = "bf16"  # is in the names of the abilities that make it fast


def processor_name(cpu_info: Path = CPU_INFO) -> str:
    """Return the name that it is sold by, as far as the system knows it."""
    return _facts(cpu_info).get("model name") or _by_system()


def processor_kind(cpu_info: Path = CPU_INFO) -> str:
    """Return the same with its generation, its abilities and its cores, as one line."""
    facts = _facts(cpu_info)
    generation = [facts[name] for name in GENERATION if name in facts]
    abilities = [name for name in facts.get("flags", "").split() if HALF_PRECISION in name]
    parts = [processor_name(cpu_info), "/".join(generation), *sorted(abilities)]
    return ", ".join([*filter(None, parts), f"{os.cpu_count() or 1} cores"])


def system_version() -> str:
    """Return the operating system and its version, of which the drivers of some GPUs are part."""
    return f"{platform.system()} {platform.release()}"


def _by_system() -> str:
    return os.environ.get(WINDOWS_VARIABLE) or platform.processor() or platform.machine()


def _facts(cpu_info: Path) -> dict[str, str]:
    """Return what Linux says of the first core; nothing elsewhere."""
    try:
        first, _, _ = cpu_info.read_text(encoding="utf-8", errors="replace").partition("\n\n")
    except OSError:
        return {}
    return dict(re.findall(r"^([^\t:]+?)\s*:[ \t]*(.*)$", first, re.MULTILINE))
