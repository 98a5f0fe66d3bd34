"""Mattes of frames in memory, one after another, for a program that has its own frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from matting.errors import InputError
from matting.network_choice import RUN_UP_FRAMES, Foreground, SmallPeople
from matting.options import AUTO_DEVICE, MatteOptions
from matting.progress import Progress
from rvm_segments.checked_options import checked_matte

if TYPE_CHECKING:  # both take long to load, and whoever has frames has loaded one of them
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from matting.imaging.compositor import Matte
    from matting.imaging.frame_parts import FrameParts
    from matting.imaging.planes import Planes

SampleT = TypeVar("SampleT", "np.uint8", "np.uint16")
AlphaT = TypeVar("AlphaT")
ForegroundT = TypeVar("ForegroundT")


@dataclass(frozen=True)
class Mattes(Generic[AlphaT, ForegroundT]):
    """The mattes of T frames. A composite is alpha * foreground + (1 - alpha) * background.

    Attributes:
        alpha: how much of each pixel belongs to people, float32 in [0, 1], in steps of 1/1023.
            Arrays: [T, H, W]; tensors: [T, 1, H, W].
        foreground: the people's own R'G'B' colours, not multiplied by alpha, of the shape, the type
            and the range of the frames. Where alpha is 0 or 1, they are those of the frames.
    """

    alpha: AlphaT
    foreground: ForegroundT


class MattingSession:
    """A network on its device, which mattes the frames of a video in their order.

    What it has seen of the frames before helps it with the next: it keeps that from one call to the
    next, until `reset`. How frames are divided into calls makes no difference to the mattes; on a
    GPU, none beyond rounding. One thread at a time may use a session; several sessions do not know
    of each other.

    Attributes:
        device: where it computes, as torch names it: "cpu", "cuda:0".
    """

    def __init__(
        self,
        options: MatteOptions | None = None,
        *,
        device: str = AUTO_DEVICE,
        progress: Progress | None = None,
    ) -> None:
        """Load the network; the first time, its published weights are downloaded (15 MB).

        On a GPU, this makes cuDNN compute float32 as such, without TF32, in the whole process.

        Args:
            options: what shapes the mattes; `shots`, `view` and `eyes` play no part here. None: the
                defaults.
            device: auto (a GPU if torch can use one), or its name: cpu, cuda, cuda:N, mps, xpu or
                xpu:N.
            progress: is told of the download, and why a GPU is not used.
        Raises:
            InputError: the checkpoint is not there or is none, or there is no such device or ratio.
            MissingError: the weights cannot be downloaded, or torch cannot use a GPU.
            StorageError: the weights cannot be written.
            MachineError: the network does not fit into memory, or does not work here.
        """
        from matting.inference.device_choice import settle_device
        from matting.inference.session import MattingSession as Network
        from matting.inference.weights import find_checkpoint, load_checkpoint
        from matting.system.device import choose_device

        self._options = checked_matte(options)
        progress = progress or Progress()
        chosen = choose_device(device)
        path = find_checkpoint(self._options.checkpoint, progress, self._options.model)
        chosen = settle_device(chosen, device, path, progress)
        checkpoint = load_checkpoint(path)
        self._network = Network(
            checkpoint.network,
            chosen,
            self._options.precision,
            quality=self._options.quality,
            small_people=self._options.small_people is SmallPeople.AUTO,
            weights=checkpoint.sha256,
        )
        self.device = str(chosen)

    @overload
    def matte(self, frames: NDArray[SampleT]) -> Mattes[NDArray[np.float32], NDArray[SampleT]]: ...

    @overload
    def matte(self, frames: Tensor) -> Mattes[Tensor, Tensor]: ...

    def matte(self, frames: NDArray[Any] | Tensor) -> Mattes[Any, Any]:
        """Return the mattes of the next frames.

        Args:
            frames: R'G'B', full range, uint8 (0..255) or uint16 (0..65535), of one size until
                `reset`. Arrays: [T, H, W, 3]; tensors: [T, 3, H, W], on any device. T may be 0.
        Returns:
            The mattes, as arrays or as tensors on the device of the frames.
        Raises:
            InputError: the frames have another shape, type or size, or the ratio is too small.
            MachineError: a GPU broke off; OutOfMemoryError: there is too little memory for one
                frame. The session is as before; `reset` begins anew.
        """
        from rvm_segments.frames import FrameMattes, frames_to_planes, like_frames

        source = frames_to_planes(frames)
        self._require_size(source)
        before = self._network.state
        mattes = FrameMattes(source)
        try:
            for part in self._chunks(source) if len(source) else ():
                for own in self._matte(part):
                    mattes.add(*own)
        except BaseException:
            self._network.state = before
            raise
        return Mattes(*like_frames(frames, mattes))

    def reset(self, opening: NDArray[np.uint8] | NDArray[np.uint16] | Tensor | None = None) -> None:
        """Forget the frames so far: the next one is the first of a video, or of another shot.

        Args:
            opening: the first frames of what follows, 9 of them if there are so many, as for
                `matte`, which takes them again. The network sees them backwards, so that it knows
                the people by the first frame, as `matte_video` has it. None: the first frames'
                mattes are a little worse.
        Raises:
            InputError, MachineError: as `matte`.
        """
        self._network.reset()
        if opening is None:
            return
        from rvm_segments.frames import frames_to_planes

        source = frames_to_planes(opening)
        for frame in reversed(source.split(1)[1 : RUN_UP_FRAMES + 1]):
            self._network.run_recurrent(self._network.extract_features(frame, self._ratio(frame)))
        self._network.settle()

    def _ratio(self, source: Planes) -> float:
        from matting.inference.session import automatic_ratio

        if self._options.ratio is not None:
            return self._options.ratio
        return automatic_ratio(source.size, self._options.subject)

    def _require_size(self, source: Planes) -> None:
        """Refuse frames that the state is not of."""
        network = self._network
        if network.state is not None and not network.has_state_for(
            source.size, self._ratio(source)
        ):
            raise InputError(
                f"Frames of {source.width}x{source.height} follow frames of another size.",
                "Call reset() before them.",
            )

    def _chunks(self, source: Planes) -> list[Planes]:
        ratio = self._ratio(source)
        return source.split(self._network.chunk_frames(source.sample_format, source.size, ratio))

    def _matte(self, source: Planes) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield alpha and foreground of frames that are computed at once, on the device.

        Where memory is short, these are some of the frames after the other.
        """
        features = self._network.extract_features(source, self._ratio(source))
        for mattes in self._network.fit_guided_filter(self._network.run_recurrent(features)):
            yield self._render(mattes)

    def _render(self, mattes: FrameParts[Matte]) -> tuple[Tensor, Tensor]:
        from dataclasses import replace

        from matting.imaging.matte_planes import MAX_ALPHA
        from matting.imaging.renderer import render_matte_planes
        from matting.imaging.stored_compositor import straight_foreground

        fused = self._options.foreground is Foreground.FUSED
        stored = render_matte_planes(mattes.made_into(lambda own: replace(own, fused=fused)))
        source = mattes.source
        colours = straight_foreground(source, stored, source.sample_format, everywhere=True)
        return stored.alpha.float() / MAX_ALPHA, colours.luma_or_rgb
