"""Graphics cards of other makers than NVIDIA that torch, as it is installed, does not use.

Linux alone says without any program who made what is plugged in. Setup has code of its own for that
(`installation/other_gpus.py`), which must not need the program.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from matting.system import fixes
from matting.system.device_kinds import UNTRIED, DeviceKind

# Where Linux lists what shows pictures, with the maker's number on the PCI bus.
ADAPTERS = Path("/sys/class/drm")
MAKERS = {"0x1002": ("AMD", DeviceKind.AMD), "0x8086": ("Intel", DeviceKind.INTEL)}


def unused_adapters(adapters: Path = ADAPTERS) -> str:
    """Return in sentences what is here, and what gives torch the use of it; "" for nothing."""
    found = set()
    for file in adapters.glob("card*/device/vendor"):
        with suppress(OSError, UnicodeDecodeError):
            found.add(file.read_text(encoding="ascii").strip().lower())
    return " ".join(
        f"One of {maker}'s is here, which torch may be able to use, {UNTRIED}. "
        f"{fixes.other_gpu(kind)}."
        for vendor, (maker, kind) in MAKERS.items()
        if vendor in found
    )
