"""What pip's log says went wrong, in plain words."""

from __future__ import annotations

from installation.errors import MISSING, STORAGE, SetupError

AGAIN = "then start setup again: what is installed stays."


class NoBuildError(SetupError):
    """The index was reached and holds no build for this Python and system."""


# What to look for in the log, what it means, what to do, and the exit code. In this order: without
# a network, pip finds no version either, and a full disk breaks a download off.
MEANINGS = (
    (
        ("No space left on device", "[Errno 28]", "WinError 112"),
        "The disk is full: {what} could not be installed.",
        f"Make room (10 GB are enough), {AGAIN}",
        STORAGE,
    ),
    (
        ("WinError 5]", "WinError 32]", "[Errno 13]"),
        "{what} could not be written: files in .venv are in use or protected.",
        f"Close every other window of this program, {AGAIN}",
        STORAGE,
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLCertVerificationError"),
        "The connection to {host} is not trusted: something on the way, such as a virus scanner or "
        "a company's proxy, reads along.",
        f"Have {{host}} excepted from that, or use another network, {AGAIN}",
        MISSING,
    ),
    (
        (
            *("Connection broken", "ConnectionResetError", "IncompleteRead", "ReadTimeoutError"),
            *("Read timed out", "incomplete-download", "DO NOT MATCH THE HASHES"),
        ),
        "The download of {what} from {host} broke off.",
        "Start setup again: what is installed stays.",
        MISSING,
    ),
    (
        (
            *("Failed to establish a new connection", "NewConnectionError", "Max retries exceeded"),
            *("ConnectTimeoutError", "ProxyError", "NameResolutionError", "getaddrinfo failed"),
            *("Temporary failure in name resolution", "Network is unreachable"),
        ),
        "{host} cannot be reached: is this computer offline?",
        f"Connect it to the internet (a firewall, proxy or VPN may be in the way), {AGAIN}",
        MISSING,
    ),
)
NO_BUILD = ("No matching distribution found", "Could not find a version that satisfies")


def explain(log: str, what: str, host: str) -> SetupError:
    """The error for what pip's log says.

    Args:
        what: was to be installed.
        host: where from.
    """
    for words, meaning, hint, code in MEANINGS:
        if any(word in log for word in words):
            names = {"what": what, "host": host}
            return SetupError(meaning.format(**names), hint.format(**names), code)
    if any(word in log for word in NO_BUILD):
        return NoBuildError(
            f"{host} has no build of {what} for this Python and system.",
            "Install Python 3.13 of 64 bits from https://www.python.org/downloads/, delete the "
            "folder .venv, then start setup again.",
        )
    return SetupError(
        f"{what} could not be installed.",
        "pip's own words above say why; they are also in .venv, in the file pip.log. "
        "Start setup again to try once more.",
    )
