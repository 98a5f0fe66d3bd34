"""Finding and running the ffmpeg program, and which files FFmpeg may open at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from matting.errors import MattingError, MediaError, MissingError, storage_error
from matting.system import fixes
from matting.system.lifetimes import tied
from matting.system.tied_process import NOT_STARTED

# Only real media files: no playlist or script that would have FFmpeg open other files.
FORMATS = ",".join(
    (
        "mov,matroska,mpegts,avi,mpeg,ogg,flv,asf,mxf,gxf,nut,wav,image2",
        "dv,wtv,rm,yuv4mpegpipe,jpeg_pipe,mjpeg,smjpeg,mpjpeg",
        # Streams without a container.
        "ivf,obu,av1,h261,h263,h264,hevc,mpegvideo,m4v,vc1,vc1test,dnxhd,dirac,cavsvideo",
        # Television and cameras of old.
        "lxf,nsv,nuv,pva,ty,mtv,dhav,kux,live_flv,lmlm4,vivo,cine",
        # Films in games.
        "4xm,bethsoftvid,bfi,bink,c93,cdxl,dfa,dsicin,dxa,ea,film_cpk,flic,gdv,hnm,idcin,ipmovie,jv",
        "mm,mv,mvi,paf,psxstr,rl2,roq,rpl,siff,smk,thp,tiertexseq,tmv,txd,vmd,wc3movie,wsvqa,xmv,yop",
    )
)
SAFE_INPUT = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
# What these containers say of a track stands in its packets, which may begin late. Looking for them
# stops as soon as all tracks are known; until then what was read is kept in memory.
SELF_DESCRIBING = {"mpegts", "mpeg"}
FAR = {"analyzeduration": "60000000", "probesize": "100000000"}  # microseconds, bytes

# ffmpeg goes on after these, without the line of a subtitle that they are about.
LOST_TEXT = ("Invalid UTF-8 in decoded subtitles", "Unable to recode subtitle")

VARIABLE = "FFMPEG_PATH"
STOP_SECONDS = 10
VERSION_SECONDS = 30  # a virus scanner inspects a program before it starts
# What ffmpeg's own messages say of the disk.
STORAGE_PHRASES = {
    "No space left": errno.ENOSPC,
    "Permission denied": errno.EACCES,
    "Read-only file system": errno.EROFS,
}
PACKAGE = "imageio-ffmpeg"


def program() -> Path:
    """Return the absolute path of ffmpeg: FFMPEG_PATH, else the one that imageio-ffmpeg brings.

    Never one that merely lies in the current folder.

    Raises:
        MissingError: there is none.
    """
    configured = os.environ.get(VARIABLE)
    if configured:
        path = Path(configured)
        if not (path.is_absolute() and path.is_file()):
            raise MissingError(
                f"{VARIABLE} is {configured}, which is not the full path of a program.", _repair()
            )
        return path
    try:
        bundled = _bundled()
    except (RuntimeError, ImportError, OSError) as error:
        raise MissingError("There is no ffmpeg program.", fixes.reinstall(PACKAGE)) from error
    location = bundled if Path(bundled).is_absolute() else shutil.which(bundled)
    if location is None or Path(location).resolve().parent == Path.cwd().resolve():
        raise MissingError("There is no ffmpeg program.", fixes.reinstall(PACKAGE))
    return Path(location).resolve()


def version() -> str:
    """Return the program's version, by its own word.

    Raises:
        MissingError: there is none, or it does not start.
    """
    return _version_of(program())


def _repair() -> str:
    """Return what to do about a program that does not work."""
    if os.environ.get(VARIABLE):
        return f"Correct {VARIABLE}, or remove it: then the ffmpeg installed with this is used."
    return fixes.reinstall(PACKAGE)


@cache
def _version_of(path: Path) -> str:
    try:
        done = subprocess.run(
            [str(path), "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or f"no answer within {VERSION_SECONDS} seconds"
        raise MissingError(f"{path} does not start ({reason}).", _repair()) from error
    match = re.match(r"ffmpeg version (\S+)", done.stdout.decode("utf-8", "replace"))
    if done.returncode != 0 or match is None:
        raise MissingError(f"{path} is no ffmpeg that works.", _repair())
    return match[1]


def input_file(path: Path, *, far: bool = False) -> list[str]:
    """Return the arguments that open `path` as a media file and nothing else.

    Args:
        far: whether to look far into it for what its tracks are.
    """
    limits = ["-format_whitelist", FORMATS, "-protocol_whitelist", "file"]
    if far:
        limits += [argument for name, value in FAR.items() for argument in (f"-{name}", value)]
    return [*limits, "-i", str(path.resolve())]


def metadata_file(path: Path) -> list[str]:
    """Return the arguments that open a metadata file of this program's own."""
    return ["-f", "ffmetadata", "-protocol_whitelist", "file", "-i", str(path.resolve())]


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    subject: Path,
    hint: str,
    on_frames: Callable[[int], None],
    stop_after_seconds: float | None = None,
) -> None:
    """Run ffmpeg to its end; stop it when this thread is interrupted or its process ends.

    Args:
        arguments: all but the program and what every call has; inputs through `input_file`.
        folder: where relative names of outputs lie.
        subject: the file that messages name.
        hint: what to do when ffmpeg refuses it.
        on_frames: told now and then how many more frames are done.
        stop_after_seconds: how long after its start to ask ffmpeg to complete its file with what
            it has so far; None: never.
    Raises:
        MediaError: ffmpeg refused, broke off, or lost text; with its own last words.
        StorageError: the disk is full, or the folder cannot be written.
        MissingError: there is no ffmpeg.
    """
    command = [str(program()), "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-progress", "pipe:1", *arguments]
    if stop_after_seconds is None:
        command.insert(1, "-nostdin")
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                tied(command),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        except OSError as error:
            raise _not_started(command[0], error.strerror) from error
        try:
            _follow(process, on_frames, stop_after_seconds)
            code = process.wait()
        finally:
            _stop(process)
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    if code == NOT_STARTED and lines:
        raise _not_started(command[0], lines[-1])
    lost_text = any(phrase in line for phrase in LOST_TEXT for line in lines)
    if code != 0 or lost_text:
        raise _failure(subject, folder, hint, lines)


