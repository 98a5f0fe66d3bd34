"""Trying out NVENC and NVDEC on made-up frames: the only way to know what a GPU can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from av import logging
from torch import Tensor

from matting.errors import EncodeError, MachineError, MattingError
from matting.imaging.planes import Planes, dtype_of
from matting.imaging.sample_format import SampleFormat, Size
from matting.media import cuda
from matting.media.colour_tags import BT709_TAGS, ColourTags
from matting.media.container import decode, ffmpeg_log, open_video, reading
from matting.media.cuda import Nvdec
from matting.media.encoder_table import NVENC_ENCODERS, SOFTWARE_ENCODERS
from matting.media.encoders import EncoderInput, encoder_input
from matting.media.frame_planes import planes_of
from matting.media.probe import probe
from matting.media.source import FrameSource
from matting.media.video_source import VideoSource
from matting.media.video_writer import VideoWriter
from matting.options import CodecBackend, EncodingOptions, VideoCodec

FRAMES = 20
# Of the whole scale, on average: planes that are exchanged or at the wrong place are off by 0.24.
LARGEST_ERROR = 0.1
# What any GPU with video hardware takes.
SYNTHETIC_SIZE = Size(640, 360)
SYNTHETIC_RATE = Fraction(30)


@dataclass(frozen=True)
class HardwareProbe:
    """Made-up frames, to be encoded like those of a video.

    Attributes:
        time_base, rate: of the frames' times; a probe with others is the same probe.
        device: where the frames are, as torch names it.
    """

    encoding: EncodingOptions
    samples: EncoderInput
    size_px: Size
    colour: ColourTags
    time_base: Fraction = field(compare=False)
    rate: Fraction = field(compare=False)
    device: str

    @classmethod
    def of(
        cls, source: FrameSource, encoding: EncodingOptions, device: torch.device
    ) -> HardwareProbe:
        """Return a probe with the size, samples and colours of what is made of `source`."""
        return cls(
            encoding=encoding,
            samples=encoder_input(
                encoding, source.sample_format, source.colour, source.size_px.height
            ),
            size_px=source.size_px,
            colour=source.colour,
            time_base=source.time_base,
            rate=source.rate,
            device=str(device),
        )

    @classmethod
    def synthetic(cls, codec: VideoCodec, backend: CodecBackend, device: str) -> HardwareProbe:
        """Return a probe of a codec with frames that any GPU takes.

        Args:
            backend: not AUTO.
            device: where the frames are, as torch names it.
        """
        encoding = EncodingOptions(codec, encoder=backend)
        colour, size = BT709_TAGS, SYNTHETIC_SIZE
        source = colour.sample_format(8, (2, 2), size.height)
        samples = encoder_input(encoding, source, colour, size.height)
        rate = SYNTHETIC_RATE
        return cls(encoding, samples, size, colour, 1 / rate, rate, device)

    def run(self) -> str:
        """Encode the frames, decode them in software, and compare; return why not, "" if well."""
        obstacle = cuda.sharing_obstacle()
        if obstacle:
            return obstacle
        picture = ramp_picture(self.samples.sample_format, self.size_px)
        # A virus scanner may still hold the file when all is over.
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "probe.mp4"
            try:
                self._encode(path, picture)
                self._compare(path, picture)
            except MattingError as error:
                return error.what
            except RuntimeError as error:  # of torch, which copies the frames to the GPU
                return str(error).splitlines()[0]
        return ""

    def writer(self, path: Path) -> VideoWriter:
        """Return a writer of such a video."""
        return VideoWriter(
            path,
            size_px=self.size_px,
            time_base=self.time_base,
            rate=self.rate,
            colour=self.colour,
            encoding=self.encoding,
            samples=self.samples,
        )

    def _encode(self, path: Path, picture: Planes) -> None:
        step = max(1, round(1 / self.rate / self.time_base))
        picture = picture.to(torch.device(self.device))
        with self.writer(path) as writer:
            log: list[str] = []
            try:
                with ffmpeg_log(logging.WARNING) as log:
                    writer.write(picture, [0])
            except MachineError as error:
                raise EncodeError("; ".join(log) or error.what) from error
            for number in range(1, FRAMES):
                writer.write(picture, [number * step])
            writer.finish()

    def _compare(self, path: Path, picture: Planes) -> None:
        """Compare an encoded file with what was encoded.

        Raises:
            EncodeError: the frames, their size or their colour tags are others.
        """
        tags = probe(path).colour
        if self._meaning(tags) != self._meaning(self.colour):
            raise EncodeError(f"it writes other colour tags ({tags}).")
        with open_video(path) as (container, stream), reading(path):
            for frame in decode(container, stream):
                decoded = planes_of(frame, self.colour)
                even_size = tuple(side + side % 2 for side in self.size_px)
                if decoded.size != even_size:
                    raise EncodeError(f"its pictures are {decoded.width}x{decoded.height}.")
                if _worst_error(picture, decoded) > LARGEST_ERROR:
                    raise EncodeError("it makes other pictures than it is given.")

    def _meaning(self, colour: ColourTags) -> tuple[SampleFormat, int, int]:
        bits, height = self.samples.sample_format.bits, self.size_px.height
        return colour.sample_format(bits, (2, 2), height), colour.transfer, colour.primaries


def probe_encoders(device: str) -> dict[VideoCodec, str]:
    """Return, for each codec, why NVENC does not encode it; "" where it does.

    Args:
        device: the GPU, as torch names it.
    """
    return {
        codec: HardwareProbe.synthetic(codec, CodecBackend.HARDWARE, device).run()
        for codec in NVENC_ENCODERS
    }


def probe_decoders(nvdec: Nvdec) -> dict[VideoCodec, str]:
    """Return, for each codec, why NVDEC does not decode it; "" where it does, as software does."""
    return {codec: _probe_decoder(codec, nvdec) for codec in SOFTWARE_ENCODERS}


def ramp_picture(sample_format: SampleFormat, size: Size) -> Planes:
    """Return a frame [1, .., H, W] of soft ramps, another one in each plane."""
    columns, rows = sample_format.chroma_size(size)
    luma = _ramp(size.height, size.width, (1.0, 0.5))
    chroma = torch.stack((_ramp(rows, columns, (1.0, 0.0)), _ramp(rows, columns, (0.0, 1.0))))

    def code_values(normalised: Tensor) -> Tensor:
        values = (normalised * sample_format.max_code_value).to(torch.int32)
        return (values << sample_format.lsb_padding).to(dtype_of(sample_format))

    return Planes(sample_format, code_values(luma)[None, None], code_values(chroma)[None])


def _ramp(height: int, width: int, slope: tuple[float, float]) -> Tensor:
    """Return values from 0.2 to 0.8, [height, width], rising and falling once where slope is 1."""
    down = torch.linspace(0, slope[0], height)[:, None]
    across = torch.linspace(0, slope[1], width)[None]
    return 0.5 + 0.3 * torch.sin(2 * torch.pi * (down + across))


def _worst_error(encoded: Planes, decoded: Planes) -> float:
    """Return the mean distance in the worst plane, as a share of the whole scale."""
    if encoded.chroma is None or decoded.chroma is None:
        return 1.0
    lumas = encoded.luma_or_rgb[0], decoded.luma_or_rgb[0]
    pairs = [lumas, (encoded.chroma[0], decoded.chroma[0])]
    padding, largest = encoded.sample_format.lsb_padding, encoded.sample_format.max_code_value
    return max(
        _mean_distance(plane.to(torch.int32) >> padding, other) / largest
        for planes, others in pairs
        for plane, other in zip(planes, others, strict=True)
    )


def _mean_distance(one: Tensor, other: Tensor) -> float:
    """Return the mean distance of two planes, of which the second may be a little larger."""
    height, width = one.shape
    return float((one - other[:height, :width].to(torch.int32)).abs().float().mean())


def _probe_decoder(codec: VideoCodec, nvdec: Nvdec) -> str:
    # A virus scanner may still hold the file when all is over.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "probe.mp4"
        try:
            _write_synthetic_video(path, codec)
            return VideoSource(path).decoded_by(nvdec)[1]
        except MattingError as error:
            return error.what
        except RuntimeError as error:  # of torch, in whose memory the frames are
            return str(error).splitlines()[0]


def _write_synthetic_video(path: Path, codec: VideoCodec) -> None:
    source = HardwareProbe.synthetic(codec, CodecBackend.SOFTWARE, "cpu")
    with source.writer(path) as writer:
        picture = ramp_picture(source.samples.sample_format, source.size_px)
        for number in range(FRAMES):
            writer.write(picture, [number])
        writer.finish()
