"""Runs a program that is to end when the process that started this ends, however that ends.

    python -I -S tied_process.py PARENT_PID PROGRAM [ARGUMENT ...]

Standard input is a pipe that the parent holds open. Linux itself kills the program; elsewhere this
stays beside it, and does so when the pipe is closed. It is started as a script, not imported, and
needs the standard library only.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

NOT_STARTED = 126  # as a shell says it
PR_SET_PDEATHSIG = 1  # of Linux' prctl.h


def main(parent: int, command: list[str], platform: str = sys.platform) -> int:
    """Run `command`, and return its exit code.

    Args:
        parent: the process ID of the one that started this.
        platform: as in `sys.platform`.
    """
    try:
        if platform == "linux":
            _let_linux_kill(parent)
            os.execv(command[0], command)
        return _watch(command)
    except OSError as error:
        sys.stderr.write(f"{error.strerror}\n")
        return NOT_STARTED


def _let_linux_kill(parent: int) -> None:
    """Have Linux kill this process, and what it becomes, when the parent ends."""
    import ctypes  # noqa: PLC0415 - only needed on Linux

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        sys.exit(1)


def _watch(command: list[str]) -> int:
    """Start the program, pass on what is typed to it, and kill it when standard input is closed."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())

        def pass_on() -> None:
            while typed := os.read(0, 1):
                with contextlib.suppress(OSError):  # it may have ended
                    if process.stdin is not None:
                        process.stdin.write(typed)
            process.kill()

        threading.Thread(target=pass_on, daemon=True).start()
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
