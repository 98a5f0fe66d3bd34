"""What the results look like."""

from __future__ import annotations

from dataclasses import dataclass, field

from matting.media.encoders import Encoding
from matting.project.paths import COMPOSITE


@dataclass(frozen=True)
class Look:
    """What the results look like.

    Attributes:
        background: red, green, blue behind the composite, 0..255.
        kinds: which results to write: COMPOSITE, and of ALPHA, FOREGROUND and ALPHA_PNG those that
            were asked for.
    """

    background: tuple[int, int, int] = (120, 255, 155)
    kinds: tuple[str, ...] = (COMPOSITE,)
    encoding: Encoding = field(default_factory=Encoding)
