"""The memory of `infer` by the length of the video: it must not grow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.footage import RATE, write_clip
from benchmarks.processes import program_command, run
from benchmarks.results import table
from matting.imaging.sample_format import Size

SIZE = Size(256, 144)
RATIO = 0.25
MIB = 1 << 20
MAX_GROWTH_MIB = 50


def measure_peaks(
    folder: Path, weights: Path, device: str, lengths_seconds: Sequence[int]
) -> dict[int, float]:
    """Return the peak memory of `infer`, in MiB, by the length of the video in seconds.

    The video is cut as users cut it, so that a longer one has more segments, not longer ones.
    """
    peaks = {}
    for seconds in lengths_seconds:
        clip = write_clip(folder / f"{seconds}.mp4", SIZE, seconds * RATE)
        run(program_command("segment", clip))
        segments = clip.with_name(f"{clip.stem}_segments")
        settings = ("--checkpoint", weights.resolve(), "--downsample-ratio", RATIO)
        command = program_command("infer", segments, *settings, "--device", device)
        result = run([*command, "--codec", "h264"])
        peaks[seconds] = result.peak_bytes / MIB
        print(
            f"{seconds} s of video: {peaks[seconds]:.1f} MiB in {result.seconds:.0f} s", flush=True
        )
    return peaks


def report(peaks: dict[int, float]) -> str:
    """Return the table for people."""
    rows = [[f"{seconds} s", f"{peak:.1f}"] for seconds, peak in peaks.items()]
    growth = peaks[max(peaks)] - peaks[min(peaks)]
    return (
        f"{SIZE.width}x{SIZE.height}, {RATE} frames a second, ratio {RATIO}; all processes of "
        f"`infer`, each at its own peak.\n\n{table(['video', 'memory (MiB)'], rows)}\n"
        f"Growth: {growth:.1f} MiB; at most {MAX_GROWTH_MIB} MiB are allowed.\n"
    )
