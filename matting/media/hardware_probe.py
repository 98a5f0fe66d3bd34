"""Trying out an encoder on what it is to make: the only way to know what a graphics card can do."""

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
from matting.media.colour_tags import BT709, LIMITED, ColourTags
from matting.media.container import decode, ffmpeg_log, open_video, reading
from matting.media.cuda import Nvdec
from matting.media.encoders import NVENC_ENCODERS, SOFTWARE_ENCODERS, EncoderInput, encoder_input
from matting.media.frame_planes import planes_of
from matting.media.probe import probe
from matting.media.source import FrameSource
from matting.media.video_source import VideoSource
from matting.media.video_writer import VideoWriter
from matting.options import CodecBackend, EncodingOptions, VideoCodec

FRAMES = 20
# Of the whole scale, on average: planes that are exchanged or at the wrong place are off by 0.24.
LARGEST_ERROR = 0.1


@dataclass(frozen=True)
class HardwareProbe:
    """Some made-up pictures to be encoded like a video's.

    Attributes:
        size_px: width and height.
        time_base, rate: of their times; a trial with others is the same trial.
        device: where the pictures lie, as torch names it.
    """

    choice: EncodingOptions
    samples: EncoderInput
    size_px: tuple[int, int]
    colour: ColourTags
    time_base: Fraction = field(compare=False)
    rate: Fraction = field(compare=False)
    device: str

    @classmethod
    def of(
        cls, source: FrameSource, choice: EncodingOptions, device: torch.device
    ) -> HardwareProbe:
        """One with the size, samples and colours of what is made of `source`."""
        return cls(
            choice=choice,
            samples=encoder_input(choice, source.sample_format, source.colour, source.height_px),
            size_px=(source.width_px, source.height_px),
            time_base=source.time_base,
            rate=source.rate,
            colour=source.colour,
            device=str(device),
        )

    def run(self) -> str:
        """Encodes them, decodes them in software and compares; why not, "" where all is well."""
        missing = cuda.sharing_obstacle()
        if missing:
            return missing
        picture = ramp_picture(self.samples.sample_format, self.size_px)
        # A virus scanner may still hold the file when all is over.
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "trial.mp4"
            try:
                self._encode(path, picture)
                self._compare(path, picture)
            except MattingError as error:
                return error.what
            except RuntimeError as error:  # of torch, which brings them to the card
                return str(error).splitlines()[0]
        return ""

    def writer(self, path: Path) -> VideoWriter:
        """What makes a video like that."""
        return VideoWriter(
            path,
            size_px=self.size_px,
            time_base=self.time_base,
            rate=self.rate,
            colour=self.colour,
            choice=self.choice,
            samples=self.samples,
        )

    def _encode(self, path: Path, picture: Planes) -> None:
        step = max(1, round(1 / self.rate / self.time_base))
        picture = picture.to(torch.device(self.device))
        with self.writer(path) as writer:
            said: list[str] = []
            try:
                with ffmpeg_log(logging.WARNING) as said:
                    writer.write(picture, [0])
            except MachineError as error:
                raise EncodeError("; ".join(said) or error.what) from error
            for number in range(1, FRAMES):
                writer.write(picture, [number * step])
            writer.finish()

    def _compare(self, path: Path, picture: Planes) -> None:
        """
        Raises:
            EncodeError: the pictures, their size or their colour tags are others.
        """
        made = probe(path).colour
        if self._meaning(made) != self._meaning(self.colour):
            raise EncodeError(f"it writes other colour tags ({made}).")
        with open_video(path) as (container, stream), reading(path):
            for frame in decode(container, stream):
                found = planes_of(frame, self.colour)
                grown = tuple(side + side % 2 for side in self.size_px)
                if (found.width, found.height) != grown:
                    raise EncodeError(f"its pictures are {found.width}x{found.height}.")
                if _worst_error(picture, found) > LARGEST_ERROR:
                    raise EncodeError("it makes other pictures than it is given.")

    def _meaning(self, colour: ColourTags) -> tuple[SampleFormat, int, int]:
        sample_format = colour.sample_format(
            self.samples.sample_format.bits, (2, 2), self.size_px[1]
        )
        return sample_format, colour.transfer, colour.primaries


