"""Numbers as people read them: durations, times of day, sizes."""

from __future__ import annotations

import math
from datetime import datetime
from fractions import Fraction

MINUTE, HOUR, DAY = 60, 3600, 86400


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: "5 h 20 min"."""
    if seconds < MINUTE:
        return "less than a minute"
    minutes = round(seconds / MINUTE)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / HOUR)
    days = hours // 24
    return f"{days} day{'s' * (days > 1)} {hours % 24} h"


def about(seconds: float) -> str:
    """Return an estimated duration: "about 5 h 20 min", "less than a minute"."""
    text = duration(seconds)
    return text if seconds < MINUTE else f"about {text}"


def time_of_day(time: datetime, now: datetime) -> str:
    """Return the time of day, with its day if that is not today: "03:40 tomorrow"."""
    days = (time.date() - now.date()).days
    day = "" if days == 0 else " tomorrow" if days == 1 else f" on {time:%Y-%m-%d}"
    return f"{time:%H:%M}{day}"


def gigabytes(size_bytes: float) -> str:
    """Return a size as people read it: "1.2 GB", or less than that in MB, or in KB."""
    if size_bytes < 1e6:
        return f"{math.ceil(size_bytes / 1e3)} KB"
    if size_bytes < 1e9:
        return f"{round(size_bytes / 1e6)} MB"
    size = size_bytes / 1e9
    return f"{size:.1f} GB" if size < 100 else f"{size:.0f} GB"


def clock(seconds: float) -> str:
    """Return a duration to the nearest second, as a clock shows it: 0:07, 5:20, 1:23:45."""
    whole = round(seconds)
    hours, minutes = divmod(whole // MINUTE, HOUR // MINUTE)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def time_taken(seconds: float) -> str:
    """Return a duration in its two largest units: "7 s", "3 min 20 s", "5 h 20 min"."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s" if whole else "less than a second"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return duration(seconds)


def exact_clock(seconds: Fraction) -> str:
    """Return a time in a video to the millisecond: 1:23:45.678."""
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
