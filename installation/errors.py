"""What stops setting up. The exit codes are those of the program (matting/errors.py)."""

from __future__ import annotations

BAD_PLACE, MISSING, STORAGE, INTERRUPTED = 2, 3, 4, 130


class SetupError(Exception):
    """One plain sentence on what failed, and one on what to do.

    Args:
        exit_code: of `python installation`.
    """

    def __init__(self, what: str, hint: str, exit_code: int = MISSING) -> None:
        super().__init__(f"{what}\n{hint}")
        self.exit_code = exit_code
