"""Only computers with the job's certificate take part; what is wrong with one is said."""

from __future__ import annotations

import errno
import os
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from matting.errors import InputError, StorageError
from matting.workers.cluster import certificates
from matting.workers.cluster.certificates import (
    CERTIFICATE,
    KEY,
    make_certificates,
    require_safe_address,
    security,
)

NETWORK = "tcp://192.168.1.20:8786"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "Zertifikäte mit Platz"
    make_certificates(path)
    return path


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as info:
        security(folder, NETWORK)
    assert info.value.option == "--certificates"
    return str(info.value)


def test_certificates_are_their_owners_alone(folder: Path) -> None:
    if os.name == "posix":
        for name in (CERTIFICATE, KEY):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == [CERTIFICATE, KEY]


def test_certificates_are_never_overwritten(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="already"):
        make_certificates(folder)
    (folder / CERTIFICATE).unlink()
    with pytest.raises(InputError, match=KEY):
        make_certificates(folder)
    assert (folder / KEY).read_bytes() == before[folder / KEY]


def test_certificates_that_cannot_be_written_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError):
        make_certificates(tmp_path / "file" / "certificates")


def test_both_ends_use_them_and_nothing_goes_without(folder: Path) -> None:
    own = security(folder, NETWORK)
    for role in ("client", "worker", "scheduler"):
        assert own.get_connection_args(role)["require_encryption"]
        assert own.get_listen_args(role)["ssl_context"].verify_mode


@pytest.mark.parametrize(
    ("address", "used"),
    [
        ("tcp://127.0.0.1:8786", "tcp://127.0.0.1:8786"),
        ("localhost", "tcp://localhost:8786"),
        ("tcp://[::1]:99", "tcp://[::1]:99"),
    ],
)
def test_this_computer_alone_needs_none(address: str, used: str) -> None:
    assert require_safe_address(address, None) == used
    assert not security(None, address).require_encryption
    assert require_safe_address(address, Path("keys")) == used.replace("tcp", "tls")


@pytest.mark.parametrize(
    "address", [NETWORK, "tcp://0.0.0.0:8786", "tcp://:8786", "render-pc", "tls://127.0.0.1:8786"]
)
def test_the_network_is_closed_without_them(address: str) -> None:
    with pytest.raises(InputError):
        require_safe_address(address, None)
    with pytest.raises(InputError):
        security(None, address)


def test_what_makes_them_is_said() -> None:
    with pytest.raises(InputError) as info:
        require_safe_address(NETWORK, None)
    assert "--make-certificates" in info.value.hint
    assert info.value.option == "--certificates"


@pytest.mark.parametrize("name", [CERTIFICATE, KEY])
def test_a_missing_or_damaged_file_is_named(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    assert f"{name} is damaged" in refusal(folder)
    (folder / name).unlink()
    assert f"holds no {name}" in refusal(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "keys") in refusal(tmp_path / "keys")


def test_a_file_that_may_not_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = Path.open

    def open_others(path: Path, *arguments: Any) -> object:
        if path.name == KEY:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opening(path, *arguments)

    monkeypatch.setattr(Path, "open", open_others)
    assert f"{KEY} may not be read" in refusal(folder)


def test_files_of_two_folders_do_not_fit(folder: Path, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other")
    (folder / KEY).write_bytes((tmp_path / "other" / KEY).read_bytes())
    assert "does not belong" in refusal(folder)


def test_a_key_of_another_kind_is_refused(folder: Path) -> None:
    key = rsa.generate_private_key(65537, 1024)
    (folder / KEY).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    assert f"{KEY} is damaged, or not one of this program" in refusal(folder)


@pytest.mark.parametrize(("days", "words"), [(-4000, "has expired"), (30, "counts only from")])
def test_the_time_of_a_certificate_counts(folder: Path, days: int, words: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    made = datetime.now(timezone.utc) + timedelta(days=days)
    certificate = certificates.self_signed(key, made)
    (folder / KEY).write_bytes(certificates.pem(key))
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    assert words in refusal(folder)
