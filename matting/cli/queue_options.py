"""Several videos in one command: the options, and which videos and folders were given."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from matting.cli.option_group import Group
from matting.errors import InputError
from matting.project.paths import QUEUE_NAME
from matting.system.invocation import Command

QUEUE_OPTION, WATCH_OPTION, RECURSIVE_OPTION = "--queue", "--watch", "--recursive"
# In it a batch file passes all that was dropped, for which a line has no room: paths that are bare,
# or between bars, which no name has on Windows.
PATHS_VARIABLE = "RVM_PATHS"
DROPPED = re.compile(r"\|([^|]*)\||([^ |]+)")


def add_queue_options(group: Group, command: Command) -> None:
    """Add the options of several videos to a command that takes a folder of them."""
    group.add_argument(
        RECURSIVE_OPTION,
        action="store_true",
        help="of a folder, take the videos of the folders inside it, too",
    )
    if command is not Command.RUN:
        return
    group.add_argument(
        QUEUE_OPTION,
        metavar="FILE",
        type=Path,
        help="a text that lists videos, a line each, and gets what came of them (default: "
        f"{QUEUE_NAME} in the folder, or beside the first of several videos)",
    )
    group.add_argument(
        WATCH_OPTION,
        action="store_true",
        help="stay, and take the videos that arrive in the folder, until Ctrl-C",
    )


def with_dropped(words: Sequence[str]) -> list[str]:
    """Return what was typed, with the paths that a batch file passes behind the command."""
    dropped = dropped_paths(os.environ.get(PATHS_VARIABLE, ""))
    if list(words[:1]) != [Command.RUN] or not dropped:
        return list(words)
    # Absolute: none looks like an option.
    paths = [os.path.abspath(path) for path in dropped]  # noqa: PTH100 - links stay
    return [words[0], *paths, *words[1:]]


def dropped_paths(text: str) -> list[str]:
    """Return the paths in the batch file's variable, in order."""
    return [quoted or bare for quoted, bare in DROPPED.findall(text)]


def is_of_many(options: argparse.Namespace) -> bool:
    """Return whether a command is for all videos that are given, or in a folder."""
    if options.command not in {Command.RUN, Command.SEGMENT}:
        return False
    paths = given_paths(options)
    several = len(paths) > 1 or queue_file(options) is not None or options.recursive
    return several or is_watching(options) or any(path.is_dir() for path in paths)


def is_watching(options: argparse.Namespace) -> bool:
    """Return whether videos are waited for."""
    return bool(vars(options).get("watch"))


def given_paths(options: argparse.Namespace) -> list[Path]:
    """Return the videos and folders of videos that were given, without queues."""
    paths: list[Path] = vars(options).get("paths") or [options.path]
    return [path for path in paths if path is not None and not _is_queue(path)]


def queue_file(options: argparse.Namespace) -> Path | None:
    """Return the queue that was given, by its option or in place of a video.

    Raises:
        InputError: more than one was.
    """
    given = [path for path in vars(options).get("paths", []) if path and _is_queue(path)]
    named = vars(options).get("queue")
    queues = list(dict.fromkeys([*filter(None, [named]), *given]))
    if len(queues) > 1:
        names = " and ".join(map(str, queues[:2]))
        raise InputError(f"{names} are two queues.", "Give one of them.")
    return next(iter(queues), None)


def require_possible_options(options: argparse.Namespace) -> None:
    """Refuse options of several videos where they have no meaning.

    Raises:
        InputError: says which.
    """
    paths, queue = given_paths(options), queue_file(options)
    if queue is not None and not paths and not os.path.lexists(queue):
        raise InputError(f"{queue} is not there.", "Check the path and its spelling.")
    folders = [path for path in paths if path.is_dir()]
    for option, is_typed in (
        (WATCH_OPTION, is_watching(options)),
        (RECURSIVE_OPTION, options.recursive),
    ):
        if is_typed and not folders:
            raise InputError(f"{option} needs a folder of videos.", "Give one.")
    if is_watching(options) and options.shutdown:
        raise InputError(
            f"{WATCH_OPTION} goes on until Ctrl-C, so --shutdown has nothing to wait for.",
            "Leave out one of them.",
        )
    together = Path(" ".join(str(path) for path in vars(options).get("typed_paths", ())))
    if len(paths) > 1 and together.is_file():
        raise InputError(
            f"{together} was taken for {len(paths)} files.",
            "A path that contains spaces is written between quotation marks.",
        )


def _is_queue(path: Path) -> bool:
    return path.suffix.lower() == Path(QUEUE_NAME).suffix
