"""The device that a run's network is on, and the encoder that suits it: all that asks torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matting.delivery.encoder_choice import choose_encoder, try_isolated
from matting.delivery.finished_encoder import Settings
from matting.inference.device_choice import settle_device
from matting.inference.device_choice import try_isolated as try_device_isolated
from matting.inference.device_trial import trial_of_checkpoint
from matting.inference.precision import require_precision
from matting.media.hardware_probe import HardwareProbe
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.inputs import InputFolder
from matting.project.ledger import Ledger
from matting.system.accelerators import frames_device
from matting.system.device import choose_device, describe, require_decoder, share_cores


class RunDevice:
    """The device of one run.

    Raises:
        InputError: there is none of that name, or the precision does not work there.
        MissingError: a GPU was asked for by name, and cannot be used.
    """

    def __init__(self, options: MattingOptions, *, network: bool) -> None:
        """
        Args:
            network: whether the network runs there.
        """
        self._device = choose_device(options.compute.device)
        require_decoder(options.compute.decoder, self._device)
        if network:
            require_precision(options.matte.precision, self._device)
        self._network = network

    @property
    def name(self) -> str:
        """Its name, as `choose_device` takes it."""
        return str(self._device)

    def settle(self, checkpoint: Path | None, options: MattingOptions, progress: Progress) -> None:
        """Go over to the processor where nobody asked for the device and it does not compute right.

        Args:
            checkpoint: the network's weights; None: it is not needed.
        Raises:
            InputError: the precision that was asked for does not work on the processor.
        """
        compute = options.compute
        if checkpoint is not None:
            try_it = try_device_isolated if compute.isolated else trial_of_checkpoint
            self._device = settle_device(
                self._device, compute.device, checkpoint, progress, try_it=try_it
            )
            require_precision(options.matte.precision, self._device)

    def with_encoder(
        self,
        options: MattingOptions,
        inputs: InputFolder,
        ledger: Ledger,
        settings: Settings,
        progress: Progress,
    ) -> MattingOptions:
        """Say which device it is, and return options with the encoder decided.

        Raises:
            InputError, MissingError: as `choose_encoder`.
        """
        compute = options.compute
        share_cores(self._device, compute.threads)
        if self._network and not compute.cluster.is_asked_for:
            progress.say(describe(self._device))
        chosen, why = choose_encoder(
            options.output,
            frames_device(self._device),
            inputs,
            ledger,
            settings=settings,
            run_probe=try_isolated if compute.isolated else HardwareProbe.run,
        )
        if why:
            progress.say(f"The processor encodes, which takes longer: {why}")
        return replace(options, output=chosen)
