"""Has all processes of a job come of one server, however deep one starts another.

A process that multiprocessing's server has made would start a server of its own for those that it
starts, and that would load everything anew. The server itself imports this, and with it all of its
processes have done so.
"""

from __future__ import annotations

import os
import socket
from multiprocessing import forkserver

_SERVER = forkserver._forkserver


def _address() -> str:
    """Return where this server listens; "" in any other process."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - all that is wanted is the numbers
        try:
            with socket.fromfd(int(name), socket.AF_UNIX, socket.SOCK_STREAM) as own:
                if own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    return str(own.getsockname())
        except OSError:  # no socket
            continue
    return ""


if address := _address():
    vars(_SERVER).update(_forkserver_address=address, ensure_running=lambda: None)
