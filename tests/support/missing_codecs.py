"""A PyAV whose FFmpeg was built without a codec."""

from __future__ import annotations

from typing import Literal

import av
import pytest
from av.codec.codec import UnknownCodecError


def build_without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Make PyAV behave like one whose FFmpeg was built without the codec `missing`."""
    really_find = av.Codec

    def find(name: str, mode: Literal["r", "w"]) -> av.Codec:
        if name == missing:
            raise UnknownCodecError(name)
        return really_find(name, mode)

    monkeypatch.setattr(av, "Codec", find)
