"""How stored pictures are brought upright: the eight ways to turn and mirror a rectangle."""

from __future__ import annotations

from typing import NamedTuple


class Orientation(NamedTuple):
    """What brings a stored picture upright: it is mirrored first, then turned.

    Attributes:
        turns: quarter turns counter-clockwise, 0 to 3.
        mirrored: whether left and right are exchanged before that.
    """

    turns: int = 0
    mirrored: bool = False

    @property
    def is_sideways(self) -> bool:
        """Whether width and height change places."""
        return self.turns % 2 == 1


UPRIGHT = Orientation()
