"""A look over a whole video within seconds: its packets, and some key frames on small copies."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch

from matting.imaging.colour_conversion import downsample_to_rgb
from matting.imaging.matte_planes import MAX_ALPHA
from matting.imaging.planes import Planes
from matting.imaging.renderer import render_matte_planes
from matting.imaging.sample_format import SampleFormat
from matting.inference.components import component_boxes
from matting.inference.people_boxes import joined, near_groups
from matting.inference.session import MattingSession
from matting.media.key_frames import key_frame_times, key_frames
from matting.media.media_index import IndexPart, index_of
from matting.media.packet_table import KEY
from matting.media.video_source import VideoSource
from matting.progress import ignore
from matting.report.moments import SeenFrame, Signs, cuts_by_key_frames, packet_motion
from matting.workers.preflight import spread

LOOKS = 24
SMALL_SIDE_PX = 270  # of the copies: what the network needs to see somebody large
REPEATS = 3  # of a frame, for a network that remembers
LEAST_SHARE = 16  # of the short side: of less is a speck


def signs_of(source: VideoSource, shots: tuple[int, ...] | None) -> Signs:
    """Return what the packets of a video say.

    Args:
        shots: the numbers of the frames at which shots start, where that is known.
    """
    packets = index_of(source.path, IndexPart.PACKETS).packets
    numbers = _numbers(source, packets.pts.tolist())
    sizes = np.full(source.frames, np.nan)
    other = (packets.marks & KEY) == 0
    for number, size in zip(numbers[other], packets.sizes[other], strict=True):
        sizes[number] = size
    keys = _numbers(source, key_frame_times(packets).tolist()).tolist()
    rate = float(source.rate)
    cuts = cuts_by_key_frames(keys) if shots is None else [shot for shot in shots if shot]
    return Signs(source.frames, rate, packet_motion(sizes, rate), cuts)


def look_over(
    source: VideoSource,
    signs: Signs,
    session: MattingSession,
    on_look: Callable[[], None] = ignore,
) -> Signs:
    """Return the signs with what some key frames show, evenly over the video.

    Args:
        on_look: called after each.
    Raises:
        MediaError: they cannot be read.
        MachineError: as `MattingSession.extract_features`.
    """
    times = key_frame_times(index_of(source.path, IndexPart.PACKETS).packets).tolist()
    wanted = sorted(spread(times, LOOKS))
    return replace(signs, seen=tuple(_looks(source, wanted, session, on_look)))


def _looks(
    source: VideoSource, wanted: list[int], session: MattingSession, on_look: Callable[[], None]
) -> Iterator[SeenFrame]:
    known: set[int] = set()
    for pts, picture in key_frames(source.path, wanted):
        frame = min(bisect_left(source.times, pts), source.frames - 1)
        if frame not in known:
            known.add(frame)
            yield _look_at(frame, picture, session)
        on_look()


def _look_at(frame: int, picture: Planes, session: MattingSession) -> SeenFrame:
    rgb = downsample_to_rgb(picture, min(1.0, SMALL_SIDE_PX / min(picture.size))).clamp(0, 1)
    small = Planes(SampleFormat(), (255 * rgb + 0.5).to(torch.uint8))
    session.reset()
    features = session.extract_features(small, 1.0)
    for _ in range(REPEATS):
        outputs = session.run_recurrent(features)
    session.reset()
    (matte,) = session.fit_guided_filter(outputs)
    alpha = render_matte_planes(matte).alpha[0, 0].cpu().numpy() / MAX_ALPHA
    boxes = component_boxes(alpha > 0.5)
    least = min(alpha.shape) / LEAST_SHARE
    people = [
        joined(group)
        for group in near_groups([box for box in boxes if max(box.width, box.height) >= least])
    ]
    return SeenFrame(
        frame,
        brightness=float(rgb.mean()),
        area=float(alpha.mean()),
        people=len(people),
        smallest=min((box.height / alpha.shape[0] for box in people), default=0.0),
    )


def _numbers(source: VideoSource, times: list[int]) -> np.ndarray:
    """Return the number of the frame at each time, or of the next one."""
    numbers = np.searchsorted(np.asarray(source.times), np.asarray(times))
    return np.minimum(numbers, source.frames - 1)
