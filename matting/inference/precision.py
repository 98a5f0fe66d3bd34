"""The precisions that a network computes in, and which of them suits a device."""

from __future__ import annotations

import re

import torch

from matting.errors import InputError
from matting.imaging.planes import Planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.base import InferenceNetwork, RecurrentState
from matting.options import Precision

DTYPES = {
    Precision.FP32: torch.float32,
    Precision.FP16: torch.float16,
    Precision.BF16: torch.bfloat16,
}
# NVIDIA's GPUs have matrix units for fp16 from this compute capability on, except these of 7.5, on
# some of which convolutions in fp16 are known to return NaN.
MATRIX_UNITS = (7, 0)
WITHOUT_MATRIX_UNITS = re.compile(r"\bGTX 16\d\d|\bMX[45]50\b|\bT(400|500|550|600|1000|1200)\b")

NOISE_SIDE_PX = 256
FRAMES = 2  # the second continues from the first one's state
# The mean over the maps that alpha is made of, in alphas: no rounding to fewer bits comes near.
LARGEST_DISTANCE = 0.2


def require_precision(precision: Precision, device: torch.device) -> None:
    """Refuse a precision that does not work on a device.

    Raises:
        InputError: fp16 on the CPU.
    """
    if device.type == "cpu" and precision is Precision.FP16:
        raise InputError(
            "--precision fp16 needs a graphics card.",
            "On the CPU, use --precision fp32 or bf16.",
            option="--precision",
        )


def choose_gpu_precision(device: torch.device) -> Precision:
    """Return fp16 for a GPU that has matrix units for it, else fp32.

    By `benchmarks/network.py --drift`, alpha was off by 0.005/255 on average in fp16, emulated,
    over 600 frames.
    """
    return Precision.FP16 if _gpu_has_matrix_units(device) else Precision.FP32


def disable_tf32() -> None:
    """Make GPUs compute float32 as such; by default, convolutions use 10 of its 23 bits."""
    torch.backends.cudnn.allow_tf32 = False


def _gpu_has_matrix_units(device: torch.device) -> bool:
    if torch.cuda.get_device_capability(device) < MATRIX_UNITS:
        return False
    return WITHOUT_MATRIX_UNITS.search(torch.cuda.get_device_name(device)) is None


@torch.inference_mode()
def networks_agree(
    half: InferenceNetwork,
    exact: InferenceNetwork,
    device: torch.device,
    side_px: int = NOISE_SIDE_PX,
) -> bool:
    """Return whether a network gives about the same for noise in two precisions.

    Some GPUs return NaN for convolutions in fp16, and raise no error.

    Args:
        half, exact: on `device`.
        side_px: of the noise.
    """
    generator = torch.Generator().manual_seed(1)
    shape = (FRAMES, 3, side_px, side_px)
    samples = torch.randint(0, 256, shape, generator=generator).to(torch.uint8)
    frames = Planes(SampleFormat(), samples.to(device)).split(1)
    actual, expected = (_maps(network, frames) for network in (half, exact))
    distance = (actual - expected).abs().mean()
    return bool(torch.isfinite(actual).all()) and float(distance) <= LARGEST_DISTANCE


def _maps(network: InferenceNetwork, frames: list[Planes]) -> torch.Tensor:
    """Return the slopes and offsets of frames, run one after the other."""
    state: RecurrentState | None = None
    maps = []
    for frame in frames:
        output, state = network.run_recurrent(network.extract_features(frame, 0.5), state)
        matte = network.fit_guided_filter(output)
        maps += [matte.offset] if matte.slope is None else [matte.slope, matte.offset]
    return torch.cat(maps)
