"""How a failure of pip is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from installation.errors import MISSING, STORAGE
from installation.pip_errors import NoBuildError, explain_failure


@pytest.mark.parametrize(
    ("log", "words", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space", "full", 4),
        ("[WinError 112] There is not enough space on the disk", "The disk is full", 4),
        ("[WinError 5] Access is denied: 'C:\\\\rvm\\\\.venv\\\\x.pyd'", "in use or protected", 4),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY", "is not trusted", 3),
        ("IncompleteRead(1 bytes read, 9 more expected)", "was interrupted", 3),
        ("Failed to establish a new connection: [Errno 11001] getaddrinfo failed", "offline", 3),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM", "is not what was asked for", 3),
        ("ProxyError('Cannot connect to proxy.')", "cannot be reached", 3),
        ("ERROR: No matching distribution found for torch>=2.10", "has no build of torch", 3),
        ("something new", "could not be installed", 3),
    ],
)
def test_the_cause_is_read_from_the_log(log: str, words: str, code: int) -> None:
    error = explain_failure(log, "torch", "PyPI", Path("folder", "pip.log"))
    assert words in str(error)
    assert error.exit_code == code
    *_, last = str(error).splitlines()
    assert len(str(error).splitlines()) == 3
    assert last == f"pip's own messages are in {Path('folder', 'pip.log')}"


def test_a_disk_that_fills_up_during_a_download_counts_as_full() -> None:
    log = "Connection broken: OSError(28, 'No space left on device')\nNo matching distribution"
    assert explain_failure(log, "torch", "PyPI", Path("folder", "pip.log")).exit_code == STORAGE


def test_an_index_that_cannot_be_reached_is_not_one_without_a_build() -> None:
    log = "getaddrinfo failed\nERROR: No matching distribution found for torch"
    error = explain_failure(log, "torch", "PyPI", Path("folder", "pip.log"))
    assert not isinstance(error, NoBuildError)
    assert error.exit_code == MISSING
