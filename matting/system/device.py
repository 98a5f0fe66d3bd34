"""Which device the network runs on, and how many cores each of its steps may use."""

from __future__ import annotations

import os
import socket

import torch

from matting.errors import InputError, MissingError
from matting.options import AUTO_DEVICE, CodecBackend
from matting.system import accelerators, fixes
from matting.system.accelerators import frames_device, kind_of
from matting.system.device_kinds import DEVICE_NAME, DEVICE_NAMES, UNTRIED, DeviceKind
from matting.system.gpu_diagnosis import why_unused
from matting.system.invocation import Command, program_line
from matting.system.nvidia_smi import query_nvidia_smi
from matting.system.processor import processor_name
from matting.system.torch_build import query_torch


def choose_device(name: str) -> torch.device:
    """Return the device that `auto` or one of the DEVICE_NAMES stands for.

    `auto` is the first of GPUS that torch can use, else the processor.

    Raises:
        InputError: there is no such name or number.
        MissingError: a GPU was asked for by name, but torch cannot use it.
    """
    if name == AUTO_DEVICE:
        state = query_torch()
        name = state.kind.type if state.usable else DeviceKind.CPU.type
    if DEVICE_NAME.fullmatch(name) is None:
        raise InputError(
            f"--device {name} is unknown.",
            f"Use --device auto, {DEVICE_NAMES}. (AMD's graphics cards are cuda, too.)",
            option="--device",
        )
    device_type, _, number = name.partition(":")
    if device_type == DeviceKind.CPU.type:
        return torch.device(device_type)
    kind = kind_of(torch.device(device_type))
    there = accelerators.count(kind)
    if not there:
        raise _no_gpu() if kind is DeviceKind.NVIDIA else _no_other_gpu(kind)
    index = int(number or 0)
    if index >= there:
        raise InputError(
            f"--device {name}: there are {there} graphics cards, counted from 0.",
            f"Use a smaller number, or --device {device_type}.",
            option="--device",
        )
    return (
        torch.device(device_type) if kind is DeviceKind.APPLE else torch.device(device_type, index)
    )


def require_decoder(decoder: CodecBackend, device: torch.device) -> None:
    """Refuse a decoder that is not there.

    Raises:
        MissingError: a GPU is to decode, but the network does not run on one.
    """
    if decoder is CodecBackend.HARDWARE and kind_of(device) is not DeviceKind.NVIDIA:
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


def _no_other_gpu(kind: DeviceKind) -> MissingError:
    """Return why torch has no GPU of a kind other than NVIDIA's, and what to do."""
    state = query_torch()
    said = f" Torch says: {state.message}" if state.message else ""
    return MissingError(
        f"torch {state.build.version} finds no {kind.words}.{said}",
        f"{fixes.other_gpu(kind)}. Or use --device cpu.",
        option="--device",
    )


def share_cores(device: torch.device, threads: int | None = None) -> None:
    """Let each step of the network use half of the CPU's cores, or `threads` of them.

    Three threads run its steps at once, and the codecs have threads of their own: on two cores,
    one for each step leaves none waiting for another. OMP_NUM_THREADS, where it is set, decides
    instead. A number that stays the same also keeps results the same, bit for bit.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    elif frames_device(device).type == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))


def computer_and_device(device: torch.device) -> str:
    """Return the name of this computer, and the one that the device is sold by."""
    if device.type == "cpu":
        return f"{socket.gethostname()}, {processor_name()}"
    kind, name = kind_of(device), accelerators.facts(device).name
    return f"{socket.gethostname()}, {name}" + ("" if kind.is_tried else f", {kind.words}")


def describe(device: torch.device) -> str:
    """Return a sentence on what does the work."""
    kind = kind_of(device)
    if kind is DeviceKind.NVIDIA:
        return f"Matting on the graphics card {accelerators.facts(device).name}."
    if kind is not DeviceKind.CPU:
        return (
            f"Matting on the {kind.words} {accelerators.facts(device).name}, {UNTRIED}; the "
            "processor makes the full-size pictures."
        )
    threads = torch.get_num_threads()
    sentence = f"Matting on the CPU, {threads} thread{'s' * (threads > 1)} for each of three steps"
    if torch.version.cuda is None:
        return f"{sentence}: the installed torch is built without CUDA."
    return f"{sentence}: slow for long videos; an NVIDIA graphics card makes it fast."
