"""A segment as both eyes of a headset see it, of source and stored matte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matting.background import plain_colour
from matting.delivery.vr_plan import VrPlan
from matting.imaging.lenses import Lens
from matting.imaging.projection import EyePart
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.vr_rendering import VrPicture, render_vr
from matting.media.encoders import EncoderInput
from matting.media.source import FrameSource
from matting.media.video_writer import VideoWriter
from matting.options import OutputOptions
from matting.progress import ignore
from matting.system.closing import Closing
from matting.view import Projection, View


class VrWriter(Closing):
    """Renders pictures for headsets, and encodes them; use it in a `with` block."""

    def __init__(
        self,
        path: Path,
        plan: VrPlan,
        *,
        source: FrameSource,
        options: OutputOptions,
        samples: EncoderInput,
    ) -> None:
        """Open `path` for writing, replacing what was there.

        Args:
            samples: by `VrPlan.samples`.
        Raises:
            InputError: frames of that size hold no eyes of whole chroma samples.
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: the file cannot be written.
        """
        side_px = plan.side_px(source.size_px, source.rate)
        self._picture = vr_picture(plan, side_px, options, samples.sample_format)
        self._writer = VideoWriter(
            path,
            size_px=self._picture.size,
            time_base=source.time_base,
            rate=source.rate,
            colour=plan.colour(source),
            encoding=plan.encoding(options.encoding),
            samples=samples,
            most_frames=source.frames,
        )

    def close(self) -> None:
        self._writer.close()

    def write(self, frames: StoredFrames, pts: Sequence[int]) -> None:
        """Render and encode T frames at T times in ticks, rising.

        Raises:
            EncodeError, MachineError, StorageError: as `VideoWriter.write`.
        """
        self._writer.write(render_vr(frames, self._picture), pts)

    def finish(self, on_frames: Callable[[int], None] = ignore) -> None:
        """Complete the file, and prove it; as `VideoWriter.finish`."""
        self._writer.finish(on_frames)


def vr_picture(
    plan: VrPlan, side_px: int, options: OutputOptions, target: SampleFormat
) -> VrPicture:
    """Return what the pictures of a result are like.

    Args:
        side_px: of an eye's part.
        target: its samples.
    """
    return VrPicture(
        plan.view,
        _lens_of(plan.view),
        EyePart(Lens(plan.lens.projection, plan.lens.field_of_view_deg), Size(side_px, side_px)),
        target,
        background=None if plan.is_packed else plain_colour(options.background),
        fringe=plan.options.fringe,
    )


def _lens_of(view: View) -> Lens:
    if view.projection is Projection.FISHEYE and view.field_of_view_deg is not None:
        return Lens(view.projection, view.field_of_view_deg)
    return Lens(Projection.HALF_EQUIRECTANGULAR)
