"""Pictures for headsets: both eyes side by side, of source and stored matte."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from matting.imaging.code_blending import flat_samples
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.compositor import BLACK
from matting.imaging.device_copy import to_host
from matting.imaging.lenses import Lens
from matting.imaging.matte_planes import MattePlanes
from matting.imaging.output_spec import OutputSpec, Style
from matting.imaging.packed_alpha import AlphaPacker
from matting.imaging.planes import Planes, concatenate
from matting.imaging.projection import EyePart, EyeProjector
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.stored_compositor import compose, straight_foreground
from matting.options import OutputKind
from matting.system.memory import in_parts
from matting.view import View


@dataclass(frozen=True)
class VrPicture:
    """What pictures for a headset are like.

    Attributes:
        view: of the source.
        source: its lens.
        eye: one eye's part of the picture that is made.
        target: its samples, Y'CbCr with chroma.
        background: R'G'B' behind the people, 0..255; None: what was filmed stays, and the matte is
            packed into the black around the eyes' circles.
        fringe: whether half-transparent pixels get the colours of the people alone, where what was
            filmed stays.
    """

    view: View
    source: Lens
    eye: EyePart
    target: SampleFormat
    background: tuple[int, int, int] | None = None
    fringe: bool = False

    @property
    def size(self) -> Size:
        """Of the picture that is made."""
        return Size(2 * self.eye.size.width, self.eye.size.height)


def render_vr(stored: StoredFrames, picture: VrPicture) -> Planes:
    """Return pictures for a headset, on the CPU; where memory is short, made in parts.

    Raises:
        OutOfMemoryError: there is too little memory for a single frame.
        MachineError: the graphics card broke off.
    """

    @torch.inference_mode()
    def render_part(part: StoredFrames) -> Planes:
        renderer = _renderer(picture, part.source.size, part.source.device)
        return to_host(renderer.render(part.source, part.matte.to(part.source.device)))

    parts = in_parts(render_part, stored, stored.source.device)
    return parts[0] if len(parts) == 1 else concatenate(parts)


@lru_cache(maxsize=2)  # of two formats that are made in one go
def _renderer(picture: VrPicture, size: Size, device: torch.device) -> _VrRenderer:
    """Return a renderer with its maps, which take as long to make as dozens of frames."""
    return _VrRenderer(picture, size, device)


class _VrRenderer:
    """Makes pictures of frames of one size."""

    def __init__(self, picture: VrPicture, size: Size, device: torch.device) -> None:
        self._picture = picture
        own = EyePart(picture.source, Size(*picture.view.eye_size(size)))
        self._projector = EyeProjector(own, picture.eye, picture.target, device)
        self._packer = None
        if picture.background is None:
            self._packer = AlphaPacker(own, picture.eye, picture.target, device)
        style, target = Style.COMPOSITE, picture.target
        colour = OutputSpec(style, target, target, picture.background or BLACK, is_grey=False)
        self._outside = flat_samples(colour, 0)

    def render(self, source: Planes, matte: MattePlanes) -> Planes:
        """Return pictures, on the device of source and matte."""
        parts = self._picture.view.eyes(source.size)
        colours = self._colours(source, matte)
        eyes = [colours.window(own.left, own.top, Size(own.width, own.height)) for own in parts]
        frames = self._projector.project(eyes, self._picture.target, self._outside)
        if self._packer is not None:
            alpha = matte.alpha_planes
            mattes = [alpha.window(own.left, own.top, Size(own.width, own.height)) for own in parts]
            self._packer.pack(frames, [own.luma_or_rgb for own in mattes])
        return frames

    def _colours(self, source: Planes, matte: MattePlanes) -> Planes:
        """Return the source's frames as they are to be seen, with all its bits."""
        picture, own = self._picture, source.sample_format
        bits = max(picture.target.bits, own.bits)
        wanted = replace(picture.target, bits=bits, lsb_padding=0, semi_planar=False)
        if picture.background is not None:
            outputs = compose(source, matte, {OutputKind.COMPOSITE: wanted}, picture.background)
            return outputs[OutputKind.COMPOSITE]
        if picture.fringe:
            return straight_foreground(source, matte, wanted, everywhere=True)
        is_same = replace(own, lsb_padding=0, semi_planar=False) == wanted
        return source if is_same and source.chroma is not None else convert_planes(source, wanted)
