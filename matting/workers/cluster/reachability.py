"""Whether a scheduler can be talked to: one try, and why not.

Dask itself tries again for as long as it is let, without a word on what is wrong.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from pathlib import Path

from matting.cluster_options import CERTIFICATES_OPTION, TLS, Address
from matting.errors import InputError
from matting.workers.cluster.certificates import (
    require_safe_address,
    security,
)

ANSWER_SECONDS = 5.0


def require_scheduler(
    address: str, certificates: Path | None, seconds: float = ANSWER_SECONDS
) -> str:
    """Return the address of a scheduler that answers, as `require_safe_address` does.

    Args:
        seconds: how long to wait for each of its answers.
    Raises:
        InputError: the address, or the certificates, cannot be used; nothing answers there; or it
            is something else, or has other certificates.
    """
    safe = require_safe_address(address, certificates)
    context = None
    if certificates is not None:
        context = security(certificates, safe).get_connection_args("client")["ssl_context"]
    parsed = Address.parse(safe)
    try:
        with _connected(parsed, context, seconds) as connection:
            answer = connection.recv(1)  # whoever is connected to is greeted
    except ssl.SSLCertVerificationError as error:
        raise _refused(
            f"{safe} has another certificate than the one in {certificates}",
            "Give all computers of the job the same two files, and start the scheduler again.",
        ) from error
    except ssl.SSLError as error:
        raise _refused(
            f"{safe} does not answer with encryption",
            f"Start the scheduler with {CERTIFICATES_OPTION}, too.",
        ) from error
    except socket.gaierror as error:
        raise _refused(
            f"There is no computer {parsed.host} in the network",
            "Check the name, or give the computer's IP address.",
        ) from error
    except ConnectionRefusedError as error:
        raise _refused(
            f"Nothing listens at {safe}",
            "Start the scheduler there first, and check the port.",
        ) from error
    except TimeoutError as error:
        raise _refused(f"{safe} does not answer", _silent(parsed)) from error
    except OSError as error:
        raise _refused(
            f"{safe} cannot be reached: {error.strerror or error}",
            "Check the address, and that the computers are in one network.",
        ) from error
    if not answer:
        raise _refused(f"{safe} hangs up", _silent(parsed))
    return safe


def _connected(
    address: Address, context: ssl.SSLContext | None, seconds: float
) -> socket.socket | ssl.SSLSocket:
    """Return an open connection; the caller closes it."""
    connection = socket.create_connection((address.host, address.port), timeout=seconds)
    if context is None:
        return connection
    try:
        return context.wrap_socket(connection)
    except BaseException:
        with suppress(OSError):
            connection.close()
        raise


def _silent(address: Address) -> str:
    if address.protocol == TLS:
        return "Check the address, and that the firewall there lets the port through."
    return (
        f"Check that a scheduler listens there, and was started without {CERTIFICATES_OPTION}, "
        "as this was."
    )


def _refused(what: str, hint: str) -> InputError:
    return InputError(f"{what}.", hint)
