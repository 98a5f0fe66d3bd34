"""Who encodes, software or the graphics card's NVENC: what works is found out by doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import torch

from matting.errors import InputError, MachineError, MattingError, MissingError
from matting.media.colour_tags import LEFT, LOCATIONS
from matting.media.encoders import NVENC_PRESETS, encoder_input
from matting.media.hardware_probe import HardwareProbe
from matting.media.source import FrameSource
from matting.options import CodecBackend, EncodingOptions, OutputOptions
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.recorded_settings import changed_settings, encoder_of
from matting.system.subprocesses import run_isolated

TRIAL_SECONDS = 120  # torch takes its time on a cold disk

Settings = Callable[[Input, OutputOptions], Mapping[str, Any]]


def choose_encoder(
    output: OutputOptions,
    device: torch.device,
    inputs: InputFolder,
    ledger: Ledger,
    *,
    settings: Settings,
    isolated: bool,
) -> tuple[OutputOptions, str]:
    """`output` with SOFTWARE or HARDWARE in place of AUTO, the same for all pieces.

    AUTO is HARDWARE where the network is on a card and NVENC makes the same of these videos; but
    what the pieces have that are done, as long as that works.

    Args:
        settings: of an input that is to look like that.
        isolated: whether NVENC is tried in a process of its own.
    Returns:
        it, and why it is SOFTWARE where that needs a word.
    Raises:
        MissingError: HARDWARE was asked for, and does not work.
        InputError: HARDWARE was asked for with a preset that it does not have.
    """
    wanted = output.encoding.encoder
    software, hardware = (
        replace(output, encoding=replace(output.encoding, encoder=which))
        for which in (CodecBackend.SOFTWARE, CodecBackend.HARDWARE)
    )
    if wanted == CodecBackend.SOFTWARE:
        return software, ""
    if wanted == CodecBackend.AUTO:
        kept = _kept(inputs, ledger, settings, (software, hardware))
        if kept == {CodecBackend.SOFTWARE}:
            return (
                software,
                "" if device.type == "cpu" else "so were the pieces made that are done.",
            )
        if device.type == "cpu" and CodecBackend.HARDWARE not in kept:
            return software, ""
    reason = _wrong_preset(hardware.encoding)
    if reason and wanted == CodecBackend.HARDWARE:
        raise InputError(f"NVENC cannot be used: {reason}", "Give one of its own.")
    trials: dict[HardwareProbe, None] = {}
    for source in _videos(inputs, output.frame_rate):
        if wanted == CodecBackend.AUTO:
            reason = reason or _loss(source, software.encoding, hardware.encoding)
        trials.setdefault(HardwareProbe.of(source, hardware.encoding, device))
    if not trials:
        return software, ""  # there is nothing to encode
    for trial in trials:
        reason = reason or (try_isolated(trial) if isolated else trial.run())
    if not reason:
        return hardware, ""
    if wanted == CodecBackend.HARDWARE:
        raise MissingError(
            f"NVENC cannot be used: {reason}",
            "Use --encoder auto or software. A graphics card with NVENC may need a newer driver.",
            option="--encoder",
        )
    return software, f"NVENC cannot be used: {reason}"


def try_isolated(trial: HardwareProbe) -> str:
    """`Trial.run` in a process of its own: with it end its memory on the card, and any crash."""
    try:
        return run_isolated(trial.run, TRIAL_SECONDS)
    except MachineError as error:
        return error.what


def _kept(
    inputs: InputFolder, ledger: Ledger, settings: Settings, outputs: tuple[OutputOptions, ...]
) -> set[CodecBackend]:
    """The encoders of what is done and would not have to be done again."""
    return {
        output.encoding.encoder
        for item in inputs.inputs
        for entry in (ledger.entry(item.name),)
        for output in outputs
        if entry.outputs
        and encoder_of(entry.settings) == output.encoding.encoder
        and not changed_settings(entry.settings, settings(item, output))
    }


def _videos(inputs: InputFolder, frame_rate: Fraction | None) -> Iterator[FrameSource]:
    """What results will be videos of; one of a plan's pieces, which are all alike."""
    for item in inputs.inputs:
        if not item.gives_video(frame_rate):
            continue
        try:
            yield item.open(frame_rate)
        except MattingError:
            continue  # its own turn comes, and tells why
        if inputs.plan is not None:
            return


def _loss(source: FrameSource, software: EncodingOptions, hardware: EncodingOptions) -> str:
    """What NVENC would not keep of a video, as software does; "" where it keeps all."""
    if source.hdr is not None:
        return "it would lose what the video says of its HDR picture."
    ours, theirs = (
        encoder_input(choice, source.sample_format, source.colour, source.height_px).sample_format
        for choice in (software, hardware)
    )
    if (ours.bits, ours.subsampling) != (theirs.bits, theirs.subsampling):
        return "it is used for 4:2:0 in 8 or 10 bits only (see --chroma)."
    if theirs.siting != LOCATIONS[LEFT]:
        return "it does not write where colour samples lie, and players would shift them."
    return ""


def _wrong_preset(encoding: EncodingOptions) -> str:
    if encoding.preset is None or encoding.preset in NVENC_PRESETS:
        return ""
    return f"its presets are {NVENC_PRESETS[0]} to {NVENC_PRESETS[-1]}, not {encoding.preset}."
