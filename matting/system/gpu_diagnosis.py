"""A graphics card of NVIDIA's that torch cannot use: why, what mends it, and a loud warning."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matting.options import AUTO_DEVICE
from matting.progress import Progress
from matting.system import fixes
from matting.system.nvidia_smi import Driver, query_nvidia_smi
from matting.system.torch_build import TorchBuild, TorchState, ask_torch, installed_build

TORCH, DRIVER, CARD = "torch", "driver", "card"
HIDING = "CUDA_VISIBLE_DEVICES"
WIDTH = 78


@dataclass(frozen=True)
class Reason:
    """Why torch cannot use the card.

    Attributes:
        about: what has to be mended: TORCH, DRIVER or CARD.
        what: a clause without a full stop.
        remedy: a command, or what to do.
    """

    about: str
    what: str
    remedy: str


def why_unused(
    state: TorchState,
    driver: Driver,
    environment: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Reason:
    """Why, as exactly as can be told."""
    build = state.build
    if not build.for_gpus:
        what = f"the installed torch ({build.version}) is built without CUDA"
        return Reason(TORCH, what, fixes.setup(platform))
    if driver.trouble:
        what = f"its driver does not work ({driver.trouble})"
        return Reason(DRIVER, what, fixes.RESTART)
    if _is_older(driver.cuda, build.cuda) or "driver on your system is too old" in state.words:
        knows = f"it knows CUDA up to {driver.cuda}, and " if driver.cuda else ""
        what = (
            f"its driver, {driver.version}, is too old: {knows}torch is built for CUDA {build.cuda}"
        )
        return Reason(DRIVER, what, fixes.NEW_DRIVER)
    if HIDING in environment and not state.available:
        what = f'the variable {HIDING}, which is "{environment[HIDING]}", may hide it'
        return Reason(CARD, what, fixes.without_variable(HIDING, platform))
    if state.gpu_is_too_old and state.card and state.card.capability and state.oldest:
        takes = "this torch takes {}.{} and newer".format(*state.oldest)
        what = "it is too old: compute capability {}.{}; ".format(*state.card.capability) + takes
        return Reason(CARD, what, fixes.for_old_cards(platform))
    said = _first_sentence(state.words)
    what = f"torch says: {said}" if said else "torch does not say why"
    return Reason(CARD, what, fixes.RESTART)


def warn_of_unused_gpu(
    device: str,
    progress: Progress,
    *,
    build: Callable[[], TorchBuild | None] = installed_build,
    state: Callable[[], TorchState] = ask_torch,
    driver: Callable[[], Driver] = query_nvidia_smi,
) -> None:
    """Says loudly that a card is there which `auto` cannot use. The work goes on without it.

    nvidia-smi is asked only where torch has no card, and torch is not loaded where its build tells
    all.

    Args:
        device: as given on the command line; nothing is said unless it is `auto`.
        build, state, driver: who is asked.
    Raises:
        ImportError, OSError: torch does not load.
    """
    if device != AUTO_DEVICE:
        return
    installed = build()
    if installed is None:
        return  # whoever loads it tells what is wrong
    found = state() if installed.for_gpus else TorchState(installed)
    if found.usable:
        return
    told = driver()
    if told.seems_there:
        progress.say(warning(told, why_unused(found, told)))


def warning(driver: Driver, reason: Reason) -> str:
    """Some lines in a frame."""
    name = driver.cards[0].name if driver.cards else "a graphics card of NVIDIA's, it seems"
    return _framed(
        "THE GRAPHICS CARD IS NOT USED.",
        f"This computer has {_with_article(name)}, but torch cannot use it: {reason.what}.",
        "The processor does the work instead, which is many times slower.",
        "To mend it, stop this with Ctrl-C. Then:",
        reason.remedy,
        "To go on all the same: do nothing. It goes on by itself. "
        "(With --device cpu it does not ask for the card, and this is not said.)",
    )


def _framed(*paragraphs: str) -> str:
    inside = WIDTH - 6
    lines: list[str] = []
    for paragraph in paragraphs:
        # A command stays in one line, which can be copied.
        wraps = paragraph.endswith((".", ":", ")")) or fixes.NEW_DRIVER in paragraph
        lines += ["", *(textwrap.wrap(paragraph, inside) if wraps else [paragraph])]
    edge = "*" * WIDTH
    return "\n".join([edge, *(f"*  {line:<{inside}}  *" for line in [*lines, ""]), edge])


def _with_article(name: str) -> str:
    return name if name.startswith("a ") else f"an {name}" if name[:1] in "AEINO" else f"a {name}"


def _is_older(known: str, wanted: str) -> bool:
    """Whether a driver that knows the one CUDA is too old for the other.

    Within a major version, NVIDIA's drivers run what was built for a newer minor one.
    """
    one, other = (text.partition(".")[0] for text in (known, wanted))
    return one.isdecimal() and other.isdecimal() and int(one) < int(other)


def _first_sentence(words: str) -> str:
    text = words.removeprefix("CUDA initialization: ").partition(" (Triggered")[0]
    return text.partition("\n")[0].partition(". ")[0].rstrip(".")
