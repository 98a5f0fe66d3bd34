"""Who may take part in a job over a network: whoever has the job's certificate and its key.

All computers of a job have the same two files. Workers run what they are sent, so over a network
nothing goes without them; on the loopback, whoever can connect is on this computer already.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from distributed import Security

from matting.cluster_options import (
    CERTIFICATES_OPTION,
    MAKE_CERTIFICATES_OPTION,
    TCP,
    TLS,
    Address,
)
from matting.errors import InputError, storage_error, writing
from matting.system.atomic_files import make_folder
from matting.system.files import read_error
from matting.system.invocation import Command, program_line
from matting.system.temporary_files import NEW_FILE

CERTIFICATE, KEY = "certificate.pem", "key.pem"
MOST_BYTES = 1 << 16  # of either file
COPY_BOTH = f"Copy {CERTIFICATE} and {KEY} again, both, from a computer where they work."
SET_CLOCK = "Check this computer's date and time."
LOOPBACK = "127.0.0.1"
NAME = "RVM on Segments"
VALID = timedelta(days=3650)
CLOCKS_DIFFER = timedelta(days=2)  # between computers, one of which may have a wrong time zone

A = TypeVar("A")


def make_certificates(folder: Path) -> None:
    """Make a certificate and its key, which only their owner can read, in a folder.

    Raises:
        InputError: there are some already.
        StorageError: they cannot be written.
    """
    present = [name for name in (CERTIFICATE, KEY) if (folder / name).exists()]
    if present:
        raise InputError(
            f"{folder} holds {' and '.join(present)} already; jobs may depend on them.",
            f"Name another folder with {CERTIFICATES_OPTION}, or move them away first.",
            option=CERTIFICATES_OPTION,
        )
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = self_signed(key, datetime.now(timezone.utc))
    make_folder(folder)
    _write_private(folder / KEY, pem(key))
    _write_private(folder / CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))


def require_safe_address(address: str, certificates: Path | None) -> str:
    """Return the address that is used indeed: an encrypted one, or one of this computer alone.

    Args:
        address: as `Address.parse` takes it, of what is connected to, or listens.
        certificates: the folder with the certificate; None: there is none.
    Raises:
        InputError: it is no address, or anybody in the network could take part.
    """
    try:
        parsed = Address.parse(address)
    except ValueError as error:
        raise InputError(
            f"{address} {error}.", "Give the one that the scheduler shows at its start."
        ) from error
    if certificates is not None:
        return str(replace(parsed, protocol=TLS))
    if parsed.is_loopback and parsed.protocol == TCP:
        return str(parsed)
    why = "is encrypted" if parsed.protocol == TLS else "can be reached over the network"
    raise InputError(
        f"{parsed} {why}, and no certificates are given.",
        "Make some once, copy their folder to all computers of the job, and name it with "
        f"{CERTIFICATES_OPTION} on each. This makes them: {making_line()}",
        option=CERTIFICATES_OPTION,
    )


def security(folder: Path | None, address: str) -> Security:
    """Return what connections with an address, or of it, are secured by.

    Args:
        folder: with the certificate and its key; None: there are none.
        address: as for `require_safe_address`.
    Raises:
        InputError: the address is not safe without certificates, or they cannot be used.
    """
    require_safe_address(address, folder)
    if folder is None:
        return Security(require_encryption=False)
    _require_usable(folder, datetime.now(timezone.utc))
    certificate, key = str(folder / CERTIFICATE), str(folder / KEY)
    return Security(
        require_encryption=True,
        tls_ca_file=certificate,
        tls_client_cert=certificate,
        tls_client_key=key,
        tls_scheduler_cert=certificate,
        tls_scheduler_key=key,
        tls_worker_cert=certificate,
        tls_worker_key=key,
    )


def listening(address: str) -> dict[str, Any]:
    """Return with which arguments Dask's worker of a scheduler listens where it may alone.

    Without them, it listens on all addresses that the computer has: also where the scheduler is on
    the loopback and nothing is encrypted, and anybody in the network could have it run anything.

    Args:
        address: the scheduler's, a safe one.
    """
    where = Address.parse(address)
    inside: dict[str, Any] = {"dashboard": False, "dashboard_address": f"{LOOPBACK}:0"}
    if where.protocol == TCP:
        inside["host"] = f"[{where.host}]" if ":" in where.host else LOOPBACK
    return inside


def making_line() -> str:
    """Return what to type to make certificates."""
    return program_line(Command.WORKER, MAKE_CERTIFICATES_OPTION)


def self_signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """Return a certificate that vouches for itself, for whoever connects and whoever listens."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    public = key.public_key()
    own = x509.SubjectKeyIdentifier.from_public_key(public)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    both_ends = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(both_ends), critical=False)
        .add_extension(own, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False
        )
        .sign(key, hashes.SHA256())
    )


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, content: bytes) -> None:
    """Write a new file that nobody else can read; leave none that is not whole.

    Raises:
        StorageError.
    """
    with writing(path):
        descriptor = os.open(path, NEW_FILE, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise storage_error(error, path) from error


def _require_usable(folder: Path, now: datetime) -> None:
    """Refuse a folder without a certificate that counts today, and the key that belongs to it.

    Raises:
        InputError.
    """
    certificate = _parsed(folder / CERTIFICATE, x509.load_pem_x509_certificate)
    key = _parsed(folder / KEY, _load_key)
    if key.public_key() != certificate.public_key():
        raise _refused(folder, f"{KEY} does not belong to {CERTIFICATE}", COPY_BOTH)
    if certificate.not_valid_after_utc < now:
        day = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        raise _refused(folder, f"{CERTIFICATE} has expired on {day}", _make_new())
    if certificate.not_valid_before_utc > now:
        day = f"{certificate.not_valid_before_utc:%Y-%m-%d}"
        raise _refused(folder, f"{CERTIFICATE} counts only from {day} on", SET_CLOCK)


def _load_key(content: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(content, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"a key of another kind: {type(key).__name__}")
    return key


def _parsed(path: Path, parse: Callable[[bytes], A]) -> A:
    """Return what a file of the folder holds.

    Raises:
        InputError: it is not there, cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except FileNotFoundError as error:
        raise _refused(
            path.parent, f"it holds no {path.name}", f"{COPY_BOTH} {_make_new()}"
        ) from error
    except PermissionError as error:
        owner = "This account may not read it; only the one that made or copied it may."
        raise _refused(path.parent, f"{path.name} may not be read", owner) from error
    except OSError as error:
        raise read_error(path, error) from error
    try:
        return parse(content)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _refused(
            path.parent, f"{path.name} is damaged, or not one of this program", COPY_BOTH
        ) from error


def _make_new() -> str:
    return f"Make new ones in another folder, for all computers: {making_line()}"


def _refused(folder: Path, why: str, hint: str) -> InputError:
    return InputError(
        f"The certificates in {folder} cannot be used: {why}.", hint, option=CERTIFICATES_OPTION
    )
