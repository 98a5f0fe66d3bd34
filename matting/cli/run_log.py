"""The log of the run that a command line asks for: where it lies, and what stands at its head."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from matting.cli.job_log import JobLog
from matting.cli.log_names import NameRemover
from matting.cli.queue_options import QUEUE_OPTION
from matting.cluster_options import CERTIFICATES_OPTION, WORKERS_OPTION
from matting.errors import MattingError
from matting.job_option import JobOption
from matting.network_choice import Model
from matting.project.paths import (
    DEMO_FILM,
    MattedFolder,
    demo_folder,
    matted_folders_of,
    segments_folder,
)
from matting.system.invocation import Command

PACKAGES = ("torch", "av", "numpy", "imageio-ffmpeg")
# Options and variables that name what is not the job's, and what stands for it.
OTHER_NAMES = {
    JobOption.CHECKPOINT.value: "<weights>",
    JobOption.MODEL.value: "<weights>",
    WORKERS_OPTION: "<address>",
    CERTIFICATES_OPTION: "<certificates>",
    QUEUE_OPTION: "<queue>",
}
WEIGHTS_VARIABLE, FFMPEG_VARIABLE = "RVM_CHECKPOINT", "FFMPEG_PATH"


def log_of(options: argparse.Namespace, arguments: Sequence[str]) -> JobLog | None:
    """Return the log of a run; None if its command has no job.

    Args:
        arguments: what was typed, the command's name first.
    """
    folders = job_folders(options)
    if not folders:
        return None
    others = {
        Path(os.environ[name]): f"<{name}>"
        for name in (WEIGHTS_VARIABLE, FFMPEG_VARIABLE)
        if os.environ.get(name)
    }
    if getattr(options, "checkpoint", None):
        others[options.checkpoint] = "<weights>"
    if getattr(options, "certificates", None):
        others[options.certificates] = "<certificates>"
    return JobLog(
        folders, _without_other_names(arguments), NameRemover(others), lambda: _versions(options)
    )


def seems_done(options: argparse.Namespace) -> bool:
    """Return whether a command is to matte what seems to be matted: it needs no processes then."""
    if options.command not in {Command.INFER, Command.RUN}:
        return False
    from matting.project import matted

    return any(map(matted.seems_done, matted_folders_of(options.path, options.output)))


def job_folders(options: argparse.Namespace) -> list[Path]:
    """Return the folders that a command's job may be in, the best place for its log first."""
    command, path, output = options.command, options.path, options.output
    if command in {Command.DOCTOR, Command.PREVIEW} or command.serves:
        return []
    if command is Command.DEMO:
        path, output = (path or output or demo_folder()) / DEMO_FILM, None
    if command in {Command.DELIVER, Command.DELIVER_VR, Command.REPORT}:
        # What is given comes last: segments are a job's folder, too.
        return [*(folder.root for folder in matted_folders_of(path, output)), path]
    if command in {Command.INFER, Command.COMBINE, Command.REMATTE} or path.is_dir():
        return [_matted_by(command, path, output)]
    segments = segments_folder(path, output)
    matted = MattedFolder.of(segments).root
    if command is Command.SEGMENT:
        return [segments]
    if command is Command.ADD_AUDIO:  # of one video; of a folder of separate ones, or one of them
        return [matted, *(MattedFolder.of(folder, output).root for folder in (path, path.parent))]
    return [matted, segments]


def _matted_by(command: Command, path: Path, output: Path | None) -> Path:
    """Return the matted folder that a command of a folder works in."""
    if command is Command.REMATTE:
        return path
    if command is Command.COMBINE:
        return output / path.name if output else path
    return MattedFolder.of(path, output).root


def _without_other_names(arguments: Sequence[str]) -> list[str]:
    words = list(arguments)
    for index, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option not in OTHER_NAMES:
            continue
        following = "".join(words[index + 1 : index + 2])
        if (value if equals else following).lower() in list(Model):
            continue
        if equals:
            words[index] = f"{option}={OTHER_NAMES[option]}"
        else:
            words[index + 1 : index + 2] = [OTHER_NAMES[option]]
    return words


def _versions(options: argparse.Namespace) -> str:
    """Return the versions of all that takes part; of programs only where there is work for them."""
    parts = [f"Python {platform.python_version()}", _system()]
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            parts.append(f"{package} {importlib.metadata.version(package)}")
    with suppress(ImportError):
        if seems_done(options):
            return ", ".join(parts)
    try:
        from matting.media import ffmpeg

        parts.append(f"ffmpeg {ffmpeg.version()}")
    except (MattingError, ImportError, OSError) as error:  # which may be why the run fails
        parts.append(f"no ffmpeg ({str(error).splitlines()[0].rstrip('.')})")
    if options.command.runs_network:  # a GPU's driver matters
        from matting.system.nvidia_smi import query_nvidia_smi

        driver = query_nvidia_smi()
        parts.append(f"driver {driver.version or driver.trouble or 'none'}")
        parts += [gpu.name for gpu in driver.gpus]
    return ", ".join(parts)


def _system() -> str:
    """Return the operating system; on Linux without a program, which `platform` would run."""
    if sys.platform != "linux":
        return platform.platform()
    own, library = os.uname(), "".join(platform.libc_ver())
    return "-".join(filter(None, (own.sysname, own.release, own.machine, library)))
