"""The networks that the program can run, and which of them a checkpoint is of."""

from __future__ import annotations

from collections.abc import Mapping

from matting.inference.base import TrainedNetwork, WrongWeightsError
from matting.inference.rvm import RvmNetwork
from model import variant_of


def network_of(weights: Mapping[str, object]) -> TrainedNetwork:
    """Return the network that these parameters belong to, by their names.

    Raises:
        WrongWeightsError: says as which network they were taken, and what is wrong with the first
            parameter that does not fit.
    """
    variant = variant_of(weights)
    try:
        return RvmNetwork.of(weights, variant)
    except WrongWeightsError as error:
        raise WrongWeightsError(f"in what should be RVM {variant.name}, {error}") from error