def _not_started(program: str, reason: object) -> MissingError:
    return MissingError(f"{program} does not start ({reason}).", _repair())


@cache
def _bundled() -> str:
    import imageio_ffmpeg  # noqa: PLC0415 - where a variable names a program, nobody needs it

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _follow(
    process: subprocess.Popen[bytes], on_frames: Callable[[int], None], stop_after: float | None
) -> None:
    """Read what ffmpeg reports, from when it has opened its files on.

    Args:
        stop_after: after so many seconds of that, and a frame, ask it to finish; None: never.
    """
    if process.stdout is None:
        return
    with process.stdout as lines:
        done = 0
        first_report: float | None = None
        for line in lines:
            key, _, value = line.decode("ascii", "replace").strip().partition("=")
            if key == "frame" and value.isdecimal():
                on_frames(int(value) - done)
                done = int(value)
            elif key == "progress" and stop_after is not None:  # the last line of a report
                now = time.monotonic()
                first_report = now if first_report is None else first_report
                if done and now - first_report >= stop_after:
                    _ask_to_finish(process)


def _ask_to_finish(process: subprocess.Popen[bytes]) -> None:
    """Type `q`, which works alike on all systems, as no signal does."""
    if process.stdin is not None:
        with suppress(OSError):  # it may have ended by itself
            os.write(process.stdin.fileno(), b"q")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process if it still runs; return when it is gone."""
    if process.stdin is not None:
        process.stdin.close()
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _failure(subject: Path, folder: Path, hint: str, lines: list[str]) -> MattingError:
    for phrase, number in STORAGE_PHRASES.items():
        if any(phrase in line for line in lines):
            return storage_error(OSError(number, phrase), folder)
    last = lines[-1] if lines else "it gave no reason"
    return MediaError(f"ffmpeg could not process {subject}: {last}", hint)
