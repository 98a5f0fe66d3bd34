"""Why pip failed, read from its log and put in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from installation.errors import MISSING, STORAGE, SetupError

START_AGAIN = "start setup again: what is installed stays."


class NoBuildError(SetupError):
    """The index was reached, but has no build for this Python and system."""


class Cause(NamedTuple):
    """A reason for which pip fails.

    Args:
        signs: any of these in the log tells it.
        message, hint: what failed and what to do; `{package}` and `{host}` are filled in.
    """

    signs: tuple[str, ...]
    message: str
    hint: str
    exit_code: int


# In this order: without a network, pip finds no version either, and a full disk breaks a download.
CAUSES = (
    Cause(
        ("No space left on device", "[Errno 28]", "WinError 112"),
        "The disk is full: {package} could not be installed.",
        f"Free some space (10 GB are enough), then {START_AGAIN}",
        STORAGE,
    ),
    Cause(
        ("WinError 5]", "WinError 32]", "[Errno 13]"),
        "{package} could not be written: files in .venv are in use or protected.",
        f"Close every other window of this program, then {START_AGAIN}",
        STORAGE,
    ),
    Cause(
        ("CERTIFICATE_VERIFY_FAILED", "SSLCertVerificationError"),
        "The connection to {host} is not trusted: something in between, such as a virus scanner or "
        "a company's proxy, inspects it.",
        f"Have {{host}} excepted from that, or use another network, then {START_AGAIN}",
        MISSING,
    ),
    Cause(
        ("DO NOT MATCH THE HASHES",),
        "What came from {host} for {package} is not what was asked for: the download broke off, or "
        "a proxy has answered in place of {host}.",
        f"Behind a proxy that asks to sign in, do that in a browser, then {START_AGAIN}",
        MISSING,
    ),
    Cause(
        (
            *("Connection broken", "ConnectionResetError", "IncompleteRead", "ReadTimeoutError"),
            *("Read timed out", "incomplete-download"),
        ),
        "The download of {package} from {host} was interrupted.",
        "Start setup again: what is installed stays.",
        MISSING,
    ),
    Cause(
        (
            *("Failed to establish a new connection", "NewConnectionError", "Max retries exceeded"),
            *("ConnectTimeoutError", "ProxyError", "NameResolutionError", "getaddrinfo failed"),
            *("Temporary failure in name resolution", "Network is unreachable"),
        ),
        "{host} cannot be reached: is this computer offline?",
        "Connect it to the internet (a firewall, proxy or VPN may be in the way), then "
        f"{START_AGAIN}",
        MISSING,
    ),
)
NO_BUILD_SIGNS = ("No matching distribution found", "Could not find a version that satisfies")


def explain_failure(log: str, package: str, host: str, file: Path) -> SetupError:
    """Return the error that pip's log tells of.

    Args:
        package: what was to be installed.
        host: where from.
        file: the log's, which is named.
    """
    written = f"\npip's own messages are in {file}"
    for cause in CAUSES:
        if any(sign in log for sign in cause.signs):
            message = cause.message.format(package=package, host=host)
            return SetupError(message, cause.hint.format(host=host) + written, cause.exit_code)
    if any(sign in log for sign in NO_BUILD_SIGNS):
        return NoBuildError(
            f"{host} has no build of {package} for this Python and system.",
            "Install 64-bit Python 3.13 from https://www.python.org/downloads/, delete the folder "
            ".venv, then start setup again." + written,
        )
    return SetupError(
        f"{package} could not be installed.",
        f"Start setup again to try once more.{written}",
    )
