"""NVIDIA's video hardware, really opened: a few made-up pictures go through each codec."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from matting.choices import HARDWARE, SOFTWARE
from matting.errors import MattingError
from matting.media.colour import BT709, LIMITED, Colour
from matting.media.encoders import CODECS, NVENC, Encoding, delivery
from matting.media.nvdec import Nvdec
from matting.media.reader import VideoSource
from matting.media.trial import Trial, ramps

SIZE_PX = (640, 360)
FRAMES = 20
RATE = Fraction(30)
TIME_BASE = 1 / RATE
COLOUR = Colour(BT709, LIMITED, BT709, BT709)
CODING = COLOUR.coding(8, (2, 2), SIZE_PX[1])


def try_encoders(device: str) -> dict[str, str]:
    """For each codec, why NVENC does not encode it; "" where it does.

    Args:
        device: the card, as torch names it.
    """
    return {codec: made_up(codec, HARDWARE, device).run() for codec in NVENC}


def try_decoders(nvdec: Nvdec) -> dict[str, str]:
    """For each codec, why NVDEC does not decode it; "" where it does, as software does."""
    return {codec: _try_decoder(codec, nvdec) for codec in CODECS}


def made_up(codec: str, encoder: str, device: str) -> Trial:
    """A trial of a codec, with pictures that any card takes.

    Args:
        encoder: SOFTWARE or HARDWARE.
        device: where the pictures lie, as torch names it.
    """
    choice = Encoding(codec, encoder=encoder)
    samples = delivery(choice, CODING, COLOUR, SIZE_PX[1])
    return Trial(choice, samples, SIZE_PX, COLOUR, TIME_BASE, RATE, device)


def _try_decoder(codec: str, nvdec: Nvdec) -> str:
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


def _make_clip(path: Path, codec: str) -> None:
    trial = made_up(codec, SOFTWARE, "cpu")
    with trial.writer(path) as writer:
        picture = ramps(trial.samples.coding, SIZE_PX)
        for number in range(FRAMES):
            writer.write(picture, [number])
        writer.finish()
