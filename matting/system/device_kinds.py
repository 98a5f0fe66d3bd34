"""The kinds of devices that the network can run on, and what is known of each. Needs no torch."""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping
from enum import Enum

REPORT = "docs/devices.md says how to report it."
UNTRIED = "untried on hardware (see docs/devices.md)"
# What --device takes beside `auto`; torch calls AMD's cuda, too.
DEVICE_NAMES = "cpu, cuda, cuda:N, mps, xpu or xpu:N"
DEVICE_PATTERN = r"cpu|mps|(?:cuda|xpu)(?::\d{1,4})?"
DEVICE_NAME = re.compile(DEVICE_PATTERN, re.ASCII)
# Where torch has no operation for a device, the processor computes it, instead of an error. Torch
# reads these once, as it is loaded.
FALLBACKS = {"PYTORCH_ENABLE_MPS_FALLBACK": "1", "PYTORCH_ENABLE_XPU_FALLBACK": "1"}


def let_processor_step_in(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have the processor compute what torch lacks on a device, here and in processes started here.

    It has to be said before torch is loaded. What a user has set stays.
    """
    for name, value in FALLBACKS.items():
        environment.setdefault(name, value)


class DeviceKind(Enum):
    """Who made a device, which torch's own name for it does not say: an AMD GPU is a `cuda`, too.

    Attributes:
        type: the name by which torch knows it.
        words: what people call it.
    """

    CPU = "cpu", "processor"
    NVIDIA = "cuda", "NVIDIA graphics card"
    AMD = "cuda", "AMD graphics card (ROCm)"
    INTEL = "xpu", "Intel graphics card (xpu)"
    APPLE = "mps", "Apple GPU (mps)"

    def __init__(self, device_type: str, words: str) -> None:
        self.type = device_type
        self.words = words

    @property
    def is_tried(self) -> bool:
        """Whether the program has run on such hardware before it was published."""
        return self in {DeviceKind.CPU, DeviceKind.NVIDIA}
