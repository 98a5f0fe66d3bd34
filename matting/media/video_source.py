"""Decoding a video, frame by frame, strictly: nothing is skipped, nothing made up."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av import logging
from av.container import InputContainer
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.errors import DecodeError, MachineError, MattingError
from matting.imaging.orientation import UPRIGHT
from matting.imaging.planes import Planes, same_samples
from matting.imaging.sample_format import SampleFormat, Size, surface_format
from matting.media import cuda
from matting.media.alpha import opaque_format
from matting.media.alpha_use import alpha_use_of
from matting.media.colour_tags import ColourTags
from matting.media.container import decode, ffmpeg_log, open_video, unreadable_video
from matting.media.cuda import SURFACE_FORMATS, Nvdec, planes_on_gpu, surface_format_of
from matting.media.frame_chunks import in_chunks
from matting.media.frame_filters import FrameFilters
from matting.media.frame_planes import planes_of
from matting.media.frame_threads import use_threads
from matting.media.hdr_metadata import HdrMetadata
from matting.media.media_index import IndexPart, index_of
from matting.media.pixel_formats import sample_format_of
from matting.media.seek_point import SeekPoint, seek_point
from matting.media.source import FrameChunk
from matting.media.stream_start import FirstFrame
from matting.media.validation import (
    require_matteable,
    require_progressive,
    require_supported,
    require_whole_pictures,
)
from matting.media.video_info import VideoInfo
from matting.progress import ignore
from matting.system.invocation import Command, start

COMPARED_FRAMES = 4  # which NVDEC has to decode as software does


class VideoSource:
    """A video file as a source of upright frames.

    Args:
        rate: frames a second to state; None: the file's own average.
        deinterlaces: whether interlaced frames are made whole pictures; else they are refused.
    Raises:
        InputError: no such file.
        MediaError: it is no video, is truncated, or cannot be matted as it is.
    """

    def __init__(
        self, path: Path, rate: Fraction | None = None, *, deinterlaces: bool = False
    ) -> None:
        self.path = path
        self._rate = rate
        require = require_supported if deinterlaces else require_matteable
        index = index_of(path, IndexPart.START | IndexPart.PACKETS, require)
        if index.start.refusal:
            raise unreadable_video(path, index.start.refusal)
        self._info = index.info
        self._first = index.start.frame or _undecodable(self._info)
        interlaced = self._info.interlaced or self._first.interlaced
        if interlaced and deinterlaces:
            require_whole_pictures(self._info)
        self._filters = FrameFilters(  # what segment has cut needs none of them
            interlaced and deinterlaces, alpha_use_of(self._info), self._info.header.crop
        )
        self._times = sorted(index.packets.frame_times(path))
        self._nvdec: Nvdec | None = None

    def decoded_by(self, nvdec: Nvdec) -> tuple[VideoSource, str]:
        """Return the same source decoded by a GPU, into its memory, and "".

        Where that does not work, or the first frames are not the same, sample for sample: itself,
        and why, as the end of a sentence. What fails later is a MachineError.
        """
        reason = cuda.sharing_obstacle() or self._nvdec_obstacle()
        if reason:
            return self, reason
        other = copy.copy(self)
        other._nvdec = nvdec
        log: list[str] = []
        try:
            by_software = self._first_chunks()
            with ffmpeg_log(logging.ERROR) as log:
                by_nvdec = other._first_chunks()
            for own, theirs in zip(by_software, by_nvdec, strict=True):
                if own.pts != theirs.pts or not same_samples(own.pictures, theirs.pictures):
                    return self, "NVDEC gives other pictures."
        except MattingError as error:
            return self, f"NVDEC cannot decode it ({'; '.join(log) or _cause(error)})."
        return other, ""

    @property
    def size_px(self) -> Size:
        width, height = self._stored_size
        return Size(height, width) if self._is_sideways else Size(width, height)

    @property
    def time_base(self) -> Fraction:
        return self._info.time_base

    @property
    def rate(self) -> Fraction:
        return self._rate or self._info.rate

    @property
    def pixel_aspect(self) -> Fraction:
        return 1 / self._info.pixel_aspect if self._is_sideways else self._info.pixel_aspect

    @property
    def colour(self) -> ColourTags:
        return self._first.colour

    @property
    def sample_format(self) -> SampleFormat:
        stored = VideoFormat(opaque_format(self._first.pixel_format), *self._stored_size)
        sample_format = sample_format_of(stored, self.colour, self._first.orientation)
        return sample_format if self._nvdec is None else surface_format(sample_format)

    @property
    def hdr(self) -> HdrMetadata | None:
        return self._first.hdr

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self._filters.notes(), *self._first.notes)

    @property
    def frames(self) -> int:
        return len(self._times)

    @property
    def times(self) -> list[int]:
        """When its frames are presented, rising, in ticks of the time base."""
        return self._times

    def chunks(
        self, size: int, last: int | None = None, on_skip: Callable[[], None] = ignore
    ) -> Generator[FrameChunk, None, None]:
        """Yield all frames, or only the last `last`, in chunks of `size`.

        Every one that the container lists, at its time, or an error.

        Raises:
            DecodeError: a frame is missing, damaged, of another size or out of order.
            MachineError: the same where a GPU decodes; software may do better.
        """
        skip = 0 if last is None else max(0, self.frames - last)
        planes = self._planes if self._nvdec is None else self._planes_on_gpu
        return in_chunks(planes(skip, on_skip), size)

    def frames_from(self, first: int) -> Generator[tuple[int, Planes], None, None]:
        """Yield the frames from the one of that number on, each with its PTS.

        Raises:
            DecodeError: as `chunks`.
        """
        with closing(self._planes(0, ignore, self.seek_point(first))) as frames:
            for pts, planes in frames:
                if pts >= self._times[first]:
                    yield pts, planes

    def seek_point(self, first: int) -> SeekPoint | None:
        """Return where decoding begins for the sake of a frame; None: at the file's start."""
        packets = index_of(self.path, IndexPart.PACKETS).packets
        if self._filters.deinterlace:
            first = max(0, first - 1)  # the filter looks at the frame before each
        return seek_point(self._info.container, packets, self._times, first)

    @property
    def _stored_size(self) -> Size:
        """Without what the header crops, before any rotation."""
        crop, (width, height) = self._info.header.crop, self._first.size_px
        return Size(width - crop.left_px - crop.right_px, height - crop.top_px - crop.bottom_px)

    @property
    def _is_sideways(self) -> bool:
        return self._first.orientation.is_sideways

    def _nvdec_obstacle(self) -> str:
        """Return why NVDEC's surfaces cannot hold these frames; "" where they can."""
        if self._first.pixel_format not in SURFACE_FORMATS:
            return f"NVDEC gives no {self._first.pixel_format}."
        if self._filters:
            return "the picture is cropped by its container."
        if any(side % 2 for side in self._stored_size):
            return "the picture has an odd size."
        return ""

    def _first_chunks(self) -> list[FrameChunk]:
        with closing(self.chunks(1)) as chunks:
            return list(islice(chunks, COMPARED_FRAMES))

    def _planes(
        self, skip: int, on_skip: Callable[[], None], start: SeekPoint | None = None
    ) -> Generator[tuple[int, Planes], None, None]:
        with closing(self._checked_frames(start)) as checked:
            timed = ((frame.pts, frame) for frame in checked if frame.pts is not None)
            frames = self._filters.apply(self._info, timed) if self._filters else timed
            for index, (pts, frame) in enumerate(frames):
                if index < skip:
                    on_skip()
                else:
                    yield pts, planes_of(frame, self.colour, self._first.orientation)

    def _planes_on_gpu(
        self, skip: int, on_skip: Callable[[], None]
    ) -> Generator[tuple[int, Planes], None, None]:
        sample_format, orientation = self.sample_format, self._first.orientation
        try:
            with closing(self._checked_frames()) as checked:
                for index, frame in enumerate(checked):
                    if index < skip:
                        on_skip()
                    elif frame.pts is not None:
                        yield frame.pts, planes_on_gpu(frame, sample_format, orientation)
        except RuntimeError as error:  # of torch: no memory, or the GPU failed
            raise MachineError(f"{self.path} cannot be decoded by NVDEC: {error}") from error

    def _checked_frames(self, start: SeekPoint | None = None) -> Generator[VideoFrame, None, None]:
        """Yield the decoder's frames, each compared with the container's own list of times."""
        count = start.frame if start else 0
        with closing(self._decoded_frames(start)) as frames:
            for frame in frames:
                if count == self.frames or frame.pts != self._times[count]:
                    raise self._broken(count, f"comes out at the wrong time ({frame.pts})")
                if (frame.width, frame.height) != self._first.size_px:
                    raise self._broken(count, f"has another size ({frame.width}x{frame.height})")
                name, expected = frame.format.name, self._first.pixel_format
                if self._nvdec is not None:
                    name, expected = surface_format_of(frame), SURFACE_FORMATS[expected]
                if name != expected:
                    raise self._broken(count, f"has another pixel format ({name})")
                yield frame
                count += 1
        if count < self.frames:
            raise self._broken(count, "cannot be decoded")

    def _decoded_frames(self, start: SeekPoint | None) -> Generator[VideoFrame, None, None]:
        count = start.frame if start else 0
        try:
            with open_video(self.path) as (container, stream):
                if start is not None:
                    container.seek(start.seek_pts, stream=stream)
                for frame in self._decode(container, stream):
                    if start is not None and (frame.pts is None or frame.pts < start.pts):
                        continue  # of it, not all that it refers to may have been decoded
                    if frame.is_corrupt:
                        raise self._broken(count, "is damaged")
                    if not self._filters.deinterlace:
                        require_progressive(self._info, interlaced_frame=frame.interlaced_frame)
                    yield frame
                    count += 1
        except av.error.FFmpegError as error:
            raise self._broken(count, f"cannot be decoded ({error.strerror})") from error

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        if self._nvdec is not None:
            return self._nvdec.frames(container, stream)
        use_threads(stream.codec_context)
        return decode(container, stream)

    def _broken(self, index: int, what: str) -> MattingError:
        where = f"{self.path}: frame {index} of {self.frames}"
        if self._nvdec is not None:
            return MachineError(f"{where}, decoded by NVDEC, {what}.")
        again = start(Command.INFER, "its folder", again=True)
        return DecodeError(
            f"{where} {what}.",
            f"Cut the video again with --reencode, or mend this file; then {again}.",
            option="--reencode",
        )


def _undecodable(info: VideoInfo) -> FirstFrame:
    """Return what the headers say in place of a first frame; reading the frames is the error."""
    size = Size(info.width_px, info.height_px)
    return FirstFrame(UPRIGHT, size, info.pixel_format, info.colour, hdr=None)


def _cause(error: MattingError) -> str:
    """Return what made NVDEC fail, in words that are the same for all segments of a video."""
    cause = error.__cause__
    if isinstance(cause, av.error.FFmpegError):
        return str(cause.strerror)
    return str(cause).partition("\n")[0] if cause else "frames are missing or not whole"
