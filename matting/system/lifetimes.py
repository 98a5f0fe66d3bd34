"""Processes that end with the one that started them, however that ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

TIED_PROCESS = Path(__file__).with_name("tied_process.py")
PR_SET_PDEATHSIG = 1  # of Linux' prctl.h
# Of Windows' winnt.h: JobObjectExtendedLimitInformation, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE.
EXTENDED_LIMITS, KILL_ON_JOB_CLOSE = 9, 0x2000


def tied(command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` until this process ends; it needs a pipe as stdin.

    On Windows, `tie_children` does so.
    """
    if sys.platform == "win32":
        return list(command)
    # Neither packages nor the current folder are looked through: it starts in a moment.
    return [sys.executable, "-I", "-S", str(TIED_PROCESS), str(os.getpid()), *command]


def end_with_parent(*, started_by_main_thread: bool = True) -> None:
    """End this process when the one that started it ends, however that ends; not on Windows.

    There, `tie_children` does so. Linux kills it when the thread that started it ends, even if it
    is stopped: for any other than the main thread that would be too soon.
    """
    if sys.platform == "linux" and started_by_main_thread:
        import ctypes  # noqa: PLC0415 - only needed on Linux

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    elif sys.platform != "win32":
        threading.Thread(target=_end_after_parent, daemon=True).start()


def _end_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def end_after(seconds: float) -> None:
    """End this process after a while, even if it hangs."""

    def end() -> None:
        time.sleep(seconds)
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def tie_children() -> None:
    """Have Windows end all processes that this one starts, and theirs, when this one ends.

    Source: Microsoft's documentation of job objects.
    """
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - only needed on Windows

        class Limits(ctypes.Structure):
            """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

            _fields_ = (
                ("times", ctypes.c_int64 * 2),
                ("flags", ctypes.c_uint32),
                ("sizes", ctypes.c_size_t * 2),
                ("processes", ctypes.c_uint32),
                ("affinity", ctypes.c_size_t),
                ("priorities", ctypes.c_uint32 * 2),
                ("counters", ctypes.c_uint64 * 6),
                ("memory", ctypes.c_size_t * 4),
            )

        kernel32 = ctypes.WinDLL("kernel32")
        kernel32.CreateJobObjectW.restype = ctypes.c_void_p
        kernel32.GetCurrentProcess.restype = ctypes.c_void_p
        # Never closed: that this process ends closes it.
        job = ctypes.c_void_p(kernel32.CreateJobObjectW(None, None))
        limits = Limits(flags=KILL_ON_JOB_CLOSE)
        kernel32.SetInformationJobObject(
            job, EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        )
        kernel32.AssignProcessToJobObject(job, ctypes.c_void_p(kernel32.GetCurrentProcess()))
