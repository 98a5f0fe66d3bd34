"""Whole videos: matted into files as the command line does, resumable, and delivered."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matting.errors import InputError
from matting.job_option import CleanUp
from matting.options import CuttingOptions, FormatName, MattingOptions
from matting.progress import Progress
from rvm_segments.checked_options import checked_matting
from rvm_segments.job import AnyPath, absolute_path


def matte_video(
    video: AnyPath,
    output: AnyPath | None = None,
    *,
    matting: MattingOptions | None = None,
    cutting: CuttingOptions | None = None,
    progress: Progress | None = None,
    clean_up: CleanUp = CleanUp.NO,
) -> Path:
    """Matte a video, and return the file with the people over a background, and the audio.

    What is done of it is kept, also when this raises or the process is killed: called again, it
    goes on where it stopped. Where all is done, that takes a moment.

    One thread at a time may call this. The network runs in a process of its own, which can be
    watched and replaced; a file is looked at in another. So a script that calls this does so below
    `if __name__ == "__main__":`.

    Args:
        video: any video that FFmpeg reads.
        output: the folder for the file, and for the working files; None: the video's own.
        matting: how to matte; what other options have made before stays until it is made again.
            None: the defaults, or what the job remembers that was begun with others.
        cutting: how to cut into segments; None: the defaults, or as it is cut already.
        progress: is told what is done; its methods are called in this thread.
        clean_up: which working files are removed at the end. ASK asks `progress`.
    Raises:
        SegmentsFailedError: some segments failed; `failed` says why. All others are done.
        InputError: the video or an option cannot be used, or this is not called below that line;
            MediaError and DecodeError are such.
        MissingError: something has to be installed or downloaded.
        StorageError: the disk is full, or the place cannot be written.
        BusyError: another run works on this video.
        MachineError: the graphics card, or memory, failed.
    """
    _require_first_loading()
    from matting.media.foreign_files import guarded_reading
    from matting.run import run

    with guarded_reading():
        return run(
            absolute_path(video),
            cutting or CuttingOptions(),
            checked_matting(matting),
            None if output is None else absolute_path(output),
            progress or Progress(),
            cleaning=clean_up,
        )


def deliver(
    matted: AnyPath,
    formats: Iterable[FormatName | str] | FormatName | str,
    output: AnyPath | None = None,
    *,
    matting: MattingOptions | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make files in other formats of a job's stored mattes, without the network; return them.

    Args:
        matted: the video that was matted, or the folder whose name ends in _matted; that needs
            the video beside it.
        formats: FormatName's, or their values, such as "prores4444"; one may stand alone.
        output: the folder for the files, where the job may be, too; None: the video's own.
        matting: how they are made; None: as the job was.
        progress: as for `matte_video`, which also says what is called how.
    Raises:
        InputError: nothing is matted there, or there is no such format.
        Others as `matte_video`.
    """
    _require_first_loading()
    names = [formats] if isinstance(formats, str) else formats
    rows = [_format(name) for name in names]
    from matting.deliver import deliver as deliver_formats
    from matting.delivery.formats import FORMATS
    from matting.media.foreign_files import guarded_reading
    from matting.project.matted import find_matted
    from matting.system.invocation import Command

    given, place = absolute_path(matted), None if output is None else absolute_path(output)
    with guarded_reading():
        return deliver_formats(
            find_matted(given, place, Command.DELIVER).root,
            [FORMATS[name] for name in rows],
            checked_matting(matting),
            place,
            progress or Progress(),
            video=given,
        )


def _require_first_loading() -> None:
    """Refuse to work in a process that only loads the script which has started it.

    Raises:
        InputError: it is such a process.
    """
    from multiprocessing.process import current_process

    if getattr(current_process(), "_inheriting", False):  # as multiprocessing itself tells it
        from matting.system.subprocesses import BELOW_MAIN

        raise InputError("A process loads this script once more, to work for it.", BELOW_MAIN)


def _format(name: FormatName | str) -> FormatName:
    try:
        return FormatName(name)
    except ValueError:
        raise InputError(
            f"There is no format {name!r}.", f"There are: {', '.join(FormatName)}."
        ) from None
