"""The doctor's row on newer releases, which is there only where it is asked for."""

from __future__ import annotations

from matting.cli.doctor_findings import Finding, State
from matting.cli.doctor_probes import Machine
from matting.system import releases
from matting.system.invocation import VERSION

NAME = "Updates"


def updates(machine: Machine) -> Finding:
    """Judge this release by the newest one, which is asked for over the internet."""
    try:
        return judge(machine.newest_release())
    except releases.NoAnswerError as error:
        text = f"this is {VERSION}. Whether there is a newer one is not known: {error}"
        return Finding(NAME, State.NOTE, text)


def judge(newest: str, own: str = VERSION) -> Finding:
    """Judge a release by the number of the newest one; "" where nobody can be asked for that."""
    if not newest:
        text = (
            f"this is {own}. No place is known at which newer releases are announced; the variable "
            f"{releases.VARIABLE} may name one"
        )
        return Finding(NAME, State.NOTE, text)
    if not releases.is_newer(newest, own):
        return Finding(NAME, State.OK, f"{own} is the newest release")
    text = (
        f"{newest} is there, and this is {own}. Unpack it into a folder beside this one, and start "
        "its setup: it takes over what need not be downloaded again"
    )
    return Finding(NAME, State.NOTE, text)
