"""How many of the cuts, fades and dissolves in joined films are found, and what else is."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.quality.bench import Bench
from benchmarks.quality.clips import TRUTH, read_rgb
from benchmarks.quality.joined_films import KINDS, SIZE, Change, Frames, join
from benchmarks.quality.made_clips import write_video
from benchmarks.results import table
from demo.film import Film
from matting.cutting.picture_comparison import difference
from matting.cutting.shot_watch import ShotWatch
from matting.cutting.small_pictures import SmallPicture, small_picture
from matting.media.colour_tags import BT709_TAGS
from matting.media.decode_check import decode_all

TITLE = "where shots start"
FILMS = 14
DRAWN_SEEDS = range(5000, 5008)
DRAWN_FRAMES = 50
TOLERANCE = {"dissolve": 2, "fade": 2}  # frames; one for cuts
PEOPLE = TRUTH.parent / "media" / "people"

Detector = Callable[[Path], Sequence[int]]


def run(bench: Bench) -> str:
    """Detect the shots of joined films by each detector there is; return the table."""
    clips = dict(_clips(bench))
    detectors: dict[str, Detector] = {
        "`segment`": _own,
        "colour difference > 7 and > 3 times its neighbours": _plain,
    }
    if importlib.util.find_spec("scenedetect") is not None:
        detectors["PySceneDetect, AdaptiveDetector"] = _scenedetect
    scores = {name: Score() for name in detectors}
    frames = 0
    for seed in range(FILMS):
        film = join(clips, seed)
        frames += len(film.frames)
        pictures = torch.from_numpy(film.frames).permute(0, 3, 1, 2)
        path = write_video(bench.folder / f"shots_{seed}.mp4", pictures)
        for name, detector in detectors.items():
            started = time.process_time()
            found = detector(path)
            scores[name].add(found, film.changes, time.process_time() - started)
    head = ["", "recall", "precision", *KINDS, "processor, ms a frame, with decoding"]
    rows = [[name, *score.row(frames)] for name, score in scores.items()]
    return (
        f"{FILMS} films of {frames} frames in all, {SIZE.width}x{SIZE.height}, joined from "
        f"{len(clips)} clips of people, true ones and drawn ones, with flashes, fast pans, "
        "shaking, switched light, passers-by, zooms and repeated frames. A cut counts as found "
        "within a frame of it, a fade or dissolve within its frames and two more; what else is "
        f"found is wrong.\n\n{table(head, rows)}"
    )


class Score:
    """What a detector found and missed."""

    def __init__(self) -> None:
        self._there: Counter[str] = Counter()
        self._found: Counter[str] = Counter()
        self._wrong = 0
        self._seconds = 0.0

    def add(self, found: Sequence[int], changes: Sequence[Change], seconds: float) -> None:
        """Count what was found of a film's changes."""
        left = list(found)
        for change in changes:
            self._there[change.kind] += 1
            reach = TOLERANCE.get(change.kind, 1)
            hits = [at for at in left if change.first - reach <= at <= change.last + reach]
            if hits:
                self._found[change.kind] += 1
                left.remove(hits[0])
        self._wrong += len(left)
        self._seconds += seconds

    def row(self, frames: int) -> list[str]:
        """Return the columns of the table."""
        found, there = self._found.total(), self._there.total()
        kinds = [f"{self._found[kind]} of {self._there[kind]}" for kind in KINDS]
        precision = found / max(1, found + self._wrong)
        cost = f"{self._seconds / frames * 1e3:.2f}"
        return [f"{found / there:.2f} ({found} of {there})", f"{precision:.2f}", *kinds, cost]


def _own(video: Path) -> Sequence[int]:
    watch = ShotWatch(BT709_TAGS.range)
    shown: list[int] = []

    def number(_decoding: object, packet: int) -> int:
        shown.append(packet)
        return len(shown) - 1

    decode_all(video, watch=watch.of_file(number))
    watch.accept()
    return watch.shots()


def _plain(video: Path) -> Sequence[int]:
    pictures: list[SmallPicture] = []

    def begin(_decoding: object) -> Callable[[int, Any], None]:
        pictures.clear()
        return lambda _, frame: pictures.append(small_picture(frame, BT709_TAGS.range))

    decode_all(video, watch=begin)
    changes = [0.0, *map(difference, pictures[1:], pictures[:-1])]
    padded = np.pad(changes, 1)
    beside = np.maximum(padded[:-2], padded[2:])
    return [i for i, change in enumerate(changes) if change > max(7, 3 * beside[i])]


def _scenedetect(video: Path) -> Sequence[int]:
    library = importlib.import_module("scenedetect")
    scenes = library.detect(str(video), library.AdaptiveDetector())
    return [start.frame_num for start, _ in scenes[1:]]


def _clips(bench: Bench) -> Iterator[tuple[str, Frames]]:
    """Yield all clips that there are, with names that begin with what they show."""
    for path in sorted(PEOPLE.glob("*.mkv")):
        yield f"people {path.stem}", _at_size(read_rgb(path))
    for clip in bench.truth():
        yield f"true {clip.name}", _at_size(clip.rgb())
    for seed in DRAWN_SEEDS:
        film = Film(seed, *SIZE, frames=DRAWN_FRAMES, cuts=(), flashes=())
        pictures = [frame.rgb.transpose(1, 2, 0) for frame in film.draw_ahead()]
        yield f"drawn {seed}", np.stack(pictures)


def _at_size(rgb: Tensor) -> Frames:
    """Return frames [T, 3, H, W] at the films' size, cropped to its shape from above the middle."""
    height = round(rgb.shape[3] * SIZE.height / SIZE.width)
    top = max(0, rgb.shape[2] - height) // 3
    cropped = rgb[:, :, top : top + height].float()
    small = F.interpolate(cropped, SIZE[::-1], mode="bilinear", antialias=True)
    return small.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