def ramp_picture(sample_format: SampleFormat, size_px: tuple[int, int]) -> Planes:
    """A picture [1, .., H, W] of soft ramps, another one in each plane."""
    width, height = size_px
    columns, rows = sample_format.chroma_size(Size(width, height))
    luma = _ramp(height, width, (1.0, 0.5))
    chroma = torch.stack((_ramp(rows, columns, (1.0, 0.0)), _ramp(rows, columns, (0.0, 1.0))))

    def numbers(levels: Tensor) -> Tensor:
        return (
            (levels * sample_format.max_code_value).to(torch.int32) << sample_format.lsb_padding
        ).to(dtype_of(sample_format))

    return Planes(sample_format, numbers(luma)[None, None], numbers(chroma)[None])


def _ramp(height: int, width: int, slope: tuple[float, float]) -> Tensor:
    """Levels from 0.2 to 0.8, [height, width], rising and falling once where the slope is 1."""
    down = torch.linspace(0, slope[0], height)[:, None]
    across = torch.linspace(0, slope[1], width)[None]
    return 0.5 + 0.3 * torch.sin(2 * torch.pi * (down + across))


def _worst_error(wanted: Planes, found: Planes) -> float:
    """The mean distance of the worst plane, as a share of the whole scale."""
    if wanted.chroma is None or found.chroma is None:
        return 1.0
    pairs = [(wanted.luma_or_rgb[0], found.luma_or_rgb[0]), (wanted.chroma[0], found.chroma[0])]
    return max(
        _mean_distance(
            one.to(torch.int32) >> wanted.sample_format.lsb_padding,
            other,
            wanted.sample_format.max_code_value,
        )
        for ones, others in pairs
        for one, other in zip(ones, others, strict=True)
    )


def _mean_distance(one: Tensor, other: Tensor, peak: int) -> float:
    height, width = one.shape
    return float((one - other[:height, :width].to(torch.int32)).abs().float().mean()) / peak


SIZE_PX = (640, 360)
RATE = Fraction(30)
TIME_BASE = 1 / RATE
COLOUR = ColourTags(BT709, LIMITED, BT709, BT709)
CODING = COLOUR.sample_format(8, (2, 2), SIZE_PX[1])


def probe_encoders(device: str) -> dict[VideoCodec, str]:
    """For each codec, why NVENC does not encode it; "" where it does.

    Args:
        device: the card, as torch names it.
    """
    return {
        codec: synthetic_probe(codec, CodecBackend.HARDWARE, device).run()
        for codec in NVENC_ENCODERS
    }


def probe_decoders(nvdec: Nvdec) -> dict[VideoCodec, str]:
    """For each codec, why NVDEC does not decode it; "" where it does, as software does."""
    return {codec: _try_decoder(codec, nvdec) for codec in SOFTWARE_ENCODERS}


def synthetic_probe(codec: VideoCodec, encoder: CodecBackend, device: str) -> HardwareProbe:
    """A trial of a codec, with pictures that any card takes.

    Args:
        encoder: not AUTO.
        device: where the pictures lie, as torch names it.
    """
    choice = EncodingOptions(codec, encoder=encoder)
    samples = encoder_input(choice, CODING, COLOUR, SIZE_PX[1])
    return HardwareProbe(choice, samples, SIZE_PX, COLOUR, TIME_BASE, RATE, device)


def _try_decoder(codec: VideoCodec, nvdec: Nvdec) -> str:
    # A virus scanner may still hold the file when all is over.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "trial.mp4"
        try:
            _make_clip(path, codec)
            return VideoSource(path).decoded_by(nvdec)[1]
        except MattingError as error:
            return error.what
        except RuntimeError as error:  # of torch, which has the memory on the card
            return str(error).splitlines()[0]


def _make_clip(path: Path, codec: VideoCodec) -> None:
    trial = synthetic_probe(codec, CodecBackend.SOFTWARE, "cpu")
    with trial.writer(path) as writer:
        picture = ramp_picture(trial.samples.sample_format, SIZE_PX)
        for number in range(FRAMES):
            writer.write(picture, [number])
        writer.finish()
