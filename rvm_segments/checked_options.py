"""Options as other people's code gives them, of which no parser has looked at anything."""

from __future__ import annotations

import os
from dataclasses import replace

from matting.errors import InputError
from matting.options import MatteOptions, MattingOptions
from rvm_segments.job import absolute_path


def checked_matte(options: MatteOptions | None) -> MatteOptions:
    """Return what shapes the matte; None: the defaults.

    Raises:
        InputError: there is no such downsample ratio, or the weights are named by no path.
    """
    options = options or MatteOptions()
    if options.ratio is not None and not 0 < options.ratio <= 1:
        raise InputError(
            f"A downsample ratio of {options.ratio} is not possible.",
            "It is above 0, and at most 1, which is the size of the frames.",
        )
    given: object = options.checkpoint
    if given is None:
        return options
    if not isinstance(given, str | os.PathLike):
        raise InputError(f"{given!r} is no path of a network's weights.")
    return replace(options, checkpoint=absolute_path(given))


def checked_matting(options: MattingOptions | None) -> MattingOptions:
    """Return how to matte; None: the defaults, or what the job remembers.

    Raises:
        InputError: as `checked_matte`.
    """
    if options is None:
        return MattingOptions(typed=frozenset())
    return replace(options, matte=checked_matte(options.matte))
