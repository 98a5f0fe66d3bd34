"""Test cards for headsets: films of ten seconds that show whether a player reads what we write.

They are drawn, and then made as a user's own video is: seen by two eyes, over green or with the
matte packed, encoded, named, and with the boxes and the files beside it by which players know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import torch

from demo.card import Card, CardFrame
from matting.background import COLOUR
from matting.delivery.vr_plan import LIMITS, VrPlan
from matting.delivery.vr_sidecars import write_sidecars
from matting.delivery.vr_writer import vr_picture
from matting.imaging.colour_conversion import convert_planes
from matting.imaging.matte_planes import (
    ALPHA_FORMAT,
    MAX_ALPHA,
    foreground_format,
    to_matte_planes,
)
from matting.imaging.planes import Planes
from matting.imaging.renderer import StoredFrames
from matting.imaging.sample_format import SampleFormat, Size
from matting.imaging.vr_rendering import VrPicture, render_vr
from matting.media.colour_tags import BT709_TAGS
from matting.media.concat import JoinPart, check_joined, join
from matting.media.encoders import encoder_input
from matting.media.mp4.metadata import Additions, add_to_header
from matting.media.video_writer import VideoWriter
from matting.options import CodecBackend, EncodingOptions, FormatName, OutputOptions, VideoCodec
from matting.progress import Progress
from matting.system import atomic_files
from matting.system.invocation import ROOT
from matting.system.temporary_files import create_temporary
from matting.view import parse_view
from matting.vr_options import FisheyeView, Headset, VrOptions

STEM = "test_card"
CHECKLIST = ROOT / "docs" / "headset_checklist.md"
VIEW = parse_view("left-right,180")  # as the cards are drawn
ENCODING = EncodingOptions(VideoCodec.HEVC, preset="veryfast", encoder=CodecBackend.SOFTWARE)
ROUNDS = 5
RGB8 = SampleFormat()


class CardSize(NamedTuple):
    """How large an eye's part is, and how many frames there are in a second."""

    side_px: int
    rate: int


# A modest size, which a processor encodes in a minute or two; and what headsets play at most.
SIZES = {
    Headset.ANY: CardSize(1440, 30),
    Headset.QUEST_2: CardSize(LIMITS[Headset.QUEST_2].side_px, 60),
    Headset.QUEST_3: CardSize(LIMITS[Headset.QUEST_3].side_px, 60),
}


class _Kind(NamedTuple):
    """One of the cards: its format, and what is written on it."""

    name: FormatName
    fisheye: FisheyeView
    lines: tuple[str, str]


SEEN = "You see your room around this board."
KINDS = (
    _Kind(FormatName.VR_ALPHA, FisheyeView.FISHEYE_190, ("packed alpha   FISHEYE190", SEEN)),
    _Kind(FormatName.VR_ALPHA, FisheyeView.FISHEYE_180, ("packed alpha   180 FISHEYE F180", SEEN)),
    _Kind(FormatName.VR_GREEN, FisheyeView.FISHEYE_190, ("chroma key   180 SBS", SEEN)),
)


def make_cards(
    folder: Path,
    progress: Progress,
    *,
    headset: Headset = Headset.ANY,
    size: CardSize | None = None,
    rounds: int = ROUNDS,
) -> list[Path]:
    """Make all cards, and return their files.

    Args:
        folder: where they are put; what has their names there is replaced.
        headset: whose largest size and rate they have; ANY: a modest size.
        size: in place of that.
        rounds: how often what moves does so, in two seconds each.
    Raises:
        StorageError, EncodeError, MissingError.
    """
    atomic_files.make_folder(folder)
    size = size or SIZES[headset]
    made = []
    for number, kind in enumerate(KINDS, start=1):
        options = VrOptions(headset, kind.fisheye)
        plan = VrPlan.of(kind.name, VIEW, options, Path(STEM))
        card = Card(kind.lines, *size)
        path = folder / f"{plan.stem(STEM)}.mp4"
        progress.start(f"Making test card {number} of {len(KINDS)}", card.frames, "frame")
        try:
            _write_rounds(path, plan, card, rounds, progress)
        finally:
            progress.finish()
        write_sidecars(path, plan, COLOUR, progress)
        progress.say(f"Test card: {path}")
        made.append(path)
    progress.say(f"Copy all of {folder} to the headset. What should be seen there: {CHECKLIST}")
    return made


def _write_rounds(path: Path, plan: VrPlan, card: Card, rounds: int, progress: Progress) -> None:
    """Write a card; what is there stays until it is finished. One round is encoded, then joined."""
    with ExitStack() as temporary:
        once = create_temporary(path)
        temporary.callback(atomic_files.discard, once)
        whole = create_temporary(path)
        temporary.callback(atomic_files.discard, whole)
        _encode(once, plan, card, progress)
        parts = [JoinPart(once, number * card.frames) for number in range(rounds)]
        tick = Fraction(1, card.rate)
        check_joined(whole, join(parts, tick, whole, Progress()), tick, Progress())
        add_to_header(whole, Additions(spatial=plan.spatial))
        atomic_files.publish(whole, path)


def _encode(path: Path, plan: VrPlan, card: Card, progress: Progress) -> None:
    encoding, colour = plan.encoding(ENCODING), BT709_TAGS
    rate = Fraction(card.rate)
    side = plan.side_px(Size(2 * card.side_px, card.side_px), rate)
    samples = encoder_input(encoding, colour.sample_format(8, (2, 2), side), colour, side)
    picture = vr_picture(plan, side, OutputOptions(), samples.sample_format)
    writer = VideoWriter(
        path,
        size_px=picture.size,
        time_base=1 / rate,
        rate=rate,
        colour=colour,
        encoding=encoding,
        samples=samples,
        most_frames=card.frames,
    )
    with closing(writer):
        for number, frame in enumerate(_rendered(card, picture)):
            writer.write(frame, [number])
            progress.advance(1)
        writer.finish()


def _rendered(card: Card, picture: VrPicture) -> Iterator[Planes]:
    for frame in card:
        yield render_vr(stored_frame(frame, picture.target), picture)


@torch.inference_mode()
def stored_frame(frame: CardFrame, layout: SampleFormat) -> StoredFrames:
    """Return a frame of a card as a video's frame and the matte that is stored of it."""
    source, foreground = (
        Planes(RGB8, torch.from_numpy(picture)[None])
        for picture in (frame.source, frame.foreground)
    )
    filmed = convert_planes(source, layout)
    codes = (frame.alpha * MAX_ALPHA + 0.5).astype("uint16")
    alpha = Planes(ALPHA_FORMAT, torch.from_numpy(codes)[None, None])
    people = convert_planes(foreground, foreground_format(layout))
    return StoredFrames(filmed, to_matte_planes(filmed, alpha, people))
