"""What can be asked for of several devices or computers. Nothing here needs a package."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

DEFAULT_PORT = 8786  # of a scheduler, as Dask has it
TCP, TLS = "tcp", "tls"
# The options that more than the command line names.
WORKERS_OPTION, MAP_OPTION = "--workers", "--map"
CERTIFICATES_OPTION, MAKE_CERTIFICATES_OPTION = "--certificates", "--make-certificates"
# As tcp://host:8786, tls://[::1]:8786, or the host alone.
ADDRESS = re.compile(
    r"(?:(?P<protocol>tcp|tls)://)?(?:\[(?P<ipv6>[0-9a-f:.]+(?:%\w+)?)\]|(?P<name>[\w.-]+))"
    r"(?::(?P<port>\d{1,5}))?/?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Address:
    """Where a scheduler listens.

    Attributes:
        protocol: TCP, or TLS, which is encrypted.
        host: a name or an IP address, without brackets.
        port: 1 to 65535.
    """

    protocol: str
    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return what an address such as tcp://render-pc:8786 says; only the host must be given.

        Raises:
            ValueError: it is none, as a clause.
        """
        match = ADDRESS.fullmatch(text.strip())
        port = int((match and match["port"]) or DEFAULT_PORT)
        if match is None or not 0 < port < 1 << 16 or not _is_host(match["ipv6"], match["name"]):
            raise ValueError("is no address such as tcp://192.168.1.20:8786")
        return cls((match["protocol"] or TCP).lower(), match["ipv6"] or match["name"], port)

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this computer can reach it."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name, which may become any address
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.protocol}://{host}:{self.port}"


def _is_host(ipv6: str | None, name: str | None) -> bool:
    if ipv6 is None:
        return name is not None
    try:
        ipaddress.IPv6Address(ipv6)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class ClusterOptions:
    """How the work on segments is shared.

    Attributes:
        devices: two or more of this computer, each by a name that `choose_device` takes, the
            same one as often as it is named; empty: one worker, in the usual way.
        scheduler: the address of a running one, whose workers take part, as tcp://host:8786; ""
            where none is.
        certificates: the folder with the certificate that all computers of the job have.
        longest_run_seconds: how long a shot may be for one worker to matte all of it; None: any.
    """

    devices: tuple[str, ...] = ()
    scheduler: str = ""
    certificates: Path | None = None
    longest_run_seconds: Fraction | None = None

    @property
    def is_asked_for(self) -> bool:
        """Whether the work is shared at all."""
        return bool(self.devices or self.scheduler)
