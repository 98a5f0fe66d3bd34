"""Which device the network runs on, and how many cores each of its steps may use."""

from __future__ import annotations

import os
import socket

import torch

from matting.errors import InputError, MissingError
from matting.options import AUTO_DEVICE, CodecBackend
from matting.system import fixes
from matting.system.gpu_diagnosis import why_unused
from matting.system.invocation import Command, program_line
from matting.system.nvidia_smi import query_nvidia_smi
from matting.system.processor import processor_name
from matting.system.torch_build import query_torch


def choose_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu`, `cuda` or `cuda:N` stands for.

    `auto` is CUDA if torch can use a GPU.

    Raises:
        InputError: there is no such name or number.
        MissingError: CUDA was asked for by name, but torch cannot use it.
    """
    if name == AUTO_DEVICE:
        name = "cuda" if query_torch().usable else "cpu"
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
        raise _no_gpu()
    index = int(number or 0)
    if index >= torch.cuda.device_count():
        raise InputError(
            f"--device {name}: there are {torch.cuda.device_count()} graphics cards, "
            "counted from 0.",
            "Use a smaller number, or --device cuda.",
            option="--device",
        )
    return torch.device("cuda", index)


def require_decoder(decoder: CodecBackend, device: torch.device) -> None:
    """Refuse a decoder that is not there.

    Raises:
        MissingError: a GPU is to decode, but the network does not run on one.
    """
    if decoder is CodecBackend.HARDWARE and device.type != "cuda":
        raise MissingError(
            "--decoder hardware needs an NVIDIA graphics card that the network runs on.",
            "Use --decoder auto. If there is one, this says why it is not used: "
            f"{program_line(Command.DOCTOR)}",
            option="--decoder",
        )


def _no_gpu() -> MissingError:
    """Return why torch has no GPU, and what to do."""
    driver = query_nvidia_smi()
    if not driver.seems_present:
        return MissingError(
            "torch finds no NVIDIA graphics card, and nvidia-smi shows none.",
            f"Use --device cpu. If there is a graphics card: {fixes.NEW_DRIVER}.",
            option="--device",
        )
    reason = why_unused(query_torch(), driver)
    return MissingError(
        f"torch cannot use the graphics card: {reason.text}.",
        f"To fix it: {reason.fix}. Or use --device cpu, which is slower.",
        option="--device",
    )


def use_device(device: torch.device) -> None:
    """Make a GPU the one that the calling thread uses."""
    if device.type == "cuda":
        torch.cuda.set_device(device)


def share_cores(device: torch.device, threads: int | None = None) -> None:
    """Let each step of the network use half of the CPU's cores, or `threads` of them.

    Three threads run its steps at once, and the codecs have threads of their own: on two cores,
    one for each step leaves none waiting for another. OMP_NUM_THREADS, where it is set, decides
    instead. A number that stays the same also keeps results the same, bit for bit.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    elif device.type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))


def computer_and_device(device: torch.device) -> str:
    """Return the name of this computer, and the one that the device is sold by."""
    on_gpu = device.type == "cuda"
    sold_as = torch.cuda.get_device_name(device) if on_gpu else processor_name()
    return f"{socket.gethostname()}, {sold_as}"


def describe(device: torch.device) -> str:
    """Return a sentence on what does the work."""
    if device.type == "cuda":
        return f"Matting on the graphics card {torch.cuda.get_device_name(device)}."
    threads = torch.get_num_threads()
    sentence = f"Matting on the CPU, {threads} thread{'s' * (threads > 1)} for each of three steps"
    if torch.version.cuda is None:
        return f"{sentence}: the installed torch is built without CUDA."
    return f"{sentence}: slow for long videos; an NVIDIA graphics card makes it fast."
