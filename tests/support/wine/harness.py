"""A Windows to run the batch files in: Wine, with a stand-in for Python, compiled here.

The stand-in (recording_python.c) records what it was given; drop.c starts command lines exactly as
Explorer does, and types the answers.

What Explorer starts for a drop is known from the window's own %CMDCMDLINE%: ShellExecute runs a
batch file through CreateProcess, which turns it into

    cmd.exe /c ""C:\\folder\\1_segment.bat" C:\\a&b.mp4 "C:\\c d.mp4""
    cmd.exe /c ""C:\\folder\\1_segment.bat" "

the second one with nothing dropped. A path is quoted only if it contains a space.

Wine's cmd.exe differs from that of Windows:
- It does not know CMDCMDLINE. drop.c sets it as a variable; Windows' own would read that, too.
- It expands the values of variables once more, which loses percent signs: up to Wine 8 always,
  later in a batch file's arguments. `Wine.keeps_percent_signs` finds out.
- "call" turns every exit code but 0 into 1, up to Wine 8.
- Of a place behind a value's end, as in %VAR:~7900,1%, it reads what happens to be in memory there,
  by the value's length; Windows' own reads nothing.
- "set /p" reads all that is there from a pipe, not one line: drop.c holds the next line back.
RVM_TEST_CMD names another cmd.exe to run instead of Wine's own, a newer Wine's for instance.

Wine needs the page at 0x7ffe0000, and Debian's loader begins at 0x7d000000. Where the kernel puts
the heap, at random up to 1 GB behind the loader, one process in some thousands finds that page
taken and ends before its first instruction; cmd.exe then goes on as if Python had refused. So all
of Wine runs without random addresses.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from tests.support.repository import ROOT

SOURCES = Path(__file__).resolve().parent
SETUP = "setup.bat"
STAGES = {
    "0_all_in_one.bat": "run",
    "1_segment.bat": "segment",
    "2_infer.bat": "infer",
    "3_combine.bat": "combine",
    "4_add_audio.bat": "add-audio",
    r"extras\deliver.bat": "deliver",
    r"extras\deliver_vr.bat": "deliver-vr",
    r"extras\rematte.bat": "rematte",
    r"extras\preview.bat": "preview",
    r"extras\report.bat": "report",
}
HOME = r"C:\rvm"  # the program's folder in most tests, with a stand-in in its .venv
BARE_HOME = r"C:\no venv"  # the same without a .venv
ELSEWHERE = r"C:\elsewhere"  # the current folder
WINDOWS_PATH = r"C:\windows\system32;C:\windows"
CMD = r"C:\windows\system32\cmd.exe"
OTHER_CMD = r"C:\not_wine_s_own.exe"  # under the name cmd.exe, Wine would run its own
KEY = "k"  # for "Press any key"
FIXED_ADDRESSES = ("setarch", "--addr-no-randomize")
DECIDING_VARIABLES = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_EXE", "USERPROFILE", "LOCALAPPDATA", "ProgramData"),
    *("RVM_EXIT", "RVM_NO_PAUSE", "RVM_MAKES", "HTTPS_PROXY"),
)


class WineError(Exception):
    """Wine itself failed, and not what it ran."""


@dataclass(frozen=True)
class Run:
    """One start of a batch file.

    Args:
        typed: what is typed, in order: a line if it ends with a newline, else a key.
        variables: besides a PATH without any Python; no variable that leads to a Python is set.
        keyboard_ends: stdin is closed after that; otherwise a further question waits for ever.
        until: where not empty, the run is ended if it still waits half a second after printing it.
    """

    command_line: str
    typed: tuple[str, ...] = (KEY,)
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = ELSEWHERE
    keyboard_ends: bool = False
    until: str = ""


@dataclass(frozen=True)
class Call:
    """One start of the stand-in."""

    program: str
    arguments: list[str]
    folder: str
    variables: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        exit_code: None if it still waited for something to be typed, or took too long.
        typed: how many of the lines and keys were read.
    """

    exit_code: int | None
    typed: int
    printed: str
    calls: list[Call]

    @property
    def arguments(self) -> list[list[str]]:
        return [call.arguments for call in self.calls]


