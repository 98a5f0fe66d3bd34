"""A look before hours are spent: the moments of a video that matter, matted by several settings."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from matting.background import Background, BackgroundFile, hex_colour
from matting.errors import InputError
from matting.imaging.display_light import DisplayLight
from matting.inference.device_choice import settle_device
from matting.inference.weights import find_checkpoint
from matting.media.background import light_of, with_background_read
from matting.media.container import require_file
from matting.options import MattingOptions
from matting.progress import Progress
from matting.project.clip_settings import (
    ClipSettings,
    read_settings,
    settings_path,
    write_settings,
)
from matting.project.job_options import DEFAULTS, JobOptions
from matting.project.ledger import Ledger
from matting.project.paths import MattedFolder, segments_folder
from matting.project.resumed_options import take_up
from matting.report.comparison import PreviewedVideo
from matting.report.pictures import screen_colour
from matting.report.preview_folder import preview_folder
from matting.report.preview_maker import PreviewMaker
from matting.report.preview_networks import PreviewNetworks
from matting.report.preview_page import PreviewPage, SettingRow, page_path
from matting.system import atomic_files
from matting.system.device import choose_device, describe, share_cores
from matting.system.humanize import clock
from matting.system.invocation import Command, program_line
from matting.system.memory import keep_freed_memory


def choose(
    video: Path, number: int, options: MattingOptions, output: Path | None, progress: Progress
) -> Path:
    """Make a setting of a video's preview its own; return the file that says so.

    Args:
        number: of the setting on the page, from 1.
        options: those of the preview.
    Raises:
        InputError: the video cannot be used, or there is no such setting.
        StorageError: the file cannot be written.
    """
    options = take_up(options, _remembered(video, output), Progress())
    settings = PreviewedVideo.open(video, options).settings
    if not 1 <= number <= len(settings):
        raise InputError(
            f"There is no setting {number}: there are {len(settings)}.",
            "Choose one of those on the page.",
            option="--choose",
        )
    chosen = settings[number - 1]
    path = settings_path(video, output)
    atomic_files.make_folder(path.parent)
    write_settings(path, ClipSettings.of(chosen.matte))
    progress.say(f"{video.name} is matted by setting {number} from now on: {chosen.name}.")
    progress.say(f"{path.name} says so: infer, run and the batch files read it.")
    return path


def preview(
    video: Path,
    times: Sequence[Fraction],
    options: MattingOptions,
    output: Path | None,
    progress: Progress,
) -> PreviewPage:
    """Make the page of a video; it is there with the first moment, and grows.

    Args:
        times: of moments that are shown beside those that are found, in seconds.
        options: a job of this video goes before, but for what was typed.
    Raises:
        InputError, MediaError: the video or an option cannot be used.
        MissingError: the weights are not there.
        MachineError: the network does not work on this computer.
        StorageError: the page cannot be written.
    """
    require_file(video)
    remembered = _remembered(video, output)
    options = take_up(options, remembered, progress)
    with_background_read(options.output)
    shown = PreviewedVideo.open(video, options)
    page = _empty_page(shown, options, remembered or DEFAULTS, output)
    page.require_free()
    atomic_files.make_folder(page.path.parent)
    device = choose_device(options.compute.device)
    checkpoint = find_checkpoint(options.matte.checkpoint, progress, options.matte.model)
    device = settle_device(device, options.compute.device, checkpoint, progress)
    share_cores(device, options.compute.threads)
    keep_freed_memory()
    progress.say(describe(device))
    networks = PreviewNetworks(device, progress)
    with preview_folder(page.path) as folder:
        PreviewMaker(shown, options, networks, page, folder, progress).run(times, output)
    return page


def _remembered(video: Path, output: Path | None) -> JobOptions | None:
    """Return the options of the video's job; None: there is none yet."""
    return Ledger(MattedFolder.of(segments_folder(video, output))).remembered


def _empty_page(
    shown: PreviewedVideo, options: MattingOptions, job: JobOptions, output: Path | None
) -> PreviewPage:
    video, source = shown.item.path, shown.source
    chosen = read_settings(settings_path(video, output))
    usual = job if chosen is None else JobOptions.of(chosen.applied_to(job.applied_to(options)))
    choice = (
        f"{program_line(Command.PREVIEW, video)} {JobOptions.of(options).in_words(job)}".strip()
    )
    rows = [
        SettingRow(
            setting.name,
            setting.ratio,
            line=_line(video, JobOptions.of(setting.applied_to(options)).in_words(usual)),
            choice=f"{choice} --choose {number}",
            is_chosen=chosen == ClipSettings.of(setting.matte),
        )
        for number, setting in enumerate(shown.settings, start=1)
    ]
    width, height = source.size_px
    seconds = float((source.times[-1] - source.times[0]) * source.time_base + 1 / source.rate)
    background = options.output.background
    return PreviewPage(
        page_path(video, output),
        video.name,
        f"{width}x{height}, {float(source.rate):.6g} frames a second, {clock(seconds)} long, "
        f"{source.frames} frames.",
        _behind(background, light_of(source.colour, source.sample_format)),
        rows,
    )


def _behind(background: Background, light: DisplayLight) -> str:
    """Return the colour that a screen shows behind the people, as CSS has it.

    In HDR, its numbers are HDR's own code values.
    """
    if isinstance(background, BackgroundFile):
        return "#808080"
    return hex_colour(screen_colour(background, light))


def _line(video: Path, words: str) -> str:
    return f"{program_line(Command.RUN, video)} {words}".strip()
