"""The choice of who renders the full-size frames, and in how much memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from matting.errors import MissingError, OutOfMemoryError
from matting.imaging import compositor
from matting.imaging.compositor import Matte, RenderFunction
from matting.imaging.device_copy import to_host
from matting.imaging.frame_parts import FrameParts, put_together
from matting.imaging.matte_planes import MattePlanes, concatenate_mattes
from matting.imaging.matte_renderer import render_planes
from matting.imaging.planes import Planes, concatenate
from matting.imaging.sample_format import SampleFormat
from matting.imaging.stored_compositor import compose
from matting.options import OutputKind, RendererBackend
from matting.system.memory import enough_memory, in_parts

UNSUPPORTED = "source and result have their colour samples in different places, or none"


@dataclass(frozen=True)
class StoredFrames:
    """Frames and what is stored of their matte, each on any device.

    Attributes:
        behind: the frames behind their composite, as many or one; None: a colour is there.
    """

    source: Planes
    matte: MattePlanes
    behind: Planes | None = None

    def __len__(self) -> int:
        return len(self.source)

    def split(self, frames: int) -> list[StoredFrames]:
        """Return them in parts of at most `frames` frames, in the same memory."""
        parts = zip(self.source.split(frames), self.matte.split(frames), strict=True)
        if self.behind is None or len(self.behind) < len(self):
            return [StoredFrames(*part, self.behind) for part in parts]
        behind = self.behind.split(frames)
        return [StoredFrames(*part, own) for part, own in zip(parts, behind, strict=True)]


class Renderer:
    """Renders full-size frames: in one pass by a Triton kernel, or in bands and tiles by torch.

    The kernel is trusted when its first frame of each kind of video equals torch's, within 1/255.
    """

    def __init__(
        self,
        backend: RendererBackend,
        device: torch.device,
        tell: Callable[[str], None],
        triton_render: RenderFunction | None = None,
    ) -> None:
        """
        Args:
            backend: AUTO: the kernel where the device is a GPU.
            tell: called once with the reason why the kernel is not used, where it could have been.
            triton_render: the kernel; None: this program's own.
        Raises:
            MissingError: FUSED, and there is no graphics card or no Triton.
        """
        self._tell = tell
        self._reasons_told: set[str] = set()
        self._trusted: set[tuple[SampleFormat, frozenset[tuple[OutputKind, SampleFormat]]]] = set()
        self._triton_render = triton_render if backend != RendererBackend.PLAIN else None
        wants_triton = backend == RendererBackend.FUSED or (
            backend == RendererBackend.AUTO and device.type == "cuda"
        )
        if triton_render is None and wants_triton:
            self._triton_render = self._load_triton(backend, device)

    @property
    def backend(self) -> RendererBackend:
        """FUSED or PLAIN: what is tried first."""
        return RendererBackend.PLAIN if self._triton_render is None else RendererBackend.FUSED

    def __call__(
        self,
        matte: Matte,
        formats: Mapping[OutputKind, SampleFormat],
        background: tuple[int, int, int],
    ) -> dict[OutputKind, Planes]:
        """Return the full-size frames of every output, as `compositor.render` does.

        Raises:
            OutOfMemoryError: there is too little memory.
        """
        if self._triton_render is not None:
            try:
                with enough_memory():
                    return self._render_by_triton(self._triton_render, matte, formats, background)
            except OutOfMemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - a compiler's errors are of any kind
                self._give_up_triton("".join(str(error).strip().splitlines()[-1:]))
        return compositor.render(matte, formats, background)

    def _render_by_triton(
        self,
        triton_render: RenderFunction,
        matte: Matte,
        formats: Mapping[OutputKind, SampleFormat],
        background: tuple[int, int, int],
    ) -> dict[OutputKind, Planes]:
        kind_of_video = matte.source.sample_format, frozenset(formats.items())
        if kind_of_video not in self._trusted:
            first = matte.split(1)[0]
            by_triton = triton_render(first, formats, background)
            by_torch = compositor.render(first, formats, background)
            if not all(nearly_equal(by_triton[kind], by_torch[kind]) for kind in formats):
                self._give_up_triton("its first picture is not what torch makes")
                return compositor.render(matte, formats, background)
            self._trusted.add(kind_of_video)
        return triton_render(matte, formats, background)

    def _load_triton(self, backend: RendererBackend, device: torch.device) -> RenderFunction | None:
        try:
            from matting.imaging import triton_compositor  # noqa: PLC0415 - not everywhere
        except ImportError:
            if backend == RendererBackend.FUSED:
                raise MissingError(
                    "--full-size fused needs Triton, which is not installed.",
                    "Use --full-size auto, which does without it.",
                    option="--full-size",
                ) from None
            return None
        if device.type != "cuda":
            raise MissingError(
                "--full-size fused needs an NVIDIA graphics card.",
                "Use --full-size auto.",
                option="--full-size",
            )

        def render(
            matte: Matte,
            formats: Mapping[OutputKind, SampleFormat],
            background: tuple[int, int, int],
        ) -> dict[OutputKind, Planes]:
            if triton_compositor.is_supported(matte.source, formats):
                return triton_compositor.render(matte, formats, background)
            self._tell_once(UNSUPPORTED)
            return compositor.render(matte, formats, background)

        return render

    def _give_up_triton(self, reason: str) -> None:
        self._triton_render = None
        self._tell_once(reason or "it failed")

    def _tell_once(self, reason: str) -> None:
        if reason not in self._reasons_told:
            self._reasons_told.add(reason)
            self._tell(
                f"Full-size pictures are rendered the slower way (--full-size plain): {reason}."
            )


def nearly_equal(one: Planes, other: Planes) -> bool:
    """Return whether no code values differ by more than 1/255, or than 1 where they are fewer."""
    sample_format = one.sample_format
    bound = max(1, sample_format.max_code_value // 255) << sample_format.lsb_padding
    pairs = [(one.luma_or_rgb, other.luma_or_rgb)]
    if one.chroma is not None and other.chroma is not None:
        pairs.append((one.chroma, other.chroma))
    return all(_largest_difference(a, b) <= bound for a, b in pairs)


def _largest_difference(one: Tensor, other: Tensor) -> int:
    return int((one.to(torch.int32) - other.to(torch.int32)).abs().max())


def render_matte_planes(
    mattes: FrameParts[Matte], *, renderer: RenderFunction = compositor.render
) -> MattePlanes:
    """Return what is stored of frames, on their device; where memory is short, of some at a time.

    Args:
        renderer: a `Renderer`, or what renders in its place.
    Raises:
        OutOfMemoryError: there is too little memory for a single frame.
        MachineError: the graphics card broke off.
    """

    def render(some: FrameParts[Matte]) -> MattePlanes:
        return put_together(some.made_into(partial(render_planes, render=renderer)))

    parts = in_parts(render, mattes, mattes.source.device)
    return parts[0] if len(parts) == 1 else concatenate_mattes(parts)


def between_views(mattes: FrameParts[Matte]) -> Tensor | None:
    """Return how much the mattes of two views of each frame differ, [T]; None: there was one view.

    The mean over the picture of how much alpha differs; where it is divided, over its parts.
    """
    pairs = [(own.between_views, own.source.size) for own in mattes.contents]
    known = [views * size.width * size.height for views, size in pairs if views is not None]
    if len(known) < len(pairs):
        return None
    return torch.stack(known).sum(0) / sum(size.width * size.height for _, size in pairs)


def compose_outputs(
    stored: StoredFrames,
    formats: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    *,
    keep_on_device: Collection[OutputKind] = (),
) -> dict[OutputKind, Planes]:
    """Return the full-size frames of stored mattes on the CPU; where memory is short, in parts.

    Args:
        formats: as for `stored_compositor.compose`.
        background: R'G'B', 0..255, where no frames are behind them.
        keep_on_device: outputs that stay on the source's device.
    Raises:
        OutOfMemoryError: there is too little memory for a single frame.
        MachineError: the graphics card broke off.
    """

    def compose_part(part: StoredFrames) -> dict[OutputKind, Planes]:
        matte = part.matte.to(part.source.device)
        behind = background if part.behind is None else part.behind.to(part.source.device)
        outputs = compose(part.source, matte, formats, behind)
        return {k: p if k in keep_on_device else to_host(p) for k, p in outputs.items()}

    parts = in_parts(compose_part, stored, stored.source.device)
    if len(parts) == 1:
        return parts[0]
    return {kind: concatenate([part[kind] for part in parts]) for kind in formats}
