"""What to think of the graphics cards, of what drives them, and of their video hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matting.cli.doctor_findings import Finding, State, group_by_clause
from matting.cli.doctor_probes import CodecTrials, TorchProbe
from matting.options import VideoCodec
from matting.system import fixes
from matting.system.device_kinds import REPORT, UNTRIED, DeviceKind
from matting.system.gpu_diagnosis import Component, Reason
from matting.system.nvidia_smi import Driver, Gpu
from matting.system.torch_build import TorchState

if TYPE_CHECKING:  # it needs a package, which may be missing
    from matting.inference.device_record import DeviceTrial

NAME, SELF_TEST = "Graphics card", "Self-test"
NO_NVIDIA_GPU = "needs an NVIDIA graphics card"
UNUSABLE_GPU = "needs a graphics card that torch can use"
# FFmpeg's words for a driver that is too old for NVENC.
OLD_DRIVER = ("minimum required Nvidia driver", "does not support the required nvenc API")


def gpus(driver: Driver, probe: TorchProbe, reason: Reason | None, others: str = "") -> Finding:
    """Judge the GPUs and their memory, as the driver lists them, or else as torch does.

    Args:
        others: what other GPUs are here, and what they would need, as sentences; "" for none.
    """
    state = probe.state
    if state is not None and state.gpu is not None and state.kind is not DeviceKind.NVIDIA:
        return _other_gpu(state, state.gpu, reason)
    known = driver.gpus or ((state.gpu,) if state and state.gpu else ())
    text = "; ".join(_name_and_memory(gpu) for gpu in known)
    if not text and not driver.trouble:
        text = "none by NVIDIA was found: the processor does the work, many times slower"
        return Finding(NAME, State.NOTE, f"{text}. {others}".rstrip(". "))
    if not text:
        return Finding(NAME, State.NOTE, "the driver does not say")
    if reason is not None and reason.component == Component.GPU:
        return Finding(NAME, State.PROBLEM, f"{text}. Not used: {reason.text}", reason.fix)
    if reason is not None or state is None:
        return Finding(NAME, State.NOTE, f"{text}. Not used until the rest is fixed")
    return Finding(NAME, State.OK, text)


def _other_gpu(state: TorchState, gpu: Gpu, reason: Reason | None) -> Finding:
    """Judge a GPU of another maker, which torch alone knows."""
    text = f"{_name_and_memory(gpu)}: {state.kind.words}, {UNTRIED}"
    if reason is None:
        return Finding(NAME, State.NOTE, text)
    return Finding(NAME, State.PROBLEM, f"{text}. Not used: {reason.text}", reason.fix)


def self_test(trial: DeviceTrial | str) -> Finding:
    """Judge a device of a kind that the program was not tried on, by what it computes.

    Args:
        trial: what came of it; or why nothing did, as a clause.
    """
    if isinstance(trial, str):
        return Finding(SELF_TEST, State.NOTE, trial)
    words = "; ".join(trial.in_words(precision) for precision in trial.outcomes)
    if not trial.is_usable:
        return Finding(SELF_TEST, State.NOTE, f"failed, so it is not used: {words}. {REPORT}")
    text = f"passed, the network computes in {trial.precision}: {words}"
    operations = trial.operations_in_words()
    return Finding(SELF_TEST, State.OK, f"{text}. {operations}".rstrip(". "))


def gpu_driver(driver: Driver, probe: TorchProbe, reason: Reason | None) -> Finding:
    """Judge NVIDIA's driver, or that of the GPU of another maker that torch uses."""
    state = probe.state
    if state is not None and state.usable and not state.has_nvidia:
        return Finding("Driver", State.OK, state.driver or "part of the system")
    text = f"{driver.version}, for CUDA up to {driver.cuda}" if driver.cuda else driver.version
    if reason is not None and reason.component == Component.DRIVER:
        return Finding("Driver", State.PROBLEM, reason.text, reason.fix)
    if text:
        return Finding("Driver", State.OK, text)
    if driver.trouble:
        return Finding("Driver", State.NOTE, f"nvidia-smi says: {driver.trouble}")
    if probe.state is not None and probe.state.usable:
        return Finding("Driver", State.NOTE, "it works, but nvidia-smi is not there to name it")
    return Finding("Driver", State.NOTE, NO_NVIDIA_GPU)


def video_hardware(name: str, trials: CodecTrials | None, driver: Driver, work: str) -> Finding:
    """Judge NVDEC or NVENC.

    Args:
        trials: what came of opening it; None if torch can use no GPU.
        work: what it does, such as "decoding".
    """
    if trials is None:
        return Finding(name, State.NOTE, UNUSABLE_GPU if driver.seems_present else NO_NVIDIA_GPU)
    reasons = [trials] if isinstance(trials, str) else list(trials.values())
    text = trials.rstrip(".") if isinstance(trials, str) else _codecs(trials)
    if any(sign in reason for reason in reasons for sign in OLD_DRIVER):
        return Finding(name, State.PROBLEM, text, fixes.NEW_DRIVER)
    if all(reasons):
        return Finding(name, State.NOTE, f"{text}. Software does the {work}")
    return Finding(name, State.OK, text)


def _name_and_memory(gpu: Gpu) -> str:
    """Return a GPU's name and memory, in the GB of 1024 MB by which graphics cards are sold."""
    memory = "" if gpu.memory_bytes is None else f", {gpu.memory_bytes / 2**30:.0f} GB"
    return gpu.name + memory


def _codecs(trials: dict[VideoCodec, str]) -> str:
    """Return the codecs that work, and the others grouped by the reason."""
    working = [codec for codec, reason in trials.items() if not reason]
    failing = {f"not {codec}": reason.rstrip(".") for codec, reason in trials.items() if reason}
    return "; ".join([", ".join(working)] * bool(working) + group_by_clause(failing))
