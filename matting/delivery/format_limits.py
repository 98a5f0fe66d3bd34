"""What formats cannot hold or be made of, said before the first hour."""

from __future__ import annotations

from collections.abc import Sequence

from matting.background import BackgroundFile
from matting.delivery.format_writers import format_input
from matting.delivery.formats import DeliveryFormat
from matting.errors import InputError, MattingError
from matting.media.hevc_alpha import require_alpha_layers
from matting.options import FormatName, MattingOptions
from matting.progress import Progress
from matting.project.inputs import InputFolder


def require_kept_mattes(rows: Sequence[DeliveryFormat], options: MattingOptions) -> None:
    """Refuse formats where no mattes are to be stored, of which they are made.

    Raises:
        InputError: says how they are.
    """
    if rows and not options.output.keep_matte:
        raise InputError(
            "--as makes its files of stored mattes, and none are stored.",
            "Use --keep-matte yes.",
            option="--keep-matte",
        )


def announce_limits(
    rows: Sequence[DeliveryFormat], options: MattingOptions, progress: Progress
) -> None:
    """Say what formats do not hold.

    Raises:
        InputError: a picture or a video is to be behind the people, and none is given.
        MissingError: a format cannot be written on this computer; says what there is instead.
    """
    for row in rows:
        has_file = isinstance(options.output.background, BackgroundFile)
        if row.name is FormatName.BACKGROUND and not has_file:
            raise InputError(
                f"{row.name} needs a picture or a video that is behind the people.",
                "Give it with --background; over a colour it is called green.",
                option="--background",
            )
        if row.name is FormatName.HEVC:
            require_alpha_layers()
        if row.limits:
            progress.say(f"{row.name}: {row.limits}")


def require_possible(
    inputs: InputFolder, rows: Sequence[DeliveryFormat], options: MattingOptions
) -> None:
    """Refuse formats that cannot be made of these videos or pictures, or on this computer.

    Args:
        rows: those that are not the job's composite.
    Raises:
        InputError, MissingError: says why, and what there is instead.
    """
    rate = options.output.frame_rate
    videos = [row for row in rows if not row.pictures]
    for item in inputs.inputs:
        if videos and not item.gives_video(rate):
            raise InputError(
                f"{item.path} holds pictures without a frame rate, and {videos[0].name} is a "
                "video.",
                "Give one with --frame-rate, or choose png or exr.",
                option="--frame-rate",
            )
    for item in inputs.inputs:
        try:
            source = item.open(rate)
        except MattingError:
            continue  # its own turn comes, and shows why
        for row in rows:
            format_input(row, source, options.output.encoding)
        if inputs.plan is not None:  # the others are like it
            return
