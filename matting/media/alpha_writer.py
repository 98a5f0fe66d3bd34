"""Encoding frames with their alpha to a video file, each at its own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from av.video.frame import VideoFrame
from torch import Tensor

from matting.imaging.delivered_frames import DeliveredFrames, quantise_alpha
from matting.imaging.planes import Planes
from matting.imaging.sample_format import Size
from matting.media.alpha_encoders import (
    ENCODERS,
    AlphaCodec,
    alpha_options,
    alpha_tags,
    written_size,
)
from matting.media.codecs import add_video_stream
from matting.media.colour_tags import ColourRange, ColourTags, Matrix
from matting.media.encoders import EncoderInput
from matting.media.frame_planes import frame_with_alpha
from matting.media.frame_threads import use_threads
from matting.media.mp4.header_room import header_first
from matting.media.timed_writer import TimedWriter
from matting.media.video_writer import KEY_FRAME_SECONDS, MAX_RATE


class AlphaVideoWriter(TimedWriter):
    """Writes a video with straight alpha. Use it in a `with` block; only `finish` completes it."""

    def __init__(
        self,
        path: Path,
        codec: AlphaCodec,
        *,
        size_px: Size,
        time_base: Fraction,
        rate: Fraction,
        colour: ColourTags,
        samples: EncoderInput,
        pixel_aspect: Fraction = Fraction(1),
        most_frames: int | None = None,
    ) -> None:
        """Open `path` for writing, replacing what was there.

        Args:
            size_px: of the frames; as `written_size` says, an odd one may grow by one pixel.
            time_base: seconds a tick of the times given to `write`.
            rate: frames a second on average; steers the encoder only.
            colour: the source's tags.
            samples: what `write` will be given, by `alpha_input`.
            most_frames: how many there will be at most; a header that is of one piece then comes
                first. None: that is not known.
        Raises:
            MissingError: this build of FFmpeg has no such encoder.
            StorageError: the file cannot be written.
        """
        spec = ENCODERS[codec]
        first = most_frames is not None and spec.container in {"mov", "mp4"}
        super().__init__(
            path,
            container=spec.container,
            options={**spec.muxing, **(header_first(most_frames or 0) if first else {})},
            time_base=time_base,
            tick_seconds=spec.tick_seconds,
        )
        self._samples = samples
        self._size_px = written_size(codec, size_px)
        is_rgb = samples.sample_format.luma_coefficients is None
        tags = alpha_tags(codec, colour)
        self._tags = replace(tags, matrix=Matrix.RGB, range=ColourRange.FULL) if is_rgb else tags
        with self._opening():
            rate = min(rate, Fraction(MAX_RATE)).limit_denominator(1001)
            options = alpha_options(codec, size_px)
            stream = add_video_stream(self._container, spec.encoder, rate=rate, options=options)
            stream.width, stream.height = self._size_px
            stream.pix_fmt = samples.pixel_format
            context = stream.codec_context
            context.time_base = time_base
            context.gop_size = max(1, round(rate * KEY_FRAME_SECONDS))
            context.sample_aspect_ratio = pixel_aspect
            use_threads(context)
            tags.apply_to(context)
            if is_rgb:
                context.colorspace, context.color_range = Matrix.RGB, ColourRange.FULL
            self._stream = stream

    def write(self, frames: DeliveredFrames, pts: Sequence[int]) -> None:
        """Encode frames.

        Args:
            frames: T of them, their colour in the format of `samples`.
            pts: T times in ticks, rising.
        Raises:
            EncodeError: a time does not rise, or the encoder refuses a frame.
            StorageError: the file cannot be written.
        """
        colour = frames.require_colour()
        sample_format = self._samples.sample_format
        if colour.sample_format != sample_format:
            raise ValueError(f"{colour.sample_format} is not {sample_format}")
        alphas = quantise_alpha(frames.require_alpha(), sample_format.bits).split(1)
        for picture, alpha, time in zip(colour.split(1), alphas, pts, strict=True):
            self._encode(partial(self._frame, picture, alpha), time)

    def _frame(self, picture: Planes, alpha: Tensor) -> VideoFrame:
        return self._tagged(
            frame_with_alpha(picture, alpha, self._samples.pixel_format, self._size_px)
        )

    def _tagged(self, frame: VideoFrame) -> VideoFrame:
        # ProRes has them in each frame's header, by which ffmpeg goes.
        frame.color_range, frame.colorspace = self._tags.range, self._tags.matrix
        frame.color_trc, frame.color_primaries = self._tags.transfer, self._tags.primaries
        return frame
