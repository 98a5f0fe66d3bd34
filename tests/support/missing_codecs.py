"""A PyAV whose FFmpeg was built without a codec."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Literal

import av
import pytest
from av.codec.codec import UnknownCodecError

from matting.media import foreign_files


def build_without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Make PyAV behave like one whose FFmpeg was built without the codec `missing`.

    That is so in this process; commands run in it read no files in another one, then.
    """
    really_find = av.Codec

    def find(name: str, mode: Literal["r", "w"]) -> av.Codec:
        if name == missing:
            raise UnknownCodecError(name)
        return really_find(name, mode)

    monkeypatch.setattr(av, "Codec", find)
    monkeypatch.setattr(foreign_files, "guarded_reading", nullcontext)
