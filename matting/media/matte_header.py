"""What a file of mattes says of itself in its metadata: one line, bounded, and checked."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from matting.errors import DecodeError, InputError
from matting.imaging.sample_format import SampleFormat, Size, TransferFunction
from matting.media.matte_layout import MatteLayout

TAG = "MATTE_LAYOUT"
VERSION = 1
MOST_CHARACTERS = 1000

Pixels = Annotated[int, Meta(ge=1, le=65_535)]
Ticks = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Weight = Annotated[float, Meta(gt=0, lt=1)]
Shared = Literal[1, 2, 4]  # columns or rows of pixels with one chroma sample
SitingPx = Annotated[float, Meta(ge=-4, le=4)]

HINT = "It is damaged, or no stored matte of this program. Delete it to have it made again."


class _Version(Struct):
    """What every version says."""

    version: Annotated[int, Meta(ge=1)]


class _Fields(Struct, forbid_unknown_fields=True):
    """What this version says, as JSON."""

    version: Literal[1]
    size_px: tuple[Pixels, Pixels]
    time_base: tuple[Ticks, Ticks]
    bits: Annotated[int, Meta(ge=8, le=16)]
    luma_coefficients: tuple[Weight, Weight] | None
    full_range: bool
    has_chroma: bool
    subsampling: tuple[Shared, Shared]
    siting: tuple[SitingPx, SitingPx]
    transfer: TransferFunction


@dataclass(frozen=True)
class MatteHeader:
    """What is needed to read a file of mattes.

    Attributes:
        time_base: seconds a tick of the frames' times.
    """

    layout: MatteLayout
    time_base: Fraction

    def to_text(self) -> str:
        """Return it as one line: a checksum, and JSON."""
        sample_format = self.layout.sample_format
        fields = {
            "version": VERSION,
            "size_px": self.layout.size_px,
            "time_base": self.time_base.as_integer_ratio(),
            "bits": sample_format.bits,
            "luma_coefficients": sample_format.luma_coefficients,
            "full_range": sample_format.full_range,
            "has_chroma": self.layout.has_chroma,
            "subsampling": sample_format.subsampling,
            "siting": sample_format.siting,
            "transfer": sample_format.transfer,
        }
        text = msgspec.json.encode(fields).decode()
        return f"{_crc(text):08x} {text}"

    @property
    def checksum(self) -> int:
        """What the stamp of every frame repeats."""
        return _crc(self.to_text())

    @classmethod
    def from_text(cls, text: str | None, path: Path) -> MatteHeader:
        """Return what the line in the file `path` says.

        Raises:
            InputError: there is none, or it is of a newer version of this program.
            DecodeError: it is not as it was written.
        """
        if text is None:
            raise InputError(
                f"{path} is no stored matte.", "Give a file from the folder MATTE of a job."
            )
        crc, _, content = text.partition(" ")
        if len(text) > MOST_CHARACTERS or crc != f"{_crc(content):08x}":
            raise DecodeError(f"{path}: what it says of its matte is damaged.", HINT)
        try:
            version = msgspec.json.decode(content, type=_Version).version
            if version > VERSION:
                raise InputError(
                    f"{path} is stored as version {version} of mattes, and this program knows "
                    f"no version above {VERSION}.",
                    "Use the version of the program that stored it, or a newer one.",
                )
            fields = msgspec.json.decode(content, type=_Fields)
            sample_format = SampleFormat(
                bits=fields.bits,
                luma_coefficients=fields.luma_coefficients,
                full_range=fields.full_range,
                subsampling=fields.subsampling,
                siting=fields.siting,
                transfer=fields.transfer,
            )
            layout = MatteLayout(Size(*fields.size_px), sample_format, fields.has_chroma)
        except (msgspec.DecodeError, ValueError) as error:
            raise DecodeError(
                f"{path}: what it says of its matte cannot be ({error}).", HINT
            ) from (error)
        return cls(layout, Fraction(*fields.time_base))


def stored_format(sample_format: SampleFormat) -> SampleFormat:
    """Return what is stored of a source's format: not how a decoder placed its samples in memory.

    So a matte is the same whether a GPU or a CPU decoded the source.
    """
    return replace(sample_format, lsb_padding=0, semi_planar=False)


def _crc(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "replace"))
