"""Whether results are encoded in software or by NVENC: what works is found out by trying it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import torch

from matting.delivery.finished_encoder import Settings, encoders_of_finished, with_encoder
from matting.errors import InputError, MachineError, MattingError, MissingError
from matting.media.colour_tags import USUAL_SITING
from matting.media.encoder_table import NVENC_PRESETS
from matting.media.encoders import encoder_input
from matting.media.hardware_probe import HardwareProbe
from matting.media.source import FrameSource
from matting.options import CodecBackend, EncodingOptions, OutputOptions
from matting.project.inputs import InputFolder
from matting.project.ledger import Ledger
from matting.system.subprocesses import run_isolated

PROBE_SECONDS = 120  # torch takes its time on a cold disk
FINISHED_BY_SOFTWARE = "the segments that are done were encoded so, too."
OTHER_ENCODER = (
    "Use --encoder auto or software. A graphics card with NVENC may need a newer driver."
)


class EncoderChoice(NamedTuple):
    """What was chosen.

    Attributes:
        output: with SOFTWARE or HARDWARE in place of AUTO, the same for all segments.
        reason: why it is SOFTWARE, where that needs a word.
    """

    output: OutputOptions
    reason: str = ""


def try_isolated(probe: HardwareProbe) -> str:
    """Run a probe in a process of its own, which takes its GPU memory and any crash with it.

    Returns:
        why it failed; "" where all is well.
    """
    try:
        return run_isolated(probe.run, PROBE_SECONDS)
    except MachineError as error:
        return error.what


def choose_encoder(
    output: OutputOptions,
    device: torch.device,
    inputs: InputFolder,
    ledger: Ledger,
    *,
    settings: Settings,
    run_probe: Callable[[HardwareProbe], str] = try_isolated,
) -> EncoderChoice:
    """Decide between SOFTWARE and HARDWARE where AUTO was asked for.

    Choose HARDWARE where the network is on a GPU and NVENC loses nothing of these videos; but where
    segments are finished, stay with their encoder as long as it works.

    Args:
        settings: returns the settings of an input with certain output options.
        run_probe: tries NVENC; returns why it failed, or "".
    Raises:
        MissingError: HARDWARE was asked for, and does not work.
        InputError: HARDWARE was asked for with a preset that it does not have.
    """
    requested = output.encoding.encoder
    software = with_encoder(output, CodecBackend.SOFTWARE)
    hardware = with_encoder(output, CodecBackend.HARDWARE)
    if requested is CodecBackend.SOFTWARE:
        return EncoderChoice(software)
    if requested is CodecBackend.AUTO:
        used = encoders_of_finished(output, inputs, ledger, settings)
        on_cpu = device.type == "cpu"
        if used == {CodecBackend.SOFTWARE}:
            return EncoderChoice(software, "" if on_cpu else FINISHED_BY_SOFTWARE)
        if on_cpu and CodecBackend.HARDWARE not in used:
            return EncoderChoice(software)
    reason = _wrong_preset(hardware.encoding)
    if reason and requested is CodecBackend.HARDWARE:
        raise InputError(f"NVENC cannot be used: {reason}", "Give one of its own.")
    probes: dict[HardwareProbe, None] = {}  # each once, in order
    for source in _video_sources(inputs, output.frame_rate):
        if requested is CodecBackend.AUTO:
            reason = reason or _loss(source, software.encoding, hardware.encoding)
        probes.setdefault(HardwareProbe.of(source, hardware.encoding, device))
    if not probes:
        return EncoderChoice(software)  # there is nothing to encode
    for probe in probes:
        reason = reason or run_probe(probe)
    if not reason:
        return EncoderChoice(hardware)
    if requested is CodecBackend.HARDWARE:
        raise MissingError(f"NVENC cannot be used: {reason}", OTHER_ENCODER, option="--encoder")
    return EncoderChoice(software, f"NVENC cannot be used: {reason}")


def _video_sources(inputs: InputFolder, frame_rate: Fraction | None) -> Iterator[FrameSource]:
    """Yield what becomes videos; only one of a plan's segments, which are all alike."""
    for item in inputs.inputs:
        if not item.gives_video(frame_rate):
            continue
        try:
            yield item.open(frame_rate)
        except MattingError:
            continue  # the error is raised when its own turn comes
        if inputs.plan is not None:
            return


def _loss(source: FrameSource, software: EncodingOptions, hardware: EncodingOptions) -> str:
    """Return what NVENC would lose of a video that software keeps; "" where it keeps all."""
    if source.hdr is not None:
        return "it would lose what the video says of its HDR picture."
    by_software, by_hardware = (
        encoder_input(
            encoding, source.sample_format, source.colour, source.size_px.height
        ).sample_format
        for encoding in (software, hardware)
    )
    if (by_software.bits, by_software.subsampling) != (by_hardware.bits, by_hardware.subsampling):
        return "it is used for 4:2:0 in 8 or 10 bits only (see --chroma)."
    if by_hardware.siting != USUAL_SITING:
        return "it does not write where colour samples lie, and players would shift them."
    return ""


def _wrong_preset(encoding: EncodingOptions) -> str:
    if encoding.preset is None or encoding.preset in NVENC_PRESETS:
        return ""
    return f"its presets are {NVENC_PRESETS[0]} to {NVENC_PRESETS[-1]}, not {encoding.preset}."