def explorer(batch_file: str, *paths: str) -> str:
    """Return what Explorer starts when the paths are dropped on the batch file."""
    dropped = " ".join(f'"{path}"' if " " in path else path for path in paths)
    return f'{CMD} /c ""{batch_file}" {dropped}"'


def terminal(batch_file: str, *paths: str) -> str:
    """Return what a terminal starts for a line in which every path is quoted."""
    typed = " ".join(f'"{path}"' for path in paths)
    return f"{CMD} /c {batch_file} {typed}"


class Wine:
    """A Windows in a folder of its own; the batch files are in `HOME` and `BARE_HOME`."""

    def __init__(self, folder: Path, wine: str, server: str, compiler: str) -> None:
        self._wine, self._server = wine, server
        self._before = FIXED_ADDRESSES if _may_fix_addresses() else ()
        self._log = folder / "wine.log"
        prefix = folder / "prefix"
        self._drive = prefix / "drive_c"
        self._runs = 0
        self._environment = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}},
            "HOME": str(folder),
            "WINEPREFIX": str(prefix),
            "WINEDEBUG": "-all,err+virtual",
            # Without the first, a window asks to download them; of the others, Wine has its own.
            "WINEDLLOVERRIDES": "mscoree,mshtml=;certutil.exe,powershell.exe=n,b",
        }
        # Its server runs until `end`: by itself it ends a few seconds after the last program, and a
        # program that starts just then fails.
        prefix.mkdir(parents=True, exist_ok=True)
        self._start([server, "--persistent"], seconds=60)
        self._start([wine, "wineboot", "--init"], seconds=180)
        self._compiler = compiler
        self._compile(compiler, "drop.c", "drop.exe")
        self._compile(compiler, "recording_python.c", "python.exe")
        self.path(ELSEWHERE).mkdir()
        self.install(HOME)
        self.stand_in(rf"{HOME}\.venv\Scripts\python.exe")
        self.install(BARE_HOME)
        self._cmd = CMD
        if other := os.environ.get("RVM_TEST_CMD"):
            self._cmd = OTHER_CMD
            shutil.copyfile(other, self.path(OTHER_CMD))

    def path(self, windows_path: str) -> Path:
        """Return the path here of one on drive C:, whose folder is created."""
        path = self._drive.joinpath(*windows_path.removeprefix("C:\\").split("\\"))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def stand_in(self, windows_path: str) -> None:
        """Put a stand-in for Python there."""
        shutil.copyfile(self._drive / "python.exe", self.path(windows_path))

    def install(self, windows_folder: str) -> None:
        """Copy the batch files there, beside an inference_custom.py."""
        folder = self.path(windows_folder)
        shutil.copytree(ROOT / "windows", folder / "windows")
        for name in (SETUP, *STAGES):
            path = PureWindowsPath(name)
            shutil.copyfile(ROOT / path, self.path(rf"{windows_folder}\{name}"))
        for name in ("inference_custom.py", r"installation\python_check.py"):
            self.path(rf"{windows_folder}\{name}").touch()
        table = r"installation\uv.txt"
        shutil.copyfile(ROOT / PureWindowsPath(table), self.path(rf"{windows_folder}\{table}"))

    def provide_windows_tools(self) -> None:
        """Put stand-ins for some of Windows' own programs in their place; find is Wine's."""
        self._compile(self._compiler, "windows_tools.c", "windows_tools.exe", "-lbcrypt")
        for name in (
            "curl.exe",
            "certutil.exe",
            "tar.exe",
            r"WindowsPowerShell\v1.0\powershell.exe",
        ):
            target = self.path(rf"C:\windows\system32\{name}")
            target.unlink(missing_ok=True)  # it may be a link to Wine's own
            shutil.copyfile(self._drive / "windows_tools.exe", target)

    def run(self, *runs: Run) -> list[Outcome]:
        """Run them one after the other, in one start of Wine, which is what takes long.

        Raises:
            WineError: one of them was not run as Windows would run it.
        """
        folders = [rf"C:\runs\{self._runs + number}" for number in range(len(runs))]
        self._runs += len(runs)
        lines: list[str] = []
        for run, folder in zip(runs, folders, strict=True):
            self.path(folder).mkdir()
            variables = {
                **dict.fromkeys(DECIDING_VARIABLES, ""),
                "PATH": WINDOWS_PATH,
                "RVM_RECORD": rf"{folder}\record.txt",
                **run.variables,
            }
            lines += [f"set {name}={value}" for name, value in variables.items()]
            lines += [f"type {t[:-1]}" if t.endswith("\n") else f"key {t}" for t in run.typed]
            lines += ["end"] if run.keyboard_ends else []
            lines += [f"folder {run.folder}", rf"output {folder}\printed.txt"]
            lines += [f"until {run.until}"]
            lines += [f"start {run.command_line.replace(CMD, self._cmd, 1)}"]
        # A new name each time: a program that lingers may still hold the previous results open.
        cases = rf"C:\cases\{self._runs}"
        self.path(cases).write_bytes("\n".join(lines).encode() + b"\n")
        logged = self._log.stat().st_size
        self._start([self._wine, r"C:\drop.exe", cases], seconds=60 + 20 * len(runs))
        if failure := self._log.read_bytes()[logged:].decode(errors="replace"):
            raise WineError(failure)
        results = self.path(rf"{cases}.results").read_text(encoding="ascii").splitlines()
        return [self._outcome(*pair) for pair in zip(results, folders, strict=True)]

    def keeps_percent_signs(self) -> bool:
        """Return whether this cmd.exe keeps percent signs in a value, as Windows' own does."""
        python = rf"{HOME}\.venv\Scripts\python.exe"
        probe = f'@"{python}" "%CMDCMDLINE:"=%"\r\n'
        self.path(r"C:\probe.bat").write_bytes(probe.encode("ascii"))
        [outcome] = self.run(Run(rf"{CMD} /c C:\probe.bat 100% %b", typed=()))
        return outcome.arguments == [[rf"{self._cmd} /c C:\probe.bat 100% %b"]]

    def end(self) -> None:
        """End every process of this Windows, and of no other."""
        self._start([self._server, "--kill"], seconds=60, check=False)
        self._start([self._server, "--wait"], seconds=60, check=False)

    def _start(self, command: list[str], *, seconds: int, check: bool = True) -> None:
        # Not a pipe: programs that stay, such as Wine's services, would hold it open.
        with self._log.open("ab") as log:
            subprocess.run(
                [*self._before, *command],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                timeout=seconds,
                check=check,
            )

    def _compile(self, compiler: str, source: str, program: str, *libraries: str) -> None:
        options = ["-municode", "-O1", "-s", "-Wall", "-Wextra", "-Werror"]
        command = [compiler, *options, "-o", str(self._drive / program), str(SOURCES / source)]
        subprocess.run(
            [*command, *libraries],
            check=True,
            timeout=120,
        )

    def _outcome(self, result: str, folder: str) -> Outcome:
        code, typed = result.split(" ")
        if code == "not-started":
            raise WineError(f"cmd.exe did not start: error {typed}.")
        record = self.path(rf"{folder}\record.txt")
        text = record.read_text(encoding="utf-8") if record.exists() else ""
        return Outcome(
            exit_code=None if code == "timeout" else int(code),
            typed=int(typed),
            printed=self.path(rf"{folder}\printed.txt").read_bytes().decode("cp437"),
            calls=[_call(record) for record in text.split("\n\n") if record],
        )


def _may_fix_addresses() -> bool:
    """Return whether programs may start without random addresses; some containers forbid it."""
    if shutil.which(FIXED_ADDRESSES[0]) is None:
        return False
    tried = subprocess.run([*FIXED_ADDRESSES, "true"], stderr=subprocess.DEVNULL, check=False)
    return tried.returncode == 0


def _call(record: str) -> Call:
    pairs = [line.split("=", 1) for line in record.split("\n")]
    values = {key: value for key, value in pairs if key in {"program", "folder"}}
    return Call(
        program=values["program"],
        arguments=[value for key, value in pairs if key == "argument"],
        folder=values["folder"],
        variables=dict(value.split("=", 1) for key, value in pairs if key == "variable"),
    )
