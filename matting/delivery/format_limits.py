"""What formats cannot hold or be made of, said before the first hour."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from matting.background import BackgroundFile
from matting.delivery.format_writers import format_input
from matting.delivery.formats import DeliveryFormat
from matting.delivery.source_traits import Trait
from matting.delivery.vr_plan import vr_plan
from matting.errors import InputError, MattingError
from matting.imaging.sample_format import TransferFunction
from matting.media.hevc_alpha import require_alpha_layers
from matting.media.probe import read_contents
from matting.media.tracks import TrackKind
from matting.options import FormatName, MattingOptions
from matting.progress import Progress
from matting.project.inputs import Input, InputFolder
from matting.project.ledger import Ledger

MOST_LINES, MOST_COLUMNS = 4320, 8192  # that many players take


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


def require_available(rows: Sequence[DeliveryFormat], options: MattingOptions) -> None:
    """Refuse formats that lack something, or cannot be written on this computer.

    Raises:
        InputError: a picture or a video is to be behind the people, and none is given.
        MissingError: says what there is instead.
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


def announce_limits(
    rows: Sequence[DeliveryFormat],
    inputs: InputFolder,
    ledger: Ledger,
    options: MattingOptions,
    progress: Progress,
    *,
    video: Path | None,
) -> None:
    """Say what formats that are new to a job do not hold of its videos or pictures.

    Args:
        ledger: as it was before this run.
        video: what was cut; None: these are separate videos, or pictures.
    """
    new = [row for row in rows if row.limits and _is_new(row, ledger)]
    if not new:
        return
    traits = _traits(inputs, options.output.frame_rate, video)
    for row in new:
        sentences = [limit.sentence for limit in row.limits if limit.trait in traits]
        if sentences:
            progress.say(f"{row.name}: {' '.join(sentences)}")


def _is_new(row: DeliveryFormat, ledger: Ledger) -> bool:
    if ledger.options is not None and row.name in ledger.options.formats:
        return False
    return not any(row.kind in ledger.entry(name).delivered for name in ledger.names)


def _traits(inputs: InputFolder, rate: Fraction | None, video: Path | None) -> set[Trait]:
    """Return what the inputs have, any of them."""
    found: set[Trait] = set()
    for item in inputs.inputs:
        try:
            found |= _traits_of(item, rate)
            if not item.is_sequence and read_contents(video or item.path).of(TrackKind.AUDIO):
                found.add(Trait.AUDIO)
        except MattingError:
            continue  # its own turn comes, and shows why
        if inputs.plan is not None:  # the others are like it
            break
    return found


def _traits_of(item: Input, rate: Fraction | None) -> set[Trait]:
    source = item.open(rate)
    own, size_px = source.sample_format, source.size_px
    is_rgb = own.luma_coefficients is None
    milliseconds = (time * 1000 for time in item.frame_times(source, rate))
    has = {
        Trait.MORE_THAN_8_BITS: own.bits > 8 or own.subsampling != (2, 2),
        Trait.MORE_THAN_10_BITS: own.bits > 10 or (own.full_range and not is_rgb),
        Trait.RGB: is_rgb,
        Trait.HDR: own.transfer is not TransferFunction.SDR,
        Trait.MASTERING: source.hdr is not None,
        Trait.TIMES: not item.is_sequence,
        Trait.FINE_TIMES: any(time.denominator != 1 for time in milliseconds),
        Trait.TALL: 2 * size_px.height > MOST_LINES,
        Trait.WIDE: 2 * size_px.width > MOST_COLUMNS,
    }
    return {trait for trait, is_there in has.items() if is_there}


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
            named = Path(inputs.plan.source.name) if inputs.plan else item.path
            vr = vr_plan(row.name, item.view, options.output.vr, named)
            if vr is not None:
                vr.samples(source, options.output.encoding)
            else:
                format_input(row, source, options.output.encoding)
        if inputs.plan is not None:  # the others are like it
            return
