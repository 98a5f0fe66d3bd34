"""A network between this computer and a made-up host, slow, lossy, and at times cut.

The host is a network namespace of Linux. Between it and this computer lies a pair of virtual
interfaces, both held by this process, which takes each packet from one, keeps it for a while, and
gives it to the other. Not every kernel can delay packets by itself (its netem may be missing); all
have these interfaces.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import select
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

DEVICE = Path("/dev/net/tun")
NAMESPACES = Path("/run/netns")
SET_INTERFACE, TUN, NO_HEADER = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
NEW_NETWORK = 0x40000000  # linux/sched.h
MOST_BYTES = 1 << 16
NETWORK = "198.18"  # set apart for measuring networks (RFC 2544)
POLL_SECONDS = 0.2


def why_not_here() -> str:
    """Return why hosts cannot be made up on this computer; "": they can."""
    if not DEVICE.exists() or shutil.which("ip") is None:
        return f"it takes Linux with {DEVICE} and the command ip"
    if os.geteuid():
        return "only root can make network namespaces"
    made = subprocess.run(["ip", "netns", "add", "rvm_probe"], capture_output=True, check=False)
    if made.returncode:
        return f"no network namespace can be made here: {made.stderr.decode().strip()}"
    _ip("netns", "delete", "rvm_probe")
    return ""


@dataclass
class Link:
    """What lies between this computer and a host.

    Attributes:
        host: the name of its network namespace.
        here, there: the IP addresses of this computer and of the host.
        delay_seconds: of each packet, in either direction.
        loss: the share of the packets that get lost.
        passed, lost: how many packets did, also those that a cut has lost.
    """

    host: str
    here: str
    there: str
    delay_seconds: float
    loss: float
    passed: int = 0
    lost: int = 0
    _cut: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    def cut(self) -> None:
        """Lose everything from now on."""
        self._cut.set()

    def mend(self) -> None:
        """Lose no more than before."""
        self._cut.clear()

    def enter(self) -> None:
        """Give the calling thread the network of the host: sockets that it makes are there.

        Raises:
            OSError: it cannot.
        """
        with (NAMESPACES / self.host).open("rb") as namespace:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(namespace.fileno(), NEW_NETWORK):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def carry(self, ends: tuple[int, int], seed: int) -> None:
        """Pass packets on between two interfaces until the link ends."""
        random, number = Random(seed), 0
        waiting: list[tuple[float, int, int, bytes]] = []  # when it is due, its number, its end
        while not self._ended.is_set():
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                _, _, end, packet = heapq.heappop(waiting)
                self._pass_on(end, packet)
            pause = waiting[0][0] - now if waiting else POLL_SECONDS
            for end in select.select(ends, (), (), min(pause, POLL_SECONDS))[0]:
                packet, number = os.read(end, MOST_BYTES), number + 1
                if random.random() < self.loss:
                    self.lost += 1
                    continue
                other = ends[1] if end == ends[0] else ends[0]
                due = time.monotonic() + self.delay_seconds
                heapq.heappush(waiting, (due, number, other, packet))

    def end(self) -> None:
        """Carry nothing any more."""
        self._ended.set()

    def _pass_on(self, end: int, packet: bytes) -> None:
        if self._cut.is_set():
            self.lost += 1
            return
        os.write(end, packet)
        self.passed += 1


@contextmanager
def linked_host(number: int, delay_seconds: float, loss: float) -> Iterator[Link]:
    """Make up a host, the one of that number, for as long as the block lasts.

    Args:
        number: from 0 to 255.
        delay_seconds, loss: as of `Link`.
    Raises:
        subprocess.CalledProcessError, OSError: it cannot be made; see `why_not_here`.
    """
    host = f"rvm_{os.getpid()}_{number}"
    names = f"rvm{os.getpid()}h{number}"[-15:], f"rvm{os.getpid()}t{number}"[-15:]
    link = Link(host, f"{NETWORK}.{number}.1", f"{NETWORK}.{number}.2", delay_seconds, loss)
    _ip("netns", "add", host)
    ends: list[int] = []
    try:
        for name in names:
            ends.append(_interface(name))
        _ip("link", "set", names[1], "netns", host)
        _ip("address", "add", link.here, "peer", link.there, "dev", names[0])
        _ip("link", "set", names[0], "up")
        there = ("-netns", host)
        _ip(*there, "address", "add", link.there, "peer", link.here, "dev", names[1])
        _ip(*there, "link", "set", names[1], "up")
        _ip(*there, "link", "set", "lo", "up")
        thread = threading.Thread(target=link.carry, args=((ends[0], ends[1]), number), name=host)
        thread.start()
        try:
            yield link
        finally:
            link.end()
            thread.join()
    finally:
        for end in ends:
            os.close(end)
        _ip("netns", "delete", host)


def _interface(name: str) -> int:
    """Return the file of a new virtual interface, which is there until that is closed."""
    file = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(file, SET_INTERFACE, struct.pack("16sH22x", name.encode(), TUN | NO_HEADER))
    except OSError:
        os.close(file)
        raise
    return file


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
