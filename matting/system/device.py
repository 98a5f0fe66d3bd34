"""What this machine can compute with."""

from __future__ import annotations

import os

import torch

from matting.errors import InputError, MissingError
from matting.options import CodecBackend
from matting.system import fixes
from matting.system.gpu_diagnosis import why_unused
from matting.system.nvidia_smi import query_nvidia_smi
from matting.system.torch_build import ask_torch


def choose_device(name: str) -> torch.device:
    """The device that `auto`, `cpu`, `cuda` or `cuda:N` stands for.

    `auto` is CUDA where torch can use a card.

    Raises:
        InputError: no such name or number.
        MissingError: CUDA was asked for by name, but torch cannot use it.
    """
    if name == "auto":
        name = "cuda" if ask_torch().usable else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    kind, _, number = name.partition(":")
    if kind != "cuda" or (number and not number.isdecimal()) or name.endswith(":"):
        raise InputError(
            f"--device {name} is unknown.",
            "Use --device auto, cpu, cuda, or cuda:N.",
            option="--device",
        )
    if not torch.cuda.is_available():
        raise _no_card()
    index = int(number or 0)
    if index >= torch.cuda.device_count():
        raise InputError(
            f"--device {name}: there are {torch.cuda.device_count()} graphics cards, "
            "counted from 0.",
            "Use a smaller number, or --device cuda.",
            option="--device",
        )
    return torch.device("cuda", index)


def require_decoder(decoder: str, device: torch.device) -> None:
    """Refuses a decoder that is not there.

    Raises:
        MissingError: a graphics card is to decode, but the network is not on one.
    """
    if decoder == CodecBackend.HARDWARE and device.type != "cuda":
        raise MissingError(
            "--decoder hardware needs an NVIDIA graphics card that the network works on.",
            "Use --decoder auto. If there is a card, this says why it is not used: "
            "python inference_custom.py doctor",
            option="--decoder",
        )


def _no_card() -> MissingError:
    """Why torch has no card, and what to do."""
    driver = query_nvidia_smi()
    if not driver.seems_there:
        return MissingError(
            "torch finds no NVIDIA graphics card, and nvidia-smi shows none.",
            f"Use --device cpu. If there is a card: {fixes.NEW_DRIVER}.",
            option="--device",
        )
    reason = why_unused(ask_torch(), driver)
    return MissingError(
        f"torch cannot use the graphics card: {reason.what}.",
        f"To mend it: {reason.remedy}. Or use --device cpu, which is slower.",
        option="--device",
    )


def use_device(device: torch.device) -> None:
    """Has what the calling thread does on a graphics card be done on that one."""
    if device.type == "cuda":
        torch.cuda.set_device(device)


def share_cores(device: torch.device, threads: int | None = None) -> None:
    """Has each step of the network compute on half of the CPU's cores, or on so many.

    Three threads take its steps at once, and the codecs have threads of their own: on two cores,
    one for each step leaves nobody waiting for others. Who sets OMP_NUM_THREADS decides for
    themselves. A number that stays the same also keeps results the same, bit for bit.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    elif device.type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))


def describe(device: torch.device) -> str:
    """A sentence on what does the work."""
    if device.type == "cuda":
        return f"Matting on the graphics card {torch.cuda.get_device_name(device)}."
    threads = torch.get_num_threads()
    sentence = f"Matting on the CPU, {threads} thread{'s' * (threads > 1)} for each of three steps"
    if torch.version.cuda is None:
        return f"{sentence}: the installed torch is built without CUDA."
    return f"{sentence}: slow for long videos; an NVIDIA graphics card makes it fast."
