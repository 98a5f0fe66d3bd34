"""What holds something that has to be given back: a file, a thread, a process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

A = TypeVar("A", bound="Closing")


class Closing(ABC):
    """What is closed at the end of a `with` block, however that ends."""

    def __enter__(self: A) -> A:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give back what this holds; a second time does nothing."""
