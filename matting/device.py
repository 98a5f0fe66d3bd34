"""What this machine can compute with."""

from __future__ import annotations

import torch

from matting.errors import InputError, MissingError

GPU_HELP = "Use --device cpu, or install torch with CUDA: see 'The graphics card' in README.md."


def choose_device(name: str) -> torch.device:
    """The device that `auto`, `cpu`, `cuda` or `cuda:N` stands for.

    `auto` is CUDA where there is one.

    Raises:
        InputError: no such name or number.
        MissingError: CUDA was asked for by name, but torch cannot use it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdecimal()) or name.endswith(":"):
        raise InputError(f"--device {name} is unknown.", "Use auto, cpu, cuda, or cuda:N.")
    if not torch.cuda.is_available():
        raise MissingError("torch finds no NVIDIA graphics card that it can use.", GPU_HELP)
    index = int(number or 0)
    if index >= torch.cuda.device_count():
        raise InputError(
            f"--device {name}: there are {torch.cuda.device_count()} graphics cards, "
            "counted from 0.",
            "Use a smaller number, or --device cuda.",
        )
    return torch.device("cuda", index)


def describe(device: torch.device) -> str:
    """A sentence on what does the work."""
    if device.type == "cuda":
        return f"Matting on the graphics card {torch.cuda.get_device_name(device)}."
    sentence = f"Matting on the CPU with {torch.get_num_threads()} threads"
    if torch.version.cuda is None:
        return f"{sentence}: the installed torch is built without CUDA."
    return f"{sentence}: slow for long videos; an NVIDIA graphics card makes it fast."
