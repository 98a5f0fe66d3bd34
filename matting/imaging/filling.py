"""Whole frames filled with a colour, or with other frames."""

from __future__ import annotations

from matting.imaging.planes import Planes, signed_view


def fill_frames(output: Planes, colour: Planes) -> None:
    """Fill frames, on the CPU, with the first pixel of another of their format."""
    pairs = [(output.luma_or_rgb, colour.luma_or_rgb)]
    if output.chroma is not None and colour.chroma is not None:
        pairs.append((output.chroma, colour.chroma))
    for planes, pixel in pairs:
        for channel, value in enumerate(pixel[0, :, 0, 0].tolist()):
            planes[:, channel].fill_(value)


def lay_frames(output: Planes, behind: Planes) -> None:
    """Fill frames with those behind them, which have their samples without padding."""
    copy_frames(behind, output)
    padding = output.sample_format.lsb_padding
    for samples in (output.luma_or_rgb, output.chroma):
        if padding and samples is not None:
            shifted = signed_view(samples)
            shifted.bitwise_left_shift_(padding)


def copy_frames(frames: Planes, output: Planes) -> None:
    """Copy frames, or one to all, to those of the same layout that are as large or larger."""
    part = output.crop(frames.size)
    part.luma_or_rgb.copy_(frames.luma_or_rgb.expand_as(part.luma_or_rgb))
    if part.chroma is not None and frames.chroma is not None:
        part.chroma.copy_(frames.chroma.expand_as(part.chroma))
