"""Who makes the full-size pictures, in how much memory, and how little traffic there could be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor

from matting.errors import MissingError, OutOfMemoryError
from matting.imaging.compositor import Matte, render
from matting.imaging.device_copy import to_host
from matting.imaging.planes import Planes, concatenate
from matting.imaging.sample_format import SampleFormat
from matting.options import OutputKind, RendererBackend
from matting.system.memory import enough_memory, in_parts

UNSUITABLE = "source and result have their colour samples in different places, or none"

RenderFunction = Callable[
    [Matte, Mapping[OutputKind, SampleFormat], tuple[int, int, int]], dict[OutputKind, Planes]
]


class Renderer:
    """Makes the full-size pictures: in one pass by a kernel of its own, or in bands by torch.

    The kernel is trusted when what it makes of the first frame of each kind of video equals what
    torch makes of it, within 1/255.

    Attributes:
        backend: FUSED or PLAIN: what is tried first.
    """

    def __init__(
        self,
        way: RendererBackend,
        device: torch.device,
        tell: Callable[[str], None],
        fused: RenderFunction | None = None,
    ) -> None:
        """
        Args:
            way: AUTO, FUSED or PLAIN. AUTO: the kernel where the device is a graphics card.
            tell: is told once why the kernel is not used, where it could have been.
            fused: the kernel; None: this program's own.
        Raises:
            MissingError: FUSED, and there is no graphics card or no Triton.
        """
        self._tell = tell
        self._told: set[str] = set()
        self._agreed: set[tuple[SampleFormat, frozenset[tuple[OutputKind, SampleFormat]]]] = set()
        self._fused = fused if way != RendererBackend.PLAIN else None
        if fused is None and (
            way == RendererBackend.FUSED or (way == RendererBackend.AUTO and device.type == "cuda")
        ):
            self._fused = self._kernel(way, device)

    @property
    def backend(self) -> RendererBackend:
        return RendererBackend.PLAIN if self._fused is None else RendererBackend.FUSED

    def __call__(
        self,
        matte: Matte,
        targets: Mapping[OutputKind, SampleFormat],
        background: tuple[int, int, int],
    ) -> dict[OutputKind, Planes]:
        """What `composite.pictures` makes."""
        if self._fused is not None:
            try:
                with enough_memory():
                    return self._in_one_pass(self._fused, matte, targets, background)
            except OutOfMemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - a compiler's errors are of any kind
                self._give_up(str(error).strip().splitlines()[-1:])
        return render(matte, targets, background)

    def _in_one_pass(
        self,
        fused: RenderFunction,
        matte: Matte,
        targets: Mapping[OutputKind, SampleFormat],
        background: tuple[int, int, int],
    ) -> dict[OutputKind, Planes]:
        key = matte.source.sample_format, frozenset(targets.items())
        if key not in self._agreed:
            first = matte.split(1)[0]
            found, expected = (way(first, targets, background) for way in (fused, render))
            if not all(agree(found[kind], expected[kind]) for kind in targets):
                self._give_up(["its first picture is not what torch makes"])
                return render(matte, targets, background)
            self._agreed.add(key)
        return fused(matte, targets, background)

    def _kernel(self, way: RendererBackend, device: torch.device) -> RenderFunction | None:
        try:
            from matting.imaging import triton_compositor  # noqa: PLC0415 - not everywhere
        except ImportError:
            if way == RendererBackend.FUSED:
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

        def make(
            matte: Matte,
            targets: Mapping[OutputKind, SampleFormat],
            background: tuple[int, int, int],
        ) -> dict[OutputKind, Planes]:
            if triton_compositor.fits(matte.source, targets):
                return triton_compositor.render(matte, targets, background)
            self._tell_once(UNSUITABLE)
            return render(matte, targets, background)

        return make

    def _give_up(self, why: list[str]) -> None:
        self._fused = None
        self._tell_once("".join(why) or "it failed")

    def _tell_once(self, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            self._tell(f"The last step runs the longer way (--full-size plain): {reason}.")


def agree(one: Planes, other: Planes) -> bool:
    """Whether no number differs by more than 1/255, or 1 where there are fewer."""
    sample_format = one.sample_format
    bound = max(1, sample_format.max_code_value // 255) << sample_format.lsb_padding
    pairs = [(one.luma_or_rgb, other.luma_or_rgb)]
    if one.chroma is not None and other.chroma is not None:
        pairs.append((one.chroma, other.chroma))
    return all(_farthest(a, b) <= bound for a, b in pairs)


def _farthest(one: Tensor, other: Tensor) -> int:
    return int((one.to(torch.int32) - other.to(torch.int32)).abs().max())


def render_matte(
    matte: Matte,
    formats: Mapping[OutputKind, SampleFormat],
    background: tuple[int, int, int],
    *,
    renderer: RenderFunction = render,
    keep_on_device: Collection[OutputKind] = (),
) -> dict[OutputKind, Planes]:
    """The results of a matte; where memory is short, a part of the frames at a time.

    Needs no state, so that it can be done in another thread than the network's work.

    Args:
        formats, background: as for `composite.pictures`.
        renderer: how they are made, such as a `FullSize`.
        keep_on_device: the kinds that stay on the matte's device.
    Returns:
        Per kind the frames, the others on the CPU.
    Raises:
        MachineError: there is too little memory for a single frame.
    """

    def compose(part: Matte) -> dict[OutputKind, Planes]:
        found = renderer(part, formats, background)
        return {kind: p if kind in keep_on_device else to_host(p) for kind, p in found.items()}

    made = in_parts(compose, matte, matte.offset.device)
    return made[0] if len(made) == 1 else {k: concatenate([m[k] for m in made]) for k in formats}
