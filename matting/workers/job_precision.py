"""The precision of a job on the CPU: what a trial has chosen for it once, it goes on with."""

from __future__ import annotations

from dataclasses import replace

from matting.inference.precision_record import PrecisionChoice
from matting.options import MattingOptions, Precision
from matting.progress import Progress
from matting.project.ledger import Ledger
from matting.system.processor import processor_kind

CPU = "cpu"


def with_precision_of_job(
    options: MattingOptions, device: str, ledger: Ledger, weights: str
) -> MattingOptions:
    """Return options with the precision that a job already has on this kind of computer.

    Another trial might choose another where both take about as long, and its results would then
    not be those of an undisturbed run, bit for bit. On another kind of computer they are not in
    any case, and there the choice is made anew.

    Args:
        device: by its name.
        weights: the SHA-256 of the network's.
    """
    known = ledger.precisions.get(_key(weights))
    if known is None or device != CPU or options.matte.precision is not Precision.AUTO:
        return options
    return replace(options, matte=replace(options.matte, precision=known))


def keep_precision(choice: PrecisionChoice | None, ledger: Ledger, progress: Progress) -> None:
    """Say what a trial has chosen, and remember it for the job; its next change is saved with it.

    Args:
        choice: None: nothing is computed.
    """
    if choice is None or not choice.reason:
        return
    progress.say(f"The network computes in {choice.reason}.")
    if not choice.on_cpu:
        return
    ledger.precisions[_key(choice.weights)] = choice.precision


def _key(weights: str) -> str:
    return f"{processor_kind()}, weights {weights[:12]}"
