"""Why torch cannot use an NVIDIA GPU that is there, what fixes that, and a loud warning."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from matting.options import AUTO_DEVICE
from matting.progress import Progress
from matting.system import fixes
from matting.system.device_kinds import DeviceKind
from matting.system.nvidia_smi import Driver, query_nvidia_smi
from matting.system.torch_build import TorchBuild, TorchState, installed_build, query_torch

VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
WIDTH = 78


class Component(Enum):
    """What has to be fixed."""

    TORCH = "torch"
    DRIVER = "driver"
    GPU = "gpu"


@dataclass(frozen=True)
class Reason:
    """Why torch cannot use the GPU.

    Attributes:
        text: a clause without a full stop.
        fix: a command, or what to do.
        is_command: whether the fix is a command, which has to stay in one line to be copied.
    """

    component: Component
    text: str
    fix: str
    is_command: bool = False


def why_unused(
    state: TorchState,
    driver: Driver,
    environment: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Reason:
    """Return why, as exactly as that can be told."""
    build = state.build
    if state.kind is not DeviceKind.NVIDIA and state.gpu is not None:
        text = f"torch cannot compute on it: {_first_sentence(state.message)}"
        return Reason(Component.GPU, text, fixes.other_gpu(state.kind, platform))
    if not build.for_gpus:
        text = f"the installed torch ({build.version}) is built without CUDA"
        return Reason(Component.TORCH, text, fixes.torch_for_gpus(platform), is_command=True)
    return _why_nvidia_unused(state, driver, environment, platform)


def _why_nvidia_unused(
    state: TorchState, driver: Driver, environment: Mapping[str, str], platform: str
) -> Reason:
    """Return why torch, which was built for NVIDIA's GPUs, does not use one."""
    build = state.build
    if driver.trouble:
        text = f"its driver does not work ({driver.trouble})"
        return Reason(Component.DRIVER, text, fixes.RESTART)
    if _is_older(driver.cuda, build.cuda) or "driver on your system is too old" in state.message:
        supports = f"it knows CUDA up to {driver.cuda}, and " if driver.cuda else ""
        needs = f"torch is built for CUDA {build.cuda}"
        text = f"its driver, {driver.version}, is too old: {supports}{needs}"
        return Reason(Component.DRIVER, text, fixes.NEW_DRIVER)
    if VISIBLE_DEVICES in environment and not state.available:
        value = environment[VISIBLE_DEVICES]
        text = f'the variable {VISIBLE_DEVICES}, which is "{value}", may hide it'
        fix = fixes.unset_variable(VISIBLE_DEVICES, platform)
        return Reason(Component.GPU, text, fix, is_command=True)
    if state.gpu_is_too_old and state.gpu and state.gpu.capability and state.oldest_capability:
        takes = "this torch takes {}.{} and newer".format(*state.oldest_capability)
        text = "it is too old: compute capability {}.{}; ".format(*state.gpu.capability) + takes
        return Reason(Component.GPU, text, fixes.torch_for_old_gpus(platform), is_command=True)
    sentence = _first_sentence(state.message)
    text = f"torch says: {sentence}" if sentence else "torch does not say why"
    return Reason(Component.GPU, text, fixes.RESTART)


def warn_of_unused_gpu(
    device: str,
    progress: Progress,
    *,
    find_build: Callable[[], TorchBuild | None] = installed_build,
    query_state: Callable[[], TorchState] = query_torch,
    query_driver: Callable[[], Driver] = query_nvidia_smi,
) -> None:
    """Warn loudly of a GPU that is there but that `auto` cannot use. The work goes on without it.

    nvidia-smi is asked only if torch has no GPU, and torch is not loaded if its build says enough.

    Args:
        device: as given on the command line; nothing is said unless it is `auto`.
        find_build, query_state, query_driver: where to ask.
    Raises:
        ImportError, OSError: torch does not load.
    """
    if device != AUTO_DEVICE:
        return
    build = find_build()
    if build is None:
        return  # whoever loads it reports what is wrong
    state = query_state() if build.for_gpus else TorchState(build)
    if state.usable:
        return
    driver = query_driver()
    if driver.seems_present:
        for line in warning(driver, why_unused(state, driver)).split("\n"):
            progress.say(line)


def warning(driver: Driver, reason: Reason) -> str:
    """Return some lines in a frame."""
    name = driver.gpus[0].name if driver.gpus else "a graphics card of NVIDIA's, it seems"
    inside = WIDTH - 6
    before = (
        "THE GRAPHICS CARD IS NOT USED.",
        f"This computer has {_with_article(name)}, but torch cannot use it: {reason.text}.",
        "The processor does the work instead, which is many times slower.",
        "To fix it, stop this with Ctrl-C. Then:",
    )
    after = (
        "To go on all the same: do nothing. It goes on by itself. "
        "(With --device cpu it does not ask for the card, and this is not said.)",
    )
    fix = [reason.fix] if reason.is_command else textwrap.wrap(reason.fix, inside)
    return _frame([*_wrap(before, inside), "", *fix, *_wrap(after, inside)], inside)


def _wrap(paragraphs: Sequence[str], width: int) -> list[str]:
    """Return the lines of paragraphs, each below an empty line."""
    return [line for text in paragraphs for line in ["", *textwrap.wrap(text, width)]]


def _frame(lines: Sequence[str], inside: int) -> str:
    edge = "*" * WIDTH
    return "\n".join([edge, *(f"*  {line:<{inside}}  *" for line in [*lines, ""]), edge])


def _with_article(name: str) -> str:
    return name if name.startswith("a ") else f"an {name}" if name[:1] in "AEINO" else f"a {name}"


def _is_older(supported: str, needed: str) -> bool:
    """Return whether a driver that supports the one CUDA is too old for the other.

    Within a major version, NVIDIA's drivers run what was built for a newer minor one.
    """
    one, other = (text.partition(".")[0] for text in (supported, needed))
    return one.isdecimal() and other.isdecimal() and int(one) < int(other)


def _first_sentence(message: str) -> str:
    text = message.removeprefix("CUDA initialization: ").partition(" (Triggered")[0]
    return text.partition("\n")[0].partition(". ")[0].rstrip(".")
