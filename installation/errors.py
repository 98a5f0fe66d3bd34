"""Why setup stops. Its exit codes mean what the program's do (matting/errors.py)."""

from __future__ import annotations

UNUSABLE_FOLDER, MISSING, STORAGE, INTERRUPTED = 2, 3, 4, 130


class SetupError(Exception):
    """What failed, and what to do about it: a plain sentence each.

    Args:
        exit_code: of `python installation`.
    """

    def __init__(self, what: str, hint: str, exit_code: int = MISSING) -> None:
        super().__init__(f"{what}\n{hint}")
        self.exit_code = exit_code
