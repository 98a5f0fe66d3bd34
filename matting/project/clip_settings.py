"""The settings that were chosen for one video: a small file beside it, which people may edit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from matting.errors import InputError
from matting.job_option import JobOption
from matting.network_choice import Model, Subject
from matting.options import MatteOptions, MattingOptions
from matting.progress import Progress
from matting.project.job_options import DECIDED_BY
from matting.system import atomic_files
from matting.system.invocation import command_line

SUFFIX = "_settings.toml"
LARGEST_BYTES = 1 << 16
HEAD = "# How this video is matted: infer, run and the batch files read it. Without it: as typed.\n"


class ClipSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is chosen; the fields are named as the options are.

    Attributes:
        model: None: the usual one.
    """

    downsample_ratio: Annotated[float, Meta(gt=0, le=1)] | Literal["auto"] = "auto"
    subject: Subject = Subject.FULL_BODY
    model: Model | None = None

    @classmethod
    def of(cls, matte: MatteOptions) -> ClipSettings:
        """Return what of these options is kept in the file."""
        return cls(
            downsample_ratio=matte.ratio or "auto",
            subject=matte.subject,
            model=matte.model,
        )

    def applied_to(self, options: MattingOptions) -> MattingOptions:
        """Return options by which a video is matted as chosen."""
        ratio = None if isinstance(self.downsample_ratio, str) else self.downsample_ratio
        model = self.model or options.matte.model
        matte = replace(options.matte, ratio=ratio, subject=self.subject, model=model)
        return replace(options, matte=matte)

    @property
    def words(self) -> dict[JobOption, str]:
        """The options, as they are typed."""
        words = {
            JobOption.DOWNSAMPLE_RATIO: str(self.downsample_ratio),
            JobOption.SUBJECT: str(self.subject),
        }
        return words if self.model is None else words | {JobOption.MODEL: str(self.model)}


def settings_path(video: Path, output: Path | None = None) -> Path:
    """Return the file for a video: beside it, or in the folder `output`."""
    return (output or video.parent) / f"{video.stem}{SUFFIX}"


def write_settings(path: Path, settings: ClipSettings) -> None:
    """Replace the file.

    Raises:
        StorageError: it cannot be written.
    """
    values = {
        name: json.dumps(value)
        for name, value in msgspec.to_builtins(settings).items()
        if value is not None
    }
    atomic_files.write_text(path, HEAD + "".join(f"{n} = {v}\n" for n, v in values.items()))


def read_settings(path: Path) -> ClipSettings | None:
    """Return what is in the file; None: there is none.

    Raises:
        InputError: it cannot be read; says what is wrong where.
    """
    hint = f"Delete {path.name}, or choose again with preview."
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path} is larger than any such file.", hint)
        text = atomic_files.read_text(path)
        return msgspec.toml.decode(text.encode("utf-8", "surrogateescape"), type=ClipSettings)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", hint) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise InputError(f"{path} cannot be used: {error}.", hint) from error


def with_clip_settings(
    options: MattingOptions, video: Path, folders: tuple[Path, ...], progress: Progress
) -> MattingOptions:
    """Return options in which a file's settings count as if they had been typed.

    What is typed indeed goes before. Options that were made by a caller in Python stay.

    Args:
        video: whose settings; of its path only the name counts.
        folders: where the file may be, the best place first.
    Raises:
        InputError: the file cannot be read.
    """
    if options.typed is None or options.typed == frozenset(JobOption):
        return options
    for folder in dict.fromkeys(folders):
        path = settings_path(video, folder)
        settings = read_settings(path)
        if settings is not None:
            return _applied(settings, options, options.typed, path, progress)
    return options


def _applied(
    settings: ClipSettings,
    options: MattingOptions,
    typed: frozenset[JobOption],
    path: Path,
    progress: Progress,
) -> MattingOptions:
    ratio = settings.downsample_ratio
    values: dict[JobOption, dict[str, Any]] = {
        JobOption.DOWNSAMPLE_RATIO: {"ratio": None if isinstance(ratio, str) else ratio},
        JobOption.SUBJECT: {"subject": settings.subject},
        JobOption.MODEL: {"model": settings.model},
    }
    # A subject that is typed asks for the ratio that goes with it.
    decided = DECIDED_BY | {JobOption.DOWNSAMPLE_RATIO: {JobOption.SUBJECT}}
    chosen = [
        option
        for option in settings.words
        if option not in typed and not typed & decided.get(option, set())
    ]
    for option in chosen:
        options = replace(options, matte=replace(options.matte, **values[option]))
    words = [word for option in chosen for word in (option.value, settings.words[option])]
    if words:
        progress.say(f"As chosen in {path.name}: {command_line(words)}")
    return replace(options, typed=typed | frozenset(chosen))
