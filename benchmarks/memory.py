"""The memory of `infer` by the length of the video: it must not grow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.footage import RATE, write_clip
from benchmarks.processes import program, run
from benchmarks.results import table

SIZE = (256, 144)
RATIO = 0.25
MIB = 1 << 20
MOST_GROWTH_MIB = 50


def growth(folder: Path, weights: Path, device: str, seconds: Sequence[int]) -> dict[int, float]:
    """The peak of memory, in MiB, of cutting and matting videos of so many seconds.

    The video is cut as users cut it, so that a longer one has more pieces, not longer ones.
    """
    peaks = {}
    for length in seconds:
        clip = write_clip(folder / f"{length}.mp4", SIZE, length * RATE)
        run(program("segment", clip))
        settings = ("--checkpoint", weights.resolve(), "--downsample-ratio", RATIO)
        pieces = clip.with_name(f"{clip.stem}_segments")
        ran = run(program("infer", pieces, *settings, "--device", device, "--codec", "h264"))
        peaks[length] = ran.peak_bytes / MIB
        print(f"{length} s of video: {peaks[length]:.1f} MiB in {ran.seconds:.0f} s", flush=True)
    return peaks


def growth_text(peaks: dict[int, float]) -> str:
    """The table for people."""
    rows = [[f"{length} s", f"{peak:.1f}"] for length, peak in peaks.items()]
    more = peaks[max(peaks)] - peaks[min(peaks)]
    return (
        f"{SIZE[0]}x{SIZE[1]}, {RATE} frames a second, ratio {RATIO}; all processes of `infer`, "
        f"each at its own peak.\n\n{table(['video', 'memory (MiB)'], rows)}\n"
        f"Growth: {more:.1f} MiB; at most {MOST_GROWTH_MIB} MiB are allowed.\n"
    )
