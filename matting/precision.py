"""The numbers that the network computes with: which there are, and which suit a device."""

from __future__ import annotations

import re

import torch

from matting.choices import AUTO
from matting.errors import InputError
from matting.system.torch_build import cpu_has_matrix_units

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
MATRIX_UNITS = (7, 0)  # from this compute capability on, NVIDIA's cards have them for fp16,
# but for these of 7.5, on some of which convolutions in fp16 are known to give no numbers.
WITHOUT_MATRIX_UNITS = re.compile(r"\bGTX 16\d\d|\bMX[45]50\b|\bT(400|500|550|600|1000|1200)\b")


def require_precision(name: str, device: torch.device) -> None:
    """Refuses what does not work together.

    Raises:
        InputError: fp16 on the CPU.
    """
    if device.type == "cpu" and name == "fp16":
        raise InputError("--precision fp16 needs a graphics card.", "Use fp32 or bf16 on the CPU.")


def suitable_precision(name: str, device: torch.device) -> str:
    """The precision that `name` stands for on that device.

    `auto` is a half precision where the device has matrix units for one, else fp32. By
    `benchmarks/network.py --drift`, alpha was off by 0.02 to 0.04/255 on average in bf16 over 3,000
    frames, and by 0.005/255 in fp16, emulated, over 600.
    """
    if name != AUTO:
        return name
    if device.type == "cuda":
        return "fp16" if _card_has_matrix_units(device) else "fp32"
    return "bf16" if cpu_has_matrix_units() else "fp32"


def exact_float32() -> None:
    """Has cards compute float32 as float32; by default, convolutions take 10 of its 23 bits."""
    torch.backends.cudnn.allow_tf32 = False


def _card_has_matrix_units(device: torch.device) -> bool:
    if torch.cuda.get_device_capability(device) < MATRIX_UNITS:
        return False
    return WITHOUT_MATRIX_UNITS.search(torch.cuda.get_device_name(device)) is None
