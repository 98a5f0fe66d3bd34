"""Loading packages, some of which take long, and any of which may be missing or broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from matting.errors import MissingError
from matting.progress import Progress
from matting.system.fixes import setup
from matting.system.invocation import Command, program_line


def unusable_package(error: ImportError | OSError) -> MissingError:
    """Return the error for a package that does not load."""
    name = getattr(error, "name", None)
    return MissingError(
        f"The Python package {name} is missing or broken ({error})."
        if name
        else f"A Python package is broken ({error}).",
        f"To fix it: {setup()}. This shows what else is missing: {program_line(Command.DOCTOR)}",
    )


@contextmanager
def loading(progress: Progress) -> Iterator[None]:
    """Say that the program is starting while the block imports what it needs.

    Raises:
        MissingError: a package is missing or broken.
    """
    progress.start("Starting ...", 0, "")
    try:
        yield
    except (ImportError, OSError) as error:  # the latter if a package's libraries do not load
        raise unusable_package(error) from error
    finally:
        progress.finish()
