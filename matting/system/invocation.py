"""The program's commands, and how its user starts them: by drops on batch files, or by typing.

Whatever a message tells its reader to start comes from here, so that it can be done as it stands.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from matting.job_option import Choice

# Installed by pip, the program is part of a package, and its modules are named by that.
IS_INSTALLED = not __name__.startswith("matting.")
ROOT = Path(__file__).resolve().parents[2]  # of the program's own files
PROGRAM = "inference_custom.py"
SCRIPT, PACKAGE = "rvm-segments", "rvm_segments"  # what pip installs
VERSION = "0.1.0"  # the only place that says it
# The variable in which a batch file passes its name.
BATCH_VARIABLE = "RVM_BATCH"


class Command(Choice):
    """A command; the value is its name."""

    DEMO = "demo"
    SEGMENT = "segment"
    INFER = "infer"
    COMBINE = "combine"
    ADD_AUDIO = "add-audio"
    DELIVER = "deliver"
    DELIVER_VR = "deliver-vr"
    REMATTE = "rematte"
    REPORT = "report"
    RUN = "run"
    PREVIEW = "preview"
    SCHEDULER = "scheduler"
    WORKER = "worker"
    DOCTOR = "doctor"

    @property
    def input_name(self) -> str:
        """What its help calls the path, or the address, that it takes."""
        return INPUT_NAMES[self]

    @property
    def needs_path(self) -> bool:
        """Whether it cannot do without a path."""
        return self not in {Command.DEMO, Command.DOCTOR} and not self.serves

    @property
    def serves(self) -> bool:
        """Whether it takes an address instead of a path, and is there for others until Ctrl-C."""
        return self in {Command.SCHEDULER, Command.WORKER}

    @property
    def batch_file(self) -> str:
        """The batch file that runs it; "" if none does."""
        return BATCH_FILES.get(self, "")

    @property
    def runs_network(self) -> bool:
        """Whether it runs the network, and so is many times slower without a graphics card."""
        return self.is_job or self is Command.PREVIEW

    @property
    def is_job(self) -> bool:
        """Whether it takes hours, of which what is done is kept."""
        return self in {Command.DEMO, Command.INFER, Command.RUN, Command.REMATTE}

    @property
    def resumes(self) -> bool:
        """Whether the same command, given again, goes on where it stopped."""
        return self.is_job or self in {Command.DELIVER, Command.DELIVER_VR}


INPUT_NAMES = {
    Command.DEMO: "DIR",
    Command.SEGMENT: "VIDEO",
    Command.INFER: "SEGMENTS_DIR",
    Command.COMBINE: "MATTED_DIR",
    Command.ADD_AUDIO: "VIDEO",
    Command.DELIVER: "MATTED_DIR",
    Command.DELIVER_VR: "MATTED_DIR",
    Command.REMATTE: "MATTED_DIR",
    Command.REPORT: "MATTED_DIR",
    Command.RUN: "VIDEO",
    Command.PREVIEW: "VIDEO",
    Command.SCHEDULER: "ADDRESS",
    Command.WORKER: "ADDRESS",
    Command.DOCTOR: "PATH",
}
BATCH_FILES = {
    Command.RUN: "0_all_in_one.bat",
    Command.SEGMENT: "1_segment.bat",
    Command.INFER: "2_infer.bat",
    Command.COMBINE: "3_combine.bat",
    Command.ADD_AUDIO: "4_add_audio.bat",
    Command.DELIVER: r"extras\deliver.bat",
    Command.DELIVER_VR: r"extras\deliver_vr.bat",
    Command.PREVIEW: r"extras\preview.bat",
    Command.REPORT: r"extras\report.bat",
}


def batch_file() -> str:
    """Return the name of the batch file that started this process; "" if the user typed."""
    return os.environ.get(BATCH_VARIABLE, "")


def start(command: Command, what: str, *, again: bool = False) -> str:
    """Return, as a clause, how the user starts a command.

    Args:
        what: what it works on, as "the folder of segments".
        again: whether it has been started before.
    """
    once_more = " again" if again else ""
    if batch_file() and command.batch_file:
        return f"drop {what} on {command.batch_file}{once_more}"
    return f"run {command}{once_more} on {what}"


def sentence(*clauses: str) -> str:
    """Return clauses, each a step, as one sentence."""
    text = ", then ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}."


def named(command: Command) -> str:
    """Return a command's name for a sentence: that of its batch file if one was used."""
    return (batch_file() and command.batch_file) or str(command)


def give(what: str) -> str:
    """Return, as a sentence, that this command should have got `what` instead."""
    return f"{'Drop' if batch_file() else 'Give'} {what}."


def program_words() -> tuple[str, ...]:
    """Return what is typed before a command's name.

    That is what was typed indeed; whoever used a batch file, or a library, has to name both Python
    and the program so that both are found, because the command window may be in any folder.
    """
    typed = len(sys.orig_argv) - len(sys.argv) + 1
    words = tuple(sys.orig_argv[:typed])
    if words and not batch_file():
        if Path(words[-1]).stem == SCRIPT:
            return (_script_word(Path(words[-1])),)
        if Path(words[-1]).name == PROGRAM or words[-2:] == ("-m", PACKAGE):
            return python_word(words[0]), *words[1:]
    if IS_INSTALLED:
        return sys.executable, "-m", PACKAGE
    return sys.executable, str(ROOT / PROGRAM)


def _script_word(path: Path) -> str:
    """Return what is typed to start pip's command: its name, or its path if that is another."""
    found = shutil.which(SCRIPT)
    if found is None:
        return str(path)
    # On Windows, one of them may be without its .exe.
    own, other = (os.path.normcase(Path(p).absolute().with_suffix("")) for p in (path, found))
    return SCRIPT if own == other else str(path)


def python_word(typed: str) -> str:
    """Return what is typed to start this Python: `typed`, or its path if that is another.

    On Windows, a virtual environment's Python starts the one that it was made from.
    """
    found = shutil.which(typed)
    same = found is not None and os.path.normcase(Path(found).absolute()) == os.path.normcase(
        Path(sys.executable)
    )
    return typed if same else sys.executable


def program_line(*arguments: object) -> str:
    """Return what to type to run the program with those arguments."""
    return command_line([*program_words(), *map(str, arguments)])


def pip_line(*arguments: str) -> str:
    """Return what to type to have this Python's pip do something."""
    words = program_words()
    python = words[0] if len(words) > 1 else sys.executable
    return command_line([python, "-m", "pip", *arguments])


def command_line(words: Sequence[str], windows: bool = os.name == "nt") -> str:
    """Return words as a line for the system's command window."""
    if not windows:
        return shlex.join(words)
    return " ".join(w if re.fullmatch(r"[\w.:\\/+-]+", w) else _quoted(w) for w in words)


def _quoted(word: str) -> str:
    """Return a word in quotation marks, before which Windows' programs want backslashes doubled."""
    backslashes = len(word) - len(word.rstrip("\\"))
    return f'"{word}{word[len(word) - backslashes :]}"'
