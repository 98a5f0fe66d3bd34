"""Which encoder made what is finished: another run stays with it, and needs not try any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from matting.options import CodecBackend, OutputOptions
from matting.project.entry import RecordedSettings
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger
from matting.project.recorded_settings import changed_settings, encoder_of

# What shapes the results of inputs with certain output options.
Settings = Callable[[OutputOptions], Callable[[Input], RecordedSettings]]


def with_encoder(output: OutputOptions, encoder: CodecBackend) -> OutputOptions:
    """Return the same options with an encoder that is decided."""
    return replace(output, encoding=replace(output.encoding, encoder=encoder))


def encoders_of_finished(
    output: OutputOptions, inputs: InputFolder, ledger: Ledger, settings: Settings
) -> set[CodecBackend]:
    """Return the encoders of what is done and would not have to be done again."""
    encoders = (CodecBackend.SOFTWARE, CodecBackend.HARDWARE)
    settings_with = {encoder: settings(with_encoder(output, encoder)) for encoder in encoders}
    return {
        encoder
        for item in inputs.inputs
        for entry in (ledger.entry(item.name),)
        for encoder, settings_of in settings_with.items()
        if entry.outputs
        and encoder_of(entry.settings) is encoder
        and not changed_settings(entry.settings, settings_of(item))
    }


def with_finished_encoder(
    output: OutputOptions, inputs: InputFolder, ledger: Ledger, settings: Settings
) -> OutputOptions | None:
    """Return options with the encoder that was asked for, or else with that of what is finished.

    None where both may have to be tried. Where something is to be encoded, HARDWARE has to be
    tried in any case.
    """
    if output.encoding.encoder is not CodecBackend.AUTO:
        return output
    used = encoders_of_finished(output, inputs, ledger, settings)
    return with_encoder(output, used.pop()) if len(used) == 1 else None
