"""What the ffmpeg program shows of a video: the measure of what is whole."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path

from matting.media import ffmpeg


def pixel_aspect_by_ffmpeg(video: Path) -> Fraction:
    """Return the width of a pixel by its height; 1 where the file does not say."""
    command = [str(ffmpeg.program()), "-hide_banner", "-i", str(video), "-frames:v", "1"]
    command += ["-vf", "showinfo", "-f", "null", "-"]
    done = subprocess.run(command, stderr=subprocess.PIPE, check=True, text=True)
    found = re.search(r" sar:(\d+)/(\d+) ", done.stderr)
    assert found is not None
    return Fraction(int(found[1]) or 1, int(found[2]) or 1)


def frames_by_ffmpeg(video: Path) -> list[tuple[Fraction, str]]:
    """Return (seconds, hash of the planes) of every frame that a tolerant decoder shows."""
    command = [str(ffmpeg.program()), "-v", "quiet", "-threads", "1", "-noautorotate", "-copyts"]
    command += ["-i", str(video)]
    command += ["-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "demux"]
    done = subprocess.run(
        [*command, "-f", "framemd5", "-"], stdout=subprocess.PIPE, check=False, text=True
    )
    lines = done.stdout.splitlines()
    time_base = next(Fraction(line.split(":")[1].strip()) for line in lines if line[:5] == "#tb 0")
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    return [(int(row[2]) * time_base, row[5].strip()) for row in rows]
