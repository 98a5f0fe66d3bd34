"""The numbers that the network computes with: which there are, and which suit a device."""

from __future__ import annotations

import re

import torch

from matting.errors import InputError
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.base import InferenceNetwork, RecurrentState
from matting.options import Precision
from matting.system.torch_build import cpu_has_matrix_units

DTYPES = {
    Precision.FP32: torch.float32,
    Precision.FP16: torch.float16,
    Precision.BF16: torch.bfloat16,
}
MATRIX_UNITS = (7, 0)  # from this compute capability on, NVIDIA's cards have them for fp16,
# but for these of 7.5, on some of which convolutions in fp16 are known to give no numbers.
WITHOUT_MATRIX_UNITS = re.compile(r"\bGTX 16\d\d|\bMX[45]50\b|\bT(400|500|550|600|1000|1200)\b")


def require_precision(name: Precision, device: torch.device) -> None:
    """Refuses what does not work together.

    Raises:
        InputError: fp16 on the CPU.
    """
    if device.type == "cpu" and name is Precision.FP16:
        raise InputError(
            "--precision fp16 needs a graphics card.",
            "On the CPU, use --precision fp32 or bf16.",
            option="--precision",
        )


def suitable_precision(name: Precision, device: torch.device) -> Precision:
    """The precision that `name` stands for on that device.

    `auto` is a half precision where the device has matrix units for one, else fp32. By
    `benchmarks/network.py --drift`, alpha was off by 0.02 to 0.04/255 on average in bf16 over 3,000
    frames, and by 0.005/255 in fp16, emulated, over 600.
    """
    if name != Precision.AUTO:
        return name
    if device.type == "cuda":
        return Precision.FP16 if _card_has_matrix_units(device) else Precision.FP32
    return Precision.BF16 if cpu_has_matrix_units() else Precision.FP32


def exact_float32() -> None:
    """Has cards compute float32 as float32; by default, convolutions take 10 of its 23 bits."""
    torch.backends.cudnn.allow_tf32 = False


def _card_has_matrix_units(device: torch.device) -> bool:
    if torch.cuda.get_device_capability(device) < MATRIX_UNITS:
        return False
    return WITHOUT_MATRIX_UNITS.search(torch.cuda.get_device_name(device)) is None


SIDE_PX = 256
FRAMES = 2  # the second of which goes on from the first one's state
# Of the maps that alpha is made of, on average, in alphas: no rounding to fewer bits comes near.
LARGEST_DISTANCE = 0.2


@torch.inference_mode()
def computes_alike(half: InferenceNetwork, exact: InferenceNetwork, device: torch.device) -> bool:
    """Whether two arrangements of one network find about the same in a made-up picture.

    Some cards give no numbers at all for convolutions in fp16, and say nothing.

    Args:
        half, exact: on `device`.
    """
    generator = torch.Generator().manual_seed(1)
    shape = (FRAMES, 3, SIDE_PX, SIDE_PX)
    samples = torch.randint(0, 256, shape, generator=generator).to(torch.uint8)
    frames = Planes(SampleFormat(), samples.to(device)).split(1)
    found, expected = (_maps(network, frames) for network in (half, exact))
    distance = (found - expected).abs().mean()
    return bool(torch.isfinite(found).all()) and float(distance) <= LARGEST_DISTANCE


def _maps(network: InferenceNetwork, frames: list[Planes]) -> torch.Tensor:
    """What the network finds in frames, one after the other."""
    state: RecurrentState | None = None
    maps = []
    for frame in frames:
        output, state = network.run_recurrent(network.extract_features(frame, 0.5), state)
        matte = network.fit_guided_filter(output)
        maps += [matte.offset] if matte.slope is None else [matte.slope, matte.offset]
    return torch.cat(maps)
